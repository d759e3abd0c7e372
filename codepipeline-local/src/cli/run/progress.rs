//! The execution's progress, from the emulator's events.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use tokio::time::Instant;

use super::approvals::{self, Pending};
use super::screen::{Colour, Screen};
use crate::server::Emulator;

/// The longest summary in the line of an action, in characters.
const LONGEST_SUMMARY: usize = 120;

/// Shows what changes.
pub(super) struct Progress {
    pipeline: String,
    /// The execution's id.
    execution: Value,
    screen: Screen,
    /// When each action began, by the id of its execution.
    began: BTreeMap<String, Instant>,
    /// The actions that failed, with their codes. Their lines have the messages.
    failures: Vec<String>,
}

/// The meaning of an event for the run.
pub(super) enum Change {
    /// Nothing but what was shown.
    Shown,
    /// An approval waits.
    Approval(Pending),
    /// An approval was answered, or has timed out.
    Answered { stage: String, action: String },
    /// The execution has ended.
    Ended { succeeded: bool, status: String },
}

impl Progress {
    pub(super) fn new(pipeline: &str, execution: Value, screen: Screen) -> Self {
        Self { pipeline: pipeline.to_owned(), execution, screen, began: BTreeMap::new(), failures: Vec::new() }
    }

    /// The end of a failed execution: its status, and the actions that failed.
    pub(super) fn ended(&self, status: &str) -> String {
        match self.failures.as_slice() {
            [] => status.to_owned(),
            failures => format!("{status}: {}", failures.join(", ")),
        }
    }

    /// Shows an event of this execution, and says what it means.
    pub(super) async fn event(&mut self, emulator: &Emulator, event: &Value) -> Result<Change, String> {
        let detail = &event["detail"];
        let text = |name: &str| detail[name].as_str().unwrap_or_default();
        if detail["execution-id"] != self.execution {
            if event["detail-type"] == "CodePipeline Pipeline Execution State Change" && text("state") == "STARTED" {
                let other = text("execution-id");
                self.screen.say(
                    Colour::Yellow,
                    "note",
                    &format!("execution {other} has started, too; the run ends with its own execution"),
                );
            }
            return Ok(Change::Shown);
        }
        match event["detail-type"].as_str() {
            Some("CodePipeline Pipeline Execution State Change") => Ok(self.pipeline_changed(text("state"))),
            Some("CodePipeline Stage Execution State Change") if text("state") == "STARTED" => {
                self.screen.say(Colour::Grey, "stage", text("stage"));
                Ok(Change::Shown)
            }
            Some("CodePipeline Action Execution State Change") => self.action_changed(emulator, detail).await,
            _ => Ok(Change::Shown),
        }
    }

    fn pipeline_changed(&self, state: &str) -> Change {
        match state {
            "SUCCEEDED" => Change::Ended { succeeded: true, status: "succeeded".to_owned() },
            "FAILED" | "STOPPED" | "CANCELED" | "SUPERSEDED" => {
                Change::Ended { succeeded: false, status: state.to_ascii_lowercase() }
            }
            _ => Change::Shown,
        }
    }

    async fn action_changed(&mut self, emulator: &Emulator, detail: &Value) -> Result<Change, String> {
        let text = |name: &str| detail[name].as_str().unwrap_or_default();
        let (stage, action, state, id) = (text("stage"), text("action"), text("state"), text("action-execution-id"));
        let path = format!("{stage}/{action}");
        let is_approval = detail["type"]["category"] == "Approval";
        if state == "STARTED" {
            self.began.insert(id.to_owned(), Instant::now());
            self.screen.say(Colour::Grey, "started", &path);
            if !is_approval {
                return Ok(Change::Shown);
            }
            let configuration = self.configuration(emulator, id).await?;
            let pending = approvals::pending(emulator, &self.pipeline, (stage, action), configuration).await?;
            return Ok(pending.map_or(Change::Shown, Change::Approval));
        }
        let result = &detail["execution-result"];
        let summary = result["external-execution-summary"].as_str().unwrap_or_default();
        let took = self.began.remove(id).map(|began| format!(" ({:.1} s)", began.elapsed().as_secs_f64()));
        let took = took.unwrap_or_default();
        if state == "SUCCEEDED" {
            let summary = first_line(summary);
            let summary = if summary.is_empty() { String::new() } else { format!(": {summary}") };
            self.screen.say(Colour::Green, "succeeded", &format!("{path}{took}{summary}"));
        } else {
            let code = result["error-code"].as_str().unwrap_or(state);
            self.failures.push(format!("{path} ({code})"));
            self.screen.say(Colour::Red, &state.to_ascii_lowercase(), &format!("{path}{took}: {code}: {summary}"));
        }
        match is_approval {
            true => Ok(Change::Answered { stage: stage.to_owned(), action: action.to_owned() }),
            false => Ok(Change::Shown),
        }
    }

    /// The configuration of an action's execution, with its variables resolved.
    async fn configuration(&self, emulator: &Emulator, id: &str) -> Result<Value, String> {
        let input = json!({"pipelineName": self.pipeline, "pipelineExecutionId": self.execution});
        let actions = actions(emulator, &input).await?;
        let found = actions.into_iter().find(|details| details["actionExecutionId"] == id);
        Ok(found.map(|details| details["input"]["resolvedConfiguration"].clone()).unwrap_or_default())
    }
}

/// The first line of a summary, cut after 120 characters.
fn first_line(summary: &str) -> String {
    let line = summary.trim().lines().next().unwrap_or_default();
    match line.char_indices().nth(LONGEST_SUMMARY) {
        Some((end, _)) => format!("{}...", &line[..end]),
        None => line.to_owned(),
    }
}

/// The action executions of a pipeline execution, the latest first. `execution` has its `pipelineName` and `pipelineExecutionId`.
pub(super) async fn actions(emulator: &Emulator, execution: &Value) -> Result<Vec<Value>, String> {
    let filter = json!({"pipelineExecutionId": execution["pipelineExecutionId"]});
    let mut input = json!({"pipelineName": execution["pipelineName"], "filter": filter, "maxResults": 100});
    let mut actions = Vec::new();
    loop {
        let page = emulator.call("ListActionExecutions", &input).await?;
        actions.extend(page["actionExecutionDetails"].as_array().cloned().unwrap_or_default());
        match &page["nextToken"] {
            Value::String(token) => input["nextToken"] = json!(token),
            _ => return Ok(actions),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn summary_is_its_first_line() {
        assert_eq!(first_line("\nfix the form\n\nIt was wrong."), "fix the form");
        assert_eq!(first_line(&"ü".repeat(121)), format!("{}...", "ü".repeat(120)));
        assert_eq!(first_line(" \n"), "");
    }
}
