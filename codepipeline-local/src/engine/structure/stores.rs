//! Checks of artifact stores and regions.

use std::collections::BTreeSet;

use crate::engine::{error::ApiError, state::PipelineDeclaration};
use crate::types::BUCKET_RULE;

pub(super) fn check(region: &str, pipeline: &PipelineDeclaration) -> Result<(), ApiError> {
    // API reference, "PipelineDeclaration": "You must include either artifactStore or artifactStores in your pipeline, but you
    // cannot use both."
    if pipeline.artifact_store.is_some() != pipeline.artifact_stores.is_empty() {
        return Err(ApiError::validation(
            "You must include either 'pipeline.artifactStore' or 'pipeline.artifactStores' in your pipeline, but you cannot use both.",
        ));
    }
    if let Some(store) = pipeline.stores().find(|store| !s3s::path::check_bucket_name(&store.location)) {
        return Err(ApiError::structure(format!(
            "The artifact store's location '{}' is not a valid bucket name: {BUCKET_RULE}",
            store.location
        )));
    }
    check_regions(region, pipeline)
}

/// Sources of the service's texts: cdk-preflight, "cross-region-action-needs-store" and
/// "artifact-stores-region-of-pipeline".
fn check_regions(own: &str, pipeline: &PipelineDeclaration) -> Result<(), ApiError> {
    let regions: BTreeSet<&str> =
        pipeline.actions().filter_map(|(_, action)| action.region.as_deref()).chain([own]).collect();
    if pipeline.artifact_store.is_some() && regions.len() > 1 {
        return Err(ApiError::validation(
            "Your pipeline contains actions in more than one region. Use 'pipeline.artifactStores' instead of \
             'pipeline.artifactStore' to declare an artifact store, such as an artifact bucket, for each region where you have an \
             action.",
        ));
    }
    let missing = regions.iter().find(|region| !pipeline.artifact_stores.contains_key(**region));
    if let (None, Some(missing)) = (&pipeline.artifact_store, missing) {
        return Err(ApiError::validation(format!(
            "Your pipeline must have an artifact store, such as an artifact bucket, for each region where you have an action. The \
             following region is missing in 'pipeline.artifactStores': {missing}."
        )));
    }
    let elsewhere = |region: &str| region != own;
    match pipeline.actions().find(|(_, action)| action.region.as_deref().is_some_and(elsewhere)) {
        Some((_, action)) => Err(ApiError::action(format!(
            "Action '{}' has another region than '{own}'; codepipeline-local does not emulate cross-region actions, so remove its \
             region",
            action.name
        ))),
        None => Ok(()),
    }
}
