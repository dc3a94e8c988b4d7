//! The simulated Telegram: an offline Bot API.
