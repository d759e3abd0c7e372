//! Inputs that the result operations for custom and third-party jobs share.

use std::collections::BTreeMap;

use serde::Deserialize;

use crate::{
    engine::{
        Revision,
        error::ApiError,
        results::{Progress, Success},
    },
    types::Timestamp,
};

/// The end of the year 9999, the last that clients can write, in seconds since 1970.
const YEAR_10000: f64 = 253_402_300_800.0;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct SuccessResult {
    current_revision: Option<CurrentRevision>,
    continuation_token: Option<String>,
    #[serde(default)]
    execution_details: ExecutionDetails,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct CurrentRevision {
    revision: String,
    change_identifier: String,
    created: Option<f64>,
    revision_summary: Option<String>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase")]
struct ExecutionDetails {
    summary: Option<String>,
    external_execution_id: Option<String>,
    percent_complete: Option<u8>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct FailureDetails {
    #[serde(rename = "type")]
    pub(super) kind: String,
    pub(super) message: String,
    pub(super) external_execution_id: Option<String>,
}

impl SuccessResult {
    /// Fails if the revision's creation date is one that clients can't write.
    pub(super) fn with(self, variables: BTreeMap<String, String>, now: Timestamp) -> Result<Success, ApiError> {
        let created = self.current_revision.as_ref().and_then(|current| current.created);
        let created = created.map(|seconds| date(seconds, "currentRevision.created")).transpose()?.unwrap_or(now);
        let revision = self.current_revision.map(|current| Revision {
            id: current.revision,
            change_id: current.change_identifier,
            created,
            summary: current.revision_summary,
        });
        let details = self.execution_details;
        let progress = Progress {
            summary: details.summary,
            external_id: details.external_execution_id,
            percent_complete: details.percent_complete,
        };
        Ok(Success { progress, revision, continuation_token: self.continuation_token, variables })
    }
}

/// Reads a date in seconds since 1970. Fails if clients can't write it.
pub(super) fn date(seconds: f64, member: &str) -> Result<Timestamp, ApiError> {
    if (0.0..YEAR_10000).contains(&seconds) {
        return Ok(Timestamp((seconds * 1000.0).round() as u64));
    }
    Err(ApiError::validation(format!("{member} must be in the years 1970 to 9999, in seconds since 1970")))
}
