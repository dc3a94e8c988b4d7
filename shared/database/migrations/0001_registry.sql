-- The registry of connected bots (shared/tenants).
-- One subset of SQL for SQLite and Postgres: TEXT, BIGINT and BOOLEAN alone. A time is TEXT,
-- RFC 3339 in UTC with six digits of microseconds, so that the order of texts is that of times.

-- One row. Every change of the registry takes the next value as its version and holds the row's
-- lock until it commits, so that versions become visible in their order and none is skipped.
CREATE TABLE registry_clock (
    one BIGINT PRIMARY KEY CHECK (one = 1),
    value BIGINT NOT NULL
);

INSERT INTO registry_clock (one, value) VALUES (1, 0);

CREATE TABLE tenants (
    id TEXT PRIMARY KEY,
    code TEXT NOT NULL UNIQUE,
    bot BIGINT,
    name TEXT,
    privacy TEXT NOT NULL,
    mode TEXT,
    hook_hash TEXT,
    upstream TEXT,
    version BIGINT NOT NULL,
    created_at TEXT NOT NULL,
    deleted_at TEXT,
    gone BOOLEAN NOT NULL
);

-- A bot is connected once at a time; those that were removed do not count.
CREATE UNIQUE INDEX tenants_connected_bot ON tenants (bot) WHERE deleted_at IS NULL;
CREATE INDEX tenants_bot ON tenants (bot);
CREATE UNIQUE INDEX tenants_version ON tenants (version);

-- Tokens, sealed; only of bots whose owner asked for it.
CREATE TABLE tokens (
    tenant TEXT PRIMARY KEY REFERENCES tenants (id) ON DELETE CASCADE,
    key_id TEXT NOT NULL,
    sealed TEXT NOT NULL,
    stored_at TEXT NOT NULL
);

-- Changes on their way to the topic of tenants. The id is the change's version.
CREATE TABLE outbox (
    id BIGINT PRIMARY KEY,
    tenant TEXT NOT NULL,
    record TEXT NOT NULL,
    written_at TEXT NOT NULL,
    published_at TEXT
);

CREATE INDEX outbox_waiting ON outbox (id) WHERE published_at IS NULL;

-- Who does what only one process may do at a time. `until` is in milliseconds since 1970.
CREATE TABLE leases (
    name TEXT PRIMARY KEY,
    holder TEXT NOT NULL,
    until BIGINT NOT NULL
);
