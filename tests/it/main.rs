//! One integration-test binary.

mod bus;
mod clients;
mod gramtap;
mod ingress;
mod tenants;
