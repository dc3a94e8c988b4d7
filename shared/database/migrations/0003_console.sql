-- Who may look at the console, what was refused, and the first calls of bots (services/analytics).
-- One subset of SQL for SQLite and Postgres. What ends in `_second` is in seconds, what ends in `_at` in
-- microseconds since 1970, UTC; a `day` counts days since 1970 in UTC. A hash is SHA-256 in hexadecimal.

-- People. `login` is the name in lower case; the owner is the one with a 1.
CREATE TABLE accounts (
    id TEXT PRIMARY KEY,
    name TEXT NOT NULL,
    login TEXT NOT NULL UNIQUE,
    password TEXT NOT NULL,
    owner BIGINT UNIQUE CHECK (owner = 1),
    created_second BIGINT NOT NULL
);

-- Who is signed in. A session's id is in the browser alone.
CREATE TABLE sessions (
    hash TEXT PRIMARY KEY,
    account TEXT NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
    csrf TEXT NOT NULL,
    agent TEXT NOT NULL,
    created_second BIGINT NOT NULL,
    seen_second BIGINT NOT NULL,
    expires_second BIGINT NOT NULL
);

CREATE INDEX sessions_account ON sessions (account);
CREATE INDEX sessions_age ON sessions (expires_second);

-- Links that make the owner ('first': while there is none) or give the owner a new password ('recover').
CREATE TABLE owner_links (
    hash TEXT PRIMARY KEY,
    kind TEXT NOT NULL,
    expires_second BIGINT NOT NULL,
    used BOOLEAN NOT NULL
);

CREATE INDEX owner_links_age ON owner_links (expires_second);

-- Requests that ingress answered 404. Bot 0: none can be read from the path; an empty code: the shared host. All that came
-- after the day's bound of different rows was reached is in the row with an empty reason.
CREATE TABLE refused (
    day BIGINT NOT NULL,
    reason TEXT NOT NULL,
    bot BIGINT NOT NULL,
    code TEXT NOT NULL,
    addr TEXT NOT NULL,
    agent TEXT NOT NULL,
    n BIGINT NOT NULL,
    first_at BIGINT NOT NULL,
    last_at BIGINT NOT NULL,
    PRIMARY KEY (day, reason, bot, code, addr, agent)
);

-- The first call of a bot that Telegram accepted ('good'), and the last one whose token it refused ('refused').
CREATE TABLE first_calls (
    tenant TEXT NOT NULL,
    standing TEXT NOT NULL,
    at BIGINT NOT NULL,
    method TEXT NOT NULL,
    code BIGINT,
    addr TEXT NOT NULL,
    agent TEXT NOT NULL,
    took_us BIGINT NOT NULL,
    PRIMARY KEY (tenant, standing)
);
