//! Gramtap's own HTTP/1.1 client connection and its pool.
