//! Variable references, `#{namespace.key}`, in configuration values.

use std::collections::BTreeMap;

use super::state::Configuration;

/// Variables by namespace, then key.
pub(crate) type Namespaces = BTreeMap<String, BTreeMap<String, String>>;

/// The limit of a resolved configuration, in bytes of keys and values (User Guide, "limits").
const RESOLVED_LIMIT: usize = 100 * 1024;

/// The namespaces that the service fills.
pub(crate) const EXECUTION_NAMESPACE: &str = "codepipeline";
pub(crate) const PIPELINE_NAMESPACE: &str = "variables";

enum Piece<'a> {
    Text(&'a str),
    Reference { namespace: &'a str, key: &'a str },
}

/// The namespaces and keys that a value refers to. Returns an error if a reference is malformed.
pub(crate) fn references(value: &str) -> Result<Vec<(&str, &str)>, &'static str> {
    Ok(pieces(value)?
        .into_iter()
        .filter_map(|piece| match piece {
            Piece::Reference { namespace, key } => Some((namespace, key)),
            Piece::Text(_) => None,
        })
        .collect())
}

/// Replaces every reference in the configuration. An error names the property and the variable, never the value.
pub(crate) fn resolve(configuration: &Configuration, known: &Namespaces) -> Result<Configuration, String> {
    let mut resolved = Configuration::new();
    for (property, value) in configuration {
        let text = resolve_text(&format!("configuration property '{property}'"), value, known)?;
        resolved.insert(property.clone(), text);
    }
    let size: usize = resolved.iter().map(|(key, value)| key.len() + value.len()).sum();
    if size > RESOLVED_LIMIT {
        return Err(format!(
            "The configuration has {size} bytes once its variables are resolved; the limit is {RESOLVED_LIMIT}"
        ));
    }
    Ok(resolved)
}

/// The variables in each property that has some, as `NAMESPACE.KEY`, with their values.
pub(crate) fn used(configuration: &Configuration, known: &Namespaces) -> BTreeMap<String, BTreeMap<String, String>> {
    let properties = configuration.iter().map(|(property, text)| (property.clone(), values(text, known)));
    properties.filter(|(_, variables)| !variables.is_empty()).collect()
}

fn values(text: &str, known: &Namespaces) -> BTreeMap<String, String> {
    let value = |(namespace, key): (&str, &str)| {
        let value = known.get(namespace)?.get(key)?;
        Some((format!("{namespace}.{key}"), value.clone()))
    };
    references(text).unwrap_or_default().into_iter().filter_map(value).collect()
}

/// Replaces every reference in one text. An error names the place and the variable, never the text.
pub(crate) fn resolve_text(place: &str, value: &str, known: &Namespaces) -> Result<String, String> {
    let mut text = String::new();
    for piece in pieces(value).map_err(|wrong| format!("The {place}: {wrong}"))? {
        match piece {
            Piece::Text(plain) => text.push_str(plain),
            Piece::Reference { namespace, key } => match known.get(namespace).and_then(|keys| keys.get(key)) {
                Some(value) => text.push_str(value),
                None => {
                    return Err(format!(
                        "The {place} refers to the variable #{{{namespace}.{key}}}, which no earlier action produced"
                    ));
                }
            },
        }
    }
    Ok(text)
}

fn pieces(value: &str) -> Result<Vec<Piece<'_>>, &'static str> {
    let mut pieces = Vec::new();
    let mut rest = value;
    while let Some((text, after)) = rest.split_once("#{") {
        let wrong = "a variable reference is a namespace and a key separated by a period, as in #{namespace.key}";
        let (name, after) = after.split_once('}').ok_or(wrong)?;
        let (namespace, key) = name.split_once('.').ok_or(wrong)?;
        let allowed = |name: &str| {
            !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '@' | '-' | '_'))
        };
        if !allowed(namespace) || !allowed(key) {
            return Err(wrong);
        }
        pieces.push(Piece::Text(text));
        pieces.push(Piece::Reference { namespace, key });
        rest = after;
    }
    pieces.push(Piece::Text(rest));
    Ok(pieces)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn resolve_one(value: &str) -> Result<String, String> {
        let known = Namespaces::from([("src".to_owned(), BTreeMap::from([("Id".to_owned(), "#{x.y}".to_owned())]))]);
        resolve(&Configuration::from([("P".to_owned(), value.to_owned())]), &known)
            .map(|mut all| all.remove("P").unwrap())
    }

    #[test]
    fn resolved_values_are_not_resolved_again() {
        assert_eq!(resolve_one("a #{src.Id}#{src.Id} {b}").unwrap(), "a #{x.y}#{x.y} {b}");
    }

    #[test]
    fn used_variables_have_their_values() {
        let known = Namespaces::from([("src".to_owned(), BTreeMap::from([("Id".to_owned(), "7".to_owned())]))]);
        let declared = [("P", "#{src.Id} #{src.Id} #{src.Other}"), ("Q", "plain"), ("R", "#{src")];
        let declared = declared.map(|(property, text)| (property.to_owned(), text.to_owned()));
        let of_p = BTreeMap::from([("src.Id".to_owned(), "7".to_owned())]);
        assert_eq!(used(&declared.into(), &known), BTreeMap::from([("P".to_owned(), of_p)]));
    }

    #[test]
    fn unknown_variable_error_hides_the_value() {
        let message = resolve_one("hunter2 #{src.Other}").unwrap_err();
        assert!(message.contains("'P'") && message.contains("#{src.Other}"), "{message}");
        assert!(!message.contains("hunter2"));
    }

    #[test]
    fn malformed_reference_is_refused() {
        for value in ["#{src.Id", "#{src}", "#{.Id}", "#{src.}", "#{s rc.Id}"] {
            assert!(resolve_one(value).is_err(), "{value}");
        }
    }

    #[test]
    fn resolved_configuration_over_the_limit_is_refused() {
        let known = Namespaces::from([("a".to_owned(), BTreeMap::from([("b".to_owned(), "x".repeat(60_000))]))]);
        let configuration = Configuration::from([("P".to_owned(), "#{a.b}#{a.b}".to_owned())]);
        assert!(resolve(&configuration, &known).unwrap_err().contains("102400"));
    }
}
