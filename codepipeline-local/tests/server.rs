//! The emulator as workers use it: through the SDK's clients over a socket.
#![allow(clippy::unwrap_used, reason = "a test whose set-up fails has failed")]

mod support;

use std::time::Duration;

use aws_sdk_codepipeline::config::Credentials;
use aws_sdk_codepipeline::error::ProvideErrorMetadata;
use aws_sdk_codepipeline::types::{ActionExecutionStatus, JobStatus, StageExecutionStatus};
use aws_sdk_s3::types::{BucketVersioningStatus, ServerSideEncryption, VersioningConfiguration};
use codepipeline_local::engine::{Leniency, Settings};
use codepipeline_local::{Emulator, Options};
use support::{Scenario, dummy, s3};

#[tokio::test]
async fn pipeline_runs_from_source_through_a_job() {
    let scenario = Scenario::start().await;
    scenario.run_pipeline().await;
    let job = scenario.job().await;
    let acknowledged = scenario.pipelines.acknowledge_job().job_id(job.id().unwrap()).nonce(job.nonce().unwrap());
    assert_eq!(acknowledged.send().await.unwrap().status(), Some(&JobStatus::InProgress));

    let objects = scenario.with_jobs_credentials(&job);
    let data = job.data().unwrap();
    let place = |artifact: &aws_sdk_codepipeline::types::Artifact| {
        let place = artifact.location().unwrap().s3_location().unwrap();
        (place.bucket_name().to_owned(), place.object_key().to_owned())
    };
    let (bucket, key) = place(&data.input_artifacts()[0]);
    let got = objects.get_object().bucket(bucket).key(key).send().await.unwrap();
    assert_eq!(got.server_side_encryption(), Some(&ServerSideEncryption::AwsKms));
    assert_eq!(got.body.collect().await.unwrap().to_vec(), b"the source");
    let (bucket, key) = place(&data.output_artifacts()[0]);
    let put = objects.put_object().bucket(bucket).key(key).server_side_encryption(ServerSideEncryption::AwsKms);
    put.body(b"made".to_vec().into()).send().await.unwrap();
    scenario.pipelines.put_job_success_result().job_id(job.id().unwrap()).send().await.unwrap();

    let state = scenario.pipelines.get_pipeline_state().name("pipe").send().await.unwrap();
    let statuses: Vec<_> =
        state.stage_states().iter().map(|stage| stage.latest_execution().unwrap().status()).collect();
    assert_eq!(statuses, [&StageExecutionStatus::Succeeded, &StageExecutionStatus::Succeeded]);
    assert_eq!(scenario.emulator.calls("AcknowledgeJob"), 1);
    let operations = scenario.emulator.operations();
    assert_eq!(operations.first().map(String::as_str), Some("CreateCustomActionType"));
    assert_eq!(operations[operations.len() - 3..], ["PutObject", "PutJobSuccessResult", "GetPipelineState"]);
}

#[tokio::test]
async fn missing_output_artifact_fails_its_action_if_set() {
    let engine = Settings { missing_output: Leniency::Refuse, ..Settings::default() };
    for upload in [true, false] {
        let scenario = Scenario::with(Options { engine: engine.clone(), ..Options::default() }).await;
        scenario.run_pipeline().await;
        let job = scenario.job().await;
        let acknowledged = scenario.pipelines.acknowledge_job().job_id(job.id().unwrap()).nonce(job.nonce().unwrap());
        acknowledged.send().await.unwrap();
        let place = job.data().unwrap().output_artifacts()[0].location().unwrap().s3_location().unwrap();
        if upload {
            let put = scenario.objects.put_object().bucket(place.bucket_name()).key(place.object_key());
            put.server_side_encryption(ServerSideEncryption::AwsKms).body(b"x".to_vec().into()).send().await.unwrap();
        }
        scenario.pipelines.put_job_success_result().job_id(job.id().unwrap()).send().await.unwrap();
        let state = scenario.pipelines.get_pipeline_state().name("pipe").send().await.unwrap();
        let wanted = if upload { StageExecutionStatus::Succeeded } else { StageExecutionStatus::Failed };
        assert_eq!(state.stage_states()[1].latest_execution().unwrap().status(), &wanted);
    }
}

