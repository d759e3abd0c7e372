//! S3 sources over a socket. They are polled, and they read the version that an execution is started with.
#![allow(clippy::unwrap_used, reason = "a test whose set-up fails has failed")]

mod support;

use std::time::Duration;

use aws_sdk_codepipeline::types::{PipelineExecutionSummary, SourceRevisionOverride, SourceRevisionType, TriggerType};
use aws_sdk_s3::types::{BucketVersioningStatus, VersioningConfiguration};
use codepipeline_local::Options;
use codepipeline_local::engine::Settings;
use support::Scenario;

/// An emulator that polls sources, with the pipeline `pipe`, started once.
async fn polled() -> Scenario {
    let engine = Settings { source_poll: Some(Duration::from_secs(60)), ..Settings::default() };
    let scenario = Scenario::with(Options { engine, ..Options::default() }).await;
    scenario.run_pipeline().await;
    scenario
}

/// The pipeline's executions after a minute, the newest first.
async fn after_a_minute(scenario: &Scenario) -> Vec<PipelineExecutionSummary> {
    scenario.time.advance(Duration::from_secs(60));
    // An update is answered after the emulator has done all due work.
    let pipeline = scenario.pipelines.get_pipeline().name("pipe").send().await.unwrap().pipeline.unwrap();
    scenario.pipelines.update_pipeline().pipeline(pipeline).send().await.unwrap();
    let listed = scenario.pipelines.list_pipeline_executions().pipeline_name("pipe").send().await.unwrap();
    listed.pipeline_execution_summaries().to_vec()
}

async fn put(scenario: &Scenario, content: &[u8]) -> Option<String> {
    let put = scenario.objects.put_object().bucket("source").key("in.zip").body(content.to_vec().into());
    put.send().await.unwrap().version_id().map(str::to_owned)
}

async fn keep_versions(scenario: &Scenario) {
    let enabled = VersioningConfiguration::builder().status(BucketVersioningStatus::Enabled).build();
    let versioning = scenario.objects.put_bucket_versioning().bucket("source").versioning_configuration(enabled);
    versioning.send().await.unwrap();
}

#[tokio::test]
async fn changed_object_starts_the_pipeline() {
    let scenario = polled().await;
    assert_eq!(after_a_minute(&scenario).await.len(), 1, "nothing changed");
    put(&scenario, b"changed").await;
    let executions = after_a_minute(&scenario).await;
    assert_eq!(executions.len(), 2);
    assert_eq!(executions[0].trigger().unwrap().trigger_type(), Some(&TriggerType::PollForSourceChanges));
    assert_eq!(after_a_minute(&scenario).await.len(), 2);
}

#[tokio::test]
async fn new_version_of_the_same_bytes_starts_the_pipeline() {
    let scenario = polled().await;
    keep_versions(&scenario).await;
    let version = put(&scenario, b"the source").await;
    let executions = after_a_minute(&scenario).await;
    assert_eq!(executions[0].source_revisions()[0].revision_id(), version.as_deref());
    assert_eq!((executions.len(), after_a_minute(&scenario).await.len()), (2, 2));
}

#[tokio::test]
async fn execution_reads_the_version_it_is_started_with() {
    let scenario = Scenario::start().await;
    scenario.run_pipeline().await;
    let job = scenario.job().await;
    scenario.pipelines.acknowledge_job().job_id(job.id().unwrap()).nonce(job.nonce().unwrap()).send().await.unwrap();
    scenario.pipelines.put_job_success_result().job_id(job.id().unwrap()).send().await.unwrap();
    keep_versions(&scenario).await;
    let old = put(&scenario, b"old").await.unwrap();
    put(&scenario, b"new").await;
    let revision = SourceRevisionOverride::builder()
        .action_name("Source")
        .revision_type(SourceRevisionType::S3ObjectVersionId)
        .revision_value(&old)
        .build()
        .unwrap();
    scenario.pipelines.start_pipeline_execution().name("pipe").source_revisions(revision).send().await.unwrap();
    let job = scenario.job().await;
    let input = &job.data().unwrap().input_artifacts()[0];
    assert_eq!(input.revision(), Some(old.as_str()));
    let place = input.location().unwrap().s3_location().unwrap();
    let objects = scenario.with_jobs_credentials(&job);
    let got = objects.get_object().bucket(place.bucket_name()).key(place.object_key()).send().await.unwrap();
    assert_eq!(got.body.collect().await.unwrap().to_vec(), b"old");
}
