-- Webhooks of connected bots (shared/tenants). `hook_hash` is there since the registry began; the one before is good for
-- a while after it was replaced. `webhook` is sealed: where the bot takes updates, its secret, its authority.
ALTER TABLE tenants ADD COLUMN former_hook_hash TEXT;
ALTER TABLE tenants ADD COLUMN former_hook_until TEXT;
ALTER TABLE tenants ADD COLUMN webhook TEXT;

CREATE UNIQUE INDEX tenants_hook ON tenants (hook_hash);
CREATE UNIQUE INDEX tenants_former_hook ON tenants (former_hook_hash);
