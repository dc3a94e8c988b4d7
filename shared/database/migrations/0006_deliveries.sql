-- Deliveries to bots' webhooks, updates that were given up, and what people did about them (services/analytics).
-- One subset of SQL for SQLite and Postgres. An `hour` is the second since 1970, UTC, that an hour of the bot's clock begins
-- with; what ends in `_at` is in microseconds since 1970, UTC. Nothing of a body or of the path of an address is kept. A `lane` is the class of
-- the queue and four digits of a hash of its number: enough to tell queues apart, too few to tell whose they are.

-- Attempts by what followed, Gramtap's word for what went wrong, and the endpoint's status; an update that was given up without
-- one has `made` 0.
CREATE TABLE sum_deliveries (
    tenant TEXT NOT NULL,
    hour BIGINT NOT NULL,
    verdict TEXT NOT NULL,
    label TEXT NOT NULL,
    status BIGINT NOT NULL,
    made BIGINT NOT NULL,
    n BIGINT NOT NULL,
    PRIMARY KEY (tenant, hour, verdict, label, status, made)
);

CREATE INDEX sum_deliveries_age ON sum_deliveries (hour);

-- The newest attempts of each bot.
CREATE TABLE delivery_attempts (
    tenant TEXT NOT NULL,
    record TEXT NOT NULL,
    at BIGINT NOT NULL,
    inbox_record TEXT NOT NULL,
    update_id BIGINT,
    kind TEXT NOT NULL,
    lane TEXT NOT NULL,
    attempt BIGINT NOT NULL,
    endpoint TEXT,
    status BIGINT,
    label TEXT,
    verdict TEXT NOT NULL,
    next_at BIGINT,
    took_us BIGINT NOT NULL,
    waited_us BIGINT,
    PRIMARY KEY (tenant, record)
);

CREATE INDEX delivery_attempts_age ON delivery_attempts (at);

-- Updates whose last attempt failed and that will be tried again.
CREATE TABLE delivery_waiting (
    tenant TEXT NOT NULL,
    inbox_record TEXT NOT NULL,
    update_id BIGINT,
    kind TEXT NOT NULL,
    lane TEXT NOT NULL,
    attempt BIGINT NOT NULL,
    label TEXT NOT NULL,
    last_at BIGINT NOT NULL,
    next_at BIGINT,
    expires_at BIGINT NOT NULL,
    PRIMARY KEY (tenant, inbox_record)
);

CREATE INDEX delivery_waiting_age ON delivery_waiting (expires_at);

-- Updates that were given up, and where in `inbox.dead.v1` each is found again. `asked_*`: somebody wants it delivered; to another address than the
-- bot's webhook, which is sealed until it is used. Whoever does it claims it first; `failed` is the word for why it cannot be done.
CREATE TABLE dead_letters (
    tenant TEXT NOT NULL,
    record TEXT NOT NULL,
    update_id BIGINT,
    kind TEXT NOT NULL,
    lane TEXT NOT NULL,
    cause TEXT NOT NULL,
    attempts BIGINT NOT NULL,
    received_at BIGINT NOT NULL,
    first_at BIGINT,
    last_at BIGINT,
    dead_at BIGINT NOT NULL,
    part BIGINT NOT NULL,
    log_offset BIGINT NOT NULL,
    asked_at BIGINT,
    asked_by TEXT,
    asked_to TEXT,
    asked_address TEXT,
    claimed_until BIGINT,
    replayed_at BIGINT,
    failed TEXT,
    PRIMARY KEY (tenant, record)
);

CREATE INDEX dead_letters_asked ON dead_letters (asked_at) WHERE asked_at IS NOT NULL AND replayed_at IS NULL AND failed IS NULL;

CREATE INDEX dead_letters_newest ON dead_letters (tenant, dead_at);
CREATE INDEX dead_letters_age ON dead_letters (dead_at);

-- Who did what that others should be able to ask about.
CREATE TABLE audit_log (
    id TEXT PRIMARY KEY,
    at BIGINT NOT NULL,
    who TEXT NOT NULL,
    action TEXT NOT NULL,
    tenant TEXT NOT NULL,
    subject TEXT NOT NULL
);

CREATE INDEX audit_log_age ON audit_log (at);
CREATE INDEX audit_log_tenant ON audit_log (tenant, at);