#[tokio::test]
async fn source_is_copied_after_its_client_has_gone() {
    use tokio::io::AsyncWriteExt;
    let scenario = Scenario::start().await;
    scenario.run_pipeline().await;
    let endpoint = scenario.emulator.endpoint();
    let address = endpoint.trim_start_matches("http://");
    let body = r#"{"name": "pipe"}"#;
    let target = "X-Amz-Target: CodePipeline_20150709.StartPipelineExecution";
    let request = format!("POST / HTTP/1.1\r\nHost: host\r\n{target}\r\nContent-Length: {}\r\n\r\n{body}", body.len());
    for number in 0..50 {
        let mut stream = tokio::net::TcpStream::connect(address).await.unwrap();
        stream.write_all(request.as_bytes()).await.unwrap();
        drop(stream);
        while scenario.emulator.calls("StartPipelineExecution") < number + 2 {
            tokio::task::yield_now().await;
        }
    }
    let unfinished = async {
        loop {
            let listed = scenario.pipelines.list_action_executions().pipeline_name("pipe").send().await.unwrap();
            let mut sources =
                listed.action_execution_details().iter().filter(|action| action.action_name() == Some("Source"));
            if sources.all(|source| source.status() == Some(&ActionExecutionStatus::Succeeded)) {
                break;
            }
        }
    };
    tokio::time::timeout(Duration::from_secs(30), unfinished).await.expect("every source is fetched");
}

#[tokio::test]
async fn credentials_expire_and_details_renew_them() {
    let scenario = Scenario::start().await;
    scenario.run_pipeline().await;
    let job = scenario.job().await;
    let place = job.data().unwrap().input_artifacts()[0].location().unwrap().s3_location().unwrap().clone();
    let get =
        |client: aws_sdk_s3::Client| client.get_object().bucket(place.bucket_name()).key(place.object_key()).send();
    get(scenario.with_jobs_credentials(&job)).await.unwrap();
    scenario.time.advance(Duration::from_secs(15 * 60));
    let expired = get(scenario.with_jobs_credentials(&job)).await.unwrap_err();
    assert_eq!(expired.as_service_error().and_then(|error| error.code()), Some("ExpiredToken"));
    let details = scenario.pipelines.get_job_details().job_id(job.id().unwrap()).send().await.unwrap();
    let given = details.job_details().unwrap().data().unwrap().artifact_credentials().unwrap().clone();
    let token = Some(given.session_token().to_owned());
    let fresh = Credentials::new(given.access_key_id(), given.secret_access_key(), token, None, "job");
    get(s3(&scenario.emulator, fresh)).await.unwrap();
}

#[tokio::test]
async fn unacknowledged_job_is_offered_again() {
    let scenario = Scenario::start().await;
    scenario.run_pipeline().await;
    let first = scenario.job().await;
    assert!(scenario.poll().await.is_none());
    scenario.time.advance(Duration::from_secs(30));
    let again = scenario.poll().await.expect("the job is on offer again");
    assert_eq!(again.id(), first.id());
}

#[tokio::test]
async fn artifact_store_requires_kms() {
    let scenario = Scenario::start().await;
    scenario.run_pipeline().await;
    let put = |bucket: &str| scenario.objects.put_object().bucket(bucket).key("x").body(b"x".to_vec().into()).send();
    put("source").await.unwrap();
    let refused = put("artifact-store").await.unwrap_err();
    assert_eq!(refused.as_service_error().and_then(|error| error.code()), Some("AccessDenied"));
}

#[tokio::test]
async fn replies_have_the_emulators_date_and_a_request_id() {
    let scenario = Scenario::start().await;
    scenario.time.advance(Duration::from_secs(60));
    for target in
        ["CodePipeline_20150709.ListPipelines", "DynamoDB_20120810.ListTables", "CodePipeline_20150709.Dance", ""]
    {
        let (status, head, body) = post(&scenario.emulator, target, b"{}").await;
        assert!(head.contains("date: fri, 15 jan 2027 08:01:00 gmt"), "{target}: {head}");
        assert!(head.contains("x-amzn-requestid: "), "{target}: {head}");
        match target {
            "CodePipeline_20150709.ListPipelines" => assert_eq!(status, 200, "{body}"),
            // Without a target, the request is for S3, which has no such operation.
            "" => assert!(status == 501 && body.contains("<Code>NotImplemented"), "{body}"),
            _ => assert!(status == 400 && body.contains("UnknownOperationException"), "{body}"),
        }
    }
    let huge = vec![b' '; (16 << 20) + 1];
    let (status, _, body) = post(&scenario.emulator, "CodePipeline_20150709.ListPipelines", &huge).await;
    assert!(status == 413 && body.contains("16777216"), "{body}");
}

