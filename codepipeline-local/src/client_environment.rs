//! The environment of processes that call the emulator.

use std::collections::BTreeMap;

use secrecy::ExposeSecret;

use crate::access_keys::AccessKeys;

/// Both keys of an emulator that accepts any.
const ANY: &str = "local";

/// The variables by which the AWS SDKs and the AWS CLI find the emulator and sign their requests.
pub(crate) fn client_environment(endpoint: &str, region: &str, keys: Option<&AccessKeys>) -> BTreeMap<String, String> {
    let variables = [
        ("AWS_ENDPOINT_URL", endpoint),
        ("AWS_REGION", region),
        ("AWS_DEFAULT_REGION", region),
        ("AWS_ACCESS_KEY_ID", keys.map_or(ANY, AccessKeys::access_key_id)),
        ("AWS_SECRET_ACCESS_KEY", keys.map_or(ANY, |keys| keys.secret_access_key().expose_secret())),
    ];
    variables.into_iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect()
}
