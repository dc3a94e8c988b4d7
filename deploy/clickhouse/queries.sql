-- The console's numbers in ClickHouse, by the console's definitions.
-- In: the tables of events.sql; a bot's `tenant`, its time zone as in its settings, and dates of that zone, as parameters:
--   clickhouse-client --param_tenant=… --param_zone=Europe/Berlin --param_from=2026-01-01 --param_to=2026-01-31 --multiquery < queries.sql
-- Out: what each query says. Invariant: a fact belongs to the date of its own time: an update to that of Telegram's date, a call to that of its
-- receipt. tests/clickhouse compares all of it with what is true of a scripted week.

-- traffic: a row a date. `calls` are those with a token that Telegram accepts, polls apart; `errors` are failed calls whose class is not expected.
WITH
    if(direction = 'in', happened_at, at) AS counted,
    direction = 'in' AND event NOT IN ('gap', 'call_unverified', 'delivered', 'delivery_failed', 'target_reached') AS is_update,
    direction = 'out' AND event NOT IN ('gap', 'call_unverified', 'polled', 'delivered', 'delivery_failed', 'target_reached') AS is_call,
    ifNull(ok = false, false) OR error_class IS NOT NULL AS is_failed
SELECT
    toDate(counted, {zone:String}) AS date,
    countIf(is_update) AS updates,
    countIf(is_call) AS calls,
    countIf(is_call AND is_failed) AS failed,
    countIf(is_call AND is_failed AND ifNull(error_class, '') != 'expected') AS errors,
    errors / nullIf(calls, 0) AS error_rate,
    sumIf(JSONExtractInt(props, 'count'), event = 'polled') AS polls,
    sumIf(JSONExtractInt(props, 'count'), event = 'polled' AND is_failed) AS polls_failed,
    countIf(event = 'call_unverified') AS unverified,
    sumIf(JSONExtractInt(props, 'count'), event = 'gap') AS lost
FROM gramtap.events FINAL
WHERE tenant = {tenant:String} AND date BETWEEN {from:Date} AND {to:Date}
GROUP BY date
ORDER BY date;

-- people: a row a date. Active users acted on it, new ones for the first time ever; bots and Telegram's service accounts are left out.
SELECT date, uniqExact(user_id) AS active, uniqExactIf(user_id, date = first_date) AS fresh, active - fresh AS returning
FROM
(
    SELECT
        user_id,
        toDate(happened_at, {zone:String}) AS date,
        min(date) OVER (PARTITION BY user_id) AS first_date
    FROM gramtap.events FINAL
    WHERE tenant = {tenant:String} AND direction = 'in' AND event NOT IN ('gap', 'call_unverified', 'delivered', 'delivery_failed', 'target_reached')
        AND NOT ifNull(user_is_bot, false) AND user_id NOT IN (777000, 1087968824, 136817688)
)
WHERE date BETWEEN {from:Date} AND {to:Date}
GROUP BY date
ORDER BY date;

-- commands: a row a command, the most frequent first. The same with `callback_data`, `button_text`, `media` or `payload` in its place.
SELECT command AS label, count() AS n
FROM gramtap.events FINAL
WHERE tenant = {tenant:String} AND direction = 'in' AND command != ''
    AND toDate(happened_at, {zone:String}) BETWEEN {from:Date} AND {to:Date}
GROUP BY label
ORDER BY n DESC, label;

-- errors: a row a group of errors, polls among them, those that matter first. The console counts chats and users of the whole days of UTC that the
-- dates touch; here it is the dates alone.
SELECT `group`, method, code, template, origin, class, advice, count() AS n, uniqExact(chat_id) AS chats, uniqExact(user_id) AS users
FROM gramtap.errors FINAL
WHERE tenant = {tenant:String} AND toDate(at, {zone:String}) BETWEEN {from:Date} AND {to:Date}
GROUP BY `group`, method, code, template, origin, class, advice
ORDER BY class = 'expected', n DESC, `group`;
