//! The bus: one port over Kafka and over the embedded durable log.
