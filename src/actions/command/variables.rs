//! The notation of output variables: `KEY=value` lines, and for values of several lines what GitHub Actions has:
//!
//! ```text
//! KEY<<EOF
//! first line
//! second line
//! EOF
//! ```

use std::collections::BTreeMap;

use thiserror::Error;

use crate::redact::Redactor;

/// The quota for all output variables of an action (User Guide, "Quotas in CodePipeline").
const MAX_BYTES: usize = 122_880;

/// What is wrong with the file. Lines count from 1. Nothing of what the command wrote is repeated: it may be secret.
#[derive(Debug, Error, PartialEq, Eq)]
pub(super) enum VariablesError {
    #[error("line {0} of the file OUTPUT_VARIABLES is not UTF-8")]
    NotUtf8(usize),
    #[error("line {0} of the file OUTPUT_VARIABLES is neither `KEY=value` nor `KEY<<EOF`")]
    Malformed(usize),
    #[error(
        "the key in line {0} of the file OUTPUT_VARIABLES is not one that CodePipeline takes: one or more characters of A-Z, a-z, 0-9, `@`, `-` and `_`"
    )]
    BadKey(usize),
    #[error("the key in line {0} of the file OUTPUT_VARIABLES has a secret in it")]
    SecretKey(usize),
    #[error("`KEY<<EOF` in line {0} of the file OUTPUT_VARIABLES names no end of the value")]
    NoDelimiter(usize),
    #[error(
        "the value that begins in line {0} of the file OUTPUT_VARIABLES has no end: the line that `<<` names is missing"
    )]
    Unended(usize),
    #[error(
        "the output variables have {total} bytes, keys and values; CodePipeline takes at most {MAX_BYTES}; the largest one, in line {line}, has {largest}"
    )]
    TooLarge { total: usize, line: usize, largest: usize },
}

struct Variable {
    line: usize,
    value: String,
}

/// Reads a file's `bytes`. A key that comes twice has its last value; values are redacted.
pub(super) fn read(bytes: &[u8], redactor: &Redactor) -> Result<BTreeMap<String, String>, VariablesError> {
    let text = std::str::from_utf8(bytes).map_err(|error| {
        let before = &bytes[..error.valid_up_to()];
        VariablesError::NotUtf8(before.iter().filter(|&&byte| byte == b'\n').count() + 1)
    })?;
    let mut variables = BTreeMap::new();
    let mut lines = (1..).zip(text.lines());
    while let Some((line, content)) = lines.next() {
        if content.is_empty() {
            continue;
        }
        // Whichever comes first counts: `A=b<<c` is a line, and the delimiter of `A<<b=c` is `b=c`.
        let at = content.find(['=', '<']).ok_or(VariablesError::Malformed(line))?;
        let (key, notation) = content.split_at(at);
        let value = if let Some(value) = notation.strip_prefix('=') {
            value.to_owned()
        } else {
            let delimiter = notation.strip_prefix("<<").ok_or(VariablesError::Malformed(line))?;
            if delimiter.is_empty() {
                return Err(VariablesError::NoDelimiter(line));
            }
            value_until(delimiter, &mut lines).ok_or(VariablesError::Unended(line))?
        };
        if !is_key(key) {
            return Err(VariablesError::BadKey(line));
        }
        if redactor.finds_in(key) {
            return Err(VariablesError::SecretKey(line));
        }
        variables.insert(key.to_owned(), Variable { line, value: redactor.redact(&value).into_owned() });
    }
    check_size(&variables)?;
    Ok(variables.into_iter().map(|(key, variable)| (key, variable.value)).collect())
}

fn value_until<'t>(delimiter: &str, lines: &mut impl Iterator<Item = (usize, &'t str)>) -> Option<String> {
    let mut value = Vec::new();
    for (_, content) in lines {
        if content == delimiter {
            return Some(value.join("\n"));
        }
        value.push(content);
    }
    None
}

/// The API model's `OutputVariablesKey`.
fn is_key(key: &str) -> bool {
    !key.is_empty() && key.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"@-_".contains(&byte))
}

fn check_size(variables: &BTreeMap<String, Variable>) -> Result<(), VariablesError> {
    let size = |(key, variable): (&String, &Variable)| (key.len() + variable.value.len(), variable.line);
    let total = variables.iter().map(|pair| size(pair).0).sum();
    match variables.iter().map(size).max() {
        Some((largest, line)) if total > MAX_BYTES => Err(VariablesError::TooLarge { total, line, largest }),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read_text(text: &str) -> Result<Vec<(String, String)>, VariablesError> {
        read(text.as_bytes(), &Redactor::new(["hunter2"])).map(|variables| variables.into_iter().collect())
    }

    fn pair(key: &str, value: &str) -> (String, String) {
        (key.to_owned(), value.to_owned())
    }

    #[test]
    fn lines_and_blocks_are_read() {
        let text = "A=1\n\nb@-_=x=y<<z \nC<<E=F\none\n\ntwo=2\r\nE=F\nD=\nEMPTY<<.\n.\nA=2";
        let expected =
            [("A", "2"), ("C", "one\n\ntwo=2"), ("D", ""), ("EMPTY", ""), ("b@-_", "x=y<<z ")].map(|(k, v)| pair(k, v));
        assert_eq!(read_text(text).unwrap(), expected);
    }

    #[test]
    fn what_is_malformed_is_named_by_its_line_and_not_repeated() {
        for (text, mistake) in [
            ("A=1\nconfidential", VariablesError::Malformed(2)),
            ("A=1\nA<confidential", VariablesError::Malformed(2)),
            ("\n\n=confidential", VariablesError::BadKey(3)),
            ("A<<E\n1\nE\nkey with space=confidential", VariablesError::BadKey(4)),
            ("ü=confidential", VariablesError::BadKey(1)),
            ("A=1\nB<<", VariablesError::NoDelimiter(2)),
            ("A=1\nB<<E\nconfidential\n E", VariablesError::Unended(2)),
            ("my-hunter2=x", VariablesError::SecretKey(1)),
        ] {
            let found = read_text(text).unwrap_err();
            assert!(!found.to_string().contains("confidential") && !found.to_string().contains("hunter2"));
            assert_eq!(found, mistake, "{text}");
        }
        assert_eq!(read(b"A=1\nB=2\xff", &Redactor::default()), Err(VariablesError::NotUtf8(2)));
    }

    #[test]
    fn secrets_in_values_are_masked() {
        assert_eq!(read_text("A=is hunter2\nB<<E\nhunter2\nE").unwrap(), [pair("A", "is ****"), pair("B", "****")]);
    }

    #[test]
    fn keys_and_values_together_have_a_limit_in_bytes() {
        let fits = format!("AB={}\nC=ü", "x".repeat(MAX_BYTES - 5));
        assert_eq!(read_text(&fits).unwrap().len(), 2);
        let mistake = read_text(&format!("{fits}x")).unwrap_err();
        assert_eq!(
            mistake.to_string(),
            "the output variables have 122881 bytes, keys and values; CodePipeline takes at most 122880; the largest one, in line 1, has 122877"
        );
    }

    #[test]
    fn what_a_key_had_before_its_last_value_does_not_count() {
        let text = format!("A={0}\nA={0}\nA={0}", "x".repeat(MAX_BYTES - 1));
        assert_eq!(read_text(&text).unwrap().len(), 1);
    }
}
