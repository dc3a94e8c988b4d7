//! Every query of the registry, by name.
//!
//! In: nothing. Out: the other files here, `outbox.rs`, and a test that checks each on both
//! engines. Invariant: a query that is not in [`ALL`] is not run; texts are static.

use gramtap_database::{Bulk, Statement};

/// How many keys one look-up asks for. Fewer are filled up with repetitions, so that there is one
/// text, prepared once.
pub const BATCH: usize = 64;
/// The same of a look-up that asks for more than that: strangers' keys come in floods.
pub const FLOOD: usize = 509;

/// The columns that `row.rs` reads.
macro_rules! tenants_where {
    ($($condition:tt)*) => {
        concat!(
            "SELECT id, code, bot, name, privacy, mode, hook_hash, former_hook_hash, former_hook_until, webhook, dropped_before,
             upstream, version, created_at, deleted_at, gone,
             EXISTS (SELECT 1 FROM tokens WHERE tokens.tenant = tenants.id) AS token_stored
             FROM tenants WHERE ",
            $($condition)*
        )
    };
}

/// As many placeholders as [`BATCH`].
macro_rules! batch {
    () => {
        "(
             $1, $2, $3, $4, $5, $6, $7, $8,
             $9, $10, $11, $12, $13, $14, $15, $16,
             $17, $18, $19, $20, $21, $22, $23, $24,
             $25, $26, $27, $28, $29, $30, $31, $32,
             $33, $34, $35, $36, $37, $38, $39, $40,
             $41, $42, $43, $44, $45, $46, $47, $48,
             $49, $50, $51, $52, $53, $54, $55, $56,
             $57, $58, $59, $60, $61, $62, $63, $64)"
    };
}

/// As many placeholders as [`FLOOD`]: nine, and ten for each of these.
macro_rules! flood {
    () => {
        flood!(
            1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21 22 23 24 25
            26 27 28 29 30 31 32 33 34 35 36 37 38 39 40 41 42 43 44 45 46 47 48 49 50
        )
    };
    ($($tens:literal)*) => {
        concat!(
            "($1, $2, $3, $4, $5, $6, $7, $8, $9",
            $(
                ", $", $tens, "0, $", $tens, "1, $", $tens, "2, $", $tens, "3, $", $tens, "4, $",
                $tens, "5, $", $tens, "6, $", $tens, "7, $", $tens, "8, $", $tens, "9",
            )*
            ")"
        )
    };
}

/// The next version. Locks the registry for other writers until the transaction ends.
pub const TICK: Statement = Statement::new(
    "tick",
    "UPDATE registry_clock SET value = value + 1 RETURNING value",
);

/// The version of the last change.
pub const CLOCK: Statement = Statement::new("clock", "SELECT value FROM registry_clock");

/// Writes a bot, new or known.
pub const PUT: Statement = Statement::new(
    "put",
    "INSERT INTO tenants (id, code, bot, name, privacy, mode, hook_hash, former_hook_hash, former_hook_until, webhook,
                          dropped_before, upstream, version, created_at, deleted_at, gone)
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16)
     ON CONFLICT (id) DO UPDATE SET
         bot = excluded.bot, name = excluded.name, privacy = excluded.privacy,
         mode = excluded.mode, hook_hash = excluded.hook_hash, former_hook_hash = excluded.former_hook_hash,
         former_hook_until = excluded.former_hook_until, webhook = excluded.webhook,
         dropped_before = excluded.dropped_before, upstream = excluded.upstream, version = excluded.version, deleted_at = excluded.deleted_at, gone = excluded.gone",
);

/// The bot with a code.
pub const BY_CODE: Statement = Statement::new("by_code", tenants_where!("code = $1"));

/// The bot with an id.
pub const BY_ID: Statement = Statement::new("by_id", tenants_where!("id = $1"));

