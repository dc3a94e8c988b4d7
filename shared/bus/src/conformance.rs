//! The suite that both engines pass.
