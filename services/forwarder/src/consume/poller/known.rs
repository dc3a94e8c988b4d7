//! What the registry says of bots whose updates wait.
//!
//! In: the directory, at each bot's first record and each second. Out: bounds on connections, what the bot had dropped, and renewals, to [`Dispatch`]. Invariant: a
//! bot of which nothing is known yet gets one connection at a time, so that no bound of its own is broken; a webhook that changes is tried at once.
//! Forgets bots of which nothing waits.

use std::collections::HashMap;
use std::rc::Rc;

use gramtap_events::{Moment, TenantId};
use gramtap_tenants::{Key, SealedWebhook, Tenant};

use crate::arrange::dispatch::Dispatch;
use crate::worker::Worker;

/// See the file's header.
pub(super) struct Known {
    worker: Rc<Worker>,
    bots: HashMap<TenantId, View>,
}

/// What is known of a bot.
#[derive(Clone, Debug, PartialEq, Eq)]
enum View {
    /// Nothing: the registry has not been asked.
    Nothing,
    /// It is not there, or has no webhook.
    Absent,
    /// Its webhook.
    Webhook(SealedWebhook),
}

impl Known {
    pub(super) fn new(worker: &Rc<Worker>) -> Self {
        Self {
            worker: Rc::clone(worker),
            bots: HashMap::new(),
        }
    }

    /// A record of a bot was read.
    pub(super) fn meet<P: Clone>(
        &mut self,
        now: Moment,
        tenant: TenantId,
        dispatch: &mut Dispatch<P>,
    ) {
        if !self.bots.contains_key(&tenant) {
            let (view, connections, dropped) = self.look(tenant);
            dispatch.set_connections(tenant, connections);
            dispatch.set_dropped(now, tenant, dropped);
            self.bots.insert(tenant, view);
        }
    }

    /// Looks for changes.
    pub(super) fn follow<P: Clone>(&mut self, now: Moment, dispatch: &mut Dispatch<P>) {
        let bots: Vec<TenantId> = self.bots.keys().copied().collect();
        for tenant in bots {
            if !dispatch.holds(tenant) {
                self.bots.remove(&tenant);
                dispatch.set_connections(tenant, None);
                dispatch.set_dropped(now, tenant, None);
                continue;
            }
            let (view, connections, dropped) = self.look(tenant);
            if view != View::Nothing {
                dispatch.set_dropped(now, tenant, dropped);
            }
            let before = self.bots.insert(tenant, view.clone());
            if before.as_ref() == Some(&view) {
                continue;
            }
            dispatch.set_connections(tenant, connections);
            if before != Some(View::Nothing) {
                dispatch.renewed(now, tenant);
            }
        }
    }

    /// What is known, the bot's bound on connections, and what it had dropped.
    fn look(&self, tenant: TenantId) -> (View, Option<usize>, Option<Moment>) {
        let Some(found) = self.worker.shared.directory.cached(&Key::Tenant(tenant)) else {
            return (View::Nothing, Some(1), None);
        };
        let webhook = |tenant: &Tenant| {
            let endpoint = self.worker.endpoint(tenant).ok();
            let connections = endpoint.map(|it| usize::from(it.max_connections));
            let view = View::Webhook(tenant.webhook.clone()?);
            Some((view, connections, tenant.dropped_before))
        };
        let known = found.found().and_then(|tenant| webhook(tenant));
        known.unwrap_or((View::Absent, None, None))
    }
}
