//! Reasons why CodePipeline refuses a poll, with what to change.

use super::codes::{GaveUp, code};
use super::{CallError, QueueError};
use crate::calls::Meaning;
use crate::job::ActionTypeId;

/// The most characters of a queryable property's value (API model, `ActionConfigurationQueryableValue`).
const LONGEST_VALUE: usize = 50;

/// A refused poll. Only a change of the type or of the configuration helps.
#[derive(Debug, thiserror::Error)]
pub enum PollRefusal {
    /// The type does not exist or was deleted.
    #[error("CodePipeline knows no action type {action_type} in {region}: create it, or correct ACTIONS")]
    UnknownType {
        /// The polled type.
        action_type: ActionTypeId,
        /// The region of the poll.
        region: String,
    },
    /// CodePipeline refused the poll's `queryParam`.
    #[error(
        "the action type {action_type} has no queryable property `{property}` ({reason}): correct queryParam in ACTIONS, or create a \
         version of the type in which that property is queryable"
    )]
    NotQueryable {
        /// The polled type.
        action_type: ActionTypeId,
        /// The key of the `queryParam`.
        property: String,
        /// The error's code and HTTP status.
        reason: String,
    },
    /// No queryable property can have the value of the poll's `queryParam`.
    #[error(
        "the value of the queryable property `{property}` of the action type {action_type} must have 1 to {LONGEST_VALUE} characters \
         of [a-zA-Z0-9_-], and queryParam has {characters} characters ({reason}): correct queryParam in ACTIONS"
    )]
    QueryValue {
        /// The polled type.
        action_type: ActionTypeId,
        /// The key of the `queryParam`.
        property: String,
        /// The length of its value. The message does not show the value itself.
        characters: usize,
        /// The error's code and HTTP status.
        reason: String,
    },
    /// CodePipeline refused a poll without a `queryParam`.
    #[error(
        "CodePipeline refused a poll for the action type {action_type} without a queryParam ({reason}): if the type has a queryable \
         property, name it and its value as queryParam in ACTIONS"
    )]
    NoQueryParam {
        /// The polled type.
        action_type: ActionTypeId,
        /// The error's code and HTTP status.
        reason: String,
    },
}

/// The request of a poll, for messages.
pub(super) struct PollRequest<'a> {
    pub(super) operation: &'static str,
    pub(super) action_type: &'a ActionTypeId,
    pub(super) query_param: Option<&'a (String, String)>,
    pub(super) region: &'a str,
}

impl PollRequest<'_> {
    /// The error of the failed poll. It does not hold CodePipeline's own text, which may repeat the request.
    pub(super) fn failed(&self, gave_up: GaveUp) -> QueueError {
        if gave_up.last.meaning != Meaning::Refused {
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
