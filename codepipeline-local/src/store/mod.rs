//! The embedded database of `--data`, which keeps the engine's state. The engine gives and takes plain records; what is in them
//! is its own matter.
//!
//! A record that a request has changed is on disk before the request is answered, so neither the end of the process nor a power
//! cut loses it. Requests that come while others are being written are written together, in one transaction.

mod database;
mod keeper;
#[cfg(test)]
mod tests;

pub(crate) use database::{Database, StoreError};
pub(crate) use keeper::{Keeper, Kept, NotKept, Ticket};
