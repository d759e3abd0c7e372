//! Hostile commands against the real binary.
//!
//! The kernel permits root everything, so the worker runs as an ordinary user. This is the user that runs the tests or, if that is root
//! (as in many containers), `nobody`, by means of `setpriv`.

mod abuse;
mod leftovers;
mod sight;
mod worker;
