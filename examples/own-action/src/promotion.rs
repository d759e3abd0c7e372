//! The output: `promotion.json` in the first output artifact.

use codepipeline_worker::actions::Turn;
use codepipeline_worker::job::{Failure, FailureCode, FailureKind};
use serde_json::json;

const PROMOTION_NOT_WRITTEN: FailureCode = FailureCode::new("PromotionNotWritten");

/// A version and the channel that gets it.
pub(crate) struct Promotion<'a> {
    pub(crate) version: &'a str,
    pub(crate) channel: &'a str,
}

impl Promotion<'_> {
    /// Writes the file. The worker packs the folder and stores it after the action has finished.
    pub(crate) async fn write(&self, turn: &Turn) -> Result<(), Failure> {
        let Some(output) = turn.job.outputs.first() else {
            let message = "the action has no output artifact: add one for the file promotion.json";
            return Err(Failure::new(FailureKind::ConfigurationError, PROMOTION_NOT_WRITTEN, message));
        };
        let text = json!({"version": self.version, "channel": self.channel}).to_string();
        let file = turn.workspace.output(&output.name).join("promotion.json");
        tokio::fs::write(file, text).await.map_err(|error| {
            let message = format!("could not write promotion.json: {}", error.kind());
            Failure::new(FailureKind::SystemUnavailable, PROMOTION_NOT_WRITTEN, message)
        })
    }
}
