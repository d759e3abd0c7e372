//! The embedded database of `--data`, which keeps the engine's state as plain records. This module does not read their content.
//!
//! A request is answered after its records are on disk, so that `kill -9` and power cuts lose nothing. Requests that arrive during a
//! commit share the next transaction.

mod database;
mod keeper;
#[cfg(test)]
mod tests;

pub(crate) use database::{Database, StoreError};
pub(crate) use keeper::{Keeper, Kept, NotKept, Ticket};
