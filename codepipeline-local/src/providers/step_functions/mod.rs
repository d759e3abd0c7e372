//! The Step Functions invoke action (User Guide, "action-reference-StepFunctions"). The state machine runs at the endpoint that
//! `--endpoint stepfunctions=URL` names.
//!
//! moto leaves executions in progress for ever until it is told to run them, and then begins without state machines:
//! `curl -d '{"stepfunctions": {"execute_state_machine": true}}' -H 'Content-Type: application/json' URL/moto-api/config`.

mod api;
mod configuration;
#[cfg(test)]
mod tests;

use std::time::Duration;

use async_trait::async_trait;
use serde_json::{Value, json};

use super::{Done, Failed, Provider, Task, Workplace};
use crate::clock::Clock;
use crate::endpoints::Endpoints;
use api::{Api, CallError};
use configuration::Configuration;

/// The pause between two looks at an execution.
const PAUSE: Duration = Duration::from_secs(1);
/// How many looks in a row may stay without an answer.
const UNANSWERED: u32 = 5;

/// Runs Step Functions invoke actions.
pub struct StepFunctions {
    endpoints: Endpoints,
    clock: Clock,
}

impl StepFunctions {
    /// Executions start at the endpoint of Step Functions. The clock paces the looks at them.
    pub fn new(endpoints: Endpoints, clock: Clock) -> Self {
        Self { endpoints, clock }
    }
}

#[async_trait]
impl Provider for StepFunctions {
    /// Starts the execution and waits for its end. If the action ends earlier, the execution continues, as on AWS.
    async fn run(&self, task: Task, work: &Workplace) -> Result<Done, Failed> {
        let configuration = Configuration::of(&task, work).await?;
        let Some(endpoint) = self.endpoints.of("states") else {
            let message = format!(
                "The emulator has no Step Functions for the action {}: start one, such as moto, and add \
                 --endpoint stepfunctions=http://127.0.0.1:5000",
                task.action
            );
            return Err(Failed::configuration(message));
        };
        let api = Api { endpoint, clock: &self.clock, region: &task.region };
        let Configuration { state_machine_arn, name, input } = configuration;
        let request = json!({"stateMachineArn": state_machine_arn, "name": name, "input": input});
        let started = api.call("StartExecution", &request).await.map_err(|error| failed(&error))?;
        let Some(execution) = started["executionArn"].as_str() else {
            return Err(Failed::job("StartExecution returned no executionArn"));
        };
        work.line(&format!("started {execution}"));
        let mut done = Done { external_id: Some(execution.to_owned()), ..Done::default() };
        done.variables.insert("StateMachineArn".to_owned(), state_machine_arn);
        if is_express(execution) {
            if !task.outputs.is_empty() {
                let message =
                    "An express state machine has no output artifact: remove it from the action, or use a standard one";
                return Err(Failed::configuration(message));
            }
            // CodePipeline does not wait for express executions, and has no variable for them.
            done.summary = Some("started an express execution".to_owned());
            return Ok(done);
        }
        done.variables.insert("ExecutionArn".to_owned(), execution.to_owned());
        let ended = self.end(&api, execution).await?;
        if let Some(output) = task.outputs.first() {
            let file = work.folder().join("output.json");
            let text = ended["output"].as_str().unwrap_or("null");
            let written = tokio::fs::write(&file, text).await;
            written.map_err(|error| Failed::job(format!("Could not write the output of the execution: {error}")))?;
            work.store(&file, &output.place, "application/json").await?;
        }
        done.summary = Some("the execution succeeded".to_owned());
        Ok(done)
    }
}

impl StepFunctions {
    /// Waits for the execution's success, and returns its description.
    async fn end(&self, api: &Api<'_>, execution: &str) -> Result<Value, Failed> {
        let mut unanswered = 0;
        loop {
            match api.call("DescribeExecution", &json!({"executionArn": execution})).await {
                Ok(described) => match described["status"].as_str() {
                    Some("SUCCEEDED") => return Ok(described),
                    Some("RUNNING" | "PENDING_REDRIVE") => unanswered = 0,
                    Some(status @ ("FAILED" | "TIMED_OUT" | "ABORTED")) => {
                        return Err(Failed::job(why(execution, status, &described)));
                    }
                    _ => {
                        return Err(Failed::job(format!(
                            "DescribeExecution returned no status that {execution} can have"
                        )));
                    }
                },
                Err(error @ CallError::Unanswered(_)) if unanswered < UNANSWERED => {
                    unanswered += 1;
                    tracing::debug!(%error, "could not describe an execution; the next look follows");
                }
                Err(error) => return Err(failed(&error)),
            }
            self.clock.reached(Some(self.clock.now().after(PAUSE))).await;
        }
    }
}

/// Whether the execution belongs to an express state machine, whose executions have other ARNs (Step Functions API Reference,
/// "StartSyncExecution").
fn is_express(execution_arn: &str) -> bool {
    execution_arn.split(':').nth(5) == Some("express")
}

fn why(execution: &str, status: &str, described: &Value) -> String {
    let part = |key: &str| described[key].as_str().filter(|text| !text.is_empty());
    let mut message = format!("The execution {execution} ended with {status}");
    for text in [part("error"), part("cause")].into_iter().flatten() {
        message.push_str(": ");
        message.extend(text.chars().take(1000));
    }
    message
}

fn failed(error: &CallError) -> Failed {
    match error {
        CallError::Unanswered(_) => Failed::job(format!("{error}; check --endpoint stepfunctions=URL")),
        CallError::Refused { code, .. } if code == "StateMachineDoesNotExist" => Failed::job(format!(
            "{error}; create it at the endpoint: aws stepfunctions create-state-machine --endpoint-url URL"
        )),
        CallError::Refused { .. } => Failed::job(error.to_string()),
    }
}
