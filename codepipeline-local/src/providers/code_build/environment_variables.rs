//! `EnvironmentVariables` of a CodeBuild action: a JSON list in a text.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::super::Failed;
use super::super::buildspec::environment::Value;
use super::super::buildspec::secret::Reference;

/// An item of the list.
#[derive(Deserialize)]
struct Item {
    name: String,
    value: String,
    #[serde(rename = "type")]
    kind: Option<String>,
}

/// Reads the list of a running action. `variables` are those of the pipeline that are in it, with their values.
pub(super) fn read(text: &str, variables: &BTreeMap<String, String>) -> Result<BTreeMap<String, Value>, Failed> {
    let items: Vec<Item> =
        serde_json::from_str(text).map_err(|error| unescaped(variables).unwrap_or_else(|| wrong(&error)))?;
    items.into_iter().map(named).collect()
}

/// The failure of a list whose variables have characters that JSON escapes. The list as the pipeline declares it may be right.
fn unescaped(variables: &BTreeMap<String, String>) -> Option<Failed> {
    let named = variables.iter().filter_map(|(name, value)| Some(format!("#{{{name}}} has {}", special(value)?)));
    let named: Vec<_> = named.collect();
    let why = "which CodePipeline does not escape: use another variable, or let a command of the build find the value";
    let what =
        || format!("EnvironmentVariables is not JSON, because the value of {}, {why}", named.join(" and that of "));
    (!named.is_empty()).then(|| Failed::configuration(what()))
}

/// The kinds of characters in the text that JSON escapes.
fn special(text: &str) -> Option<String> {
    let has = [
        ("a quote", text.contains('"')),
        ("a backslash", text.contains('\\')),
        ("a newline", text.contains('\n')),
        ("a control character", text.contains(|character| character < ' ' && character != '\n')),
    ];
    let found: Vec<_> = has.into_iter().filter(|(_, is_found)| *is_found).map(|(name, _)| name).collect();
    (!found.is_empty()).then(|| found.join(" and "))
}

/// Reads the list as the pipeline declares it. Returns an error only if no value of a variable can make the list right. `None` if the list
/// depends on such a value.
pub(super) fn declared(text: &str) -> Result<Option<BTreeMap<String, Value>>, Failed> {
    let known = before_open(text);
    let items: Vec<Item> = match serde_json::from_str(known) {
        Err(error) if error.is_eof() && known.len() < text.len() => return Ok(None),
        items => items.map_err(|error| wrong(&error))?,
    };
    items.into_iter().map(declared_item).collect::<Result<_, _>>().map(Some)
}

/// The text up to the first variable that is not in a JSON string. A variable in a string changes no more than the string.
fn before_open(text: &str) -> &str {
    let (mut in_string, mut is_escaped) = (false, false);
    for (at, character) in text.char_indices() {
        match character {
            _ if is_escaped => is_escaped = false,
            '\\' if in_string => is_escaped = true,
            '"' => in_string = !in_string,
            '#' if !in_string && text[at..].starts_with("#{") => return &text[..at],
            _ => {}
        }
    }
    text
}

fn declared_item(item: Item) -> Result<(String, Value), Failed> {
    match item.kind {
        // Until the type is known, the value may be the name of a secret that is not known either.
        Some(kind) if kind.contains("#{") => Ok((item.name, Value::Secret(Reference::Secret(kind)))),
        _ => named(item),
    }
}

fn named(Item { name, value, kind }: Item) -> Result<(String, Value), Failed> {
    let kind = kind.as_deref().unwrap_or("PLAINTEXT");
    match variable(&name, value, kind) {
        Ok(value) => Ok((name, value)),
        Err(wrong) => Err(Failed::configuration(format!("in EnvironmentVariables, {wrong}"))),
    }
}

/// A variable as an action or a project declares it. The error says what is wrong, and shows no value.
pub(super) fn variable(name: &str, value: String, kind: &str) -> Result<Value, String> {
    if name.is_empty() || name.contains(['=', '\0']) {
        return Err(format!("{name:?} is not a name of a variable: use letters, digits and _"));
    }
    match kind {
        "PLAINTEXT" => Ok(Value::Plain(value)),
        "PARAMETER_STORE" => Ok(Value::Secret(Reference::Parameter(value))),
        "SECRETS_MANAGER" => Ok(Value::Secret(Reference::Secret(value))),
        _ => Err(format!("{name} has the type {kind:?}: write PLAINTEXT, PARAMETER_STORE or SECRETS_MANAGER")),
    }
}

fn wrong(error: &serde_json::Error) -> Failed {
    // The error may quote a value, so only its place is shown.
    Failed::configuration(format!(
        "EnvironmentVariables is wrong at its line {} and column {}: write a JSON list of objects, each with the texts name, value and type",
        error.line(),
        error.column()
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn variable_with_characters_of_json_is_named() {
        let text = "[{\"name\": \"A\", \"value\": \"a \"b\"\n\"}]";
        let variables = |value: &str| {
            BTreeMap::from([("V.Plain".to_owned(), "1".to_owned()), ("V.M".to_owned(), value.to_owned())])
        };
        for (value, named) in [
            ("a \"b\"\n", "because the value of #{V.M} has a quote and a newline, which CodePipeline does not escape"),
            ("a\\d", "because the value of #{V.M} has a backslash, which"),
            ("a\tb", "because the value of #{V.M} has a control character, which"),
            ("plain", "EnvironmentVariables is wrong at its line 1 and column 29"),
        ] {
            let error = read(text, &variables(value)).err().unwrap().message;
            assert!(error.contains(named), "{error}");
        }
        assert!(read(r#"[{"name": "A", "value": "a\\b"}]"#, &variables("\\b")).is_ok(), "AWS accepts it as well");
    }

    fn declared_error(text: &str) -> String {
        declared(text).err().unwrap_or_else(|| panic!("accepted: {text}")).message
    }

    #[test]
    fn mistake_that_no_variable_cures_is_reported() {
        let open = r##"{"name": "A", "value": "#{V.CommitId}"}"##;
        for (item, named) in [
            (r#"{"name": "B", "value": 5}"#, "line 1 and column 66"),
            (r#"{"name": "B", "value": "b", "type": "PLAIN"}"#, "B has the type \"PLAIN\": write PLAINTEXT"),
            (r#"{"name": "B=", "value": "b"}"#, "\"B=\" is not a name"),
            (r#"{"name": "B, "value": "b"}"#, "is wrong at its line 1"),
            (r##"{"name": "B", "value": 5}, {"name": "C", "value": #{V.C}}"##, "is wrong at its line 1"),
            ("", "is wrong at its line 1"),
        ] {
            let error = declared_error(&format!("[{open}, {item}]"));
            assert!(error.contains(named), "{item}: {error}");
        }
    }

    #[test]
    fn list_that_a_variable_may_complete_is_unknown() {
        for text in
            ["#{V.All}", r##"[{"name": "A", "value": #{V.A}}]"##, r##"[{"name": "\"A", "value": "a"}, #{V.B}]"##]
        {
            assert!(declared(text).is_ok_and(|known| known.is_none()), "{text}");
        }
    }

    #[test]
    fn variable_in_a_text_changes_only_the_text() {
        let text = r##"[{"name": "A", "value": "a \" #{V.A}"}, {"name": "B", "value": "b", "type": "#{V.Type}"}]"##;
        let known = declared(text).ok().flatten().unwrap();
        assert_eq!(known["A"], Value::Plain("a \" #{V.A}".to_owned()));
        assert!(matches!(&known["B"], Value::Secret(reference) if reference.is_open()));
    }
}
