//! The environment of processes that call the emulator.

use std::collections::BTreeMap;

use crate::client_environment::with_variables;
use crate::server::Emulator;

/// The variables that a function or a worker needs to find the emulator and to sign its requests. The user's variables take precedence.
pub(super) fn environment(emulator: &Emulator, given: BTreeMap<String, String>) -> BTreeMap<String, String> {
    with_variables(emulator.environment().clone(), given)
}
