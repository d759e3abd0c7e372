//! The event that woke the function. Parsed by hand from a JSON value: a derived parser's error may quote the input, and a
//! `CodePipeline.job` event holds credentials.

mod elsewhere;
#[cfg(test)]
mod properties;
#[cfg(test)]
mod tests;

use serde_json::Value;

use crate::job::ActionTypeId;
use elsewhere::{describe, shown};

pub use elsewhere::UnknownEvent;

/// A reason to be awake.
#[derive(Debug, PartialEq, Eq)]
pub enum Event {
    /// The schedule, or a test of the function with `{}` or `null`: poll every action type.
    Schedule,
    /// JSON that does not look like an event of any service: a schedule's own input, written by a user. Counts as a tick.
    OwnInput,
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
        /// The action execution, where the event names it.
        execution_id: Option<String>,
    },
    /// An action has failed: stop its work outside if that still runs.
    ActionFailed {
        /// The action's type.
        action_type: ActionTypeId,
        /// The action execution.
        execution_id: String,
    },
    /// Work outside has ended: poll, since a job waits for its result.
    WorkEnded {
        /// The `source` of the event, such as `aws.states`.
        source: &'static str,
        /// The resource that ran the work, such as a state machine's ARN. Missing if the event does not name it.
        resource: Option<String>,
    },
    /// A Lambda Invoke action: the event is the job. The runner of the job reads it, since it holds credentials.
    InvokeJob,
    /// An event of CodePipeline or Step Functions that asks for nothing.
    Ignored {
        /// The event in words that may be logged.
        what: String,
    },
}

/// The event with which a service says that work outside has ended. A kind of action declares it.
pub struct EndOfWork {
    /// The event's `source`.
    pub source: &'static str,
    /// The event's `detail-type`.
    pub detail_type: &'static str,
    /// The JSON pointer of the work's status.
    pub status: &'static str,
    /// The statuses of work that has not ended. Any other one, or a missing one, is an end.
    pub running: &'static [&'static str],
    /// The JSON pointer of the resource that ran the work.
    pub resource: &'static str,
}

impl Event {
    /// Sorts a payload, given the events that say that work outside has ended. Reads no more than it needs, and that leniently, because real events differ from their documentation:
    /// numbers are floats, members are missing. An EventBridge rule's schedule sends `"detail": {}`, and EventBridge
    /// Scheduler sends `"detail": "{}"`.
    ///
    /// # Errors
    /// Returns an error if another service sent the event. The error names its source and type, or what it looks like, and
    /// nothing more of it.
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
        // Notification rules spell it the second way.
        match (text("source"), text("detail-type").or_else(|| text("detailType"))) {
            (Some("aws.scheduler"), _) | (Some("aws.events"), None | Some("Scheduled Event")) => Ok(Self::Schedule),
            (Some("aws.codepipeline"), Some("CodePipeline Action Execution State Change")) => Ok(action(payload)),
            (Some("aws.codepipeline"), kind) => Ok(of_no_use(kind)),
            (Some(source), kind) if ends.iter().any(|end| end.source == source) => {
                let end = ends.iter().find(|end| end.source == source && Some(end.detail_type) == kind);
                Ok(end.map_or_else(|| of_no_use(kind), |end| work(payload, end)))
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

fn of_no_use(kind: Option<&str>) -> Event {
    ignored(format!("an event with the detail-type {}", kind.map_or("none".into(), shown)))
}

/// An event about an action: only its state and its type decide what to do.
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
        "STARTED" => Event::ActionStarted { action_type, execution_id },
        // CodePipeline says CANCELED in events of actions, and Cancelled elsewhere.
        "ABANDONED" | "CANCELED" | "CANCELLED" => Event::ActionOver { action_type, execution_id },
        "FAILED" => match execution_id {
            Some(execution_id) => Event::ActionFailed { action_type, execution_id },
            None => lacks("detail.action-execution-id"),
        },
        _ => ignored(format!("an action event with the state {}", shown(&state))),
    }
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
