//! The environment of processes that call the emulator.

use std::collections::BTreeMap;

use crate::server::Emulator;

/// The variables that a function or a worker needs to find the emulator and to sign its requests. The user's variables take precedence.
pub(super) fn environment(emulator: &Emulator, given: BTreeMap<String, String>) -> BTreeMap<String, String> {
    emulator.environment().clone().into_iter().chain(given).collect()
}
