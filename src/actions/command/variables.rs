//! A command's output variables.

use std::collections::BTreeMap;

use thiserror::Error;

use super::notation::{self, Entry, NotationError};
use crate::job::limits::VARIABLES_BYTES;

const FILE: &str = "OUTPUT_VARIABLES";

/// What is wrong with the file. Lines count from 1. Nothing of what the command wrote is repeated: it may be secret.
#[derive(Debug, Error, PartialEq, Eq)]
pub(super) enum VariablesError {
    #[error(transparent)]
    Notation(#[from] NotationError),
    #[error(
        "the key in line {0} of the file OUTPUT_VARIABLES is not one that CodePipeline takes: one or more characters of A-Z, a-z, 0-9, `@`, `-` and `_`"
    )]
    BadKey(usize),
    #[error(
        "the output variables have {total} bytes, keys and values; CodePipeline takes at most {VARIABLES_BYTES}; the largest one, in line {line}, has {largest}"
    )]
    TooLarge { total: usize, line: usize, largest: usize },
}

/// Reads a file's `bytes`. A key that comes twice has its last value.
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
    fn keys_that_the_service_would_refuse_are_named_by_their_line() {
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
            "the output variables have 122881 bytes, keys and values; CodePipeline takes at most 122880; the largest one, in line 1, has 122877"
        );
    }

    #[test]
    fn what_a_key_had_before_its_last_value_does_not_count() {
        let text = format!("A={0}\nA={0}\nA={0}", "x".repeat(VARIABLES_BYTES - 1));
        assert_eq!(read_text(&text).unwrap().len(), 1);
    }
}
