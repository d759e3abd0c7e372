//! Lambda Invoke actions.

use super::*;
use crate::api::job_event;

fn deploy() -> Value {
    json!({
        "name": "Deploy", "runOrder": 1, "namespace": "deploy",
        "actionTypeId": {"category": "Invoke", "owner": "AWS", "provider": "Lambda", "version": "1"},
        "configuration": {"FunctionName": "worker", "UserParameters": "#{src.ETag}"},
        "inputArtifacts": [{"name": "Source"}], "outputArtifacts": [{"name": "Made"}],
    })
}

impl Local {
    /// The jobs of the invocations since the last call.
    fn invoked(&mut self) -> Vec<(String, Value)> {
        self.engine.advance(self.now);
        let mut invoked = Vec::new();
        for effect in self.engine.take_effects() {
            if let Effect::InvokeFunction { function, job } = effect {
                let event = job_event(&mut self.engine, self.now, &job).unwrap();
                invoked.push((function, event["CodePipeline.job"].clone()));
            }
        }
        invoked
    }
}

#[test]
fn invoked_function_needs_no_acknowledgement() {
    let (mut local, execution) = running(|_| {}, &json!([deploy()]));
    let (function, job) = local.invoked().pop().unwrap();
    assert_eq!((function.as_str(), &job["accountId"]), ("worker", &json!("123456789012")));
    let data = job["data"].as_object().unwrap();
    assert_eq!(
        data.keys().collect::<Vec<_>>(),
        ["actionConfiguration", "artifactCredentials", "inputArtifacts", "outputArtifacts"]
    );
    let configuration = json!({"FunctionName": "worker", "UserParameters": "abc"});
    assert_eq!(data["actionConfiguration"]["configuration"], configuration);
    assert_eq!(data["artifactCredentials"]["expirationTime"], local.now.after(Duration::from_secs(900)).0);
    assert_eq!(data["inputArtifacts"][0]["revision"], "v1");
    assert!(data["outputArtifacts"][0].as_object().unwrap()["revision"].is_null());
    let details = local.call("GetJobDetails", &json!({"jobId": job["id"]}));
    assert_eq!(details["jobDetails"]["data"]["pipelineContext"]["pipelineExecutionId"], json!(execution));
    local.call("PutJobSuccessResult", &json!({"jobId": job["id"], "outputVariables": {"Url": "x"}}));
    assert_eq!(local.status("web", &execution), "Succeeded");
    assert!(local.invoked().is_empty(), "it is invoked once");
}

#[test]
fn continuation_invokes_with_a_new_job() {
    let (mut local, execution) = running(|_| {}, &json!([deploy()]));
    let (_, first) = local.invoked().pop().unwrap();
    local.call("PutJobSuccessResult", &json!({"jobId": first["id"], "continuationToken": "step 2"}));
    local.wait(29);
    assert!(local.invoked().is_empty());
    local.wait(1);
    let (_, second) = local.invoked().pop().unwrap();
    assert_ne!(second["id"], first["id"]);
    assert_eq!(second["data"]["continuationToken"], "step 2");
    // The timeout for a reply starts again.
    local.wait(20 * 60 - 1);
    let details = json!({"type": "JobFailed", "message": "no room"});
    local.call("PutJobFailureResult", &json!({"jobId": second["id"], "failureDetails": details}));
    assert_eq!(local.status("web", &execution), "Failed");
}

#[test]
fn function_timeout_has_the_services_message() {
    let (mut local, execution) = running(|_| {}, &json!([deploy()]));
    let (_, job) = local.invoked().pop().unwrap();
    local.wait(20 * 60);
    assert_eq!(local.status("web", &execution), "Failed");
    let error = local.action("web", 1, 0)["latestExecution"]["errorDetails"].clone();
    let message = error["message"].as_str().unwrap();
    assert!(message.starts_with("The AWS Lambda function worker failed to return a result."), "{message}");
    assert_eq!(local.refused("PutJobSuccessResult", &json!({"jobId": job["id"]})).0, "InvalidJobStateException");
}

#[test]
fn invocation_job_is_not_polled_or_acknowledged() {
    let (mut local, _) = running(|_| {}, &json!([deploy()]));
    let (_, job) = local.invoked().pop().unwrap();
    let acknowledged = local.refused("AcknowledgeJob", &json!({"jobId": job["id"], "nonce": "3"}));
    assert_eq!(acknowledged.0, "InvalidNonceException");
    let poll = json!({"actionTypeId": deploy()["actionTypeId"]});
    assert_eq!(local.refused("PollForJobs", &poll).0, "ValidationException");
    assert!(job_event(&mut local.engine, local.now, "no such job").is_none());
}
