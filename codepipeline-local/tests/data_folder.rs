//! `--data`: restarts an emulator with the same folder.
#![allow(clippy::unwrap_used, reason = "a test whose set-up fails has failed")]

mod support;

use std::path::Path;
use std::process::Command;

use aws_sdk_codepipeline::error::ProvideErrorMetadata;
use aws_sdk_codepipeline::types::{
    ActionCategory, ActionExecutionDetail, ActionExecutionStatus, ActionOwner, ActionType, ExecutionDetails,
    FailureDetails, FailureType, JobStatus, PipelineDeclaration, PipelineExecution, PipelineExecutionStatus,
    PipelineExecutionSummary, StageState, Tag,
};
use codepipeline_local::{Emulator, Options};
use support::{Scenario, action_type, dummy, s3};

async fn start(folder: &Path) -> Scenario {
    Scenario::with(Options { data: Some(folder.to_owned()), ..Options::default() }).await
}

/// The API's replies about the pipeline.
#[derive(Debug, PartialEq)]
struct Answers {
    pipeline: PipelineDeclaration,
    states: Vec<StageState>,
    types: Vec<ActionType>,
    executions: Vec<PipelineExecutionSummary>,
    each: Vec<PipelineExecution>,
    actions: Vec<ActionExecutionDetail>,
    tags: Vec<Tag>,
}

async fn answers(scenario: &Scenario) -> Answers {
    let client = &scenario.pipelines;
    let listed = client.list_pipeline_executions().pipeline_name("pipe").send().await.unwrap();
    let executions = listed.pipeline_execution_summaries().to_vec();
    let mut each = Vec::new();
    for execution in &executions {
        let id = execution.pipeline_execution_id().unwrap();
        let got = client.get_pipeline_execution().pipeline_name("pipe").pipeline_execution_id(id).send().await;
        each.push(got.unwrap().pipeline_execution().unwrap().clone());
    }
    let actions = client.list_action_executions().pipeline_name("pipe").send().await.unwrap();
    let arn = "arn:aws:codepipeline:us-east-1:123456789012:pipe";
    Answers {
        pipeline: client.get_pipeline().name("pipe").send().await.unwrap().pipeline().unwrap().clone(),
        states: client.get_pipeline_state().name("pipe").send().await.unwrap().stage_states().to_vec(),
        types: client.list_action_types().send().await.unwrap().action_types().to_vec(),
        executions,
        each,
        actions: actions.action_execution_details().to_vec(),
        tags: client.list_tags_for_resource().resource_arn(arn).send().await.unwrap().tags().to_vec(),
    }
}

async fn claim(scenario: &Scenario) -> aws_sdk_codepipeline::types::Job {
    let job = scenario.job().await;
    let acknowledged = scenario.pipelines.acknowledge_job().job_id(job.id().unwrap()).nonce(job.nonce().unwrap());
    assert_eq!(acknowledged.send().await.unwrap().status(), Some(&JobStatus::InProgress));
    job
}

#[tokio::test]
async fn history_survives_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let scenario = start(folder.path()).await;
    scenario.run_pipeline().await;
    let job = claim(&scenario).await;
    let details = ExecutionDetails::builder().summary("fine").external_execution_id("run-7").build();
    let put = scenario.pipelines.put_job_success_result().job_id(job.id().unwrap()).execution_details(details);
    put.output_variables("Result", "good").send().await.unwrap();
    scenario.pipelines.start_pipeline_execution().name("pipe").send().await.unwrap();
    let job = claim(&scenario).await;
    let failure = FailureDetails::builder().r#type(FailureType::JobFailed).message("it broke").build().unwrap();
    let put = scenario.pipelines.put_job_failure_result().job_id(job.id().unwrap()).failure_details(failure);
    put.send().await.unwrap();
    let arn = "arn:aws:codepipeline:us-east-1:123456789012:pipe";
    let tag = Tag::builder().key("team").value("web").build().unwrap();
    scenario.pipelines.tag_resource().resource_arn(arn).tags(tag).send().await.unwrap();
    let before = answers(&scenario).await;
    let replies = format!("{before:?}");
    assert!(["run-7", "fine", "good", "it broke", "team"].iter().all(|shown| replies.contains(shown)), "{replies}");
    scenario.emulator.stop().await;

    let scenario = start(folder.path()).await;
    assert_eq!(answers(&scenario).await, before);
    // The pipeline continues.
    scenario.pipelines.start_pipeline_execution().name("pipe").send().await.unwrap();
    let again = claim(&scenario).await;
    assert_ne!(again.id(), job.id());
}

