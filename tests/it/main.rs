//! The scenarios of the worker, in one binary with a module per topic: `cargo test --test it TOPIC::` runs a topic.
#![allow(clippy::unwrap_used, reason = "a scenario whose set-up fails has failed")]

mod support;

mod alarms;
mod architecture;
#[cfg(feature = "archives")]
mod archives;
mod beside_the_emulator;
mod child;
mod circles;
mod command;
mod connections;
mod continuation;
mod copying;
mod custom_action;
mod deliveries;
mod documents;
mod echoes;
mod events;
mod every_kind;
mod every_n;
mod http;
mod invocation;
mod invoke;
mod kills;
mod ledger_store;
mod main_job;
mod memory;
mod model;
#[cfg(feature = "moto")]
mod moto;
mod names;
mod outputs;
mod own_log;
mod panics;
mod permissions;
mod races;
mod recovery;
mod secrets;
mod shared_ledger;
mod slow_staging;
mod staging;
mod state_machine;
mod story;
mod third_party;
mod throttling;
mod time_to_hold;
mod unruly_actions;
mod waking;
