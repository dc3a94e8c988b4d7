//! One integration-test binary.

mod bus;
mod clients;
mod ingress;
mod tenants;
