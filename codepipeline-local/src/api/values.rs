//! Converts inputs and results of operations from and to JSON.

use serde::{Serialize, de::DeserializeOwned};
use serde_json::Value;

use crate::engine::error::ApiError;
use crate::types::Timestamp;

/// The operation's result, or null for an operation without one.
pub(super) type OperationResult = Result<Value, ApiError>;

/// Reads a validated input.
pub(super) fn read<T: DeserializeOwned>(input: Value) -> Result<T, ApiError> {
    serde_json::from_value(input).map_err(|error| unreadable(&error))
}

pub(super) fn write(value: impl Serialize) -> OperationResult {
    serde_json::to_value(value).map_err(|_| ApiError::new("InternalFailure", "The reply could not be written as JSON"))
}

/// Shows only the error's place, because its text may quote the request.
pub(super) fn unreadable(error: &serde_json::Error) -> ApiError {
    let message = match error.line() {
        0 => "The request has a value that is out of range".to_owned(),
        line => format!("The request is not valid JSON (line {line}, column {})", error.column()),
    };
    ApiError::new("SerializationException", message)
}

/// A timestamp as the protocol writes it.
pub(super) fn seconds(at: Timestamp) -> f64 {
    at.as_epoch_seconds()
}

/// An object of the members that have a value.
pub(crate) fn object<const N: usize>(members: [(&str, Value); N]) -> Value {
    Value::Object(
        members
            .into_iter()
            .filter(|(_, value)| !value.is_null())
            .map(|(name, value)| (name.to_owned(), value))
            .collect(),
    )
}
