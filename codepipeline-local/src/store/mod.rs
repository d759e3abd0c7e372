//! The embedded database of `--data`, which keeps the engine's state. The engine gives and takes plain records. This module does
//! not read their content.
//!
//! A request is answered once its records are on disk, so neither `kill -9` nor a power cut loses them. Requests that arrive during
//! a commit share the next transaction.

mod database;
mod keeper;
#[cfg(test)]
mod tests;

pub(crate) use database::{Database, StoreError};
pub(crate) use keeper::{Keeper, Kept, NotKept, Ticket};
