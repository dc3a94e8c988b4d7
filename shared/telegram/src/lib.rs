//! Telegram's own vocabulary: tokens, targets, methods, updates, answers.
