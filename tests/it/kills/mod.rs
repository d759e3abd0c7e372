//! The real binary, killed: at any moment of a job's life, by its memory, by its deadline, by Lambda; and with its disk full.
//!
//! `KILLS=200 cargo test --test kills -- --nocapture workers_are_killed` kills two hundred, or more until each step was hit,
//! with another `KILLS_SEED` in other worlds. It runs under the emulator's Runtime API, each process behind a [`wire::Wire`] of
//! its own, which knows what the worker is about and tells when to kill it.
//!
//! **Time.** Leases are judged by S3's `Date`, which is the emulator's clock, while a worker lives on the machine's. The
//! emulator's clock stands during a round of invocations and jumps between rounds. A worker that lives on from one round to the
//! next holds a job and does nothing else, and meanwhile the jumps together are shorter than its lease. So no lease of a living
//! worker's ends before the worker does, which is what the protocol takes for granted; and nobody waits for a dead worker's.

mod deadline;
mod disk;
mod full_table;
mod killing;
mod lone;
mod memory;
mod plan;
mod rounds;
mod runtime;
mod scenario;
mod service;
mod step;
mod timeout;
mod verdict;
mod wire;
