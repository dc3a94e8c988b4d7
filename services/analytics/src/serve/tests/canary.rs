//! A token that was typed into the console is in no page, no log and no table.

use std::io::Write;
use std::sync::{Arc, LazyLock, Mutex};

use tracing_subscriber::fmt::MakeWriter;

use super::bots::{TOKEN, telegram};
use super::subject::Subject;

/// Everything that is logged, by all tests of this process.
#[derive(Clone, Default)]
pub(crate) struct Log(Arc<Mutex<Vec<u8>>>);

impl Log {
    /// Watches from the first call on.
    pub(crate) fn watch() -> Self {
        static LOG: LazyLock<Log> = LazyLock::new(|| {
            let log = Log::default();
            let subscriber = tracing_subscriber::fmt()
                .with_max_level(tracing::Level::TRACE)
                .with_writer(log.clone());
            // For all threads: a scoped one misses what others have met before it.
            tracing::subscriber::set_global_default(subscriber.finish()).unwrap();
            log
        });
        LOG.clone()
    }

    /// Fails where a word is in it, or where what must be in it is not.
    pub(crate) fn assert_without(&self, word: &str, watched: &str) {
        // A copy: who fails with the lock would fail all that log.
        let log = self.0.lock().unwrap().clone();
        let log = String::from_utf8_lossy(&log);
        assert!(log.contains(watched), "the log was not watched");
        let at = log.find(word);
        assert_eq!(
            at.map(|at| log[at.saturating_sub(300)..at].to_owned()),
            None
        );
    }
}

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Log {
    type Writer = Self;

    fn make_writer(&'a self) -> Self {
        self.clone()
    }
}

#[actix_rt::test]
async fn it_is_nowhere_whichever_field_it_was_typed_into() {
    let log = Log::watch();
    let telegram = telegram().await;
    let unknown = TOKEN.replace("7000000001", "7000000002");
    let short = "7000000003:AAcanary-short";
    let mut bodies = Vec::new();
    for (url, store) in [(telegram.as_str(), "yes"), ("http://127.0.0.1:1", "")] {
        let subject = Subject::with(url, url).await;
        let mut owner = subject.owner().await;
        for token in [&unknown, short, TOKEN] {
            for field in ["bot", "name", "privacy", "way", "store", "token"] {
                for way in ["id", "token", "code"] {
                    let rest = [("way", way), ("store", store), ("privacy", "full")];
                    let mut form: Vec<_> = rest
                        .into_iter()
                        .filter(|(name, value)| *name != field && !value.is_empty())
                        .collect();
                    form.push((field, token));
                    let seen = owner.submit("/bots/add", &form).await;
                    bodies.push(format!("{:?}{}", seen.headers, seen.body));
                }
            }
            let query = token.replace(':', "%3A");
            bodies.push(owner.get(&format!("/bots?q={query}")).await.body);
            bodies.push(owner.get("/bots").await.body);
        }
        let tenants = subject.site.registry.list().await.unwrap();
        assert!(tenants.iter().any(|tenant| tenant.token_stored) || store.is_empty());
        for tenant in tenants {
            for page in ["connect", "settings"] {
                let path = format!("/bots/{}/{page}", tenant.code);
                bodies.push(owner.get(&path).await.body);
            }
            let form = [
                ("bot", TOKEN),
                ("name", TOKEN),
                ("zone", TOKEN),
                ("privacy", TOKEN),
                ("sure", TOKEN),
            ];
            for page in ["name", "zone", "rebind", "privacy"] {
                let path = format!("/bots/{}/settings/{page}", tenant.code);
                bodies.push(owner.submit(&path, &form).await.body);
            }
        }
        bodies.push(owner.submit("/refused/add", &[("bot", TOKEN)]).await.body);
        subject.database().close().await;
        for file in subject.folder.path().read_dir().unwrap() {
            let bytes = std::fs::read(file.unwrap().path()).unwrap();
            bodies.push(String::from_utf8_lossy(&bytes).into_owned());
        }
    }
    for body in &bodies {
        let at = body
            .find("AAcanary")
            .map(|at| &body[at.saturating_sub(300)..at]);
        assert_eq!(at, None);
    }
    log.assert_without("AAcanary", "bot connected");
}
