//! Why a key that a template names is missing.

use std::fmt;

use serde_json::Value;
use thiserror::Error;

use crate::job::{Configuration, USER_PARAMETERS};

/// The configuration of a job lacks a key that a template names.
#[derive(Debug, Error, PartialEq, Eq)]
#[error("the action's configuration has no `{key}`{parameters}")]
pub struct MissingKey {
    /// The key.
    pub key: String,
    /// Why the worker did not find the key in the `UserParameters` of a Lambda Invoke job.
    pub parameters: Parameters,
}

/// The form of the `UserParameters` of a Lambda Invoke job, whose members are the configuration. The text is not repeated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Parameters {
    /// An object, or not there: that explains nothing.
    Unremarkable,
    /// Text, or JSON without members.
    NoObject,
    /// Text that begins as an object does.
    NotJson {
        /// The line of the first character that JSON does not allow, from 1.
        line: usize,
        /// Its place in the line, from 1.
        column: usize,
    },
}

impl MissingKey {
    pub(super) fn of(key: &str, configuration: &Configuration) -> Self {
        // With an object, its members are keys, too.
        let alone = configuration.keys().count() == 1;
        let text = configuration.get(USER_PARAMETERS).filter(|_| alone);
        Self { key: key.to_owned(), parameters: text.map_or(Parameters::Unremarkable, Parameters::of) }
    }
}

impl Parameters {
    fn of(text: &str) -> Self {
        let text = text.trim_start_matches('\u{feff}');
        match serde_json::from_str::<Value>(text) {
            Ok(Value::Object(_)) => Self::Unremarkable,
            Err(error) if text.trim_start().starts_with('{') => {
                let (line, column) = place(text, error.line(), error.column());
                Self::NotJson { line, column }
            }
            Ok(_) | Err(_) => Self::NoObject,
        }
    }
}

impl fmt::Display for Parameters {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unremarkable => Ok(()),
            Self::NoObject => {
                write!(f, ": {USER_PARAMETERS} is not a JSON object, whose members would be the configuration")
            }
            Self::NotJson { line, column } => write!(
                f,
                ": {USER_PARAMETERS} is not valid JSON (line {line}, column {column}); a variable inserted into it may hold quotes \
                 or line breaks"
            ),
        }
    }
}

/// The line and column, in characters, of the last byte that the parser has read. `read` counts the bytes that it read of its
/// line; after a line feed that is 0.
fn place(text: &str, line: usize, read: usize) -> (usize, usize) {
    let lines = text.split_inclusive('\n');
    let before: usize = lines.take(line.saturating_sub(1)).map(str::len).sum();
    let last = text.floor_char_boundary((before + read).saturating_sub(1));
    let before = &text[..last];
    let start = before.rfind('\n').map_or(0, |at| at + 1);
    (before.matches('\n').count() + 1, before[start..].chars().count() + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(parameters: &str) -> String {
        MissingKey::of("Command", &[(USER_PARAMETERS, parameters)].into_iter().collect()).to_string()
    }

    #[test]
    fn a_quote_or_line_break_in_a_value_is_located() {
        for (parameters, place) in [
            (r#"{"Command": "make", "Message": "Revert "fix""}"#, "line 1, column 41"),
            ("{\"Message\": \"fix\n\nthe build\"}", "line 1, column 17"),
            ("{\n  \"Message\": \"ü\"x\"\n}", "line 2, column 17"),
            ("{\"Message\": \"a\u{1}b\"}", "line 1, column 15"),
            ("{'Command': 'make'}", "line 1, column 2"),
            (" {\"Command\":", "line 1, column 12"),
            ("\u{feff}{", "line 1, column 1"),
        ] {
            let expected = format!(
                "the action's configuration has no `Command`: UserParameters is not valid JSON ({place}); a variable inserted \
                 into it may hold quotes or line breaks"
            );
            assert_eq!(said(parameters), expected, "{parameters}");
        }
    }

    #[test]
    fn text_that_is_no_object_is_told_apart_and_not_repeated() {
        for parameters in ["make hunter2", "[\"hunter2\"]", "\"hunter2\"", "", "7"] {
            assert_eq!(
                said(parameters),
                "the action's configuration has no `Command`: UserParameters is not a JSON object, whose members would be the \
                 configuration"
            );
        }
    }

    #[test]
    fn an_object_without_the_key_is_not_blamed() {
        let plain = "the action's configuration has no `Command`";
        let with_members = [("Url", "x"), (USER_PARAMETERS, "{\"Url\": \"x\"}")].into_iter().collect();
        assert_eq!(MissingKey::of("Command", &with_members).to_string(), plain);
        assert_eq!(MissingKey::of("Command", &Configuration::default()).to_string(), plain);
        assert_eq!(said("{}"), plain);
    }
}
