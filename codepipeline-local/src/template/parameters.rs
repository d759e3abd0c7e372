//! The user's values for a template: `--parameter KEY=VALUE`.

use std::collections::BTreeMap;
use std::str::FromStr;

use crate::quoted::word;

/// The starts of dynamic references whose values are secrets (CloudFormation User Guide, "Dynamic references").
const SECRET_REFERENCES: [&str; 2] = ["resolve:secretsmanager:", "resolve:ssm-secure:"];

/// The values that the user gives, and the region and account that `AWS::Region` and `AWS::AccountId` stand for. A value may be a
/// secret, so this has no `Debug`.
#[derive(Clone)]
pub(crate) struct Parameters {
    given: BTreeMap<String, String>,
    pub(crate) region: String,
    pub(crate) account_id: String,
}

/// One value, read from `KEY=VALUE`. These keys have an effect:
///
/// - a parameter of the template, or a pseudo parameter such as `AWS::StackName`
/// - an export that the template imports
/// - an attribute, `LogicalId.Attribute`
/// - a dynamic reference without its braces, such as `resolve:ssm:/web/token`
#[derive(Clone)]
pub(crate) struct Given {
    key: String,
    value: String,
}

impl FromStr for Given {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text.split_once('=') {
            Some((key, value)) if !key.is_empty() => Ok(Self { key: key.to_owned(), value: value.to_owned() }),
            _ => Err("write KEY=VALUE, as in --parameter BranchName=main".to_owned()),
        }
    }
}

impl Default for Parameters {
    fn default() -> Self {
        Self { given: BTreeMap::new(), region: "us-east-1".to_owned(), account_id: "123456789012".to_owned() }
    }
}

impl FromIterator<Given> for Parameters {
    /// The last value of a key wins.
    fn from_iter<T: IntoIterator<Item = Given>>(given: T) -> Self {
        let given = given.into_iter().map(|Given { key, value }| (key, value)).collect();
        Self { given, ..Self::default() }
    }
}

impl Parameters {
    pub(super) fn get(&self, key: &str) -> Option<&str> {
        self.given.get(key).map(String::as_str)
    }

    /// The values of dynamic references to secrets, by their keys.
    pub(super) fn secrets(&self) -> impl Iterator<Item = (String, String)> {
        let is_secret = |key: &str| SECRET_REFERENCES.iter().any(|start| key.starts_with(start));
        let secrets = self.given.iter().filter(move |(key, _)| is_secret(key));
        secrets.map(|(key, value)| (key.clone(), value.clone()))
    }

    pub(super) fn keys(&self) -> impl Iterator<Item = &str> {
        self.given.keys().map(String::as_str)
    }
}

/// The flag that gives a value for the key.
pub(super) fn flag(key: &str) -> String {
    format!("--parameter {}", word(&format!("{key}=VALUE")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn value_is_given_as_key_and_value() {
        let parameters: Parameters = ["A=b=c", "A::B="].into_iter().map(|text| text.parse().unwrap()).collect();
        let get = |text: &str| parameters.get(text).map(str::to_owned);
        assert_eq!([get("A"), get("A::B"), get("B")], [Some("b=c".to_owned()), Some(String::new()), None]);
        for text in ["A", "=b", ""] {
            assert!(text.parse::<Given>().err().unwrap().contains("KEY=VALUE"), "{text}");
        }
    }

    #[test]
    fn flag_is_quoted_for_a_shell() {
        assert_eq!(flag("Branch"), "--parameter Branch=VALUE");
        assert_eq!(flag("resolve:ssm:/a b"), "--parameter 'resolve:ssm:/a b=VALUE'");
    }
}
