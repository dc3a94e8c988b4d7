//! A webhook that the registry knows and Telegram has refused is taken back, if not at once, later.
//!
//! In: Telegram's answer, what was taken over (`call.rs`). Out: the registry, the directory. Why it is not left alone: Telegram still pushes to the address before, and until it is
//! taken back, what comes there goes where the bot asked for in vain. Invariant: what was changed since, by whomever, stays. Given up after an hour, or when the process
//! ends: then it stands until the bot sets its webhook again, and the log says so.

use std::rc::Rc;
use std::time::Duration;

use gramtap_actors::spawn_local;
use gramtap_telegram::Answer;
use gramtap_tenants::Taken;
use tokio::time::sleep;

use crate::worker::Worker;

/// How often the registry is asked, and after how long each time.
const TIMES: u32 = 1_800;
const EVERY: Duration = Duration::from_secs(2);

/// Whether Telegram has refused a setWebhook. 409: another one came in between, and may have been given the same address.
pub(super) fn is_refused(body: &[u8]) -> bool {
    let refused = Answer::parse(body).filter(|answer| !answer.ok);
    refused.is_some_and(|answer| answer.error_code != Some(409))
}

/// Takes it back beside everything else.
pub(super) fn later(worker: Rc<Worker>, taken: Taken) {
    drop(spawn_local("undo", async move {
        let registry = &worker.takeovers.registry;
        let tenant = taken.tenant.id;
        for _ in 0..TIMES {
            sleep(EVERY).await;
            let Ok(undone) = registry.put_back(&taken).await else {
                continue;
            };
            if let Some(tenant) = &undone {
                worker.directory.learn(tenant);
            }
            tracing::info!(%tenant, "a webhook that telegram refused was taken back after all");
            return;
        }
        tracing::error!(%tenant, "a webhook that telegram refused stands until the bot sets it again");
    }));
}
