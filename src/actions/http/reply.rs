//! The JSON bodies of the service's responses.
//!
//! The code walks the JSON itself: a derived parser's message may quote the value, and a response may repeat a secret. Unknown
//! members are skipped, so that a service can send more than this version knows. `null` means absent.

use std::collections::BTreeMap;
use std::fmt;

use serde_json::{Map, Value};

use crate::actions::timestamp;
use crate::job::{Failure, FailureCode, FailureKind, Finished, Revision};

const SERVICE_REPORTED_FAILURE: FailureCode = FailureCode::new("ServiceReportedFailure");

/// The names of CodePipeline's failure types (API model, `FailureType`).
const FAILURE_TYPES: [(&str, FailureKind); 6] = [
    ("JobFailed", FailureKind::JobFailed),
    ("ConfigurationError", FailureKind::ConfigurationError),
    ("PermissionError", FailureKind::PermissionError),
    ("RevisionOutOfSync", FailureKind::RevisionOutOfSync),
    ("RevisionUnavailable", FailureKind::RevisionUnavailable),
    ("SystemUnavailable", FailureKind::SystemUnavailable),
];

/// How a response breaks the contract. The message shows no value.
pub(super) struct Malformed(String);

impl fmt::Display for Malformed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The progress of work that continues.
#[derive(Clone, Default)]
pub(super) struct Progress {
    pub(super) summary: Option<String>,
    pub(super) external_execution_id: Option<String>,
    pub(super) percent_complete: Option<u8>,
}

/// Reads the body of a response that ends the work. An empty body means success.
pub(super) fn result(body: &[u8]) -> Result<Result<Finished, Failure>, Malformed> {
    let object = object(body)?;
    let response = Members { object: &object, parent: None };
    let failure = response.members("failure")?;
    let failed = match response.text("status")?.as_deref() {
        None => failure.is_some(),
        Some("failed") => true,
        Some("succeeded") if failure.is_none() => false,
        Some("succeeded") => return Err(Malformed("`status` is `succeeded`, but there is a `failure`".to_owned())),
        Some(_) => return Err(response.mistake("status", "must be `succeeded` or `failed`")),
    };
    let summary = response.text("summary")?;
    let external_execution_id = response.text("externalExecutionId")?;
    if !failed {
        let variables = response.texts("outputVariables")?;
        let revision = response.members("revision")?.map(|revision| self::revision(&revision)).transpose()?;
        let outputs = BTreeMap::new();
        return Ok(Ok(Finished {
            summary,
            external_execution_id,
            variables,
            revision,
            outputs,
            ..Finished::default()
        }));
    }
    let (kind, said) = match failure {
        Some(failure) => (failure_type(&failure)?, failure.text("message")?),
        None => (FailureKind::JobFailed, None),
    };
    let failure = Failure::new(kind, SERVICE_REPORTED_FAILURE, "the service says that the work failed");
    Ok(Err(Failure { output: said.or(summary), external_execution_id, ..failure }))
}

/// Reads the body of a response to work that continues. It may be empty.
pub(super) fn progress(body: &[u8]) -> Result<Progress, Malformed> {
    let object = object(body)?;
    let response = Members { object: &object, parent: None };
    Ok(Progress {
        summary: response.text("summary")?,
        external_execution_id: response.text("externalExecutionId")?,
        percent_complete: response.percent("percentComplete")?,
    })
}

fn revision(members: &Members<'_>) -> Result<Revision, Malformed> {
    Ok(Revision {
        revision: members.required_text("revision")?,
        change_identifier: members.required_text("changeIdentifier")?,
        summary: members.text("summary")?,
        created: members.get("created").map(|created| self::created(created, members)).transpose()?,
    })
}

fn created(value: &Value, revision: &Members<'_>) -> Result<i64, Malformed> {
    timestamp::of_json(value).ok_or_else(|| revision.mistake("created", &format!("must be {}", timestamp::RULE)))
}

