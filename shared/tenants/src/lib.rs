//! The registry of connected bots: SQL, Redis in front, a local cache in front of that.
