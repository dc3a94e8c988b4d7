//! Passwords, hashed and compared.
//!
//! In: what people typed. Out: a hash for `accounts`, or whether it is the password. Invariant: argon2id with 19 MiB and two passes;
//! one hash at a time, on a counted thread, because a worker must not wait for it; a password of nobody takes as long as a wrong
//! one. Overloaded: a few wait, whoever comes then is refused at once.

use std::io;
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::sync::{Mutex, PoisonError};

use argon2::password_hash::phc::PasswordHash;
use argon2::{Algorithm, Argon2, Params, PasswordHasher, PasswordVerifier, Version};
use gramtap_settings::SecretString;
use tokio::sync::oneshot;

/// Passwords that wait for their turn.
const WAITING: usize = 8;
/// Characters of a password at least.
pub(in crate::serve) const SHORTEST: usize = 12;
/// Characters of a password at most.
pub(in crate::serve) const LONGEST: usize = 1_024;
/// KiB, passes, lanes: what OWASP recommends where memory is dear.
const COST: (u32, u32, u32) = (19 * 1_024, 2, 1);

/// A password could not be looked at.
#[derive(Debug, thiserror::Error)]
pub(in crate::serve) enum PasswordError {
    /// Too many at once.
    #[error("too many passwords at once")]
    Busy,
    /// The thread could not be started, or ended.
    #[error("passwords cannot be hashed: {0}")]
    Thread(io::Error),
}

enum Job {
    Hash(SecretString, oneshot::Sender<Option<String>>),
    Verify(SecretString, Option<String>, oneshot::Sender<bool>),
}

/// The thread that hashes.
#[derive(Debug, Default)]
pub(in crate::serve) struct Passwords(Mutex<Option<SyncSender<Job>>>);

impl Passwords {
    /// The hash of a password, with a salt of its own.
    pub(in crate::serve) async fn hash(
        &self,
        password: SecretString,
    ) -> Result<String, PasswordError> {
        let (sender, answer) = oneshot::channel();
        self.ask(Job::Hash(password, sender))?;
        match answer.await {
            Ok(Some(hash)) => Ok(hash),
            _ => Err(lost()),
        }
    }

    /// Whether a hash is that of a password. Without a hash it takes as long and is none.
    pub(in crate::serve) async fn verify(
        &self,
        password: SecretString,
        hash: Option<String>,
    ) -> Result<bool, PasswordError> {
        let (sender, answer) = oneshot::channel();
        self.ask(Job::Verify(password, hash, sender))?;
        answer.await.map_err(|_| lost())
    }

    fn ask(&self, mut job: Job) -> Result<(), PasswordError> {
        let mut thread = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = thread.as_ref() {
            job = match known.try_send(job) {
                Ok(()) => return Ok(()),
                Err(TrySendError::Full(_)) => return Err(PasswordError::Busy),
                // A panic has ended the thread.
                Err(TrySendError::Disconnected(job)) => job,
            };
        }
        let (sender, jobs) = sync_channel(WAITING);
        // It ends with its sender.
        drop(
            gramtap_actors::spawn_thread("password", move || work(&jobs))
                .map_err(PasswordError::Thread)?,
        );
        sender.try_send(job).map_err(|_| lost())?;
        *thread = Some(sender);
        Ok(())
    }
}

fn lost() -> PasswordError {
    PasswordError::Thread(io::Error::other("the thread has ended"))
}

fn work(jobs: &Receiver<Job>) {
    let params = Params::new(COST.0, COST.1, COST.2, None).unwrap_or_default();
    let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
    let hash = |password: &[u8]| argon2.hash_password(password).map(|it| it.to_string()).ok();
    // What is compared where there is nothing to compare with.
    let nobody = super::secret().ok().and_then(|text| hash(text.as_bytes()));
    for job in jobs {
        match job {
            Job::Hash(password, answer) => {
                // Nobody need be waiting any more, here and below.
                answer.send(hash(password.expose().as_bytes())).ok();
            }
            Job::Verify(password, known, answer) => {
                let against = known.as_ref().or(nobody.as_ref());
                let parsed = against.and_then(|hash| PasswordHash::new(hash).ok());
                let fits = parsed.is_some_and(|hash| {
                    let password = password.expose().as_bytes();
                    argon2.verify_password(password, &hash).is_ok()
                });
                answer.send(fits && known.is_some()).ok();
            }
        }
    }
}

/// What is wrong with a new password, if anything is.
pub(in crate::serve) fn objection(password: &str, name: &str) -> Option<&'static str> {
    let length = password.chars().count();
    if length < SHORTEST {
        Some(
            "The password needs at least 12 characters. Four words that have nothing to do with each other are a good one.",
        )
    } else if length > LONGEST {
        Some("The password has 1,024 characters at most.")
    } else if password.to_lowercase().contains(&name.to_lowercase())
        && length < name.chars().count() + SHORTEST
    {
        Some("The password must be more than your name.")
    } else if password.chars().all(|it| password.starts_with(it)) {
        Some("The password is one character again and again.")
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn secret(text: &str) -> SecretString {
        SecretString::new(text.to_owned())
    }

    #[tokio::test]
    async fn a_password_is_known_again_and_no_other_is() {
        let passwords = Passwords::default();
        let hash = passwords
            .hash(secret("correct horse battery"))
            .await
            .unwrap();
        assert!(
            hash.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"),
            "{hash}"
        );
        let again = passwords
            .hash(secret("correct horse battery"))
            .await
            .unwrap();
        assert_ne!(hash, again);
        for (text, known, fits) in [
            ("correct horse battery", Some(hash.clone()), true),
            ("correct horse batterz", Some(hash.clone()), false),
            ("", Some(hash), false),
            ("correct horse battery", None, false),
            ("correct horse battery", Some("no hash".to_owned()), false),
        ] {
            let fit = passwords.verify(secret(text), known).await.unwrap();
            assert_eq!(fit, fits, "{text}");
        }
    }

    #[tokio::test]
    async fn a_few_wait_and_the_rest_is_refused_at_once() {
        let passwords = Passwords::default();
        let many = (0..64).map(|_| passwords.verify(secret("x"), None));
        let many = futures_util::future::join_all(many).await;
        let busy = many
            .iter()
            .filter(|it| matches!(it, Err(PasswordError::Busy)));
        let busy = busy.count();
        // One is looked at, and a slow machine may begin a few more meanwhile.
        assert!((32..=64 - WAITING).contains(&busy), "{busy}");
        assert!(passwords.verify(secret("x"), None).await.is_ok());
    }

    #[test]
    fn short_and_simple_passwords_are_refused() {
        for (password, refused) in [
            ("", true),
            ("elevenchars", true),
            ("twelve chars", false),
            ("aaaaaaaaaaaaaaaa", true),
            ("annabelle1234", true),
            ("annabelle and four words", false),
            ("пароль из слов", false),
        ] {
            let objection = objection(password, "Annabelle");
            assert_eq!(objection.is_some(), refused, "{password} {objection:?}");
        }
        assert!(objection(&"ab".repeat(600), "ann").is_some());
    }
}
