//! Builds arbitrary objects of the Bot API for the tests of the masks.
//!
//! In: `bot_api.txt`. Out: JSON, every string, integer and fraction of it made by the test.

use std::collections::HashMap;

use serde_json::{Map, Value};

/// The objects and methods by name.
pub(super) struct Schema(HashMap<&'static str, Vec<(&'static str, Vec<&'static str>)>>);

/// What the leaves are.
pub(super) trait Leaves {
    fn string(&mut self, owner: &str, field: &str) -> Value;
    fn integer(&mut self, owner: &str, field: &str) -> Value;
    /// Which of several alternatives.
    fn choose(&mut self, of: usize) -> usize;
    /// Whether a member is not there.
    fn leaves_out(&mut self) -> bool;
    /// Members that no schema knows.
    fn unknown(&mut self) -> Vec<(String, Value)>;
}

impl Schema {
    pub(super) fn read() -> Self {
        let lines = include_str!("bot_api.txt")
            .lines()
            .filter(|line| !line.starts_with('#'));
        let types = lines.map(|line| {
            let mut words = line.split(' ');
            let name = words.next().unwrap_or_default();
            let fields = words.filter_map(|word| word.split_once(':'));
            (
                name,
                fields
                    .map(|(field, types)| (field, types.split('|').collect()))
                    .collect(),
            )
        });
        Self(types.collect())
    }

    /// The names of all methods.
    pub(super) fn methods(&self) -> Vec<&'static str> {
        let mut names: Vec<&str> = self
            .0
            .keys()
            .copied()
            .filter(|name| name.starts_with(char::is_lowercase))
            .collect();
        names.sort_unstable();
        names
    }

    /// The fields of an object.
    pub(super) fn fields(&self, name: &str) -> &[(&'static str, Vec<&'static str>)] {
        self.0.get(name).map_or(&[], Vec::as_slice)
    }

    /// An object with its objects inside it, `depth` levels of them.
    pub(super) fn build(&self, name: &str, depth: usize, leaves: &mut dyn Leaves) -> Value {
        let mut members = Map::new();
        for (field, types) in self.fields(name) {
            if leaves.leaves_out() {
                continue;
            }
            let kind = types[leaves.choose(types.len())];
            if let Some(value) = self.value(name, field, kind, depth, leaves) {
                members.insert((*field).to_owned(), value);
            }
        }
        members.extend(leaves.unknown());
        Value::Object(members)
    }

    pub(super) fn value(
        &self,
        owner: &str,
        field: &str,
        kind: &str,
        depth: usize,
        leaves: &mut dyn Leaves,
    ) -> Option<Value> {
        if let Some(kind) = kind.strip_prefix('[') {
            let items = 0..=leaves.choose(2);
            return Some(
                items
                    .filter_map(|_| self.value(owner, field, kind, depth, leaves))
                    .collect(),
            );
        }
        match kind {
            "s" => Some(leaves.string(owner, field)),
            "i" => Some(leaves.integer(owner, field)),
            "f" => Some(Value::from(48.858_37)),
            "b" => Some(Value::from(true)),
            _ => (depth > 0).then(|| self.build(kind, depth - 1, leaves)),
        }
    }
}
