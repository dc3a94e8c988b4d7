-- How bots' webhooks stand in the mode inbox (shared/tenants): what getWebhookInfo tells a bot, and the console its people. Written by the forwarder
-- that has the bot's partition, some seconds late. What ends in `_at` is in microseconds since 1970, UTC. `waiting`: updates that were taken in and are
-- neither delivered nor given up. `failed_*`: the last attempt that failed; Gramtap's word for it, and what Telegram would have told. What failed before
-- `set_at`, when the bot set its webhook, is told no more.
CREATE TABLE webhook_standing (
    tenant TEXT PRIMARY KEY,
    part BIGINT NOT NULL,
    waiting BIGINT NOT NULL,
    failed_at BIGINT,
    failed_label TEXT,
    failed_message TEXT,
    set_at BIGINT NOT NULL DEFAULT 0,
    written_at BIGINT NOT NULL
);

CREATE INDEX webhook_standing_part ON webhook_standing (part) WHERE waiting > 0;
