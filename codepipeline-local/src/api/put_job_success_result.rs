//! `PutJobSuccessResult`

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;

use super::{Answer, read};
use crate::{
    engine::{
        Engine,
        actions::Revision,
        error::ApiError,
        results::{Progress, Success},
    },
    types::Timestamp,
};

/// Where the years of clients' dates end, in seconds since 1970.
const YEAR_10000: f64 = 253_402_300_800.0;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Input {
    job_id: String,
    current_revision: Option<CurrentRevision>,
    continuation_token: Option<String>,
    #[serde(default)]
    execution_details: ExecutionDetails,
    #[serde(default)]
    output_variables: BTreeMap<String, String>,
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

pub(super) fn answer(engine: &mut Engine, input: Value) -> Answer {
    let input: Input = read(input)?;
    let now = engine.now();
    let created = input.current_revision.as_ref().and_then(|current| current.created);
    if created.is_some_and(|seconds| !(0.0..YEAR_10000).contains(&seconds)) {
        return Err(ApiError::validation(
            "currentRevision.created must be in the years 1970 to 9999, in seconds since 1970",
        ));
    }
    let revision = input.current_revision.map(|current| Revision {
        id: current.revision,
        change_id: current.change_identifier,
        created: current.created.map_or(now, |seconds| Timestamp((seconds * 1000.0).round() as u64)),
        summary: current.revision_summary,
    });
    let details = input.execution_details;
    let progress = Progress {
        summary: details.summary,
        external_id: details.external_execution_id,
        percent_complete: details.percent_complete,
    };
    let success =
        Success { progress, revision, continuation_token: input.continuation_token, variables: input.output_variables };
    engine.put_success(&input.job_id, success)?;
    Ok(Value::Null)
}
