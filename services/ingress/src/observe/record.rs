//! The records of a call.
//!
//! In: [`CallFacts`] of the relay, the copies of both taps, the bot's [`Mask`]. Out: [`Observed`], for
//! `publish/`. Invariant: pure but for the minting of record ids; nothing that the privacy mode
//! forbids is in a record, and no token is in any; a call becomes exactly one record, or is
//! counted in exactly one fold.

#[cfg(test)]
mod tests;

use std::borrow::Cow;
use std::time::Instant;

use gramtap_events::call::{Call, CallRecord, Client, Error, Http, TokenStanding, Took};
use gramtap_events::tenant::Privacy;
use gramtap_events::update::{Update, Via};
use gramtap_events::{Mint, Moment, Record, TenantId};
use gramtap_privacy::{Mask, Push};
use gramtap_telegram::{BotId, Door, Method};
use gramtap_tenants::Tenant;

use super::answer::AnswerCopy;
use super::envelope::Envelope;
use super::limits::Cut;
use super::origin::{Ending, origin};
use super::polls::{EmptyPoll, PollFolds};
use super::request::RequestCopy;
use super::updates::Seen;

/// What the relay knows of a call when it is over.
#[derive(Clone, Debug)]
pub(crate) struct CallFacts {
    /// The bot, as this installation knows it.
    pub(crate) tenant: TenantId,
    /// Telegram's id of the bot.
    pub(crate) bot: Option<BotId>,
    /// When the request's head was received.
    pub(crate) at: Moment,
    /// When the call was over.
    pub(crate) until: Moment,
    /// Who called; the agent as sent.
    pub(crate) client: Client,
    /// What was asked for.
    pub(crate) door: Door,
    /// The request's method, such as `POST`.
    pub(crate) verb: String,
    /// The status that the bot got; `None` when it left before.
    pub(crate) status: Option<u16>,
    /// Bytes of the answer's body that the bot got.
    pub(crate) bytes_out: u64,
    /// What is known of the token, this call's answer included.
    pub(crate) token: TokenStanding,
    /// How it ended.
    pub(crate) ending: Ending,
    /// How long it took: [`super::Stopwatch::stop`].
    pub(crate) took: Took,
}

/// The records that a call gave, in the order in which they are to be sent.
#[derive(Debug, Default)]
pub(crate) struct Observed {
    /// For `gramtap.updates.v1`.
    pub(crate) updates: Vec<Update>,
    /// For `gramtap.calls.v1`.
    pub(crate) calls: Vec<CallRecord>,
    /// Why parameters, results or updates are missing in these records, and how many of them; to be
    /// counted. Updates beyond the 1,000 of one answer that are told at all are among them.
    pub(crate) cuts: Vec<(Cut, u64)>,
}

impl Observed {
    /// Says something of a call that Telegram answered.
    pub(crate) fn note(&mut self, label: &'static str) {
        for record in &mut self.calls {
            if let CallRecord::Call(call) = record {
                call.label.get_or_insert(Cow::Borrowed(label));
            }
        }
    }
}

/// The longest `User-Agent` of a record.
const LONGEST_AGENT: usize = 256;

/// Turns a call into records. An empty poll becomes part of a fold, which is told later.
#[must_use]
pub(crate) fn observe(
    mut facts: CallFacts,
    request: &RequestCopy,
    answer: Option<AnswerCopy>,
    mask: &Mask,
    folds: &mut PollFolds,
    now: Instant,
    mint: &Mint,
) -> Observed {
    facts.client.agent = facts
        .client
        .agent
        .map(|agent| gramtap_privacy::plain(&agent, LONGEST_AGENT));
    let asked = Asked::of(&facts.door, request);
    let mut observed = Observed::default();
    let mut answer = answer;
    if asked.is_poll() {
        if let Some(answer) = &mut answer {
            answer.split(mask);
        }
        if is_empty_poll(&facts, &asked, answer.as_ref()) {
            observed.calls.extend(
                folds
                    .empty(empty_poll(facts), now, mint)
                    .map(CallRecord::Polls),
            );
            return observed;
        }
        let earlier = folds.close(facts.tenant, facts.bot, &facts.client, mint);
        observed.calls.extend(earlier.map(CallRecord::Polls));
    }
    if let Some(answer) = &mut answer {
        observed
            .cuts
            .extend((answer.beyond > 0).then_some((Cut::TooLarge, answer.beyond)));
        for seen in answer.updates.drain(..) {
            observed.cuts.extend(seen.cut.map(|cut| (cut, 1)));
            observed.updates.push(update(&facts, seen, mint));
        }
    }
    let (call, cuts) = call(facts, &asked, request, answer.as_ref(), mask, mint);
    observed
        .cuts
        .extend(cuts.into_iter().flatten().map(|cut| (cut, 1)));
    observed.calls.push(CallRecord::Call(call));
    observed
}

/// Turns an update that was pushed into its record.
#[must_use]
pub(crate) fn pushed(tenant: &Tenant, body: &[u8], mask: &Mask, mint: &Mint) -> Observed {
    let push = Push {
        record: mint.mint(),
        tenant: tenant.id,
        bot: tenant.bot,
        at: Moment::now(),
    };
    let update = mask.pushed(push, body);
    let cuts = update
        .cut
        .then_some((Cut::Unreadable, 1))
        .into_iter()
        .collect();
    Observed {
        updates: vec![update],
        calls: Vec::new(),
        cuts,
    }
}

