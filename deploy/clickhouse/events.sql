-- Gramtap's analysts' topics in ClickHouse.
-- In: gramtap.events.v1 and gramtap.errors.v1 as Kafka has them, one JSON object a record. Out: gramtap.events, gramtap.errors.
-- Invariant: a column is named as in docs/events.md; what is null there is null here. Kafka engines deliver at least once: `event_id` and `error_id` tell
-- repeats, and ReplacingMergeTree drops them (read with FINAL where that matters). Change the broker's address before running it.

CREATE DATABASE IF NOT EXISTS gramtap;

CREATE TABLE gramtap.events_queue (record String)
ENGINE = Kafka
SETTINGS kafka_broker_list = 'localhost:9092', kafka_topic_list = 'gramtap.events.v1', kafka_group_name = 'clickhouse-events',
    kafka_format = 'JSONAsString', kafka_num_consumers = 1, kafka_skip_broken_messages = 0;

CREATE TABLE gramtap.events
(
    v UInt16,
    event_id String,
    event LowCardinality(String),
    tenant LowCardinality(String),
    bot Nullable(Int64),
    at DateTime64(6, 'UTC'),
    happened_at DateTime64(6, 'UTC'),
    direction LowCardinality(String),
    via LowCardinality(String),
    update_id Nullable(Int64),
    update_type LowCardinality(Nullable(String)),
    method LowCardinality(Nullable(String)),
    chat_id Nullable(Int64),
    chat_type LowCardinality(Nullable(String)),
    thread_id Nullable(Int64),
    user_id Nullable(Int64),
    user_is_bot Nullable(Bool),
    username Nullable(String),
    language LowCardinality(Nullable(String)),
    is_premium Nullable(Bool),
    message_id Nullable(Int64),
    reply_to_message_id Nullable(Int64),
    command Nullable(String),
    payload Nullable(String),
    text Nullable(String),
    text_length Nullable(Int64),
    media LowCardinality(Nullable(String)),
    media_bytes Nullable(Int64),
    callback_data Nullable(String),
    button_text Nullable(String),
    ok Nullable(Bool),
    error_code Nullable(Int64),
    error_group Nullable(String),
    error_class LowCardinality(Nullable(String)),
    took_ms Nullable(Float64),
    own_ms Nullable(Float64),
    amount Nullable(Int64),
    currency LowCardinality(Nullable(String)),
    props String
)
ENGINE = ReplacingMergeTree
PARTITION BY toYYYYMM(at)
ORDER BY (tenant, toDate(at), event, event_id)
TTL toDateTime(at) + INTERVAL 400 DAY;

