//! A value that must not be shown. Input: a section's struct, through serde. Output: whoever calls
//! [`Secret::expose`], a name that is easy to search for. Invariant: `Debug` and `Display` print
//! three stars, there is no `Serialize`, and the memory is overwritten when the value is dropped.

use std::fmt;

use serde::{Deserialize, Deserializer};
use zeroize::{Zeroize, Zeroizing};

/// A secret of any kind that can be overwritten. Compare by [`Secret::expose`] only in constant
/// time where an answer depends on it.
#[derive(Clone)]
pub struct Secret<T: Zeroize>(Zeroizing<T>);

/// A secret text.
pub type SecretString = Secret<String>;

impl<T: Zeroize> Secret<T> {
    /// Wraps a value.
    pub fn new(value: T) -> Self {
        Self(Zeroizing::new(value))
    }

    /// The value itself. Every call is a place where it may leak.
    pub fn expose(&self) -> &T {
        &self.0
    }
}

impl<T: Zeroize + Default> Default for Secret<T> {
    fn default() -> Self {
        Self::new(T::default())
    }
}

impl<T: Zeroize> From<T> for Secret<T> {
    fn from(value: T) -> Self {
        Self::new(value)
    }
}

impl<T: Zeroize> fmt::Debug for Secret<T> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("***")
    }
}

impl<T: Zeroize> fmt::Display for Secret<T> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("***")
    }
}

impl<'de, T: Zeroize + Deserialize<'de>> Deserialize<'de> for Secret<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        T::deserialize(deserializer).map(Self::new)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn is_never_printed() {
        let secret = SecretString::new("canary".to_owned());
        assert_eq!(
            format!("{secret} {secret:?} {:#?}", Some(&secret)),
            "*** *** Some(\n    ***,\n)"
        );
        assert_eq!(secret.expose(), "canary");
    }

    #[test]
    fn is_overwritten_when_dropped() {
        use std::cell::Cell;
        thread_local!(static OVERWRITTEN: Cell<u32> = const { Cell::new(0) });
        struct Key;
        impl Zeroize for Key {
            fn zeroize(&mut self) {
                OVERWRITTEN.set(OVERWRITTEN.get() + 1);
            }
        }
        drop(Secret::new(Key));
        assert_eq!(OVERWRITTEN.get(), 1);
    }
}
