//! One integration-test binary.

mod clients;
