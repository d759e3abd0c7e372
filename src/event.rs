//! What woke the function. Parsed by hand from a JSON value: a derived parser's error may quote the input, and a
//! `CodePipeline.job` event holds credentials.

use serde_json::Value;

/// A reason to be awake.
#[derive(Debug, PartialEq, Eq)]
pub enum Event {
    /// The schedule: poll every action type.
    Schedule,
}

/// An event that the worker has no use for.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "the worker takes scheduled events (detail-type \"Scheduled Event\" from EventBridge or EventBridge Scheduler), \
     but this is {what}; point the rule or trigger that sent it elsewhere"
)]
pub struct UnknownEvent {
    what: String,
}

impl Event {
    /// Tells what `payload` is. Only `source` and `detail-type` matter: an EventBridge rule sends `"detail": {}`,
    /// EventBridge Scheduler sends `"detail": "{}"`.
    ///
    /// # Errors
    /// When it is anything else. The error names its source and type, or its top-level kind, and nothing more of it.
    pub fn parse(payload: &Value) -> Result<Self, UnknownEvent> {
        let text = |key: &str| payload.get(key).and_then(Value::as_str);
        match (text("source"), text("detail-type")) {
            (Some("aws.events" | "aws.scheduler"), Some("Scheduled Event")) => Ok(Self::Schedule),
            (source, detail_type) => Err(UnknownEvent { what: describe(payload, source, detail_type) }),
        }
    }
}

fn describe(payload: &Value, source: Option<&str>, detail_type: Option<&str>) -> String {
    if payload.get("CodePipeline.job").is_some() {
        return "a CodePipeline.job event of a Lambda Invoke action, which this version does not run".into();
    }
    if source.is_some() || detail_type.is_some() {
        let shown = |text: Option<&str>| text.map_or("none".into(), shown);
        return format!("an event with source {} and detail-type {}", shown(source), shown(detail_type));
    }
    match payload {
        Value::Object(members) if members.is_empty() => "an empty JSON object".into(),
        Value::Object(_) => "a JSON object with neither source nor detail-type".into(),
        Value::Array(_) => "a JSON array".into(),
        Value::Null => "null".into(),
        _ => "a JSON text, number or boolean".into(),
    }
}

/// Sources and detail-types are short, plain names; what isn't may be anything and is not shown.
fn shown(text: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_' | ' ');
    if text.len() <= 80 && text.chars().all(plain) { format!("\"{text}\"") } else { "(not a plain name)".into() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn both_schedulers_wake_the_worker() {
        let rule = json!({"source": "aws.events", "detail-type": "Scheduled Event", "detail": {}});
        let scheduler = json!({"source": "aws.scheduler", "detail-type": "Scheduled Event", "detail": "{}"});
        assert_eq!(Event::parse(&rule), Ok(Event::Schedule));
        assert_eq!(Event::parse(&scheduler), Ok(Event::Schedule));
    }

    #[test]
    fn an_unknown_event_is_named_by_source_and_type() {
        let event = json!({"source": "aws.s3", "detail-type": "Object Created", "detail": {"key": "private"}});
        let said = Event::parse(&event).unwrap_err().to_string();
        assert!(said.contains("source \"aws.s3\" and detail-type \"Object Created\""), "{said}");
        assert!(!said.contains("private"), "{said}");
    }

    #[test]
    fn no_value_of_a_foreign_event_is_echoed() {
        let secret = "AKIA/SECRET+VALUE";
        for event in [
            json!({"CodePipeline.job": {"data": {"artifactCredentials": {"secretAccessKey": secret}}}}),
            json!({"source": secret, "detail-type": secret.repeat(9)}),
            json!({"password": secret}),
            json!([secret]),
            json!(secret),
            json!(null),
        ] {
            let said = Event::parse(&event).unwrap_err().to_string();
            assert!(!said.contains(secret), "{said}");
        }
    }
}
