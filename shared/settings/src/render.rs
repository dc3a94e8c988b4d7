//! The whole effective configuration as commented TOML, for `gramtap config` and bug reports.
//! Input: [`Settings`] and the page of defaults, whose comments are kept. Output: a text that can
//! be used as a configuration file once the hidden values are filled in. Invariant: no secret is
//! in it (`mask.rs`).

use toml_edit::{DocumentMut, Item};

use crate::{DEFAULT, Origin, Settings, mask::mask_value};

impl Settings {
    /// The page of defaults with the effective values, each changed one marked with where it was
    /// written, secrets hidden.
    pub fn render(&self) -> String {
        let Ok(mut page) = DEFAULT.parse::<DocumentMut>() else {
            return String::new();
        };
        for (key, entry) in self.entries() {
            if entry.origin == Origin::Default {
                continue;
            }
            let mut item = mask_value(key, &entry.value).to_toml();
            if let Some(value) = item.as_value_mut() {
                value.decor_mut().set_prefix(" ");
                value
                    .decor_mut()
                    .set_suffix(format!("  # from {}", one_line(&entry.origin.to_string())));
            }
            if let Some(place) = find(page.as_item_mut(), key) {
                *place = item;
            }
        }
        page.to_string()
    }
}

fn find<'a>(item: &'a mut Item, key: &str) -> Option<&'a mut Item> {
    key.split('.')
        .try_fold(item, |item, name| item.get_mut(name))
}

/// A path may contain a line break, a comment may not.
fn one_line(text: &str) -> String {
    text.chars()
        .map(|character| {
            if character.is_control() {
                '?'
            } else {
                character
            }
        })
        .collect()
}
