//! The environment of processes that call the emulator.

use std::collections::BTreeMap;

use secrecy::ExposeSecret;

use crate::access_keys::AccessKeys;
use crate::direct_hosts;

/// Both keys of an emulator that accepts any.
const ANY: &str = "local";

/// The variables by which the AWS SDKs and the AWS CLI find the emulator and sign their requests. They reach it without a proxy.
pub(crate) fn client_environment(endpoint: &str, region: &str, keys: Option<&AccessKeys>) -> BTreeMap<String, String> {
    let variables = [
        ("AWS_ENDPOINT_URL", endpoint),
        ("AWS_REGION", region),
        ("AWS_DEFAULT_REGION", region),
        ("AWS_ACCESS_KEY_ID", keys.map_or(ANY, AccessKeys::access_key_id)),
        ("AWS_SECRET_ACCESS_KEY", keys.map_or(ANY, |keys| keys.secret_access_key().expose_secret())),
    ];
    let variables = variables.into_iter().map(|(name, value)| (name.to_owned(), value.to_owned()));
    with_variables(direct_hosts::variables(endpoint), variables)
}

/// The environment with the given variables in the place of its own. If both name hosts that are called without a proxy, all of them count.
pub(crate) fn with_variables(
    mut environment: BTreeMap<String, String>,
    given: impl IntoIterator<Item = (String, String)>,
) -> BTreeMap<String, String> {
    let own = environment.clone();
    environment.extend(given);
    let joined = direct_hosts::joined([&own, &environment]);
    environment.extend(joined);
    environment
}

#[cfg(test)]
mod tests {
    use super::*;

    fn variables(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
        pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    }

    #[test]
    fn emulator_is_called_without_a_proxy() {
        let environment = client_environment("http://192.0.2.7:4566", "us-east-1", None);
        for name in ["NO_PROXY", "no_proxy"] {
            let hosts: Vec<&str> = environment[name].split(',').collect();
            assert!(["192.0.2.7", "127.0.0.1", "localhost"].iter().all(|host| hosts.contains(host)), "{hosts:?}");
        }
    }

    #[test]
    fn given_variables_win_and_lists_of_hosts_are_joined() {
        let own = variables(&[("A", "1"), ("B", "1"), ("NO_PROXY", "a"), ("no_proxy", "a")]);
        let given = variables(&[("B", "2"), ("NO_PROXY", "b, a"), ("HTTP_PROXY", "http://proxy")]);
        let all = [("A", "1"), ("B", "2"), ("HTTP_PROXY", "http://proxy"), ("NO_PROXY", "a,b"), ("no_proxy", "a,b")];
        assert_eq!(with_variables(own, given), variables(&all));
        assert_eq!(with_variables(variables(&[("A", "1")]), variables(&[("A", "2")])), variables(&[("A", "2")]));
    }
}
