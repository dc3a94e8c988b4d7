//! The topics and records that the services and analysts agree on.
