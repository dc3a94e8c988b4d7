//! The error of a failed call.
//!
//! In: a call's record. Out: its group, template, class and advice, for the event (`calls.rs`) and for
//! errors.v1. Invariant: every failed call has an advice; calls with the same tenant, method, code and template, and no
//! others, share a group.

use gramtap_events::call::{Call, Origin};
use gramtap_events::event::Event;
use gramtap_events::failure::Failure;
use gramtap_events::{Record, TenantId};
use gramtap_telegram::advice::{self, Advice, Symptom};
use sha2::{Digest, Sha256};

use super::template;

/// What went wrong with a call.
pub(super) struct Fault {
    pub(super) code: Option<i64>,
    pub(super) group: String,
    pub(super) template: String,
    pub(super) advice: &'static Advice,
}

/// Whether a call failed. A poll that Gramtap itself answered (with an empty list, when it drains) did not.
pub(super) fn has_failed(call: &Call) -> bool {
    let answered = match call.origin {
        Origin::Telegram | Origin::Gramtap => true,
        Origin::Edge => call.method == "file" && call.http.status.is_some_and(|it| it < 400),
        Origin::Network | Origin::Client | Origin::Endpoint => false,
    };
    !answered || call.ok == Some(false) || call.error.is_some() || goes_past(call)
}

/// Whether Telegram did as the bot asked, and its updates come past Gramtap since.
fn goes_past(call: &Call) -> bool {
    call.label.as_deref() == Some("webhook_bypasses")
}

/// What went wrong, if anything did.
pub(super) fn of(call: &Call) -> Option<Fault> {
    if !has_failed(call) {
        return None;
    }
    let description = call.error.as_ref().and_then(|it| it.description.as_deref());
    let code = code(call);
    let advice = advice::of(&Symptom {
        code,
        method: &call.method,
        description,
        label: call.label.as_deref(),
    });
    let template = template::of(description.or(call.label.as_deref()).unwrap_or_default());
    Some(Fault {
        code,
        group: group(call.tenant, &call.method, code, &template),
        template,
        advice,
    })
}

/// The error's code, or the status that the bot got.
fn code(call: &Call) -> Option<i64> {
    let code = call.error.as_ref().map(|error| error.code);
    code.or(call.http.status.map(i64::from))
}

/// 16 hexadecimal digits. The parts cannot run into each other: none but the last holds a zero byte.
pub(super) fn group(tenant: TenantId, method: &str, code: Option<i64>, template: &str) -> String {
    let code = code.map(|code| code.to_string()).unwrap_or_default();
    let mut hash = Sha256::new();
    for part in [tenant.as_str(), method, &code, template] {
        hash.update(part.as_bytes());
        hash.update([0]);
    }
    let hash = hash.finalize();
    let digits = hash[..8].iter().map(|byte| format!("{byte:02x}"));
    digits.collect()
}

impl Fault {
    /// The record for errors.v1. `event` is the call's, with its chat and user.
    pub(super) fn record(self, call: Call, event: &Event) -> Failure {
        let description = call.error.and_then(|error| error.description);
        Failure {
            v: Failure::VERSION,
            error_id: event.event_id.clone(),
            group: self.group,
            template: self.template,
            at: call.at,
            tenant: call.tenant,
            bot: call.bot,
            origin: call.origin,
            class: self.advice.class,
            code: self.code,
            method: call.method,
            description: description.or(call.label.map(Into::into)),
            advice: self.advice.key.to_owned(),
            chat_id: event.chat_id,
            user_id: event.user_id,
            update_id: None,
            client: Some(call.client),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_group_is_of_tenant_method_code_and_template() {
        let other = "bbbbbbbbbbbbbbbbbbbbbbbbbb".parse();
        let one = TenantId::UNATTRIBUTED;
        let group_of = group(one, "sendMessage", Some(400), "chat not found");
        assert_eq!(group_of.len(), 16);
        assert!(group_of.bytes().all(|it| it.is_ascii_hexdigit()));
        assert_eq!(
            group_of,
            group(one, "sendMessage", Some(400), "chat not found")
        );
        for differs in [
            group(
                other.unwrap_or(one),
                "sendMessage",
                Some(400),
                "chat not found",
            ),
            group(one, "sendPhoto", Some(400), "chat not found"),
            group(one, "sendMessage", Some(403), "chat not found"),
            group(one, "sendMessage", None, "chat not found"),
            group(one, "sendMessage4", Some(0), "chat not found"),
            group(one, "sendMessage", Some(400), "chat found"),
        ] {
            assert_ne!(group_of, differs);
        }
    }
}
