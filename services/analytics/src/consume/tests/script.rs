//! What bots do and what ingress writes of it, drawn from a seed; and what is true of it.
//!
//! In: a seed. Out: records in order, the ids of the events and errors that they stand for. The truth knows nothing of
//! ranges or sequences: it remembers all.

use std::collections::{BTreeMap, HashSet};

use gramtap_events::{Mint, Topic, topics};
use gramtap_tenants::{Keys, Part, Place};
use rand::rngs::StdRng;
use rand::seq::IndexedRandom;
use rand::{Rng, SeedableRng};
use serde_json::{Value, json};

type Record = (&'static Topic, String, Value);

/// Ids by tenant and letter.
#[derive(Debug, Default)]
pub(super) struct Truth {
    pub(super) events: BTreeMap<String, Vec<String>>,
    pub(super) errors: BTreeMap<String, Vec<String>>,
}

pub(super) struct Script {
    random: StdRng,
    tenants: Vec<String>,
    /// The next update of each tenant.
    updates: Vec<i64>,
    epochs: [u64; 2],
    sequences: [u64; 2],
    written: Vec<Record>,
    known: HashSet<String>,
    truth: Truth,
    keys: Keys,
    mint: Mint,
    /// Of forwarders.
    attempts: u64,
}

/// Bots from this one on are pushed to, and their updates kept first.
const PUSHED: usize = 4;

impl Script {
    pub(super) fn new(seed: u64, keys: Keys) -> Self {
        let tenants: Vec<String> = (0..6_u8)
            .map(|it| char::from(b'b' + it).to_string().repeat(26))
            .collect();
        Self {
            random: StdRng::seed_from_u64(seed ^ 0x5eed),
            updates: vec![1_000; tenants.len()],
            tenants,
            epochs: [1_000, 1_000],
            sequences: [0, 0],
            written: Vec::new(),
            known: HashSet::new(),
            truth: Truth::default(),
            keys,
            mint: Mint::new("ingress-9", 1_000),
            attempts: 0,
        }
    }

    /// Some more of it: what is new, with repeats of what was.
    pub(super) fn part(&mut self, count: usize) -> Vec<Record> {
        let mut part = Vec::new();
        for _ in 0..count {
            let bot = self.random.random_range(0..self.tenants.len());
            match self.random.random_range(0..20) {
                0..8 => part.push(self.call(bot)),
                8..13 => part.push(self.update(bot)),
                13..16 => part.push(self.attempt(bot)),
                // Updates that were not confirmed, polled again: new records.
                16 => {
                    self.updates[bot] -= self.random.random_range(0..4);
                    part.push(self.update(bot));
                }
                // An instance that starts anew.
                17 => {
                    let instance = self.random.random_range(0..2);
                    self.epochs[instance] += 1;
                    self.sequences[instance] = 0;
                }
                // Records that were sent twice: one, or all since a while.
                18 => part.extend(self.written.choose(&mut self.random).cloned()),
                _ => {
                    let from = self
                        .written
                        .len()
                        .saturating_sub(self.random.random_range(1..60));
                    part.extend_from_slice(&self.written[from..]);
                }
            }
        }
        part
    }

    /// The last call and update of each bot: when their events are there, so are all others.
    pub(super) fn last(&mut self) -> Vec<Record> {
        let mut last = Vec::new();
        for bot in 0..self.tenants.len() {
            // What has been repeated at the end is counted up to here.
            self.updates[bot] += 100;
            last.push(self.call(bot));
            last.push(self.update(bot));
            last.push(self.delivered(bot, "delivered"));
        }
        last
    }

    pub(super) fn truth(self) -> Truth {
        self.truth
    }

    fn record(&mut self) -> String {
        let instance = self.random.random_range(0..2);
        let sequence = self.sequences[instance];
        self.sequences[instance] += 1;
        format!("ingress-{instance}-{}-{sequence}", self.epochs[instance])
    }

    fn call(&mut self, bot: usize) -> Record {
        let (record, tenant) = (self.record(), self.tenants[bot].clone());
        let failed = self.random.random_bool(0.3);
        let error = failed.then(|| json!({"code": 403, "description": "Forbidden: bot was blocked by the user", "retry_after": null, "migrate_to_chat_id": null}));
        let id = format!("c:{record}");
        if failed {
            self.truth
                .errors
                .entry(format!("{tenant} c"))
                .or_default()
                .push(id.clone());
        }
        self.truth
            .events
            .entry(format!("{tenant} c"))
            .or_default()
            .push(id);
        let record = json!({
            "v": 1, "kind": "call", "record": record, "tenant": tenant, "bot": 7, "at": "2026-01-01T00:00:00.000000Z",
            "client": {"addr": null, "agent": null}, "method": "sendMessage", "test": false,
            "http": {"verb": "POST", "shape": "json", "bytes_in": 1, "bytes_out": 1, "status": 200}, "token": "verified",
            "params": {"chat_id": 42}, "params_cut": false, "ok": !failed, "result": null, "result_cut": false, "error": error,
            "origin": "telegram", "label": null, "took": {"total_us": 1, "upstream_us": 1, "own_us": 0},
        });
        self.written(&topics::CALLS, tenant, record)
    }

    /// An attempt to deliver: one that is followed by another, or the last one.
    fn attempt(&mut self, bot: usize) -> Record {
        let verdicts = ["retry", "delivered", "delivered", "expired", "dead"];
        let verdict = verdicts[self.random.random_range(0..verdicts.len())];
        self.delivered(bot, verdict)
    }

    fn delivered(&mut self, bot: usize, verdict: &str) -> Record {
        let tenant = self.tenants[bot].clone();
        let record = format!("forwarder-0-1000-{}", self.attempts);
        self.attempts += 1;
        let id = format!("d:{record}");
        let lane = format!("{tenant} d");
        if !["retry", "delivered"].contains(&verdict) {
            self.truth
                .errors
                .entry(lane.clone())
                .or_default()
                .push(id.clone());
        }
        if verdict != "retry" {
            self.truth.events.entry(lane).or_default().push(id);
        }
        let record = json!({
            "v": 1, "record": record, "tenant": tenant, "bot": 7, "at": "2026-01-01T00:00:00.000000Z", "received_at": null,
            "inbox_record": "ingress-9-1000-0", "update_id": 1, "type": "message", "queue": "chat 1", "attempt": 1, "endpoint": null,
            "status": 200, "label": null, "verdict": verdict, "next_at": null, "took_us": 1, "reply_method": null,
        });
        self.written(&topics::DELIVERIES, tenant, record)
    }

    /// An update that was kept first. One in eight cannot be opened, one in eight is somebody's wish to have it again.
    fn pushed(&mut self, bot: usize, number: i64) -> Record {
        let (record, tenant) = (self.mint.mint(), self.tenants[bot].clone());
        let place = Place {
            tenant: tenant.parse().unwrap(),
            record: &record,
            update_id: Some(number),
        };
        let body = format!(r#"{{"update_id":{number},"message":{{"message_id":1}}}}"#);
        let mut body = self
            .keys
            .seal_update(place, Part::Body, body.as_bytes())
            .unwrap();
        let headers = self.keys.seal_update(place, Part::Headers, b"[]").unwrap();
        let fate = self.random.random_range(0..8);
        if fate == 0 {
            body.text[0] ^= 1;
        }
        let replay = (fate == 1).then(|| json!({"at": "2026-01-02T00:00:00.000000Z", "to": null}));
        let id = format!("u:{tenant}:{number}");
        if replay.is_none() && self.known.insert(id.clone()) {
            let lane = format!("{tenant} u");
            if fate == 0 {
                self.truth
                    .errors
                    .entry(lane.clone())
                    .or_default()
                    .push(id.clone());
            }
            self.truth.events.entry(lane).or_default().push(id);
        }
        let record = json!({
            "v": 1, "record": record, "tenant": tenant, "at": "2026-01-01T00:00:00.000000Z", "update_id": number, "type": "message",
            "queue": "chat 1", "headers": headers, "body": body, "replay": replay,
        });
        self.written(&topics::INBOX, tenant, record)
    }

    fn update(&mut self, bot: usize) -> Record {
        if bot >= PUSHED {
            let number = self.updates[bot];
            self.updates[bot] += 1;
            return self.pushed(bot, number);
        }
        let (record, tenant) = (self.record(), self.tenants[bot].clone());
        let number = self.updates[bot];
        self.updates[bot] += 1;
        let id = format!("u:{tenant}:{number}");
        if self.known.insert(id.clone()) {
            self.truth
                .events
                .entry(format!("{tenant} u"))
                .or_default()
                .push(id);
        }
        let record = json!({
            "v": 1, "record": record, "tenant": tenant, "bot": 7, "at": "2026-01-01T00:00:00.000000Z", "via": "poll", "client": null,
            "update_id": number, "type": "message", "update": {"update_id": number, "message": {"message_id": 1}}, "cut": false,
        });
        self.written(&topics::UPDATES, tenant, record)
    }

    fn written(&mut self, topic: &'static Topic, tenant: String, record: Value) -> Record {
        let record = (topic, tenant, record);
        self.written.push(record.clone());
        record
    }
}
