//! The name that a process has in its groups.
//!
//! In: a setting, or the host's name. Out: the name, to whoever joins a group. Invariant: every broker takes it, and it is the same after a
//! restart. Pure, but for the host's name.

use gramtap_settings::{Settings, SettingsError};

use crate::host_name;

/// Bytes of a name that every broker takes.
const LONGEST: usize = 200;

/// The name that a setting gives, or that of the host where it is empty.
///
/// # Errors
/// Brokers do not take it.
pub fn member(settings: &Settings, key: &str, given: &str) -> Result<String, SettingsError> {
    match given {
        "" => Ok(fitting(&host_name())),
        given if fitting(given) == given => Ok(given.to_owned()),
        _ => {
            let what = "letters, digits, dots, dashes and underscores";
            Err(settings.refuse(key, format!("at most {LONGEST} {what}")))
        }
    }
}

/// A text as brokers take it for a name.
fn fitting(text: &str) -> String {
    let fits = |it: char| it.is_ascii_alphanumeric() || matches!(it, '.' | '-' | '_');
    let fitting = text.chars().map(|it| if fits(it) { it } else { '-' });
    fitting.take(LONGEST).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_one_that_brokers_take() {
        assert_eq!(fitting("web-1.example_x"), "web-1.example_x");
        assert_eq!(fitting("шkönig 1"), "-k-nig-1");
        assert_eq!(fitting(&"a".repeat(300)).len(), LONGEST);
    }
}
