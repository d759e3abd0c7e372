//! The input: `release.json` in the first input artifact.

use codepipeline_worker::actions::Turn;
use codepipeline_worker::job::{Failure, FailureCode, FailureKind};
use serde_json::Value;

const RELEASE_MISSING: FailureCode = FailureCode::new("ReleaseMissing");
const RELEASE_INVALID: FailureCode = FailureCode::new("ReleaseInvalid");

/// The version in the file. Output variables and summaries show it, so it is short.
pub(crate) async fn version(turn: &Turn) -> Result<String, Failure> {
    let Some(input) = turn.job.inputs.first() else {
        return Err(failed(RELEASE_MISSING, "the action has no input artifact: add one with the file release.json"));
    };
    let text = tokio::fs::read(turn.workspace.input(&input.name).join("release.json")).await;
    let text = text.map_err(|error| {
        failed(RELEASE_MISSING, format!("could not read release.json in the input artifact: {}", error.kind()))
    })?;
    // Neither message shows the file's text, because the log has no place for the content of artifacts.
    let release: Value =
        serde_json::from_slice(&text).map_err(|_| failed(RELEASE_INVALID, "release.json is not JSON"))?;
    match release["version"].as_str() {
        Some(version) if (1..=50).contains(&version.chars().count()) => Ok(version.to_owned()),
        _ => Err(failed(RELEASE_INVALID, "`version` in release.json must be a text of 1 to 50 characters")),
    }
}

fn failed(code: FailureCode, message: impl Into<String>) -> Failure {
    Failure::new(FailureKind::JobFailed, code, message)
}