CREATE MATERIALIZED VIEW gramtap.events_in TO gramtap.events AS
-- BEGIN events
SELECT
    JSONExtract(record, 'v', 'UInt16') AS v,
    JSONExtractString(record, 'event_id') AS event_id,
    JSONExtractString(record, 'event') AS event,
    JSONExtractString(record, 'tenant') AS tenant,
    JSONExtract(record, 'bot', 'Nullable(Int64)') AS bot,
    parseDateTime64BestEffort(JSONExtractString(record, 'at'), 6, 'UTC') AS at,
    parseDateTime64BestEffort(JSONExtractString(record, 'happened_at'), 6, 'UTC') AS happened_at,
    JSONExtractString(record, 'direction') AS direction,
    JSONExtractString(record, 'via') AS via,
    JSONExtract(record, 'update_id', 'Nullable(Int64)') AS update_id,
    JSONExtract(record, 'update_type', 'Nullable(String)') AS update_type,
    JSONExtract(record, 'method', 'Nullable(String)') AS method,
    JSONExtract(record, 'chat_id', 'Nullable(Int64)') AS chat_id,
    JSONExtract(record, 'chat_type', 'Nullable(String)') AS chat_type,
    JSONExtract(record, 'thread_id', 'Nullable(Int64)') AS thread_id,
    JSONExtract(record, 'user_id', 'Nullable(Int64)') AS user_id,
    JSONExtract(record, 'user_is_bot', 'Nullable(Bool)') AS user_is_bot,
    JSONExtract(record, 'username', 'Nullable(String)') AS username,
    JSONExtract(record, 'language', 'Nullable(String)') AS language,
    JSONExtract(record, 'is_premium', 'Nullable(Bool)') AS is_premium,
    JSONExtract(record, 'message_id', 'Nullable(Int64)') AS message_id,
    JSONExtract(record, 'reply_to_message_id', 'Nullable(Int64)') AS reply_to_message_id,
    JSONExtract(record, 'command', 'Nullable(String)') AS command,
    JSONExtract(record, 'payload', 'Nullable(String)') AS payload,
    JSONExtract(record, 'text', 'Nullable(String)') AS text,
    JSONExtract(record, 'text_length', 'Nullable(Int64)') AS text_length,
    JSONExtract(record, 'media', 'Nullable(String)') AS media,
    JSONExtract(record, 'media_bytes', 'Nullable(Int64)') AS media_bytes,
    JSONExtract(record, 'callback_data', 'Nullable(String)') AS callback_data,
    JSONExtract(record, 'button_text', 'Nullable(String)') AS button_text,
    JSONExtract(record, 'ok', 'Nullable(Bool)') AS ok,
    JSONExtract(record, 'error_code', 'Nullable(Int64)') AS error_code,
    JSONExtract(record, 'error_group', 'Nullable(String)') AS error_group,
    JSONExtract(record, 'error_class', 'Nullable(String)') AS error_class,
    JSONExtract(record, 'took_ms', 'Nullable(Float64)') AS took_ms,
    JSONExtract(record, 'own_ms', 'Nullable(Float64)') AS own_ms,
    JSONExtract(record, 'amount', 'Nullable(Int64)') AS amount,
    JSONExtract(record, 'currency', 'Nullable(String)') AS currency,
    JSONExtractRaw(record, 'props') AS props
FROM gramtap.events_queue;
-- END events

CREATE TABLE gramtap.errors_queue (record String)
ENGINE = Kafka
SETTINGS kafka_broker_list = 'localhost:9092', kafka_topic_list = 'gramtap.errors.v1', kafka_group_name = 'clickhouse-errors',
    kafka_format = 'JSONAsString', kafka_num_consumers = 1, kafka_skip_broken_messages = 0;

CREATE TABLE gramtap.errors
(
    v UInt16,
    error_id String,
    `group` String,
    template String,
    at DateTime64(6, 'UTC'),
    tenant LowCardinality(String),
    bot Nullable(Int64),
    origin LowCardinality(String),
    class LowCardinality(String),
    code Nullable(Int64),
    method LowCardinality(String),
    description Nullable(String),
    advice LowCardinality(String),
    chat_id Nullable(Int64),
    user_id Nullable(Int64),
    update_id Nullable(Int64),
    client String
)
ENGINE = ReplacingMergeTree
PARTITION BY toYYYYMM(at)
ORDER BY (tenant, toDate(at), `group`, error_id)
TTL toDateTime(at) + INTERVAL 400 DAY;

CREATE MATERIALIZED VIEW gramtap.errors_in TO gramtap.errors AS
-- BEGIN errors
SELECT
    JSONExtract(record, 'v', 'UInt16') AS v,
    JSONExtractString(record, 'error_id') AS error_id,
    JSONExtractString(record, 'group') AS `group`,
    JSONExtractString(record, 'template') AS template,
    parseDateTime64BestEffort(JSONExtractString(record, 'at'), 6, 'UTC') AS at,
    JSONExtractString(record, 'tenant') AS tenant,
    JSONExtract(record, 'bot', 'Nullable(Int64)') AS bot,
    JSONExtractString(record, 'origin') AS origin,
    JSONExtractString(record, 'class') AS class,
    JSONExtract(record, 'code', 'Nullable(Int64)') AS code,
    JSONExtractString(record, 'method') AS method,
    JSONExtract(record, 'description', 'Nullable(String)') AS description,
    JSONExtractString(record, 'advice') AS advice,
    JSONExtract(record, 'chat_id', 'Nullable(Int64)') AS chat_id,
    JSONExtract(record, 'user_id', 'Nullable(Int64)') AS user_id,
    JSONExtract(record, 'update_id', 'Nullable(Int64)') AS update_id,
    JSONExtractRaw(record, 'client') AS client
FROM gramtap.errors_queue;
-- END errors
