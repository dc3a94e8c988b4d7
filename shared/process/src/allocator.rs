//! Where the memory of every process comes from: jemalloc.
//!
//! In: allocations of Rust and of C (librdkafka, SQLite). Out: memory. Invariant: one allocator for all of a process. glibc's took a tenth of a
//! call's CPU time, and gives back less of what many parked polls have left. Out of memory: the process ends, as with any allocator.

use tikv_jemallocator::Jemalloc;

#[global_allocator]
static ALLOCATOR: Jemalloc = Jemalloc;
