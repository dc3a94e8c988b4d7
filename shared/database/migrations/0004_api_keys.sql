-- Keys of scripts (services/analytics/src/serve/keys).
-- One subset of SQL for SQLite and Postgres. A column that ends in `_second` is in seconds since 1970, UTC.

-- The secret is nowhere: `hash` is a keyed hash of it, under a key of the installation that is not in this database.
-- `scopes` are words with a space between them. `every_bot`: the key may see all bots, also those that are yet to come;
-- else those in `api_key_bots`.
CREATE TABLE api_keys (
    id TEXT PRIMARY KEY,
    name TEXT NOT NULL,
    hash TEXT NOT NULL,
    scopes TEXT NOT NULL,
    every_bot BOOLEAN NOT NULL,
    made_by TEXT NOT NULL,
    made_second BIGINT NOT NULL,
    used_second BIGINT,
    expires_second BIGINT,
    revoked_second BIGINT
);

CREATE TABLE api_key_bots (
    key_id TEXT NOT NULL REFERENCES api_keys (id) ON DELETE CASCADE,
    tenant TEXT NOT NULL,
    PRIMARY KEY (key_id, tenant)
);