/// All that were ever connected with a bot id, the connected one first, then the last removed.
pub const BY_BOT: Statement = Statement::new(
    "by_bot",
    tenants_where!(
        "bot = $1 ORDER BY (CASE WHEN deleted_at IS NULL THEN 0 ELSE 1 END), version DESC"
    ),
);

/// The bots with these codes.
pub const BY_CODES: Statement =
    Statement::new("by_codes", tenants_where!(concat!("code IN ", batch!())));

/// The bots with these bot ids.
pub const BY_BOTS: Statement =
    Statement::new("by_bots", tenants_where!(concat!("bot IN ", batch!())));

/// The bots whose webhooks have these hashes, now or before.
pub const BY_HOOKS: Statement = Statement::new(
    "by_hooks",
    tenants_where!(concat!(
        "hook_hash IN ",
        batch!(),
        " OR former_hook_hash IN ",
        batch!()
    )),
);

/// The bots with these ids.
pub const BY_IDS: Statement = Statement::new("by_ids", tenants_where!(concat!("id IN ", batch!())));

/// [`BY_CODES`] of many.
pub const FLOOD_OF_CODES: Statement = Statement::new(
    "flood_of_codes",
    tenants_where!(concat!("code IN ", flood!())),
);

/// [`BY_BOTS`] of many.
pub const FLOOD_OF_BOTS: Statement = Statement::new(
    "flood_of_bots",
    tenants_where!(concat!("bot IN ", flood!())),
);

/// [`BY_HOOKS`] of many.
pub const FLOOD_OF_HOOKS: Statement = Statement::new(
    "flood_of_hooks",
    tenants_where!(concat!(
        "hook_hash IN ",
        flood!(),
        " OR former_hook_hash IN ",
        flood!()
    )),
);

/// [`BY_IDS`] of many.
pub const FLOOD_OF_IDS: Statement =
    Statement::new("flood_of_ids", tenants_where!(concat!("id IN ", flood!())));

/// What changed after a version, in order.
pub const SINCE: Statement = Statement::new(
    "since",
    tenants_where!("version > $1 ORDER BY version LIMIT $2"),
);

/// All, the newest first.
pub const LIST: Statement =
    Statement::new("list", tenants_where!("TRUE ORDER BY created_at DESC, id"));

/// Forgets those that were removed before a time.
pub const FORGET: Statement = Statement::new(
    "forget",
    "DELETE FROM tenants WHERE deleted_at IS NOT NULL AND deleted_at < $1",
);

/// Stores a sealed token.
pub const PUT_TOKEN: Statement = Statement::new(
    "put_token",
    "INSERT INTO tokens (tenant, key_id, sealed, stored_at) VALUES ($1, $2, $3, $4)
     ON CONFLICT (tenant) DO UPDATE SET
         key_id = excluded.key_id, sealed = excluded.sealed, stored_at = excluded.stored_at",
);

/// A sealed token.
pub const TOKEN: Statement = Statement::new(
    "token",
    "SELECT key_id, sealed FROM tokens WHERE tenant = $1",
);

/// Forgets a token.
pub const DROP_TOKEN: Statement =
    Statement::new("drop_token", "DELETE FROM tokens WHERE tenant = $1");

/// Puts a change in the outbox.
pub const SEND: Statement = Statement::new(
    "send",
    "INSERT INTO outbox (id, tenant, record, written_at) VALUES ($1, $2, $3, $4)",
);

/// The oldest changes that are not published.
pub const WAITING: Statement = Statement::new(
    "waiting",
    "SELECT id, tenant, record FROM outbox WHERE published_at IS NULL
     ORDER BY id LIMIT $1",
);

/// Marks a change as published.
pub const PUBLISHED: Statement = Statement::new(
    "published",
    "UPDATE outbox SET published_at = $2 WHERE id = $1 AND published_at IS NULL",
);

/// Forgets changes that were published before a time.
pub const SWEEP: Statement = Statement::new(
    "sweep",
    "DELETE FROM outbox WHERE published_at IS NOT NULL AND published_at < $1",
);

