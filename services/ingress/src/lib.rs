//! The API door: accept, identify, relay, observe, publish.