/// Sends one request over its own connection, without an HTTP library.
async fn post(emulator: &Emulator, target: &str, body: &[u8]) -> (u16, String, String) {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    let endpoint = emulator.endpoint();
    let address = endpoint.trim_start_matches("http://");
    let mut stream = tokio::net::TcpStream::connect(address).await.unwrap();
    let target = if target.is_empty() { String::new() } else { format!("X-Amz-Target: {target}\r\n") };
    let length = body.len();
    let head =
        format!("POST / HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\nContent-Length: {length}\r\n{target}\r\n");
    stream.write_all(head.as_bytes()).await.unwrap();
    // The reply may come before the whole request is read.
    let _ = stream.write_all(body).await;
    let mut reply = Vec::new();
    stream.read_to_end(&mut reply).await.unwrap();
    let reply = String::from_utf8(reply).unwrap();
    let (head, body) = reply.split_once("\r\n\r\n").unwrap();
    (head.split(' ').nth(1).unwrap().parse().unwrap(), head.to_lowercase(), body.to_owned())
}

#[tokio::test]
async fn taken_port_is_an_error() {
    let scenario = Scenario::start().await;
    let port = scenario.emulator.endpoint().rsplit(':').next().unwrap().parse().unwrap();
    let error = Emulator::start(Options { port, ..Options::default() }).await.err().unwrap().to_string();
    assert!(error.contains(&port.to_string()) && error.contains("another port"), "{error}");
}

#[tokio::test]
async fn objects_in_a_folder_survive_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let start = || Emulator::start(Options { data: Some(folder.path().join("data")), ..Options::default() });
    let emulator = start().await.unwrap();
    let second = start().await.err().unwrap().to_string();
    assert!(second.contains("another emulator"), "{second}");
    let client = s3(&emulator, dummy());
    client.create_bucket().bucket("kept").send().await.unwrap();
    client.put_object().bucket("kept").key("key").body(b"content".to_vec().into()).send().await.unwrap();
    // The client's connection is still open.
    emulator.stop().await;
    let emulator = start().await.unwrap();
    let got = s3(&emulator, dummy()).get_object().bucket("kept").key("key").send().await.unwrap();
    assert_eq!(got.body.collect().await.unwrap().to_vec(), b"content");
}

#[tokio::test]
async fn source_records_the_consumed_version() {
    let scenario = Scenario::start().await;
    scenario.objects.create_bucket().bucket("source").send().await.unwrap();
    let enabled = VersioningConfiguration::builder().status(BucketVersioningStatus::Enabled).build();
    let enable = scenario.objects.put_bucket_versioning().bucket("source").versioning_configuration(enabled);
    enable.send().await.unwrap();
    scenario.run_pipeline().await;
    scenario.job().await;

    let head = scenario.objects.head_object().bucket("source").key("in.zip").send().await.unwrap();
    let version = head.version_id().unwrap();
    let state = scenario.pipelines.get_pipeline_state().name("pipe").send().await.unwrap();
    let revision = state.stage_states()[0].action_states()[0].current_revision().unwrap();
    assert_eq!(revision.revision_id(), version);
    let executions = scenario.pipelines.list_action_executions().pipeline_name("pipe").send().await.unwrap();
    let source = executions.action_execution_details().iter().find(|it| it.action_name() == Some("Source")).unwrap();
    let variables = source.output().unwrap().output_variables().unwrap();
    assert_eq!(variables["VersionId"], version);
    assert_eq!(variables["ETag"], head.e_tag().unwrap().trim_matches('"'));
    let listed = scenario.pipelines.list_pipeline_executions().pipeline_name("pipe").send().await.unwrap();
    let consumed = &listed.pipeline_execution_summaries()[0].source_revisions()[0];
    assert_eq!(consumed.revision_id(), Some(version));
}
