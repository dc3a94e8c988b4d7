-- Sums over events and errors (services/analytics).
-- One subset of SQL for SQLite and Postgres. An `hour` is the second since 1970, UTC, that an hour of the
-- bot's clock begins with; a `day` counts days since 1970 in UTC, a `date` those of the bot's own time zone;
-- a column that ends in `_at` is in microseconds since 1970, UTC, one that ends in `_second` in seconds.

-- How far each partition is counted. Moves only together with the sums, and only from where it stood.
CREATE TABLE fold_offsets (
    topic TEXT NOT NULL,
    part BIGINT NOT NULL,
    next_offset BIGINT NOT NULL,
    PRIMARY KEY (topic, part)
);

-- The first offset that came in an hour of the bus's clock: where to begin to count a window again.
CREATE TABLE fold_marks (
    topic TEXT NOT NULL,
    part BIGINT NOT NULL,
    hour BIGINT NOT NULL,
    first_offset BIGINT NOT NULL,
    PRIMARY KEY (topic, part, hour)
);

CREATE INDEX fold_marks_age ON fold_marks (hour);

-- Time zones, where they are not UTC. Every change takes the next value of the clock.
CREATE TABLE fold_zones (
    tenant TEXT PRIMARY KEY,
    zone TEXT NOT NULL
);

CREATE TABLE fold_clock (
    one BIGINT PRIMARY KEY CHECK (one = 1),
    version BIGINT NOT NULL
);

INSERT INTO fold_clock (one, version) VALUES (1, 0);

-- How often something was seen: events, commands, buttons, sources and so on, by `kind`. The label is
-- empty for all that came after the day's bound of different labels was reached.
CREATE TABLE sum_labels (
    tenant TEXT NOT NULL,
    kind TEXT NOT NULL,
    hour BIGINT NOT NULL,
    label TEXT NOT NULL,
    n BIGINT NOT NULL,
    PRIMARY KEY (tenant, kind, hour, label)
);

-- By day, for deleting what is old: by hour it would be taken for a bot's hours, too, and lead through those of all bots.
CREATE INDEX sum_labels_age ON sum_labels ((hour / 86400));

-- Which labels a day has let in.
CREATE TABLE day_labels (
    tenant TEXT NOT NULL,
    kind TEXT NOT NULL,
    day BIGINT NOT NULL,
    label TEXT NOT NULL,
    PRIMARY KEY (tenant, kind, day, label)
);

CREATE INDEX day_labels_age ON day_labels (day);

CREATE TABLE sum_calls (
    tenant TEXT NOT NULL,
    hour BIGINT NOT NULL,
    method TEXT NOT NULL,
    calls BIGINT NOT NULL,
    failed BIGINT NOT NULL,
    unexpected BIGINT NOT NULL,
    PRIMARY KEY (tenant, hour, method)
);

CREATE INDEX sum_calls_age ON sum_calls (hour);

-- Histograms: how many calls' times fell into each bucket, by whose time it was: `bucket:n` in rising order, with
-- spaces between. A row for each bucket would be most of all rows.
CREATE TABLE sum_latency (
    tenant TEXT NOT NULL,
    hour BIGINT NOT NULL,
    method TEXT NOT NULL,
    side TEXT NOT NULL,
    buckets TEXT NOT NULL,
    PRIMARY KEY (tenant, hour, method, side)
);

CREATE INDEX sum_latency_age ON sum_latency (hour);

CREATE TABLE sum_pollers (
    tenant TEXT NOT NULL,
    hour BIGINT NOT NULL,
    addr TEXT NOT NULL,
    agent TEXT NOT NULL,
    polls BIGINT NOT NULL,
    conflicts BIGINT NOT NULL,
    first_at BIGINT NOT NULL,
    last_at BIGINT NOT NULL,
    PRIMARY KEY (tenant, hour, addr, agent)
);

CREATE INDEX sum_pollers_age ON sum_pollers (hour);

CREATE TABLE sum_errors (
    tenant TEXT NOT NULL,
    hour BIGINT NOT NULL,
    grp TEXT NOT NULL,
    n BIGINT NOT NULL,
    PRIMARY KEY (tenant, hour, grp)
);

CREATE INDEX sum_errors_age ON sum_errors (hour);

CREATE TABLE error_groups (
    tenant TEXT NOT NULL,
    grp TEXT NOT NULL,
    template TEXT NOT NULL,
    method TEXT NOT NULL,
    code BIGINT,
    origin TEXT NOT NULL,
    class TEXT NOT NULL,
    advice TEXT NOT NULL,
    first_at BIGINT NOT NULL,
    last_at BIGINT NOT NULL,
    PRIMARY KEY (tenant, grp)
);

CREATE INDEX error_groups_age ON error_groups (last_at);

-- The smallest hashes of the chats and users that a group of errors has hit on a day: all of them while
-- they are few, and a sample that tells their number once they are many.
CREATE TABLE error_hits (
    tenant TEXT NOT NULL,
    grp TEXT NOT NULL,
    who TEXT NOT NULL,
    day BIGINT NOT NULL,
    hash BIGINT NOT NULL,
    PRIMARY KEY (tenant, grp, who, day, hash)
);

CREATE INDEX error_hits_age ON error_hits (day);

CREATE TABLE error_examples (
    tenant TEXT NOT NULL,
    grp TEXT NOT NULL,
    error_id TEXT NOT NULL,
    at BIGINT NOT NULL,
    description TEXT,
    chat_id BIGINT,
    user_id BIGINT,
    update_id BIGINT,
    addr TEXT,
    agent TEXT,
    PRIMARY KEY (tenant, grp, error_id)
);

CREATE INDEX error_examples_age ON error_examples (at);

-- Who has been seen. `first_at` is null for those of whom only a refused call is known. `active_day` is the day of `last_at`.
CREATE TABLE bot_users (
    tenant TEXT NOT NULL,
    user_id BIGINT NOT NULL,
    first_at BIGINT,
    last_at BIGINT,
    active_day BIGINT,
    last_day BIGINT,
    language TEXT,
    premium BOOLEAN,
    told_second BIGINT,
    told_at BIGINT,
    source TEXT,
    source_second BIGINT,
    source_at BIGINT,
    blocked BOOLEAN,
    signal_second BIGINT,
    signal_at BIGINT,
    PRIMARY KEY (tenant, user_id)
);

CREATE INDEX bot_users_first ON bot_users (tenant, first_at, source);
-- Who was active since a day is counted from the index alone; it changes once a day for each user.
CREATE INDEX bot_users_active ON bot_users (tenant, active_day, language, premium);
CREATE INDEX bot_users_age ON bot_users (last_day);
CREATE INDEX bot_users_blocked ON bot_users (tenant, signal_second) WHERE blocked;

-- In which quarters of an hour of a day a user was active: a bit for each, 48 in either half of the day.
-- Every time zone's days are made of whole quarters, so any zone's active users can be counted.
CREATE TABLE bot_user_days (
    tenant TEXT NOT NULL,
    user_id BIGINT NOT NULL,
    day BIGINT NOT NULL,
    early BIGINT NOT NULL,
    late BIGINT NOT NULL,
    PRIMARY KEY (tenant, day, user_id)
);

CREATE INDEX bot_user_days_age ON bot_user_days (day);

-- Active and new users of each date of the bot's time zone.
CREATE TABLE audience_dates (
    tenant TEXT NOT NULL,
    date BIGINT NOT NULL,
    active BIGINT NOT NULL,
    fresh BIGINT NOT NULL,
    PRIMARY KEY (tenant, date)
);

CREATE INDEX audience_dates_age ON audience_dates (date);
