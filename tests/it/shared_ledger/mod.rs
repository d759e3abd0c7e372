//! An old and a new deployment share a ledger, as during an upgrade.
//!
//! `formats/` holds what deployments have written so far. It has each phase of an entry, for each kind of job. The new worker must handle all
//! of it (`adopting`), and an old worker must be able to read what the new one writes (`writing`). Two deployments with different action
//! types take only their own jobs (`versions`).

mod adopting;
mod format;
mod recorder;
mod stage;
mod upgraded;
mod versions;
mod writing;
