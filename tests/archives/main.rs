//! Archives of other tools, unpacked by the worker and by the reference tool; and outputs of the worker, read by other tools.
//!
//! The tests need the tools that `.ci/archives` installs: run them with it.

#![allow(clippy::unwrap_used, reason = "a tool that can't be run is a test that fails")]

#[allow(dead_code, reason = "these tests do not look at the requests")]
#[path = "../artifact_store/mod.rs"]
mod artifact_store;
mod case;
mod inputs;
mod outputs;
mod tools;
mod tree;