#[tokio::test]
async fn restarted_emulator_refuses_results_of_lost_jobs() {
    let folder = tempfile::tempdir().unwrap();
    let scenario = start(folder.path()).await;
    scenario.run_pipeline().await;
    let job = claim(&scenario).await;
    let place = |job: &aws_sdk_codepipeline::types::Job| {
        let place = job.data().unwrap().input_artifacts()[0].location().unwrap().s3_location().unwrap();
        (place.bucket_name().to_owned(), place.object_key().to_owned())
    };
    let given = job.data().unwrap().artifact_credentials().unwrap().clone();
    scenario.emulator.stop().await;

    let scenario = start(folder.path()).await;
    let put = scenario.pipelines.put_job_success_result().job_id(job.id().unwrap()).send().await;
    assert_eq!(put.unwrap_err().into_service_error().code(), Some("JobNotFoundException"));
    let listed = scenario.pipelines.list_pipeline_executions().pipeline_name("pipe").send().await.unwrap();
    let execution = &listed.pipeline_execution_summaries()[0];
    assert_eq!(execution.status(), Some(&PipelineExecutionStatus::Stopped));
    let reason = execution.stop_trigger().unwrap().reason().unwrap();
    assert!(reason.contains("was restarted while this execution was in progress"), "{reason}");
    let actions = scenario.pipelines.list_action_executions().pipeline_name("pipe").send().await.unwrap();
    assert_eq!(actions.action_execution_details()[0].status(), Some(&ActionExecutionStatus::Abandoned));
    // Its credentials still belong to the job: they read only its artifact.
    let objects = scenario.with_jobs_credentials(&job);
    let (bucket, key) = place(&job);
    objects.get_object().bucket(bucket).key(key).send().await.unwrap();
    let refused = objects.get_object().bucket("source").key("in.zip").send().await.unwrap_err();
    assert_eq!(refused.into_service_error().code(), Some("AccessDenied"));
    let token = Some(given.session_token().to_owned());
    let wrong = aws_sdk_codepipeline::config::Credentials::new(given.access_key_id(), "wrong", token, None, "job");
    s3(&scenario.emulator, wrong).list_buckets().send().await.unwrap_err();
}

#[tokio::test]
async fn connections_stay_until_a_new_list() {
    let folder = tempfile::tempdir().unwrap();
    let connections = |token: &str| {
        let list = format!(
            r#"[{{"clientId": "11111111-2222-4333-8444-555555555555", "clientToken": "{token}",
                "actionType": {{"category": "Build", "provider": "Partner", "version": "1"}}}}]"#
        );
        codepipeline_local::api::read_connections(&list).unwrap()
    };
    let options = |connections| Options { data: Some(folder.path().into()), connections, ..Options::default() };
    let kind = || action_type(ActionCategory::Build, ActionOwner::ThirdParty, "Partner");
    let scenario = Scenario::with(options(Some(connections("first")))).await;
    scenario.run(kind(), &[]).await;
    scenario.emulator.stop().await;
    let mut emulators = [(None, "first"), (Some("second"), "second"), (None, "second")].into_iter();
    for (given, right) in emulators.by_ref() {
        let scenario = Scenario::with(options(given.map(connections))).await;
        scenario.pipelines.start_pipeline_execution().name("pipe").send().await.unwrap();
        let job = loop {
            let polled = scenario.pipelines.poll_for_third_party_jobs().action_type_id(kind()).send().await.unwrap();
            if let Some(job) = polled.jobs().first() {
                break job.job_id().unwrap().to_owned();
            }
            tokio::task::yield_now().await;
        };
        for token in ["first", "second"] {
            let details = scenario.pipelines.get_third_party_job_details().job_id(&job).client_token(token);
            assert_eq!(details.send().await.is_ok(), token == right, "{token}");
        }
        scenario.emulator.stop().await;
    }
    let scenario = Scenario::with(options(Some(Vec::new()))).await;
    let polled = scenario.pipelines.poll_for_third_party_jobs().action_type_id(kind()).send().await;
    assert_eq!(polled.unwrap_err().into_service_error().code(), Some("ActionTypeNotFoundException"));
}

