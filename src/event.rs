//! The event that woke the function. It is parsed by hand, because the error of a derived parser may quote the input, and a
//! `CodePipeline.job` event holds credentials.

mod elsewhere;
#[cfg(test)]
mod properties;
#[cfg(test)]
mod tests;

use std::time::SystemTime;

use aws_smithy_types::DateTime;
use aws_smithy_types::date_time::Format;
use serde_json::Value;

use crate::job::ActionTypeId;
use elsewhere::{describe, shown};

pub use elsewhere::UnknownEvent;

/// Why the function was woken.
#[derive(Debug, PartialEq, Eq)]
pub enum Event {
    /// A tick of the schedule, or a test of the function with `{}` or `null`. The worker polls every action type.
    Schedule,
    /// JSON that no known service sends, such as the input that a user wrote for a schedule. The worker treats it as a tick.
    OwnInput,
    /// An action has started. The worker polls its type, because its job is there now or soon.
    ActionStarted {
        /// The action's type.
        action_type: ActionTypeId,
        /// The action execution, if the event names it.
        execution_id: Option<String>,
        /// The time of the event, if it has one.
        time: Option<SystemTime>,
    },
    /// An action was abandoned or cancelled. The worker stops its work outside.
    ActionOver {
        /// The action's type.
        action_type: ActionTypeId,
        /// The action execution, if the event names it.
        execution_id: Option<String>,
    },
    /// An action has failed. The worker stops its work outside if that still runs.
    ActionFailed {
        /// The action's type.
        action_type: ActionTypeId,
        /// The action execution.
        execution_id: String,
    },
    /// Work outside has ended. The worker polls, because a job waits for the result.
    WorkEnded {
        /// The `source` of the event, such as `aws.states`.
        source: &'static str,
        /// The resource that ran the work, such as a state machine's ARN. Missing if the event does not name it.
        resource: Option<String>,
    },
    /// A Lambda Invoke action: the event is the job. Only the code that runs the job reads it, because it holds credentials.
    InvokeJob,
    /// An event of CodePipeline or Step Functions that needs no work.
    Ignored {
        /// A description of the event for the log.
        what: String,
    },
}

/// The event by which a service says that work outside has ended. A kind of action declares it.
pub struct EndOfWork {
    /// The event's `source`.
    pub source: &'static str,
    /// The event's `detail-type`.
    pub detail_type: &'static str,
    /// The JSON pointer of the work's status.
    pub status: &'static str,
    /// The statuses of work that has not ended. With any other status, or without one, the work has ended.
    pub running: &'static [&'static str],
    /// The JSON pointer of the resource that ran the work.
    pub resource: &'static str,
}

impl Event {
    /// Parses a payload. `ends` are the events that say that work outside has ended.
    ///
    /// It is lenient, because real events differ from their documentation: numbers are floats, and members are missing. The
    /// schedule of an EventBridge rule sends `"detail": {}`, and EventBridge Scheduler sends `"detail": "{}"`.
    ///
    /// # Errors
    /// Returns an error if another service sent the event. The error names the event's source and type, or the service that
    /// usually sends it, and repeats nothing else.
    pub fn parse(payload: &Value, ends: &[&EndOfWork]) -> Result<Self, UnknownEvent> {
        let members = match payload {
            Value::Object(members) if !members.is_empty() => members,
            Value::Object(_) | Value::Null => return Ok(Self::Schedule),
            _ => return Ok(Self::OwnInput),
        };
        if members.contains_key("CodePipeline.job") {
            return Ok(Self::InvokeJob);
        }
        let text = |key: &str| payload.get(key).and_then(Value::as_str);
        // Notification rules write `detailType`.
        match (text("source"), text("detail-type").or_else(|| text("detailType"))) {
            (Some("aws.scheduler"), _) | (Some("aws.events"), None | Some("Scheduled Event")) => Ok(Self::Schedule),
            (Some("aws.codepipeline"), Some("CodePipeline Action Execution State Change")) => Ok(action(payload)),
            (Some("aws.codepipeline"), kind) => Ok(ignored_type(kind)),
            (Some(source), kind) if ends.iter().any(|end| end.source == source) => {
                let end = ends.iter().find(|end| end.source == source && Some(end.detail_type) == kind);
                Ok(end.map_or_else(|| ignored_type(kind), |end| work(payload, end)))
            }
            (Some(source), kind) if kind.is_some() || source.starts_with("aws.") => {
                Err(UnknownEvent::of_source(source, kind))
            }
            _ if elsewhere::is_notification_of_codepipeline(payload) => {
                Ok(ignored("a notification of CodePipeline that came through SNS".into()))
            }
            _ => describe(members).map_or(Ok(Self::OwnInput), Err),
        }
    }
}

fn ignored(what: String) -> Event {
    Event::Ignored { what }
}

fn ignored_type(kind: Option<&str>) -> Event {
    ignored(format!("an event with the detail-type {}", kind.map_or("none".into(), shown)))
}

/// Parses an event about an action. Its state and its type decide.
fn action(payload: &Value) -> Event {
    let lacks = |what: &str| ignored(format!("an action event without {what}"));
    let member = |pointer: &str| payload.pointer(pointer).and_then(plain);
    let Some(state) = member("/detail/state") else { return lacks("detail.state") };
    let action_type = match action_type(&member) {
        Ok(action_type) => action_type,
        Err(missing) => return lacks(&format!("detail.type.{missing}")),
    };
    let execution_id = member("/detail/action-execution-id");
    match &*state {
        "STARTED" => Event::ActionStarted { action_type, execution_id, time: time(payload) },
        // CodePipeline says CANCELED in events of actions, and Cancelled elsewhere.
        "ABANDONED" | "CANCELED" | "CANCELLED" => Event::ActionOver { action_type, execution_id },
        "FAILED" => match execution_id {
            Some(execution_id) => Event::ActionFailed { action_type, execution_id },
            None => lacks("detail.action-execution-id"),
        },
        _ => ignored(format!("an action event with the state {}", shown(&state))),
    }
}

/// The time of an event. EventBridge writes it as RFC 3339, in seconds.
fn time(payload: &Value) -> Option<SystemTime> {
    let text = payload.get("time").and_then(Value::as_str)?;
    DateTime::from_str(text, Format::DateTimeWithOffset).ok()?.try_into().ok()
}

/// The action's type, or the name of the member that it lacks.
fn action_type(member: &impl Fn(&str) -> Option<String>) -> Result<ActionTypeId, &'static str> {
    let part = |name: &'static str| member(&format!("/detail/type/{name}")).ok_or(name);
    Ok(ActionTypeId {
        category: part("category")?,
        owner: part("owner")?,
        provider: part("provider")?,
        version: part("version")?,
    })
}

/// An event about the status of work outside.
fn work(payload: &Value, end: &EndOfWork) -> Event {
    match payload.pointer(end.status).and_then(Value::as_str).filter(|status| end.running.contains(status)) {
        Some(status) => ignored(format!("an event about work with the status {status}, which has not ended")),
        None => Event::WorkEnded { source: end.source, resource: payload.pointer(end.resource).and_then(plain) },
    }
}

/// A text, or a whole number in any form (`1`, `1.0`).
fn plain(value: &Value) -> Option<String> {
    match value {
        Value::String(text) if !text.is_empty() => Some(text.clone()),
        Value::Number(number) => Some(number.as_f64().filter(|number| number.fract() == 0.0)?.to_string()),
        _ => None,
    }
}