/// What a call asked for.
struct Asked {
    name: String,
    /// `None` for a download.
    method: Option<Method>,
    test: bool,
}

impl Asked {
    /// An empty name stands for the argument `method`, as Telegram reads it.
    fn of(door: &Door, request: &RequestCopy) -> Self {
        let (test, method) = match door {
            Door::File { test } => {
                return Self {
                    name: "file".to_owned(),
                    method: None,
                    test: *test,
                };
            }
            Door::Method { test, method } => (*test, method),
        };
        let argument = match method.as_str() {
            "" => request.argument("method"),
            _ => None,
        };
        let method = argument.map_or_else(|| method.clone(), |name| Method::named(&name));
        Self {
            name: name_of(&method),
            method: Some(method),
            test,
        }
    }

    fn is_poll(&self) -> bool {
        self.method.as_ref().is_some_and(Method::is_get_updates)
    }
}

/// The name as records write it: an unknown one up to the first sign that no method has, so that
/// neither a token nor a part of one is in it.
fn name_of(method: &Method) -> String {
    if method.is_known() {
        return method.as_str().to_owned();
    }
    let fits = |sign: &char| sign.is_ascii_alphanumeric() || matches!(sign, '_' | '-' | '.' | '/');
    method.as_str().chars().take_while(fits).collect()
}

fn is_empty_poll(facts: &CallFacts, asked: &Asked, answer: Option<&AnswerCopy>) -> bool {
    let is_empty = |answer: &AnswerCopy| {
        answer.envelope == Envelope::Ok && answer.cut.is_none() && answer.update_count() == 0
    };
    facts.ending == Ending::Answered && !asked.test && answer.is_some_and(is_empty)
}

fn empty_poll(facts: CallFacts) -> EmptyPoll {
    EmptyPoll {
        tenant: facts.tenant,
        bot: facts.bot,
        client: facts.client,
        from: facts.at,
        to: facts.until,
        took_us: facts.took.total_us,
    }
}

fn update(facts: &CallFacts, seen: Seen, mint: &Mint) -> Update {
    Update {
        v: Update::VERSION,
        record: mint.mint(),
        tenant: facts.tenant,
        bot: facts.bot,
        at: facts.until,
        via: Via::Poll,
        client: Some(facts.client.clone()),
        update_id: seen.update_id,
        kind: seen.kind,
        update: seen.update,
        cut: seen.cut.is_some(),
    }
}

fn call(
    facts: CallFacts,
    asked: &Asked,
    request: &RequestCopy,
    answer: Option<&AnswerCopy>,
    mask: &Mask,
    mint: &Mint,
) -> (Call, [Option<Cut>; 2]) {
    let reads = mask.privacy() != Privacy::Off;
    let (arguments, params_cut) = match reads {
        true => request.arguments(),
        false => (Vec::new(), None),
    };
    // Downloads have no parameters, and nobody should read any into their queries.
    let method = asked.method.as_ref();
    let params = method.and_then(|method| mask.params(method, arguments));
    let whole = answer.filter(|_| reads).and_then(AnswerCopy::result);
    // A body may lack its end and yet hold all of the result.
    let result_cut = answer
        .and_then(|answer| answer.cut)
        .filter(|_| whole.is_none());
    let result = whole
        .zip(method)
        .and_then(|(whole, method)| mask.result(method, whole));
    let (origin, label) = origin(facts.ending, answer.map(|answer| &answer.envelope));
    let call = Call {
        v: CallRecord::VERSION,
        record: mint.mint(),
        tenant: facts.tenant,
        bot: facts.bot,
        at: facts.at,
        client: facts.client,
        method: asked.name.clone(),
        test: asked.test,
        http: Http {
            verb: facts.verb,
            shape: request.shape(),
            bytes_in: request.bytes(),
            bytes_out: facts.bytes_out,
            status: facts.status,
        },
        token: facts.token,
        params,
        params_cut: params_cut.is_some(),
        files: mask.files(request.files()),
        ok: answer.and_then(AnswerCopy::ok),
        result,
        result_cut: result_cut.is_some(),
        error: error(facts.status, answer, mask),
        origin,
        label: label.map(Cow::Borrowed),
        took: facts.took,
        code: None,
    };
    (call, [params_cut, result_cut])
}

/// What Telegram said was wrong, or else the status that the bot got.
fn error(status: Option<u16>, answer: Option<&AnswerCopy>, mask: &Mask) -> Option<Error> {
    if let Some(Envelope::Failed(error)) = answer.map(|answer| &answer.envelope) {
        let status = i64::from(answer.map_or(0, |answer| answer.status));
        return Some(Error {
            code: if error.code == 0 { status } else { error.code },
            description: error
                .description
                .as_deref()
                .and_then(|text| mask.description(text)),
            retry_after: error.retry_after,
            migrate_to_chat_id: error.migrate_to_chat_id.and_then(|id| mask.id(id)),
        });
    }
    let code = status
        .or(answer.map(|answer| answer.status))
        .filter(|code| *code >= 400)?;
    Some(Error {
        code: i64::from(code),
        description: None,
        retry_after: None,
        migrate_to_chat_id: None,
    })
}