/// How a bot's webhook stands.
pub const STANDING: Statement = Statement::new(
    "standing",
    "SELECT waiting, failed_at, failed_label, failed_message, set_at FROM webhook_standing
     WHERE tenant = $1",
);

/// Writes how webhooks stand. A failure that is not told again stays.
pub static STANDING_WRITE: Bulk = Bulk::new(
    "standing_write",
    "INSERT INTO webhook_standing (tenant, part, waiting, failed_at, failed_label, failed_message, written_at) VALUES",
    "(?, ?, ?, ?, ?, ?, ?)",
    "ON CONFLICT (tenant) DO UPDATE SET part = excluded.part, waiting = excluded.waiting,
         failed_at = COALESCE(excluded.failed_at, webhook_standing.failed_at),
         failed_label = COALESCE(excluded.failed_label, webhook_standing.failed_label),
         failed_message = COALESCE(excluded.failed_message, webhook_standing.failed_message),
         written_at = excluded.written_at
     WHERE webhook_standing.written_at <= excluded.written_at",
);

/// The bots of a partition for which something waits.
pub const STANDING_OF: Statement = Statement::new(
    "standing_of",
    "SELECT tenant, waiting FROM webhook_standing WHERE part = $1 AND waiting > 0",
);

/// A bot has set its webhook: what failed before is told no more.
pub const STANDING_SET: Statement = Statement::new(
    "standing_set",
    "UPDATE webhook_standing SET set_at = $2 WHERE tenant = $1",
);

/// Forgets how webhooks stand of bots that are forgotten.
pub const STANDING_FORGET: Statement = Statement::new(
    "standing_forget",
    "DELETE FROM webhook_standing WHERE tenant NOT IN (SELECT id FROM tenants)",
);

/// Takes or renews a lease: $1 name, $2 holder, $3 until, $4 now. A row is changed if it is held.
pub const HOLD: Statement = Statement::new(
    "hold",
    "INSERT INTO leases (name, holder, until) VALUES ($1, $2, $3)
     ON CONFLICT (name) DO UPDATE SET holder = excluded.holder, until = excluded.until
     WHERE leases.holder = excluded.holder OR leases.until < $4",
);

/// Every query above.
pub const ALL: [&Statement; 29] = [
    &TICK,
    &CLOCK,
    &PUT,
    &BY_CODE,
    &BY_ID,
    &BY_BOT,
    &BY_CODES,
    &BY_BOTS,
    &BY_HOOKS,
    &BY_IDS,
    &FLOOD_OF_CODES,
    &FLOOD_OF_BOTS,
    &FLOOD_OF_HOOKS,
    &FLOOD_OF_IDS,
    &SINCE,
    &LIST,
    &FORGET,
    &PUT_TOKEN,
    &TOKEN,
    &DROP_TOKEN,
    &SEND,
    &WAITING,
    &PUBLISHED,
    &SWEEP,
    &STANDING,
    &STANDING_OF,
    &STANDING_SET,
    &STANDING_FORGET,
    &HOLD,
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_look_up_has_a_place_for_each_key() {
        for (statement, size) in [
            (&BY_CODES, BATCH),
            (&BY_BOTS, BATCH),
            (&BY_HOOKS, BATCH),
            (&BY_IDS, BATCH),
            (&FLOOD_OF_CODES, FLOOD),
            (&FLOOD_OF_BOTS, FLOOD),
            (&FLOOD_OF_HOOKS, FLOOD),
            (&FLOOD_OF_IDS, FLOOD),
        ] {
            let (_, lists) = statement.sql.split_once(" IN (").unwrap_or_default();
            for list in lists.split(" IN (") {
                let list = list.split(')').next().unwrap_or_default();
                let places = list.split(',').map(|place| place.trim().to_owned());
                let expected = (1..=size).map(|place| format!("${place}"));
                assert!(places.eq(expected), "{}: {list}", statement.name);
            }
        }
    }
}
