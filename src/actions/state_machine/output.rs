//! Reads an execution's output into the outcome for CodePipeline.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use crate::actions::timestamp;
use crate::job::{Artifact, Finished, ObjectPlace, Revision};

/// Reads the output of an execution that succeeded. Ignores an output that is not an object, unknown members and `null`.
///
/// # Errors
/// Describes the first known member that is invalid, without its value.
pub(super) fn read(output: Option<&str>, outputs: &[Artifact]) -> Result<Finished, String> {
    let Some(Ok(Value::Object(members))) = output.map(serde_json::from_str) else { return Ok(Finished::default()) };
    Ok(Finished {
        summary: text(&members, "summary")?,
        external_execution_id: text(&members, "externalExecutionId")?,
        percent_complete: percent(&members)?,
        variables: variables(&members)?,
        revision: revision(&members)?,
        outputs: artifacts(&members, outputs)?,
    })
}

fn revision(members: &Map<String, Value>) -> Result<Option<Revision>, String> {
    let Some(value) = member(members, "revision") else { return Ok(None) };
    let Value::Object(revision) = value else {
        return Err(format!("`revision` is {}; it must be an object", what(value)));
    };
    let path = |mistake: String| mistake.replacen('`', "`revision.", 1);
    let required = |name: &str| {
        let given = text(revision, name).map_err(path)?.filter(|text| !text.trim().is_empty());
        given.ok_or_else(|| format!("`revision.{name}` is missing or empty"))
    };
    let created = member(revision, "created").map(|value| {
        let rule = timestamp::RULE;
        timestamp::of_json(value).ok_or_else(|| format!("`revision.created` must be {rule}"))
    });
    Ok(Some(Revision {
        revision: required("revision")?,
        change_identifier: required("changeIdentifier")?,
        summary: text(revision, "summary").map_err(path)?,
        created: created.transpose()?,
    }))
}

fn member<'a>(members: &'a Map<String, Value>, name: &str) -> Option<&'a Value> {
    members.get(name).filter(|value| !value.is_null())
}

fn text(members: &Map<String, Value>, name: &str) -> Result<Option<String>, String> {
    match member(members, name) {
        None => Ok(None),
        Some(Value::String(text)) => Ok(Some(text.clone())),
        Some(other) => Err(format!("`{name}` is {}; it must be text", what(other))),
    }
}

/// Rounds down, because a division in a JSONata expression may give a fraction.
fn percent(members: &Map<String, Value>) -> Result<Option<u8>, String> {
    let Some(value) = member(members, "percentComplete") else { return Ok(None) };
    match value.as_f64() {
        Some(number) if (0.0..=100.0).contains(&number) => Ok(Some(number as u8)),
        Some(_) => Err("`percentComplete` is not between 0 and 100".to_owned()),
        None => Err(format!("`percentComplete` is {}; it must be a number from 0 to 100", what(value))),
    }
}

fn variables(members: &Map<String, Value>) -> Result<BTreeMap<String, String>, String> {
    let Some(value) = member(members, "outputVariables") else { return Ok(BTreeMap::new()) };
    let Value::Object(variables) = value else {
        return Err(format!("`outputVariables` is {}; it must be an object of names and values", what(value)));
    };
    let variables = variables.iter().map(|(name, value)| {
        let text = match value {
            Value::String(text) => text.clone(),
            Value::Number(_) | Value::Bool(_) => value.to_string(),
            other => {
                let rule = "it must be text, a number, true or false";
                return Err(format!("the output variable {} is {}; {rule}", shown(name), what(other)));
            }
        };
        Ok((name.clone(), text))
    });
    variables.collect()
}

fn artifacts(members: &Map<String, Value>, outputs: &[Artifact]) -> Result<BTreeMap<String, ObjectPlace>, String> {
    let Some(value) = member(members, "artifacts") else { return Ok(BTreeMap::new()) };
    let Value::Object(artifacts) = value else {
        return Err(format!("`artifacts` is {}; it must be an object of names and S3 locations", what(value)));
    };
    let artifacts = artifacts.iter().map(|(name, value)| {
        if !outputs.iter().any(|output| output.name == *name) {
            let names: Vec<&str> = outputs.iter().map(|output| output.name.as_str()).collect();
            let has = if names.is_empty() {
                "has no output artifacts".to_owned()
            } else {
                format!("has {}", names.join(", "))
            };
            return Err(format!(
                "`artifacts` names {}, which is not an output artifact of the action; the action {has}",
                shown(name)
            ));
        }
        let part = |part: &str| value.get(part)?.as_str().filter(|text| !text.is_empty()).map(str::to_owned);
        // Refuse unknown members: the worker would silently ignore a version, for example.
        match (value.as_object().map(Map::len), part("bucket"), part("key")) {
            (Some(2), Some(bucket), Some(key)) => Ok((name.clone(), ObjectPlace { bucket, key })),
            _ => Err(format!(
                "the artifact {} must be an object with the members bucket and key, both text, and no others",
                shown(name)
            )),
        }
    });
    artifacts.collect()
}

/// A name from the output, if it is a plain name. Otherwise a stand-in, because failures don't repeat data.
fn shown(name: &str) -> String {
    let plain = (1..=100).contains(&name.len())
        && name.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '@' | '-' | '_'));
    if plain { format!("'{name}'") } else { "(not a plain name)".to_owned() }
}

