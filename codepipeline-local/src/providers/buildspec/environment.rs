//! The variables of a build.

use std::collections::{BTreeMap, BTreeSet};

use super::secret::{Missing, Reference};

/// Where a variable's value comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Value {
    Plain(String),
    Secret(Reference),
}

/// The variables of a build with their values. Holds secrets, so it has no `Debug`.
#[derive(Default)]
pub(crate) struct Resolved {
    pub(crate) variables: BTreeMap<String, String>,
    /// The names of the variables whose values are secrets.
    pub(crate) secret: BTreeSet<String>,
}

/// Combines variables and finds their values. A later layer replaces variables of an earlier one. The order is the buildspec, the
/// project and the action, as AWS documents at `env/variables`. `find` returns the value of a `--secret` flag for a key.
///
/// Returns all secrets that are missing.
pub(crate) fn resolve(
    layers: impl IntoIterator<Item = BTreeMap<String, Value>>,
    find: impl Fn(&str) -> Option<String>,
) -> Result<Resolved, Vec<Missing>> {
    let mut combined = BTreeMap::new();
    for layer in layers {
        combined.extend(layer);
    }
    let mut resolved = Resolved::default();
    let mut missing = Vec::new();
    for (name, value) in combined {
        let value = match value {
            Value::Plain(text) => text,
            Value::Secret(reference) => {
                resolved.secret.insert(name.clone());
                match reference.resolve(&name, &find) {
                    Ok(value) => value,
                    Err(problem) => {
                        missing.push(problem);
                        continue;
                    }
                }
            }
        };
        resolved.variables.insert(name, value);
    }
    if missing.is_empty() { Ok(resolved) } else { Err(missing) }
}

/// Whether the shell can have a variable of this name.
pub(crate) fn is_name(name: &str) -> bool {
    !name.starts_with(|first: char| first.is_ascii_digit())
        && !name.is_empty()
        && name.chars().all(|character| character.is_ascii_alphanumeric() || character == '_')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn layer(variables: &[(&str, Value)]) -> BTreeMap<String, Value> {
        variables.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect()
    }

    fn plain(text: &str) -> Value {
        Value::Plain(text.to_owned())
    }

    fn parameter(name: &str) -> Value {
        Value::Secret(Reference::Parameter(name.to_owned()))
    }

    #[test]
    fn later_layer_replaces_an_earlier_one() {
        let layers = [
            layer(&[("A", plain("buildspec")), ("B", plain("buildspec")), ("C", parameter("missing"))]),
            layer(&[("B", plain("project")), ("C", plain("project"))]),
            layer(&[("C", parameter("p"))]),
        ];
        let resolved = resolve(layers, |key| (key == "p").then(|| "secret".to_owned())).ok().unwrap();
        let values: Vec<_> = resolved.variables.iter().map(|(name, value)| format!("{name}={value}")).collect();
        assert_eq!(values, ["A=buildspec", "B=project", "C=secret"]);
        assert_eq!(resolved.secret.into_iter().collect::<Vec<_>>(), ["C"]);
    }

    #[test]
    fn all_missing_secrets_are_reported() {
        let missing = resolve([layer(&[("A", parameter("a")), ("B", parameter("b"))])], |_| None).err().unwrap();
        assert_eq!(missing.len(), 2);
        assert!(missing[1].to_string().contains("--secret 'b=ENV'"));
    }

    #[test]
    fn names_of_the_shell_are_known() {
        for (name, known) in [("A", true), ("_a1", true), ("1A", false), ("A-B", false), ("", false), ("é", false)] {
            assert_eq!(is_name(name), known, "{name}");
        }
    }
}
