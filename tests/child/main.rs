//! Commands that mean harm, against the real binary.
//!
//! The kernel lets root do everything, so the worker is run as an ordinary user: as the one who runs the tests or, if that
//! is root (as in many containers), as `nobody`, by means of `setpriv`.
#![allow(clippy::unwrap_used, reason = "a scenario whose set-up fails has failed")]

#[path = "../support/mod.rs"]
mod support;

mod abuse;
mod leftovers;
mod sight;
mod worker;
