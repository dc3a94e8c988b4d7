//! One integration-test binary.

mod analytics;
mod bus;
mod clients;
mod gramtap;
mod ingress;
mod tenants;
mod week;
