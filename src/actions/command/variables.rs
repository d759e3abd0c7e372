//! A command's output variables.

use std::collections::BTreeMap;

use thiserror::Error;

use super::notation::{self, Entry, NotationError};
use crate::job::limits::VARIABLES_BYTES;

const FILE: &str = "OUTPUT_VARIABLES";

/// A mistake in the file. Lines count from 1. The message repeats no text of the file, because it may be secret.
#[derive(Debug, Error, PartialEq, Eq)]
pub(super) enum VariablesError {
    #[error(transparent)]
    Notation(#[from] NotationError),
    #[error(
        "the key in line {0} of the file OUTPUT_VARIABLES is invalid: CodePipeline allows only A-Z, a-z, 0-9, `@`, `-` and `_`"
    )]
    BadKey(usize),
    #[error(
        "the keys and values of the output variables have {total} bytes, but CodePipeline allows {VARIABLES_BYTES}; shorten the largest one, in line {line}, which has {largest}"
    )]
    TooLarge { total: usize, line: usize, largest: usize },
}

/// Reads a file's `bytes`. The last value of a key counts.
pub(super) fn read(bytes: &[u8]) -> Result<BTreeMap<String, String>, VariablesError> {
    let mut variables = BTreeMap::new();
    for entry in notation::read(bytes, FILE)? {
        if !is_key(&entry.key) {
            return Err(VariablesError::BadKey(entry.line));
        }
        variables.insert(entry.key.clone(), entry);
    }
    check_size(&variables)?;
    Ok(variables.into_iter().map(|(key, entry)| (key, entry.value)).collect())
}

/// The API model's `OutputVariablesKey`.
fn is_key(key: &str) -> bool {
    !key.is_empty() && key.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"@-_".contains(&byte))
}

fn check_size(variables: &BTreeMap<String, Entry>) -> Result<(), VariablesError> {
    let size = |entry: &Entry| (entry.key.len() + entry.value.len(), entry.line);
    let total = variables.values().map(|entry| size(entry).0).sum();
    match variables.values().map(size).max() {
        Some((largest, line)) if total > VARIABLES_BYTES => Err(VariablesError::TooLarge { total, line, largest }),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read_text(text: &str) -> Result<Vec<(String, String)>, VariablesError> {
        read(text.as_bytes()).map(|variables| variables.into_iter().collect())
    }

    #[test]
    fn the_last_value_of_a_key_counts() {
        let pair = |key: &str, value: &str| (key.to_owned(), value.to_owned());
        assert_eq!(read_text("A=1\nb@-_<<E\nx\nE\nA=2\n").unwrap(), [pair("A", "2"), pair("b@-_", "x")]);
    }

    #[test]
    fn an_invalid_key_is_named_by_its_line() {
        for (text, line) in
            [("\n\n=confidential", 3), ("A<<E\n1\nE\nkey with space=confidential", 4), ("ü=x", 1), ("a.b=1", 1)]
        {
            assert_eq!(read_text(text).unwrap_err(), VariablesError::BadKey(line), "{text}");
        }
        let malformed = NotationError::Malformed { file: FILE, line: 1 };
        assert_eq!(read_text("confidential"), Err(VariablesError::Notation(malformed)));
    }

    #[test]
    fn keys_and_values_together_have_a_limit_in_bytes() {
        let fits = format!("AB={}\nC=ü", "x".repeat(VARIABLES_BYTES - 5));
        assert_eq!(read_text(&fits).unwrap().len(), 2);
        let mistake = read_text(&format!("{fits}x")).unwrap_err();
        assert_eq!(
            mistake.to_string(),
            "the keys and values of the output variables have 122881 bytes, but CodePipeline allows 122880; shorten the largest one, in line 1, which has 122877"
        );
    }

    #[test]
    fn replaced_values_do_not_count_towards_the_limit() {
        let text = format!("A={0}\nA={0}\nA={0}", "x".repeat(VARIABLES_BYTES - 1));
        assert_eq!(read_text(&text).unwrap().len(), 1);
    }
}
