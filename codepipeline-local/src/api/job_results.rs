//! What results say, in the operations for custom and for third-party jobs alike.

use std::collections::BTreeMap;

use serde::Deserialize;

use crate::{
    engine::{
        actions::Revision,
        results::{Progress, Success},
    },
    types::Timestamp,
};

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
    pub(super) fn with(self, variables: BTreeMap<String, String>, now: Timestamp) -> Success {
        let revision = self.current_revision.map(|current| Revision {
            id: current.revision,
            change_id: current.change_identifier,
            // A cast from a float saturates, so a moment before 1970 becomes 1970.
            created: current.created.map_or(now, |seconds| Timestamp((seconds * 1000.0).round() as u64)),
            summary: current.revision_summary,
        });
        let details = self.execution_details;
        let progress = Progress {
            summary: details.summary,
            external_id: details.external_execution_id,
            percent_complete: details.percent_complete,
        };
        Success { progress, revision, continuation_token: self.continuation_token, variables }
    }
}
