//! The environment of processes that call the emulator.

use std::collections::BTreeMap;

/// The variables that a function or a worker needs to find the emulator and to sign its requests. The user's variables take precedence.
pub(super) fn environment(endpoint: &str, region: &str, given: BTreeMap<String, String>) -> BTreeMap<String, String> {
    let needed = [
        ("AWS_ENDPOINT_URL", endpoint),
        ("AWS_REGION", region),
        ("AWS_DEFAULT_REGION", region),
        ("AWS_ACCESS_KEY_ID", "local"),
        ("AWS_SECRET_ACCESS_KEY", "local"),
    ];
    let needed = needed.map(|(name, value)| (name.to_owned(), value.to_owned()));
    needed.into_iter().chain(given).collect()
}
