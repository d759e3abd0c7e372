//! The real binary, killed: at any moment of a job's life, by its memory, at its deadline, by Lambda, and with a full
//! disk.
//!
//! `KILLS=200 cargo test --test it workers_are_killed -- --nocapture` kills two hundred workers, or more until it has
//! hit each step. Another `KILLS_SEED` gives other worlds. Each process runs under the emulator's Runtime API and
//! behind its own [`wire::Wire`], which knows what the worker is doing and when to kill it.
//!
//! **Time.** S3's `Date` decides when a lease ends, and that is the emulator's clock. A worker uses the machine's
//! clock. The emulator's clock stands still during a round of invocations and jumps between rounds. A worker that lives
//! on into the next round holds a job and does nothing else, and all jumps in its life are shorter than its lease. So
//! no lease of a living worker ends before its worker, as the protocol requires. And no test waits for the lease of a
//! dead worker.

mod deadline;
mod disk;
mod full_table;
mod killing;
pub(crate) mod lone;
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