fn failure_type(failure: &Members<'_>) -> Result<FailureKind, Malformed> {
    let Some(name) = failure.text("type")? else { return Ok(FailureKind::JobFailed) };
    FAILURE_TYPES.iter().find(|(known, _)| *known == name).map(|(_, kind)| *kind).ok_or_else(|| {
        let known: Vec<_> = FAILURE_TYPES.iter().map(|(known, _)| *known).collect();
        failure.mistake("type", &format!("must be one of {}", known.join(", ")))
    })
}

fn object(body: &[u8]) -> Result<Map<String, Value>, Malformed> {
    if body.trim_ascii().is_empty() {
        return Ok(Map::new());
    }
    match serde_json::from_slice(body) {
        Ok(Value::Object(object)) => Ok(object),
        Ok(_) => Err(Malformed("it is JSON, but not an object".to_owned())),
        Err(error) => {
            let (line, column) = (error.line(), error.column());
            Err(Malformed(format!("it is not JSON; the parser stopped at line {line}, column {column}")))
        }
    }
}

/// An object's members, and the object's own name for messages.
struct Members<'a> {
    object: &'a Map<String, Value>,
    parent: Option<&'static str>,
}

impl<'a> Members<'a> {
    fn get(&self, name: &str) -> Option<&'a Value> {
        self.object.get(name).filter(|value| !value.is_null())
    }

    fn mistake(&self, name: &str, rule: &str) -> Malformed {
        let path = self.parent.map_or_else(|| name.to_owned(), |parent| format!("{parent}.{name}"));
        Malformed(format!("`{path}` {rule}"))
    }

    fn text(&self, name: &str) -> Result<Option<String>, Malformed> {
        let text =
            |value: &Value| value.as_str().map(str::to_owned).ok_or_else(|| self.mistake(name, "must be a string"));
        self.get(name).map(text).transpose()
    }

    fn required_text(&self, name: &str) -> Result<String, Malformed> {
        let text = self.text(name)?.filter(|text| !text.is_empty());
        text.ok_or_else(|| self.mistake(name, "must be a string that is not empty"))
    }

    fn texts(&self, name: &str) -> Result<BTreeMap<String, String>, Malformed> {
        let Some(value) = self.get(name) else { return Ok(BTreeMap::new()) };
        let texts = value.as_object().and_then(|object| {
            object.iter().map(|(key, value)| Some((key.clone(), value.as_str()?.to_owned()))).collect()
        });
        texts.ok_or_else(|| self.mistake(name, "must be an object whose members are strings"))
    }

    fn percent(&self, name: &str) -> Result<Option<u8>, Malformed> {
        let percent = |value: &Value| {
            let number = value.as_f64().filter(|number| (0.0..=100.0).contains(number));
            // A service may compute a fraction; the API takes whole numbers.
            number.map(|number| number as u8).ok_or_else(|| self.mistake(name, "must be a number from 0 to 100"))
        };
        self.get(name).map(percent).transpose()
    }

    fn members(&self, name: &'static str) -> Result<Option<Members<'a>>, Malformed> {
        let members = |value: &'a Value| match value {
            Value::Object(object) => Ok(Members { object, parent: Some(name) }),
            _ => Err(self.mistake(name, "must be an object")),
        };
        self.get(name).map(members).transpose()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn finished(body: &str) -> Finished {
        result(body.as_bytes()).map_err(|it| it.0).unwrap().map_err(|failure| failure.message).unwrap()
    }

    fn failure(body: &str) -> Failure {
        result(body.as_bytes()).map_err(|it| it.0).unwrap().err().unwrap()
    }

    fn malformed(body: &str) -> String {
        result(body.as_bytes()).err().unwrap().to_string()
    }

    #[test]
    fn a_result_may_say_as_little_as_nothing() {
        for body in ["", " \n", "{}", r#"{"status": "succeeded"}"#, r#"{"failure": null, "unknown": {"a": 1}}"#] {
            let finished = finished(body);
            assert!(finished.summary.is_none() && finished.variables.is_empty(), "{body}");
        }
    }

    #[test]
    fn a_result_may_say_all_of_it() {
        let finished = finished(
            r#"{"status": "succeeded", "summary": "3 links", "externalExecutionId": "run-7", "percentComplete": 100,
                "outputVariables": {"Broken": "0"},
                "revision": {"revision": "abc", "changeIdentifier": "def", "summary": "a commit",
                             "created": "2015-10-21T07:28:00Z"}}"#,
        );
        assert_eq!(finished.summary.as_deref(), Some("3 links"));
        assert_eq!(finished.external_execution_id.as_deref(), Some("run-7"));
        assert_eq!(finished.variables, [("Broken".to_owned(), "0".to_owned())].into());
        let revision = finished.revision.unwrap();
        assert_eq!((revision.revision.as_str(), revision.change_identifier.as_str()), ("abc", "def"));
        assert_eq!((revision.summary.as_deref(), revision.created), (Some("a commit"), Some(1_445_412_480)));
    }

    #[test]
    fn each_failure_type_is_understood() {
        for (name, kind) in FAILURE_TYPES {
            let failure = failure(&format!(r#"{{"failure": {{"type": "{name}", "message": "because"}}}}"#));
            assert_eq!((failure.kind, failure.output.as_deref()), (kind, Some("because")));
            assert!(!failure.message.contains("because"), "what the service said would be in the log");
        }
        let failure = failure(r#"{"status": "failed", "summary": "2 broken", "externalExecutionId": "run-7"}"#);
        assert_eq!((failure.kind, failure.output.as_deref()), (FailureKind::JobFailed, Some("2 broken")));
        assert_eq!(failure.external_execution_id.as_deref(), Some("run-7"));
    }

    #[test]
    fn malformed_result_is_named_by_path_without_its_values() {
        for (body, expected) in [
            ("hunter2", "it is not JSON; the parser stopped at line 1, column 1"),
            (r#"["hunter2"]"#, "it is JSON, but not an object"),
            (r#"{"status": "hunter2"}"#, "`status` must be `succeeded` or `failed`"),
            (r#"{"status": "succeeded", "failure": {}}"#, "`status` is `succeeded`, but there is a `failure`"),
            (r#"{"summary": ["hunter2"]}"#, "`summary` must be a string"),
            (r#"{"outputVariables": {"A": 1}}"#, "`outputVariables` must be an object whose members are strings"),
            (r#"{"revision": "hunter2"}"#, "`revision` must be an object"),
            (
                r#"{"revision": {"revision": "hunter2"}}"#,
                "`revision.changeIdentifier` must be a string that is not empty",
            ),
            (
                r#"{"revision": {"revision": "r", "changeIdentifier": "c", "created": "hunter2"}}"#,
                "`revision.created` must be RFC 3339 (2026-01-31T12:00:00Z) or seconds since 1970, in the years 1970 to 9999",
            ),
            (r#"{"failure": {"message": 1}}"#, "`failure.message` must be a string"),
        ] {
            assert_eq!(malformed(body), expected, "{body}");
        }
        let message = malformed(r#"{"failure": {"type": "hunter2"}}"#);
        assert!(message.starts_with("`failure.type` must be one of JobFailed, ConfigurationError"), "{message}");
        assert!(!message.contains("hunter2"), "{message}");
    }

    #[test]
    fn progress_is_read_and_its_percentage_checked() {
        let read = |body: &str| progress(body.as_bytes()).map_err(|it| it.0);
        let progress = read(r#"{"summary": "s", "externalExecutionId": "e", "percentComplete": 66.6}"#).ok().unwrap();
        assert_eq!((progress.summary.as_deref(), progress.percent_complete), (Some("s"), Some(66)));
        assert_eq!(progress.external_execution_id.as_deref(), Some("e"));
        assert_eq!(read("").ok().unwrap().percent_complete, None);
        for body in [r#"{"percentComplete": 101}"#, r#"{"percentComplete": -1}"#, r#"{"percentComplete": "5"}"#] {
            assert_eq!(read(body).err().unwrap(), "`percentComplete` must be a number from 0 to 100", "{body}");
        }
    }
}
