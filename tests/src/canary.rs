//! Looks for texts that may be nowhere.
//!
//! In: a folder, texts. Out: which text is in which file. Invariant: every byte of every file below
//! the folder is looked at, whatever its name. A folder without a file is an error of the test.

use std::io::ErrorKind;
use std::path::Path;

use memchr::memmem;

/// What every token of a test has in it, and nothing else may have.
pub const CANARY: &str = "AAcanary";

/// Every file below `folder` that holds one of `texts`, with that text.
///
/// # Panics
/// If there is no file, or one cannot be read.
#[must_use]
pub fn canaries_in(folder: &Path, texts: &[&str]) -> Vec<String> {
    let mut folders = vec![folder.to_owned()];
    let (mut found, mut files) = (Vec::new(), 0);
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            let bytes = match std::fs::read(&path) {
                Ok(bytes) => bytes,
                // A database takes its journal away when it is closed.
                Err(error) if error.kind() == ErrorKind::NotFound => continue,
                Err(error) => panic!("{}: {error}", path.display()),
            };
            files += 1;
            for text in texts {
                if memmem::find(&bytes, text.as_bytes()).is_some() {
                    found.push(format!("{text} in {}", path.display()));
                }
            }
        }
    }
    assert!(files > 0, "there is nothing in {}", folder.display());
    found
}
