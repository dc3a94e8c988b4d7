-- Each column follows the latest, or the earliest, of what was said: by the date of Telegram, then by receipt.
ON CONFLICT (tenant, user_id) DO UPDATE SET
    first_at = CASE WHEN bot_users.first_at IS NULL OR excluded.first_at < bot_users.first_at
        THEN excluded.first_at ELSE bot_users.first_at END,
    last_at = CASE WHEN bot_users.last_at IS NULL OR excluded.last_at > bot_users.last_at
        THEN excluded.last_at ELSE bot_users.last_at END,
    active_day = CASE WHEN bot_users.active_day IS NULL OR excluded.active_day > bot_users.active_day
        THEN excluded.active_day ELSE bot_users.active_day END,
    last_day = CASE WHEN bot_users.last_day IS NULL OR excluded.last_day > bot_users.last_day
        THEN excluded.last_day ELSE bot_users.last_day END,
    language = CASE WHEN bot_users.told_second IS NULL OR excluded.told_second > bot_users.told_second
        OR (excluded.told_second = bot_users.told_second AND excluded.told_at >= bot_users.told_at)
        THEN excluded.language ELSE bot_users.language END,
    premium = CASE WHEN bot_users.told_second IS NULL OR excluded.told_second > bot_users.told_second
        OR (excluded.told_second = bot_users.told_second AND excluded.told_at >= bot_users.told_at)
        THEN excluded.premium ELSE bot_users.premium END,
    told_second = CASE WHEN bot_users.told_second IS NULL OR excluded.told_second > bot_users.told_second
        OR (excluded.told_second = bot_users.told_second AND excluded.told_at >= bot_users.told_at)
        THEN excluded.told_second ELSE bot_users.told_second END,
    told_at = CASE WHEN bot_users.told_second IS NULL OR excluded.told_second > bot_users.told_second
        OR (excluded.told_second = bot_users.told_second AND excluded.told_at >= bot_users.told_at)
        THEN excluded.told_at ELSE bot_users.told_at END,
    source = CASE WHEN bot_users.source_second IS NULL OR excluded.source_second < bot_users.source_second
        OR (excluded.source_second = bot_users.source_second AND excluded.source_at < bot_users.source_at)
        THEN excluded.source ELSE bot_users.source END,
    source_second = CASE WHEN bot_users.source_second IS NULL OR excluded.source_second < bot_users.source_second
        OR (excluded.source_second = bot_users.source_second AND excluded.source_at < bot_users.source_at)
        THEN excluded.source_second ELSE bot_users.source_second END,
    source_at = CASE WHEN bot_users.source_second IS NULL OR excluded.source_second < bot_users.source_second
        OR (excluded.source_second = bot_users.source_second AND excluded.source_at < bot_users.source_at)
        THEN excluded.source_at ELSE bot_users.source_at END,
    blocked = CASE WHEN bot_users.signal_second IS NULL OR excluded.signal_second > bot_users.signal_second
        OR (excluded.signal_second = bot_users.signal_second AND excluded.signal_at >= bot_users.signal_at)
        THEN excluded.blocked ELSE bot_users.blocked END,
    signal_second = CASE WHEN bot_users.signal_second IS NULL OR excluded.signal_second > bot_users.signal_second
        OR (excluded.signal_second = bot_users.signal_second AND excluded.signal_at >= bot_users.signal_at)
        THEN excluded.signal_second ELSE bot_users.signal_second END,
    signal_at = CASE WHEN bot_users.signal_second IS NULL OR excluded.signal_second > bot_users.signal_second
        OR (excluded.signal_second = bot_users.signal_second AND excluded.signal_at >= bot_users.signal_at)
        THEN excluded.signal_at ELSE bot_users.signal_at END
