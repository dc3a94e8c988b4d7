//! Integration tests: a scripted bot and a cluster harness.
