//! The page's part that the program serves, over real HTTP.
#![allow(clippy::unwrap_used, reason = "a test whose set-up fails has failed")]

mod archives;
mod artifacts;
mod browser;
mod calls;
mod guard;
mod live;
mod pipelines;
mod secrets;
mod starts;
mod steps;
#[path = "../support/mod.rs"]
mod support;
mod views;
