//! An action's configuration, and typed access to it.

use std::collections::BTreeMap;
use std::fmt;
use std::ops::RangeInclusive;
use std::str::FromStr;

use secrecy::{ExposeSecret, SecretString};

use super::{Failure, FailureCode, FailureKind};

/// The code of a failure about a missing key.
pub(crate) const CONFIGURATION_KEY_MISSING: FailureCode = FailureCode::new("ConfigurationKeyMissing");
const CONFIGURATION_VALUE_INVALID: FailureCode = FailureCode::new("ConfigurationValueInvalid");

/// An action's configuration. Its values may be secret.
///
/// The methods with a [`Failure`] name the key and the rule, and never the value. The job then fails as a `ConfigurationError` with
/// the code `ConfigurationKeyMissing` or `ConfigurationValueInvalid`.
///
/// # Examples
/// ```
/// use codepipeline_worker::job::{Configuration, Failure, FailureKind};
///
/// struct Rollout<'c> {
///     url: &'c str,
///     percent: u64,
///     mode: &'c str,
///     dry_run: bool,
/// }
///
/// fn read(configuration: &Configuration) -> Result<Rollout<'_>, Failure> {
///     Ok(Rollout {
///         url: configuration.required("Url")?,
///         percent: configuration.number("Percent", 1..=100)?,
///         mode: configuration.one_of("Mode", &["canary", "linear"])?,
///         dry_run: configuration.parse_or("DryRun", "true or false", false)?,
///     })
/// }
///
/// let pairs = [("Url", "https://example.com"), ("Percent", "10"), ("Mode", "canary")];
/// let configuration = pairs.into_iter().collect();
/// let rollout = read(&configuration).ok().unwrap();
/// assert_eq!((rollout.url, rollout.percent, rollout.mode), ("https://example.com", 10, "canary"));
/// assert!(!rollout.dry_run);
///
/// let pairs = [("Url", "https://example.com"), ("Percent", "all")];
/// let failure = read(&pairs.into_iter().collect()).err().unwrap();
/// assert_eq!(failure.kind, FailureKind::ConfigurationError);
/// assert_eq!(
///     failure.message,
///     "the value of the configuration key `Percent` must be a whole number from 1 to 100: change it in the pipeline's action"
/// );
/// ```
#[derive(Clone, Default)]
pub struct Configuration(BTreeMap<String, SecretString>);

impl Configuration {
    /// The value of `key`. It may be secret, so don't log it.
    pub fn get(&self, key: &str) -> Option<&str> {
        self.0.get(key).map(ExposeSecret::expose_secret)
    }

    /// The value of `key`, which the action needs. It may be secret, so don't log it.
    ///
    /// # Errors
    /// Returns a failure if the key is missing or its value is empty, such as that of a pipeline variable without a value.
    pub fn required(&self, key: &str) -> Result<&str, Failure> {
        self.filled(key).ok_or_else(|| {
            let message = format!("the action's configuration lacks the key `{key}`: set it in the pipeline's action");
            Failure::new(FailureKind::ConfigurationError, CONFIGURATION_KEY_MISSING, message)
        })
    }

    /// The value of `key` as a `T`. `expected` completes the sentence "the value must be …", such as `an IPv4 address`.
    ///
    /// # Errors
    /// Returns a failure if the key is missing, its value is empty, or it is not a `T`. The parser's own error is not shown, because
    /// it may quote the value.
    pub fn parse<T: FromStr>(&self, key: &str, expected: &str) -> Result<T, Failure> {
        self.required(key)?.parse().map_err(|_| invalid(key, expected))
    }

    /// The value of `key` as a `T`, or `default` if the key is missing or its value is empty.
    ///
    /// # Errors
    /// Returns a failure if the value is not a `T`.
    pub fn parse_or<T: FromStr>(&self, key: &str, expected: &str, default: T) -> Result<T, Failure> {
        self.filled(key).map_or(Ok(default), |value| value.parse().map_err(|_| invalid(key, expected)))
    }

    /// The value of `key` as a whole number in `range`.
    ///
    /// # Errors
    /// Returns a failure if the key is missing, or its value is not such a number.
    pub fn number(&self, key: &str, range: RangeInclusive<u64>) -> Result<u64, Failure> {
        let number = self.required(key)?.parse().ok().filter(|number| range.contains(number));
        let (least, most) = (range.start(), range.end());
        number.ok_or_else(|| invalid(key, format_args!("a whole number from {least} to {most}")))
    }

