//! One integration-test binary.

mod clients;
mod ingress;
mod tenants;
