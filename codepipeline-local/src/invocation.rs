//! Invocations of functions by Lambda Invoke actions.

use serde_json::Value;

/// A function that a Lambda Invoke action calls. The event holds secrets: no `Debug`.
#[derive(Clone)]
pub struct JobInvocation {
    /// What the action's configuration names.
    pub function: String,
    /// The `CodePipeline.job` event.
    pub event: Value,
}
