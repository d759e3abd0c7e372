//! What woke the function. Parsed by hand from a JSON value: a derived parser's error may quote the input, and a
//! `CodePipeline.job` event holds credentials.

use serde_json::Value;

use crate::job::ActionTypeId;

/// A reason to be awake.
#[derive(Debug, PartialEq, Eq)]
pub enum Event {
    /// The schedule: poll every action type.
    Schedule,
    /// An action has begun: poll its type, since its job is there now or in a moment.
    ActionStarted {
        /// The action's type.
        action_type: ActionTypeId,
        /// The action execution, where the event names it.
        execution_id: Option<String>,
    },
    /// An action was abandoned or cancelled: stop its work outside.
    ActionOver {
        /// The action's type.
        action_type: ActionTypeId,
        /// The action execution.
        execution_id: String,
    },
    /// An execution of a state machine has ended: poll, since a job waits for its result.
    StateMachineEnded {
        /// The machine's ARN, without version or alias, where the event names it.
        state_machine: Option<String>,
    },
    /// A Lambda Invoke action: the event is the job. What it holds is read by who runs it, since it holds credentials.
    InvokeJob,
}

/// An event that the worker has no use for.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "the worker takes scheduled events (detail-type \"Scheduled Event\" from EventBridge or EventBridge Scheduler), \
     CodePipeline's action events with the state STARTED, ABANDONED or CANCELED, Step Functions' events of ended \
     executions, and CodePipeline.job events of Lambda Invoke actions, but this is {what}; point the rule or trigger that \
     sent it elsewhere"
)]
pub struct UnknownEvent {
    what: String,
}

impl UnknownEvent {
    fn new(what: impl Into<String>) -> Self {
        Self { what: what.into() }
    }
}

impl Event {
    /// Tells what `payload` is. Nothing but what is needed is read, and that leniently: real events differ from their
    /// documentation (numbers as floats, members that are missing), and an EventBridge rule's schedule sends
    /// `"detail": {}` where EventBridge Scheduler sends `"detail": "{}"`.
    ///
    /// # Errors
    /// When it is anything else. The error names its source and type, its state or what it lacks, and nothing more of it.
    pub fn parse(payload: &Value) -> Result<Self, UnknownEvent> {
        if payload.get("CodePipeline.job").is_some() {
            return Ok(Self::InvokeJob);
        }
        let text = |key: &str| payload.get(key).and_then(Value::as_str);
        // Notification rules spell it the second way.
        match (text("source"), text("detail-type").or_else(|| text("detailType"))) {
            (Some("aws.events" | "aws.scheduler"), Some("Scheduled Event")) => Ok(Self::Schedule),
            (Some("aws.codepipeline"), Some("CodePipeline Action Execution State Change")) => action(payload),
            (Some("aws.states"), Some("Step Functions Execution Status Change")) => execution(payload),
            (source, detail_type) => Err(UnknownEvent::new(describe(payload, source, detail_type))),
        }
    }
}

fn action(payload: &Value) -> Result<Event, UnknownEvent> {
    let lacks = |what: &str| UnknownEvent::new(format!("an action event without {what}"));
    let member = |pointer: &str| payload.pointer(pointer).and_then(plain);
    let state = member("/detail/state").ok_or_else(|| lacks("detail.state"))?;
    let is_start = state == "STARTED";
    if !is_start && state != "ABANDONED" && state != "CANCELED" {
        return Err(UnknownEvent::new(format!("an action event with the state {}", shown(&state))));
    }
    let part = |name: &str| {
        let pointer = format!("/detail/type/{name}");
        member(&pointer).ok_or_else(|| lacks(&format!("detail.type.{name}")))
    };
    let action_type = ActionTypeId {
        category: part("category")?,
        owner: part("owner")?,
        provider: part("provider")?,
        version: part("version")?,
    };
    if is_start {
        let execution_id = member("/detail/action-execution-id");
        return Ok(Event::ActionStarted { action_type, execution_id });
    }
    let execution_id = member("/detail/action-execution-id").ok_or_else(|| lacks("detail.action-execution-id"))?;
    Ok(Event::ActionOver { action_type, execution_id })
}

