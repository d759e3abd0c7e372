//! Commands that mean harm, against the real binary.
//!
//! The kernel lets root do everything, so the worker is run as an ordinary user: as the one who runs the tests or, if that
//! is root (as in many containers), as `nobody`, by means of `setpriv`.

mod abuse;
mod leftovers;
mod sight;
mod worker;