fn what(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "true or false",
        Value::Number(_) => "a number",
        Value::String(_) => "text",
        Value::Array(_) => "an array",
        Value::Object(_) => "an object",
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn outputs() -> Vec<Artifact> {
        let output = |name: &str| Artifact { name: name.into(), revision: None, bucket: "b".into(), key: "k".into() };
        vec![output("Report"), output("Image")]
    }

    fn refused(output: &Value) -> String {
        read(Some(&output.to_string()), &outputs()).err().unwrap_or_else(|| panic!("{output} was accepted"))
    }

    #[test]
    fn every_known_member_is_read_and_others_are_left_alone() {
        let output = json!({
            "summary": "12 hosts",
            "externalExecutionId": "run-7",
            "percentComplete": 99.5,
            "outputVariables": {"Version": "1.2", "Hosts": 12, "Ratio": 0.5, "Canary": false},
            "revision": {"revision": "abc", "changeIdentifier": "def", "summary": "a commit", "created": 1_445_412_480},
            "artifacts": {"Report": {"bucket": "results", "key": "run-7/report.zip"}},
            "cluster": {"summary": 3}
        });
        let finished = read(Some(&output.to_string()), &outputs()).ok().unwrap();
        assert_eq!(finished.summary.as_deref(), Some("12 hosts"));
        assert_eq!(finished.external_execution_id.as_deref(), Some("run-7"));
        assert_eq!(finished.percent_complete, Some(99));
        let variables: Vec<_> =
            finished.variables.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        assert_eq!(variables, [("Canary", "false"), ("Hosts", "12"), ("Ratio", "0.5"), ("Version", "1.2")]);
        let revision = finished.revision.unwrap();
        assert_eq!((revision.revision.as_str(), revision.change_identifier.as_str()), ("abc", "def"));
        assert_eq!((revision.summary.as_deref(), revision.created), (Some("a commit"), Some(1_445_412_480)));
        let place = ObjectPlace { bucket: "results".into(), key: "run-7/report.zip".into() };
        assert_eq!(finished.outputs.into_iter().collect::<Vec<_>>(), [("Report".to_owned(), place)]);
    }

    #[test]
    fn an_output_that_says_nothing_is_fine() {
        for output in [None, Some("null"), Some("[1]"), Some("\"done\""), Some("{}"), Some("not JSON")] {
            let finished = read(output, &outputs()).ok().unwrap();
            assert!(finished.summary.is_none() && finished.variables.is_empty() && finished.outputs.is_empty());
        }
        let nulls = json!({"summary": null, "outputVariables": null, "artifacts": null, "revision": null, "percentComplete": null});
        assert!(read(Some(&nulls.to_string()), &outputs()).is_ok());
    }

    #[test]
    fn a_member_of_the_wrong_kind_is_refused_without_its_value() {
        for (output, said) in [
            (json!({"summary": 7}), "`summary` is a number; it must be text"),
            (json!({"externalExecutionId": {}}), "`externalExecutionId` is an object; it must be text"),
            (json!({"percentComplete": 101}), "`percentComplete` is not between 0 and 100"),
            (json!({"percentComplete": "half"}), "`percentComplete` is text; it must be a number from 0 to 100"),
            (json!({"outputVariables": []}), "`outputVariables` is an array; it must be an object of names and values"),
            (
                json!({"outputVariables": {"Hosts": ["hunter22"]}}),
                "the output variable 'Hosts' is an array; it must be text, a number, true or false",
            ),
            (
                json!({"outputVariables": {"hunter 22": null}}),
                "the output variable (not a plain name) is null; it must be text, a number, true or false",
            ),
            (json!({"revision": "hunter22"}), "`revision` is text; it must be an object"),
            (json!({"revision": {"revision": "hunter22"}}), "`revision.changeIdentifier` is missing or empty"),
            (
                json!({"revision": {"revision": 7, "changeIdentifier": "hunter22"}}),
                "`revision.revision` is a number; it must be text",
            ),
            (
                json!({"revision": {"revision": "r", "changeIdentifier": "c", "created": "hunter22"}}),
                "`revision.created` must be RFC 3339 (2026-01-31T12:00:00Z) or seconds since 1970, in the years 1970 to 9999",
            ),
            (json!({"artifacts": "s3://b/k"}), "`artifacts` is text; it must be an object of names and S3 locations"),
        ] {
            assert_eq!(refused(&output), said);
        }
    }

    #[test]
    fn an_artifact_must_be_an_output_and_have_a_place() {
        let place = json!({"bucket": "b", "key": "k"});
        assert_eq!(
            refused(&json!({"artifacts": {"Other": place}})),
            "`artifacts` names 'Other', which is not an output artifact of the action; the action has Report, Image"
        );
        for place in [
            json!("s3://b/k"),
            json!({}),
            json!({"bucket": "b"}),
            json!({"bucket": "b", "key": ""}),
            json!({"bucket": "b", "key": 1}),
            json!({"bucket": "b", "key": "k", "versionId": "v"}),
        ] {
            let said = refused(&json!({"artifacts": {"Report": place}}));
            assert!(said.contains("the artifact 'Report' must be an object with the members bucket and key"), "{said}");
        }
        let none = json!({"artifacts": {"Report": place}}).to_string();
        assert!(read(Some(&none), &[]).err().unwrap().ends_with("the action has no output artifacts"));
    }
}
