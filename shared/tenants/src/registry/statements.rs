//! Every query of the registry, by name.
//!
//! In: nothing. Out: the other files here, `outbox.rs`, and a test that checks each on both
//! engines. Invariant: a query that is not in [`ALL`] is not run; texts are static.

use gramtap_database::Statement;

/// How many keys one look-up asks for. Fewer are filled up with repetitions, so that there is one
/// text, prepared once.
pub const BATCH: usize = 64;

/// The columns that `row.rs` reads.
macro_rules! tenants_where {
    ($($condition:tt)*) => {
        concat!(
            "SELECT id, code, bot, name, privacy, mode, hook_hash, former_hook_hash, former_hook_until, webhook, upstream, version,
             created_at, deleted_at, gone,
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
                          upstream, version, created_at, deleted_at, gone)
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15)
     ON CONFLICT (id) DO UPDATE SET
         bot = excluded.bot, name = excluded.name, privacy = excluded.privacy,
         mode = excluded.mode, hook_hash = excluded.hook_hash, former_hook_hash = excluded.former_hook_hash,
         former_hook_until = excluded.former_hook_until, webhook = excluded.webhook, upstream = excluded.upstream,
         version = excluded.version, deleted_at = excluded.deleted_at, gone = excluded.gone",
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

/// Takes or renews a lease: $1 name, $2 holder, $3 until, $4 now. A row is changed if it is held.
pub const HOLD: Statement = Statement::new(
    "hold",
    "INSERT INTO leases (name, holder, until) VALUES ($1, $2, $3)
     ON CONFLICT (name) DO UPDATE SET holder = excluded.holder, until = excluded.until
     WHERE leases.holder = excluded.holder OR leases.until < $4",
);

/// Every query above.
pub const ALL: [&Statement; 20] = [
    &TICK,
    &CLOCK,
    &PUT,
    &BY_CODE,
    &BY_ID,
    &BY_BOT,
    &BY_CODES,
    &BY_BOTS,
    &BY_HOOKS,
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
    &HOLD,
];
