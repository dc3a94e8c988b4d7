//! The process that counts, to be killed: `gramtap-analytics`, or `gramtap up` with all in one.
//!
//! In: an installation. Out: events.v1, errors.v1 and sums; a console that shows them. Invariant: a death is SIGKILL; an end is SIGTERM and
//! has to be in order. Batches wait for little company, so that there are many to die in. Its clock stands at the end of the week, so
//! that its console's today is the week's last day.

use gramtap_tests::{Installation, Service, Stores};

use super::scripted::NOW;

const WINDOW: (&str, &str) = ("GRAMTAP_ANALYTICS__DECODE_WINDOW", "20ms");

/// A running one.
pub(super) struct Counter {
    service: Service,
    /// By which its places in the groups are known.
    pub(super) name: String,
}

impl Counter {
    /// Starts it. It is not waited for: what it does shows in the topics.
    pub(super) fn start(installation: &Installation, stores: Stores, name: &str) -> Self {
        let instance = ("GRAMTAP_ANALYTICS__INSTANCE", name);
        let now = NOW.to_string();
        let clock = ("GRAMTAP_TEST_CLOCK", now.as_str());
        let service = match stores {
            Stores::Servers => {
                let command = ["gramtap-analytics"];
                Service::spawn(installation, &command, name, &[WINDOW, instance, clock])
            }
            Stores::Embedded => {
                let data = installation.data_dir("ingress");
                let own = [
                    WINDOW,
                    instance,
                    clock,
                    ("GRAMTAP_DATA_DIR", data.to_str().unwrap()),
                    ("GRAMTAP_INGRESS__LISTEN", "127.0.0.1:0"),
                ];
                Service::spawn(installation, &["gramtap", "up"], name, &own)
            }
        };
        let name = name.to_owned();
        Self { service, name }
    }

    /// It runs.
    pub(super) fn runs(&mut self) {
        if let Some(status) = self.service.has_ended() {
            panic!(
                "{} ended with {status}: {}",
                self.name,
                self.service.words()
            );
        }
    }

    /// The link to its console, which makes the console's owner.
    pub(super) async fn link(&self) -> String {
        self.service.owner_link().await
    }

    /// SIGKILL.
    pub(super) async fn kill(self) {
        self.service.kill().await;
    }

    /// SIGTERM; it has to end in order.
    pub(super) async fn stop(self) {
        self.service.stop().await;
    }
}