    /// The value of `key`, which must be one of `allowed`.
    ///
    /// # Errors
    /// Returns a failure if the key is missing, or its value is not on the list. The failure shows the list.
    pub fn one_of<'a>(&self, key: &str, allowed: &[&'a str]) -> Result<&'a str, Failure> {
        let value = self.required(key)?;
        let found = allowed.iter().copied().find(|allowed| *allowed == value);
        found.ok_or_else(|| invalid(key, format_args!("one of {}", allowed.join(", "))))
    }

    /// The keys, sorted.
    pub fn keys(&self) -> impl Iterator<Item = &str> {
        self.0.keys().map(String::as_str)
    }

    /// Keys and values, sorted by key. The values may be secret.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(key, value)| (key.as_str(), value.expose_secret()))
    }

    fn filled(&self, key: &str) -> Option<&str> {
        self.get(key).filter(|value| !value.is_empty())
    }
}

/// The failure of a value that breaks its rule.
fn invalid(key: &str, expected: impl fmt::Display) -> Failure {
    let message =
        format!("the value of the configuration key `{key}` must be {expected}: change it in the pipeline's action");
    Failure::new(FailureKind::ConfigurationError, CONFIGURATION_VALUE_INVALID, message)
}

impl<K: Into<String>, V: Into<String>> FromIterator<(K, V)> for Configuration {
    fn from_iter<I: IntoIterator<Item = (K, V)>>(pairs: I) -> Self {
        Self(pairs.into_iter().map(|(key, value)| (key.into(), SecretString::from(value.into()))).collect())
    }
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use super::*;

    fn failed<T>(result: Result<T, Failure>) -> (&'static str, String) {
        let failure = result.err().unwrap();
        assert_eq!(failure.kind, FailureKind::ConfigurationError);
        (failure.code.as_str(), failure.message)
    }

    #[test]
    fn missing_and_empty_values_lack_their_key() {
        let configuration: Configuration = [("Empty", "")].into_iter().collect();
        for key in ["Empty", "Missing"] {
            let message = format!("the action's configuration lacks the key `{key}`: set it in the pipeline's action");
            for result in [
                failed(configuration.required(key)),
                failed(configuration.parse::<u8>(key, "a byte")),
                failed(configuration.number(key, 0..=1)),
                failed(configuration.one_of(key, &[""])),
            ] {
                assert_eq!(result, ("ConfigurationKeyMissing", message.clone()));
            }
            assert_eq!(configuration.parse_or(key, "a byte", 7).ok(), Some(7));
        }
    }

    #[test]
    fn values_are_read_as_their_types() {
        let configuration: Configuration =
            [("Address", "10.0.0.1"), ("Count", "12"), ("Mode", "fast")].into_iter().collect();
        assert_eq!(configuration.parse("Address", "an IPv4 address").ok(), Some(Ipv4Addr::new(10, 0, 0, 1)));
        assert_eq!(configuration.parse_or("Count", "a byte", 7_u8).ok(), Some(12));
        assert_eq!(configuration.number("Count", 12..=12).ok(), Some(12));
        assert_eq!(configuration.one_of("Mode", &["slow", "fast"]).ok(), Some("fast"));
    }

    #[test]
    fn invalid_value_is_named_by_its_rule_and_not_shown() {
        let configuration: Configuration = [("Token", "hunter2")].into_iter().collect();
        for (result, rule) in [
            (failed(configuration.parse::<u8>("Token", "a byte")), "a byte"),
            (failed(configuration.parse_or("Token", "true or false", true)), "true or false"),
            (failed(configuration.number("Token", 1..=9)), "a whole number from 1 to 9"),
            (failed(configuration.one_of("Token", &["a", "b"])), "one of a, b"),
        ] {
            let message = format!(
                "the value of the configuration key `Token` must be {rule}: change it in the pipeline's action"
            );
            assert_eq!(result, ("ConfigurationValueInvalid", message));
        }
        let large: Configuration = [("Count", "13")].into_iter().collect();
        assert!(large.number("Count", 1..=12).is_err());
    }
}
