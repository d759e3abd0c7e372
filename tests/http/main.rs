//! The `http` action against a service on a real socket.

#![allow(clippy::unwrap_used, reason = "a scenario that can't be set up is a test that fails")]

mod going_on;
mod refusals;
mod results;
mod scenario;
mod service;
mod trying_again;