#[tokio::test]
async fn seed_continues_its_series() {
    let ids = async |folders: [&Path; 3]| {
        let mut ids = Vec::new();
        for folder in folders {
            let scenario = start(folder).await;
            if scenario.pipelines.get_pipeline().name("pipe").send().await.is_err() {
                scenario.run_pipeline().await;
            }
            let started = scenario.pipelines.start_pipeline_execution().name("pipe").send().await.unwrap();
            ids.push(started.pipeline_execution_id().unwrap().to_owned());
            scenario.emulator.stop().await;
        }
        ids
    };
    let (one, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let kept = ids([one.path(), one.path(), one.path()]).await;
    assert!(kept[0] != kept[1] && kept[1] != kept[2] && kept[0] != kept[2], "{kept:?}");
    assert_eq!(ids([other.path(), one.path(), one.path()]).await[0], kept[0], "a new folder begins with the seed");
}

#[tokio::test]
async fn one_emulator_at_a_time_uses_a_folder() {
    let folder = tempfile::tempdir().unwrap();
    let scenario = start(folder.path()).await;
    let second = Emulator::start(Options { data: Some(folder.path().into()), ..Options::default() }).await;
    let error = second.err().unwrap().to_string();
    assert!(error.contains(&folder.path().display().to_string()) && error.contains("another emulator"), "{error}");
    scenario.emulator.stop().await;
}

#[tokio::test]
async fn damaged_database_ends_serve_with_its_name() {
    let folder = tempfile::tempdir().unwrap();
    let scenario = start(folder.path()).await;
    scenario.run_pipeline().await;
    scenario.emulator.stop().await;
    let file = folder.path().join("codepipeline.redb");
    let whole = std::fs::read(&file).unwrap();
    for broken in [&whole[..whole.len() / 2], b"", b"no database"] {
        std::fs::write(&file, broken).unwrap();
        let mut serve = Command::new(env!("CARGO_BIN_EXE_codepipeline-local"));
        let output = serve.args(["serve", "--port", "0", "--data"]).arg(folder.path()).output().unwrap();
        let error = String::from_utf8(output.stderr).unwrap();
        assert!(!output.status.success() && output.stdout.is_empty(), "{error}");
        assert!(error.contains(&file.display().to_string()) && error.contains("move it away"), "{error}");
        assert_eq!(std::fs::read(&file).unwrap(), broken, "the file is unchanged");
    }
    // Without the database, objects stay.
    std::fs::rename(&file, folder.path().join("elsewhere")).unwrap();
    let scenario = start(folder.path()).await;
    assert!(scenario.pipelines.list_pipelines().send().await.unwrap().pipelines().is_empty());
    s3(&scenario.emulator, dummy()).get_object().bucket("source").key("in.zip").send().await.unwrap();
}

#[tokio::test]
async fn nothing_is_kept_without_a_folder() {
    let scenario = Scenario::start().await;
    scenario.run_pipeline().await;
    scenario.emulator.stop().await;
    let scenario = Scenario::start().await;
    assert!(scenario.pipelines.list_pipelines().send().await.unwrap().pipelines().is_empty());
}