/// Any status but the first is an end, for whoever waits for one; a missing one may be.
fn execution(payload: &Value) -> Result<Event, UnknownEvent> {
    match payload.pointer("/detail/status").and_then(Value::as_str) {
        Some("RUNNING") => Err(UnknownEvent::new("an execution event with the status RUNNING, which is no end")),
        _ => Ok(Event::StateMachineEnded { state_machine: payload.pointer("/detail/stateMachineArn").and_then(plain) }),
    }
}

/// A text, or a whole number in whatever form it came (`1`, `1.0`).
fn plain(value: &Value) -> Option<String> {
    match value {
        Value::String(text) if !text.is_empty() => Some(text.clone()),
        Value::Number(number) => Some(number.as_f64().filter(|number| number.fract() == 0.0)?.to_string()),
        _ => None,
    }
}

fn describe(payload: &Value, source: Option<&str>, detail_type: Option<&str>) -> String {
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
mod properties;

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
            json!({"source": "aws.codepipeline", "detail-type": "CodePipeline Action Execution State Change",
                "detail": {"state": secret}}),
            json!({"source": "aws.codepipeline", "detail-type": "CodePipeline Action Execution State Change",
                "detail": {"state": "STARTED", "type": {"owner": secret, "category": secret, "provider": secret}}}),
            json!({"source": "aws.states", "detail-type": "Step Functions Execution Status Change",
                "detail": {"status": "RUNNING", "input": secret}}),
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

    fn action_event(detail: &Value) -> Result<Event, UnknownEvent> {
        let kind = "CodePipeline Action Execution State Change";
        Event::parse(&json!({"source": "aws.codepipeline", "detail-type": kind, "detail": detail}))
    }

    fn shell() -> ActionTypeId {
        let [category, owner, provider, version] = ["Test", "Custom", "Shell", "1"].map(str::to_owned);
        ActionTypeId { category, owner, provider, version }
    }

    #[test]
    fn an_action_event_needs_no_more_than_state_and_type() {
        for version in [json!("1"), json!(1), json!(1.0)] {
            let kind = json!({"owner": "Custom", "category": "Test", "provider": "Shell", "version": version});
            let started = action_event(&json!({"state": "STARTED", "type": kind}));
            assert_eq!(started, Ok(Event::ActionStarted { action_type: shell(), execution_id: None }));
            for state in ["ABANDONED", "CANCELED"] {
                let over = action_event(&json!({"state": state, "type": kind, "action-execution-id": "e"}));
                assert_eq!(over, Ok(Event::ActionOver { action_type: shell(), execution_id: "e".into() }));
                let said = action_event(&json!({"state": state, "type": kind})).unwrap_err().to_string();
                assert!(said.contains("an action event without detail.action-execution-id"), "{said}");
            }
        }
    }

    #[test]
    fn an_action_event_of_no_use_says_why() {
        for (detail, why) in [
            (json!({"state": "SUCCEEDED"}), "an action event with the state \"SUCCEEDED\""),
            (json!({}), "an action event without detail.state"),
            (json!({"state": "STARTED", "type": {"owner": "Custom"}}), "an action event without detail.type.category"),
        ] {
            let said = action_event(&detail).unwrap_err().to_string();
            assert!(said.contains(why), "{said}");
        }
    }

    #[test]
    fn only_the_end_of_an_execution_is_of_use() {
        let parsed = |detail: Value| {
            let kind = "Step Functions Execution Status Change";
            Event::parse(&json!({"source": "aws.states", "detail-type": kind, "detail": detail}))
        };
        for status in ["SUCCEEDED", "FAILED", "TIMED_OUT", "ABORTED"] {
            assert_eq!(parsed(json!({"status": status})), Ok(Event::StateMachineEnded { state_machine: None }));
        }
        assert_eq!(parsed(json!({})), Ok(Event::StateMachineEnded { state_machine: None }));
        let arn = "arn:aws:states:eu-central-1:111122223333:stateMachine:M".to_owned();
        let named = Event::StateMachineEnded { state_machine: Some(arn.clone()) };
        assert_eq!(parsed(json!({"stateMachineArn": arn})), Ok(named));
        assert!(parsed(json!({"status": "RUNNING"})).unwrap_err().to_string().contains("status RUNNING"));
    }
}
