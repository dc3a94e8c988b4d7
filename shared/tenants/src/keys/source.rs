//! Where the installation key comes from: the configuration, a file, or the first start.
//!
//! In: `[secrets]` of `default.toml`. Out: [`Keys`]. Invariant: a key that is made is on disk,
//! readable by its owner alone, before it is used; of two processes that start at once one makes it
//! and both use it. An existing file is never written to.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use gramtap_settings::SecretString;
use serde::Deserialize;
use zeroize::Zeroizing;

use super::{Bytes32, Keys};

/// `[secrets]`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SecretsSection {
    /// 32 bytes in hexadecimal.
    pub key: SecretString,
    /// A file that holds them; one key a line, the first seals, the others open what they sealed.
    pub key_file: PathBuf,
}

impl SecretsSection {
    /// The name of the file in the data folder, where neither is given.
    pub const FILE: &'static str = "installation.key";
}

/// Why there are no keys, or why something was not sealed or opened.
#[derive(Debug, thiserror::Error)]
pub enum KeysError {
    /// Both settings are given.
    #[error("set secrets.key or secrets.key_file, not both")]
    Both,
    /// What is given is no key.
    #[error("{0} is not 32 bytes in hexadecimal (64 characters)")]
    Malformed(String),
    /// The file cannot be read or made.
    #[error("the key file {} cannot be used: {source}", path.display())]
    File {
        /// Which one.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The system gives no randomness.
    #[error("the system gives no random bytes: {0}")]
    Random(#[from] getrandom::Error),
    /// A token or an update was sealed with a key that this installation does not have.
    #[error("it was sealed with the key {key_id}, which is not configured")]
    UnknownKey {
        /// The key's id.
        key_id: String,
    },
    /// A sealed token or update was changed, or belongs elsewhere.
    #[error("what was sealed cannot be opened: it was changed, or is another bot's")]
    Damaged,
}

impl KeysError {
    /// The fixed word for metrics.
    #[must_use]
    pub fn label(&self) -> &'static str {
        match self {
            Self::Both | Self::Malformed(_) => "key_config",
            Self::File { .. } => "key_file",
            Self::Random(_) => "random",
            Self::UnknownKey { .. } => "unknown_key",
            Self::Damaged => "damaged",
        }
    }
}

impl Keys {
    /// Reads the installation key, or makes one in the data folder at the first start. Blocks on
    /// files: for start-up alone.
    pub fn load(section: &SecretsSection, data_dir: &Path) -> Result<Self, KeysError> {
        let key = section.key.expose();
        let file = section.key_file.as_path();
        match (key.is_empty(), file.as_os_str().is_empty()) {
            (false, false) => Err(KeysError::Both),
            (false, true) => parse(key, || "secrets.key".to_owned()),
            (true, false) => read(file),
            (true, true) => {
                let file = data_dir.join(SecretsSection::FILE);
                if !file.exists() {
                    make(&file)?;
                }
                read(&file)
            }
        }
    }
}

fn read(path: &Path) -> Result<Keys, KeysError> {
    let text = fs::read_to_string(path).map(Zeroizing::new);
    let text = text.map_err(|source| KeysError::File {
        path: path.to_owned(),
        source,
    })?;
    parse(&text, || path.display().to_string())
}

fn parse(text: &str, origin: impl Fn() -> String) -> Result<Keys, KeysError> {
    let lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
    let keys: Option<Vec<Bytes32>> = lines.map(parse_line).collect();
    match keys.as_deref() {
        Some([first, older @ ..]) => Ok(Keys::new(first, older)),
        _ => Err(KeysError::Malformed(origin())),
    }
}

fn parse_line(line: &str) -> Option<Bytes32> {
    let bytes = data_encoding::HEXLOWER_PERMISSIVE
        .decode(line.as_bytes())
        .map(Zeroizing::new)
        .ok()?;
    Some(Zeroizing::new(bytes.as_slice().try_into().ok()?))
}

/// Makes the file complete under another name first, then gives it its own unless one is there.
fn make(path: &Path) -> Result<(), KeysError> {
    let mut key = Zeroizing::new([0; 32]);
    getrandom::fill(&mut *key)?;
    let line = Zeroizing::new(data_encoding::HEXLOWER.encode(&*key) + "\n");
    let draft = path.with_extension(format!("draft-{}", getrandom::u64()?));
    let made = write_draft(&draft, line.as_bytes()).and_then(|()| fs::hard_link(&draft, path));
    let removed = fs::remove_file(&draft);
    match made.and(removed) {
        // Another process was quicker.
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        made => made.map_err(|source| KeysError::File {
            path: path.to_owned(),
            source,
        }),
    }
}

fn write_draft(draft: &Path, line: &[u8]) -> io::Result<()> {
    let folder = draft.parent().unwrap_or(Path::new("."));
    DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(folder)?;
    let mut file = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(draft)?;
    file.write_all(line)?;
    file.sync_all()?;
    File::open(folder)?.sync_all()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    fn section(key: &str, file: &Path) -> SecretsSection {
        SecretsSection {
            key: SecretString::new(key.to_owned()),
            key_file: file.to_owned(),
        }
    }

    #[test]
    fn the_first_start_makes_a_key_that_the_next_ones_read() {
        let folder = tempfile::tempdir().unwrap();
        let data = folder.path().join("data");
        let none = section("", Path::new(""));
        let ids: Vec<String> = std::thread::scope(|scope| {
            let start = || Keys::load(&none, &data).unwrap().id().to_owned();
            let starts: Vec<_> = (0..8).map(|_| scope.spawn(start)).collect();
            starts
                .into_iter()
                .map(|start| start.join().unwrap())
                .collect()
        });
        assert!(ids.iter().all(|id| *id == ids[0]), "{ids:?}");
        let file = data.join("installation.key");
        assert_eq!(file.metadata().unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(fs::read_dir(&data).unwrap().count(), 1, "a draft is left");
    }

    #[test]
    fn the_setting_and_the_file_give_the_same_key() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("key");
        let hex = "0123456789abcdef".repeat(4);
        fs::write(&file, format!("\n  {hex}\n")).unwrap();
        let given = Keys::load(&section(&hex, Path::new("")), folder.path()).unwrap();
        let read = Keys::load(&section("", &file), folder.path()).unwrap();
        assert_eq!(given.id(), read.id());
        let upper = Keys::load(&section(&hex.to_uppercase(), Path::new("")), folder.path());
        assert_eq!(upper.unwrap().id(), read.id());
    }

    #[test]
    fn what_is_no_key_is_refused_and_not_shown() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("key");
        fs::write(&file, "canary").unwrap();
        let missing = folder.path().join("missing");
        let none = Path::new("");
        let short = "ab".repeat(31);
        for (key, file, label) in [
            ("canary", none, "key_config"),
            (short.as_str(), none, "key_config"),
            ("canary", file.as_path(), "key_config"),
            ("", file.as_path(), "key_config"),
            ("", missing.as_path(), "key_file"),
        ] {
            let error = Keys::load(&section(key, file), folder.path()).unwrap_err();
            assert_eq!(error.label(), label);
            assert!(!format!("{error} {error:?}").contains("canary"));
        }
    }
}
