//! Invocations of functions by Lambda Invoke actions.

use serde_json::Value;

/// An invocation by a Lambda Invoke action. Not `Debug`, because the event holds secrets.
#[derive(Clone)]
pub struct JobInvocation {
    /// The function that the action's configuration names.
    pub function: String,
    /// The `CodePipeline.job` event.
    pub event: Value,
}
