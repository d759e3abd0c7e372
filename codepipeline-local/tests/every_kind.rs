//! All kinds of jobs and events with the SDK's clients, and functions as processes.
#![allow(clippy::unwrap_used, reason = "a test whose set-up fails has failed")]

mod support;

use std::collections::BTreeMap;
use std::num::NonZeroU16;
use std::time::Duration;

use aws_sdk_codepipeline::error::ProvideErrorMetadata;
use aws_sdk_codepipeline::types::{
    ActionCategory, ActionExecutionStatus, ActionOwner, FailureDetails, FailureType, PipelineExecutionStatus,
    StageRetryMode,
};
use codepipeline_local::engine::Settings;
use codepipeline_local::runtime_api::{Function, FunctionSettings, Functions, Invocation, Output, Waking};
use codepipeline_local::{EventPattern, Options, S3Pace, api};
use serde_json::Value;
use support::{Scenario, action_type};
use tokio::sync::mpsc;
use tokio::time::timeout;

/// How long a test waits.
const PATIENCE: Duration = Duration::from_secs(60);

impl Scenario {
    async fn status(&self, execution: &str) -> PipelineExecutionStatus {
        let got = self.pipelines.get_pipeline_execution().pipeline_name("pipe").pipeline_execution_id(execution);
        got.send().await.unwrap().pipeline_execution().unwrap().status().unwrap().clone()
    }
}

/// The next event with this state and, for an action's event, this action.
async fn next_event(events: &mut mpsc::UnboundedReceiver<Value>, kind: &str, state: &str) -> Value {
    loop {
        let event = timeout(PATIENCE, events.recv()).await.unwrap().expect("the emulator still sends events");
        let of_kind = event["detail-type"].as_str().unwrap().contains(kind);
        if of_kind && event["detail"]["state"] == state && event["detail"]["action"] != "Source" {
            return event;
        }
    }
}

#[tokio::test]
async fn partners_worker_does_a_third_party_job() {
    let connections = api::read_connections(
        r#"[{"clientId": "11111111-2222-4333-8444-555555555555", "clientToken": "a-secret",
             "actionType": {"category": "Build", "provider": "Partner", "version": "1"}}]"#,
    );
    let scenario = Scenario::with(Options { connections: Some(connections.unwrap()), ..Options::default() }).await;
    let kind = || action_type(ActionCategory::Build, ActionOwner::ThirdParty, "Partner");
    let execution = scenario.run(kind(), &[]).await;
    let client = &scenario.pipelines;
    let offered = loop {
        let jobs = client.poll_for_third_party_jobs().action_type_id(kind()).send().await.unwrap();
        if let Some(job) = jobs.jobs().first() {
            break job.clone();
        }
    };
    assert_eq!(offered.client_id(), Some("11111111-2222-4333-8444-555555555555"));
    let id = offered.job_id().unwrap();
    let details = |token: &str| client.get_third_party_job_details().job_id(id).client_token(token).send();
    let wrong = details("another").await.unwrap_err();
    assert!(wrong.as_service_error().unwrap().is_invalid_client_token_exception());
    let details = details("a-secret").await.unwrap().job_details().unwrap().clone();
    assert!(details.data().unwrap().artifact_credentials().is_some());
    let nonce = details.nonce().unwrap();
    let acknowledged = client.acknowledge_third_party_job().job_id(id).nonce(nonce).client_token("a-secret");
    assert_eq!(acknowledged.send().await.unwrap().status().unwrap().as_str(), "InProgress");
    client.put_third_party_job_success_result().job_id(id).client_token("a-secret").send().await.unwrap();
    assert_eq!(scenario.status(&execution).await, PipelineExecutionStatus::Succeeded);
}

#[tokio::test]
async fn abandoned_action_sends_an_event_and_can_be_retried() {
    let scenario = Scenario::start().await;
    let mut events = scenario.emulator.events();
    scenario.run_pipeline().await;
    let started = next_event(&mut events, "Action", "STARTED").await;
    let execution = started["detail"]["execution-id"].as_str().unwrap();
    let job = scenario.job().await;
    let client = &scenario.pipelines;
    client.acknowledge_job().job_id(job.id().unwrap()).nonce(job.nonce().unwrap()).send().await.unwrap();
    let stop = client.stop_pipeline_execution().pipeline_name("pipe").pipeline_execution_id(execution);
    stop.abandon(true).reason("a wrong turn").send().await.unwrap();
    let abandoned = next_event(&mut events, "Action", "ABANDONED").await;
    assert_eq!(abandoned["detail"]["action-execution-id"], started["detail"]["action-execution-id"]);
    next_event(&mut events, "Pipeline", "STOPPED").await;
    let late = client.put_job_success_result().job_id(job.id().unwrap()).send().await.unwrap_err();
    assert!(late.as_service_error().unwrap().is_invalid_job_state_exception());

    let retry = client.retry_stage_execution().pipeline_name("pipe").stage_name("Build");
    let retry = retry.pipeline_execution_id(execution).retry_mode(StageRetryMode::FailedActions);
    retry.send().await.unwrap();
    next_event(&mut events, "Stage", "RESUMED").await;
    let again = scenario.job().await;
    client.acknowledge_job().job_id(again.id().unwrap()).nonce(again.nonce().unwrap()).send().await.unwrap();
    let details = FailureDetails::builder().r#type(FailureType::JobFailed).message("red").build().unwrap();
    let failed = client.put_job_failure_result().job_id(again.id().unwrap()).failure_details(details);
    failed.send().await.unwrap();
    let failed = next_event(&mut events, "Action", "FAILED").await;
    assert_eq!(failed["detail"]["execution-result"]["external-execution-summary"], "red");
    assert_eq!(scenario.status(execution).await, PipelineExecutionStatus::Failed);
}

