//! Parts of pipelines, and of the worker's configuration.

use aws_sdk_codepipeline::types::builders::ActionDeclarationBuilder;
use codepipeline_local::testing::{action, input};
use codepipeline_worker::job;
use serde_json::{Value, json};

/// Version 1 of an action type, as the worker names it.
pub(crate) fn action_type(category: &str, owner: &str, provider: &str) -> job::ActionTypeId {
    let [category, owner, provider, version] = [category, owner, provider, "1"].map(str::to_owned);
    job::ActionTypeId { category, owner, provider, version }
}

/// A custom action that takes the source artifact.
pub(crate) fn custom(name: &str, category: &str, provider: &str) -> ActionDeclarationBuilder {
    action(name, category, "Custom", provider).input_artifacts(input("Source"))
}

/// An entry of `ACTIONS` that runs the shell script in the action's configuration property `Command`.
pub(crate) fn shell(category: &str, provider: &str) -> Value {
    json!({
        "actionType": {"category": category, "owner": "Custom", "provider": provider, "version": "1"},
        "timeoutSeconds": 60,
        "run": {"command": ["sh", "-eu", "-c", "{Config:Command}"]}
    })
}
