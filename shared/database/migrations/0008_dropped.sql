-- When a bot last had Telegram drop what waited (shared/tenants): updates that were received before it are not delivered any more.
ALTER TABLE tenants ADD COLUMN dropped_before TEXT;