#[tokio::test]
async fn invoke_job_and_its_continuation_invoke_the_function() {
    let scenario = Scenario::start().await;
    let mut invocations = scenario.emulator.job_invocations();
    let kind = action_type(ActionCategory::Invoke, ActionOwner::Aws, "Lambda");
    let execution = scenario.run(kind, &[("FunctionName", "mine"), ("UserParameters", "quick")]).await;
    let first = timeout(PATIENCE, invocations.recv()).await.unwrap().unwrap();
    assert_eq!(first.function, "mine");
    let id = |event: &Value| event["CodePipeline.job"]["id"].as_str().unwrap().to_owned();
    let put = |id: String| scenario.pipelines.put_job_success_result().job_id(id);
    put(id(&first.event)).continuation_token("half").send().await.unwrap();
    scenario.time.advance(Duration::from_secs(30));
    let second = timeout(PATIENCE, invocations.recv()).await.unwrap().unwrap();
    assert_eq!(second.event["CodePipeline.job"]["data"]["continuationToken"], "half");
    put(id(&second.event)).send().await.unwrap();
    assert_eq!(scenario.status(&execution).await, PipelineExecutionStatus::Succeeded);
}

#[tokio::test]
async fn slow_download_outlasts_its_credentials() {
    let engine = Settings { credential_life: Duration::from_secs(2), ..Settings::default() };
    let s3 = S3Pace { delay: Duration::from_secs(3), ..S3Pace::default() };
    let scenario = Scenario::with(Options { engine, s3, ..Options::default() }).await;
    scenario.run_pipeline().await;
    let job = scenario.job().await;
    let place = job.data().unwrap().input_artifacts()[0].location().unwrap().s3_location().unwrap().clone();
    let objects = scenario.with_jobs_credentials(&job);
    let get = || {
        let get = objects.get_object().bucket(place.bucket_name()).key(place.object_key()).range("bytes=0-3");
        let time = scenario.time.clone();
        let waiters = time.waiters();
        let got = tokio::spawn(get.send());
        async move {
            // The clock advances while the reply waits for it, but not before the request has arrived.
            while !got.is_finished() {
                if time.waiters() > waiters {
                    time.advance(Duration::from_millis(50));
                }
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
            got.await.unwrap()
        }
    };
    get().await.unwrap();
    let expired = get().await.unwrap_err();
    assert_eq!(expired.as_service_error().and_then(|error| error.code()), Some("ExpiredToken"));
}

#[tokio::test]
async fn approval_needs_the_token_of_the_state() {
    let scenario = Scenario::start().await;
    scenario.run_pipeline().await;
    let client = &scenario.pipelines;
    let pipeline = client.get_pipeline().name("pipe").send().await.unwrap().pipeline().unwrap().clone();
    let mut stages = pipeline.stages().to_vec();
    let ask = aws_sdk_codepipeline::types::ActionDeclaration::builder()
        .name("Ask")
        .action_type_id(action_type(ActionCategory::Approval, ActionOwner::Aws, "Manual"))
        .timeout_in_minutes(5);
    stages[1].actions = vec![ask.build().unwrap()];
    let changed = aws_sdk_codepipeline::types::PipelineDeclaration::builder()
        .name("pipe")
        .role_arn(pipeline.role_arn())
        .set_artifact_store(pipeline.artifact_store().cloned())
        .set_stages(Some(stages));
    client.update_pipeline().pipeline(changed.build().unwrap()).send().await.unwrap();
    let job = scenario.job().await;
    client.acknowledge_job().job_id(job.id().unwrap()).nonce(job.nonce().unwrap()).send().await.unwrap();
    client.put_job_success_result().job_id(job.id().unwrap()).send().await.unwrap();
    let mut events = scenario.emulator.events();
    let execution = client.start_pipeline_execution().name("pipe").send().await.unwrap();
    next_event(&mut events, "Action", "STARTED").await;
    let state = client.get_pipeline_state().name("pipe").send().await.unwrap();
    let waiting = state.stage_states()[1].action_states()[0].latest_execution().unwrap().clone();
    assert_eq!(waiting.status(), Some(&ActionExecutionStatus::InProgress));
    let result = aws_sdk_codepipeline::types::ApprovalResult::builder()
        .status(aws_sdk_codepipeline::types::ApprovalStatus::Approved)
        .summary("fine");
    let put = client.put_approval_result().pipeline_name("pipe").stage_name("Build").action_name("Ask");
    put.token(waiting.token().unwrap()).result(result.build().unwrap()).send().await.unwrap();
    assert_eq!(scenario.status(execution.pipeline_execution_id().unwrap()).await, PipelineExecutionStatus::Succeeded);
}

/// A function that prints its event and ends.
fn printing(lines: mpsc::UnboundedSender<String>) -> Function {
    let ask = "exec 3<>/dev/tcp/${AWS_LAMBDA_RUNTIME_API/:/\\/}; \
        printf 'GET /2018-06-01/runtime/invocation/next HTTP/1.1\\r\\nHost: x\\r\\nConnection: close\\r\\n\\r\\n' >&3; \
        tail -n 1 <&3; echo";
    let settings = FunctionSettings {
        name: "printing".into(),
        command: ["bash", "-c", ask].map(str::to_owned).to_vec(),
        account_id: "123456789012".into(),
        region: "us-east-1".into(),
        env: BTreeMap::new(),
        timeout: Duration::from_secs(600),
        memory_mb: 128,
        output: Output::Lines(lines),
    };
    Function::with_concurrency(settings, NonZeroU16::new(3).unwrap()).unwrap()
}

async fn printed_event(lines: &mut mpsc::UnboundedReceiver<String>) -> Value {
    loop {
        let line = timeout(PATIENCE, lines.recv()).await.unwrap().expect("the function still runs");
        if !line.is_empty() {
            return serde_json::from_str(&line).unwrap();
        }
    }
}

#[tokio::test]
async fn function_gets_matching_events_and_its_jobs() {
    let scenario = Scenario::start().await;
    let (sender, mut lines) = mpsc::unbounded_channel();
    let pattern = EventPattern::parse(r#"{"detail": {"state": ["STARTED"], "type": {"category": ["Invoke"]}}}"#);
    let (ended, mut ends) = mpsc::unbounded_channel();
    let report = move |end: std::io::Result<Invocation>| ended.send(end.unwrap()).unwrap();
    let waking = Waking::start(&scenario.emulator, printing(sender), pattern.unwrap(), report);
    let kind = action_type(ActionCategory::Invoke, ActionOwner::Aws, "Lambda");
    scenario.run(kind, &[("FunctionName", "any")]).await;
    let mut seen = [printed_event(&mut lines).await, printed_event(&mut lines).await];
    seen.sort_by_key(|event| event.get("CodePipeline.job").is_some());
    assert_eq!(seen[0]["detail"]["state"], "STARTED");
    assert_eq!(seen[1]["CodePipeline.job"]["data"]["actionConfiguration"]["configuration"]["FunctionName"], "any");
    for _ in 0..2 {
        assert!(matches!(ends.recv().await, Some(Invocation::Exited { .. })));
    }
    drop(waking);
    assert_eq!(ends.recv().await, None, "no other event invoked it");
}

#[tokio::test]
async fn job_invokes_the_function_that_it_names() {
    for (named, invoked) in [("arn:aws:lambda:us-east-1:123456789012:function:check:live", 0), ("another", 1)] {
        let scenario = Scenario::start().await;
        let (first, mut check) = mpsc::unbounded_channel();
        let (second, mut other) = mpsc::unbounded_channel();
        let none = EventPattern::parse(r#"{"source": ["none"]}"#).unwrap();
        let functions =
            Functions { named: [("check".to_owned(), printing(first))].into(), other: Some((printing(second), none)) };
        let (ended, mut ends) = mpsc::unbounded_channel();
        let report =
            move |_: &str, _: Option<&str>, end: std::io::Result<Invocation>| ended.send(end.unwrap()).unwrap();
        let waking = Waking::by_name(&scenario.emulator, functions, report);
        let kind = action_type(ActionCategory::Invoke, ActionOwner::Aws, "Lambda");
        scenario.run(kind, &[("FunctionName", named)]).await;
        let lines = if invoked == 0 { &mut check } else { &mut other };
        assert!(printed_event(lines).await.get("CodePipeline.job").is_some());
        assert!(matches!(ends.recv().await, Some(Invocation::Exited { .. })));
        drop(waking);
        assert_eq!(ends.recv().await, None, "no other function was invoked");
    }
}
