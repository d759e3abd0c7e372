//! Pipelines for the tests, through CodePipeline's own API.

use http::Method;
use serde_json::{Value, json};

use crate::browser::Browser;
use crate::support::Scenario;

/// Calls CodePipeline as a worker or the AWS CLI does.
pub(crate) async fn codepipeline(browser: &Browser, operation: &str, input: &Value) -> Value {
    let target = format!("CodePipeline_20150709.{operation}");
    let reply = browser.reply(Method::POST, "/", &[("x-amz-target", &target)], &input.to_string()).await;
    assert_eq!(reply.status, 200, "{operation}: {:?}", reply.body);
    if reply.body.is_empty() { Value::Null } else { reply.json() }
}

/// An emulator with the pipeline `pipe`: an S3 source, and these actions in the stage Build. One execution has started.
pub(crate) async fn started(scenario: &Scenario, actions: &[Value]) -> (Browser, String) {
    let browser = Browser::of(&scenario.emulator);
    scenario.objects.create_bucket().bucket("source").send().await.unwrap();
    put(scenario, "source", "in.zip", b"the source").await;
    let source = json!({
        "name": "Source", "actionTypeId": {"category": "Source", "owner": "AWS", "provider": "S3", "version": "1"},
        "configuration": {"S3Bucket": "source", "S3ObjectKey": "in.zip"}, "outputArtifacts": [{"name": "Source"}],
    });
    let stages = json!([{"name": "Source", "actions": [source]}, {"name": "Build", "actions": actions}]);
    let pipeline = json!({
        "name": "pipe", "roleArn": "arn:aws:iam::123456789012:role/pipe", "pipelineType": "V2",
        "artifactStore": {"type": "S3", "location": "artifact-store"}, "stages": stages,
        "variables": [{"name": "Level", "defaultValue": "1", "description": "How much"}],
    });
    codepipeline(&browser, "CreatePipeline", &json!({"pipeline": pipeline})).await;
    let execution = start(&browser).await;
    (browser, execution)
}

/// Starts another execution, and returns its id.
pub(crate) async fn start(browser: &Browser) -> String {
    let started = codepipeline(browser, "StartPipelineExecution", &json!({"name": "pipe"})).await;
    started["pipelineExecutionId"].as_str().unwrap().to_owned()
}

/// The manual approval `Ask`.
pub(crate) fn approval() -> Value {
    json!({
        "name": "Ask", "actionTypeId": {"category": "Approval", "owner": "AWS", "provider": "Manual", "version": "1"},
        "configuration": {"CustomData": "Ship it?", "ExternalEntityLink": "https://example.com/1"},
    })
}

/// A custom action `Make`, whose secret configuration value is `MARKER`. Creates its type.
pub(crate) async fn custom(scenario: &Scenario) -> Value {
    let browser = Browser::of(&scenario.emulator);
    let property = |name: &str, secret: bool| json!({"name": name, "required": true, "key": false, "secret": secret});
    let counts = json!({"minimumCount": 1, "maximumCount": 1});
    let settings = json!({
        "entityUrlTemplate": "https://ci.example/{Config:Job}",
        "executionUrlTemplate": "https://ci.example/{Config:Job}/{ExternalExecutionId}",
    });
    let created = json!({
        "category": "Build", "provider": "Maker", "version": "1", "settings": settings,
        "configurationProperties": [property("Job", false), property("Password", true)],
        "inputArtifactDetails": counts, "outputArtifactDetails": counts,
    });
    codepipeline(&browser, "CreateCustomActionType", &created).await;
    json!({
        "name": "Make", "actionTypeId": {"category": "Build", "owner": "Custom", "provider": "Maker", "version": "1"},
        "configuration": {"Job": "level-#{variables.Level}", "Password": "MARKER"}, "namespace": "Made",
        "inputArtifacts": [{"name": "Source"}], "outputArtifacts": [{"name": "Made"}],
    })
}

/// Polls as the worker of `Make` until it gets a job.
pub(crate) async fn job(browser: &Browser) -> Value {
    let poll = json!({"actionTypeId": {"category": "Build", "owner": "Custom", "provider": "Maker", "version": "1"}});
    loop {
        let jobs = codepipeline(browser, "PollForJobs", &poll).await;
        if let Some(job) = jobs["jobs"].get(0) {
            return job.clone();
        }
    }
}

/// Stores an object, also in an artifact store.
pub(crate) async fn put(scenario: &Scenario, bucket: &str, key: &str, content: &[u8]) {
    let put = scenario.objects.put_object().bucket(bucket).key(key).body(content.to_vec().into());
    put.server_side_encryption(aws_sdk_s3::types::ServerSideEncryption::AwsKms).send().await.unwrap();
}

/// The query of the view of an execution.
pub(crate) fn execution_view(execution: &str) -> String {
    format!("view=execution&pipeline=pipe&execution={execution}")
}
