//! One integration-test binary.

mod analytics;
mod bus;
mod chaos;
mod clients;
mod forwarder;
mod gramtap;
mod ingress;
mod tenants;
mod week;
