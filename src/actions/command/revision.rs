//! Reads the files REVISION and EXTERNAL_EXECUTION_ID of a command.

use thiserror::Error;

use super::notation::{self, NotationError};
use crate::actions::timestamp;
use crate::job::Revision;
use crate::job::limits::{CHANGE_IDENTIFIER, EXTERNAL_EXECUTION_ID, REVISION};

const FILE: &str = "REVISION";
const ID_FILE: &str = "EXTERNAL_EXECUTION_ID";

/// A mistake in a file. The message repeats no text of the file, because it may be secret.
#[derive(Debug, Error, PartialEq, Eq)]
pub(super) enum RevisionError {
    #[error(transparent)]
    Notation(#[from] NotationError),
    #[error(
        "line {0} of the file REVISION has an unknown key; the keys are `revision`, `changeIdentifier`, `summary` and `created`"
    )]
    UnknownKey(usize),
    #[error("the file REVISION has no `revision`, or an empty one; write `revision=…`")]
    NoRevision,
    #[error("`{key}` in the file REVISION has {length} characters, but CodePipeline allows {most}; shorten it")]
    TooLong { key: &'static str, length: usize, most: usize },
    #[error(
        "the revision in the file REVISION is longer than {CHANGE_IDENTIFIER} characters, so add a shorter `changeIdentifier`"
    )]
    NoChangeIdentifier,
    #[error("`created` in line {line} of the file REVISION must be {rule}", rule = timestamp::RULE)]
    Created { line: usize },
    #[error("the file EXTERNAL_EXECUTION_ID has control characters or several lines; write one line of text")]
    NoLine,
    #[error(
        "the external execution id has more than {EXTERNAL_EXECUTION_ID} characters, the limit of CodePipeline; shorten it"
    )]
    LongId,
}

/// Reads the `bytes` of the file REVISION. Returns `None` if it is blank. Without a change identifier, the revision is used as one.
pub(super) fn read(bytes: &[u8]) -> Result<Option<Revision>, RevisionError> {
    let entries = notation::read(bytes, FILE)?;
    if entries.is_empty() {
        return Ok(None);
    }
    let (mut revision, mut change_identifier, mut summary, mut created) = (None, None, None, None);
    for entry in entries {
        let value = Some(entry.value.trim()).filter(|value| !value.is_empty()).map(str::to_owned);
        match entry.key.as_str() {
            "revision" => revision = value,
            "changeIdentifier" => change_identifier = value,
            "summary" => summary = value,
            "created" => {
                let read = |text: String| timestamp::of_text(&text).ok_or(RevisionError::Created { line: entry.line });
                created = value.map(read).transpose()?;
            }
            _ => return Err(RevisionError::UnknownKey(entry.line)),
        }
    }
    let revision = within("revision", revision.ok_or(RevisionError::NoRevision)?, REVISION)?;
    let change_identifier = match change_identifier {
        Some(given) => within("changeIdentifier", given, CHANGE_IDENTIFIER)?,
        None if revision.chars().count() <= CHANGE_IDENTIFIER => revision.clone(),
        None => return Err(RevisionError::NoChangeIdentifier),
    };
    Ok(Some(Revision { revision, change_identifier, summary, created }))
}

/// Reads the `bytes` of the file EXTERNAL_EXECUTION_ID. Returns `None` if it is blank.
pub(super) fn read_id(bytes: &[u8]) -> Result<Option<String>, RevisionError> {
    let text = notation::text(bytes, ID_FILE)?;
    let id = text.trim();
    if id.contains(char::is_control) {
        return Err(RevisionError::NoLine);
    }
    if id.chars().count() > EXTERNAL_EXECUTION_ID {
        return Err(RevisionError::LongId);
    }
    Ok(Some(id.to_owned()).filter(|id| !id.is_empty()))
}

fn within(key: &'static str, value: String, most: usize) -> Result<String, RevisionError> {
    let length = value.chars().count();
    if length > most { Err(RevisionError::TooLong { key, length, most }) } else { Ok(value) }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The members of the revision, with `|` between them.
    fn revision(text: &str) -> Result<Option<String>, String> {
        let read = read(text.as_bytes()).map_err(|mistake| mistake.to_string())?;
        Ok(read.map(|it| {
            let created = it.created.map(|seconds| seconds.to_string());
            [it.revision, it.change_identifier, it.summary.unwrap_or_default(), created.unwrap_or_default()].join("|")
        }))
    }

    #[test]
    fn all_members_of_a_revision_are_read() {
        let text = "# a commit\nrevision=c0ffee\nchangeIdentifier= 7 \nsummary<<EOF\nfix \"it\"\n\nbody\nEOF\n\
                    created=2015-10-21T07:28:00Z\n";
        let expected = "c0ffee|7|fix \"it\"\n\nbody|1445412480";
        assert_eq!(revision(text), Ok(Some(expected.to_owned())));
    }

    #[test]
    fn a_revision_alone_is_its_own_change_identifier() {
        assert_eq!(revision("revision=c0ffee\nsummary=\ncreated=\n"), Ok(Some("c0ffee|c0ffee||".to_owned())));
        assert_eq!(revision("\n# nothing\n"), Ok(None));
    }

    #[test]
    fn a_mistake_in_a_revision_is_named_without_its_text() {
        let long = "x".repeat(101);
        for (text, expected) in [
            ("hunter2", "line 1 of the file REVISION is neither `KEY=value` nor `KEY<<EOF`".to_owned()),
            ("revision=1\nhunter2=x", RevisionError::UnknownKey(2).to_string()),
            ("summary=hunter2", "the file REVISION has no `revision`, or an empty one; write `revision=…`".to_owned()),
            ("revision= \n", RevisionError::NoRevision.to_string()),
            (&format!("revision={long}"), RevisionError::NoChangeIdentifier.to_string()),
            (
                &format!("revision=1\nchangeIdentifier={long}"),
                "`changeIdentifier` in the file REVISION has 101 characters, but CodePipeline allows 100; shorten it".to_owned(),
            ),
            (
                &format!("revision={}", "x".repeat(1501)),
                "`revision` in the file REVISION has 1501 characters, but CodePipeline allows 1500; shorten it".to_owned(),
            ),
            (
                "revision=1\ncreated=hunter2",
                "`created` in line 2 of the file REVISION must be RFC 3339 (2026-01-31T12:00:00Z) or seconds since 1970, in the \
                 years 1970 to 9999"
                    .to_owned(),
            ),
        ] {
            assert_eq!(revision(text).unwrap_err(), expected);
        }
    }

    #[test]
    fn an_id_is_one_line() {
        let id = |bytes: &[u8]| read_id(bytes);
        assert_eq!(id(b"\xef\xbb\xbf run-7 \r\n"), Ok(Some("run-7".to_owned())));
        assert_eq!(id(b"\n \n"), Ok(None));
        assert_eq!(id(b"run-7\nrun-8\n"), Err(RevisionError::NoLine));
        assert_eq!(id(b"\x1b[1mrun-7\x1b[0m"), Err(RevisionError::NoLine));
        assert_eq!(id("ü".repeat(1500).as_bytes()).unwrap().unwrap().chars().count(), 1500);
        assert_eq!(id("ü".repeat(1501).as_bytes()), Err(RevisionError::LongId));
        assert!(matches!(id(b"\xff"), Err(RevisionError::Notation(NotationError::NotUtf8 { .. }))));
    }
}
