//! Keepers, lanes and drain: what actix actors need to be relied on.
