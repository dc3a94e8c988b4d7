//! All of Gramtap in one binary, and the operator's commands.
fn main() {}
