//! Masks secrets and nothing else.
//!
//! In: a tree in mode `full` (`lib.rs`). Out: the same tree with `***` for the values of secrets and
//! for tokens in every string and name; parameters read as in the other modes; a message's
//! command and payload beside its text. Invariant: no number, boolean or null of an
//! update or a result is changed.

use std::borrow::Cow;

use super::MASKED;
use super::filter::{Place, add, clean, command_in, loosen};
use super::rules::{self, Rule};
use crate::tree::Node;

/// Masks a tree.
pub(super) fn mask(node: &mut Node<'_>, place: Place<'_>) {
    match node {
        Node::Text(text) => clean(text),
        Node::List(items) => items.iter_mut().for_each(|item| mask(item, place)),
        Node::Object(members) => {
            let command = command_in(members, place);
            for (name, value) in members.iter_mut() {
                let rule = rules::rule(name);
                if place.loose {
                    loosen(name, rule, value, place.top);
                }
                match (rule, &*value) {
                    (Rule::Secret, Node::Null) => {}
                    (Rule::Secret, _) => *value = Node::Text(Cow::Borrowed(MASKED)),
                    _ => mask(value, place.inside(name)),
                }
                clean(name);
            }
            add(members, command);
        }
        Node::Null | Node::Bool(_) | Node::Int(_) | Node::Big(_) | Node::Float(_) => {}
    }
}
