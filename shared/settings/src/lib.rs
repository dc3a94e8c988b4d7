//! Configuration: defaults, file, environment; units and secrets.
