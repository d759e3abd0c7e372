//! Why CodePipeline refuses to be polled for an action type, in words that say what to change.

use super::codes::{GaveUp, code};
use super::{CallError, QueueError};
use crate::calls::Kind;
use crate::job::ActionTypeId;

/// The characters of a queryable property's value (API model, `ActionConfigurationQueryableValue`).
const LONGEST_VALUE: usize = 50;

/// Why a type can't be polled, as long as neither it nor the configuration changes.
#[derive(Debug, thiserror::Error)]
pub enum PollRefusal {
    /// The type was never created, or was deleted.
    #[error("CodePipeline knows no action type {action_type} in {region}: create it, or correct ACTIONS")]
    UnknownType {
        /// The type that was polled for.
        action_type: ActionTypeId,
        /// Where.
        region: String,
    },
    /// The service refused the poll's `queryParam`.
    #[error(
        "the action type {action_type} has no queryable property `{property}` ({reason}): correct queryParam in ACTIONS, or create a \
         version of the type in which that property is queryable"
    )]
    NotQueryable {
        /// The type that was polled for.
        action_type: ActionTypeId,
        /// The key of the `queryParam`.
        property: String,
        /// The error's code and HTTP status.
        reason: String,
    },
    /// The poll's `queryParam` has a value that no queryable property can have.
    #[error(
        "the value of the queryable property `{property}` of the action type {action_type} must have 1 to {LONGEST_VALUE} characters \
         of [a-zA-Z0-9_-], and queryParam has {characters} characters ({reason}): correct queryParam in ACTIONS"
    )]
    QueryValue {
        /// The type that was polled for.
        action_type: ActionTypeId,
        /// The key of the `queryParam`.
        property: String,
        /// How long its value is. The value itself is not shown.
        characters: usize,
        /// The error's code and HTTP status.
        reason: String,
    },
    /// The service refused a poll without a `queryParam`.
    #[error(
        "CodePipeline refused a poll for the action type {action_type} without a queryParam ({reason}): if the type has a queryable \
         property, name it and its value as queryParam in ACTIONS"
    )]
    NoQueryParam {
        /// The type that was polled for.
        action_type: ActionTypeId,
        /// The error's code and HTTP status.
        reason: String,
    },
}

/// The subject of a poll.
pub(super) struct Asked<'a> {
    pub(super) operation: &'static str,
    pub(super) action_type: &'a ActionTypeId,
    pub(super) query_param: Option<&'a (String, String)>,
    pub(super) region: &'a str,
}

impl Asked<'_> {
    /// Why the poll failed. The service's own text is not shown: it may repeat what was asked for.
    pub(super) fn failed(&self, gave_up: GaveUp) -> QueueError {
        if gave_up.last.kind != Kind::Refused {
            return CallError::from(gave_up).of(self.operation);
        }
        let action_type = self.action_type.clone();
        let reason = gave_up.last.reason.clone();
        match (code(&gave_up), self.query_param) {
            (Some("ActionTypeNotFoundException"), _) => {
                QueueError::Poll(PollRefusal::UnknownType { action_type, region: self.region.to_owned() })
            }
            (Some("ValidationException"), Some((property, value))) if !is_queryable(value) => {
                let (property, characters) = (property.clone(), value.chars().count());
                QueueError::Poll(PollRefusal::QueryValue { action_type, property, characters, reason })
            }
            (Some("ValidationException"), Some((property, _))) => {
                QueueError::Poll(PollRefusal::NotQueryable { action_type, property: property.clone(), reason })
            }
            (Some("ValidationException"), None) if self.action_type.owner == "Custom" => {
                QueueError::Poll(PollRefusal::NoQueryParam { action_type, reason })
            }
            _ => CallError::from(gave_up).of(self.operation),
        }
    }
}

fn is_queryable(value: &str) -> bool {
    let allowed = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
    (1..=LONGEST_VALUE).contains(&value.len()) && value.chars().all(allowed)
}
