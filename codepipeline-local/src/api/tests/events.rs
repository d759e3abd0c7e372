//! Events for EventBridge.

use super::*;

impl Local {
    /// Answers all requested copies until no effect is left. Returns the events.
    fn events(&mut self) -> Vec<Value> {
        let mut events = Vec::new();
        loop {
            let effects = self.engine.take_effects();
            if effects.is_empty() {
                return events;
            }
            for effect in effects {
                match effect {
                    Effect::Event(event) => events.push(event),
                    Effect::CopySource { id, .. } => self.engine.source_finished(self.now, id, found()),
                    _ => {}
                }
            }
        }
    }

    /// The events in short: their subjects and states.
    fn states(&mut self) -> Vec<String> {
        let short = |event: &Value| {
            let detail = &event["detail"];
            let what = ["action", "stage", "pipeline"].into_iter().find_map(|member| detail[member].as_str()).unwrap();
            format!("{what} {}", detail["state"].as_str().unwrap())
        };
        self.events().iter().map(short).collect()
    }
}

fn local(change: impl FnOnce(&mut Settings), actions: &Value) -> (Local, String) {
    let mut local = Local::with(change);
    local.call("CreateCustomActionType", &action_type());
    local.call("CreatePipeline", &pipeline("web", actions));
    let execution = local.start("web");
    (local, execution)
}

#[test]
fn execution_sends_events_from_start_to_end() {
    let mut unit = check("Unit", 1);
    unit["outputArtifacts"] = json!([{"name": "Report"}]);
    let (mut local, execution) = local(|_| {}, &json!([unit]));
    let events = local.events();
    assert_eq!(
        events[0]["detail"],
        json!({
            "pipeline": "web", "execution-id": execution, "state": "STARTED", "version": 1.0,
            "start-time": "2023-11-14T22:13:20.000Z", "pipeline-execution-attempt": 1.0,
            "execution-trigger": {
                "trigger-type": "StartPipelineExecution", "trigger-detail": "arn:aws:iam::123456789012:root",
            },
        })
    );
    let started = events.last().unwrap();
    assert_eq!(started["detail-type"], "CodePipeline Action Execution State Change");
    assert_eq!(started["resources"], json!(["arn:aws:codepipeline:us-east-1:123456789012:web"]));
    assert_eq!((&started["source"], &started["time"]), (&json!("aws.codepipeline"), &json!("2023-11-14T22:13:20Z")));
    let job = local.claim();
    let detail = &started["detail"];
    let location = &job["data"]["inputArtifacts"][0]["location"]["s3Location"];
    let place = json!({"bucket": location["bucketName"], "key": location["objectKey"]});
    assert_eq!(
        *detail,
        json!({
            "pipeline": "web", "execution-id": execution, "stage": "Test", "action": "Unit", "state": "STARTED",
            "region": "us-east-1", "version": 1.0, "pipeline-execution-attempt": 1.0, "type": type_id(),
            "action-execution-id": job["data"]["pipelineContext"]["action"]["actionExecutionId"],
            "start-time": "2023-11-14T22:13:20.000Z",
            "input-artifacts": [{"name": "Source", "s3location": place}],
        })
    );
    local.call(
        "PutJobSuccessResult",
        &json!({"jobId": job["id"], "executionDetails": {"summary": "green", "externalExecutionId": "77"}}),
    );
    let events = local.events();
    let succeeded = &events[0]["detail"];
    assert_eq!(
        succeeded["execution-result"],
        json!({
            "external-execution-url": "https://ci/make/77", "external-execution-summary": "green",
            "external-execution-id": "77",
        })
    );
    assert_eq!(succeeded["output-artifacts"][0]["name"], "Report");
    let states: Vec<_> = events.iter().map(|event| event["detail"]["state"].as_str().unwrap()).collect();
    assert_eq!(states, ["SUCCEEDED"; 3]);
    assert_eq!(events[2]["detail"].get("execution-trigger"), None, "only the start names its trigger");
    let ids: std::collections::BTreeSet<_> = events.iter().map(|event| event["id"].as_str().unwrap()).collect();
    assert_eq!(ids.len(), 3);
}

#[test]
fn events_keep_their_order() {
    let (mut local, execution) = local(|_| {}, &json!([check("Unit", 1)]));
    assert_eq!(
        local.states(),
        [
            "web STARTED",
            "Source STARTED",
            "Fetch STARTED",
            "Fetch SUCCEEDED",
            "Source SUCCEEDED",
            "Test STARTED",
            "Unit STARTED"
        ]
    );
    let job = local.claim();
    let details = json!({"type": "ConfigurationError", "message": "no suite"});
    local.call("PutJobFailureResult", &json!({"jobId": job["id"], "failureDetails": details}));
    let events = local.events();
    let result = json!({"error-code": "ConfigurationError", "external-execution-summary": "no suite"});
    assert_eq!(events[0]["detail"]["execution-result"], result);
    let input = json!({
        "pipelineName": "web", "stageName": "Test", "pipelineExecutionId": execution, "retryMode": "FAILED_ACTIONS",
    });
    local.call("RetryStageExecution", &input);
    let events = local.events();
    assert_eq!(events[0]["detail"]["pipeline-execution-attempt"], json!(2.0));
    let states: Vec<_> = events.iter().map(|event| event["detail"]["state"].as_str().unwrap()).collect();
    assert_eq!(states, ["RESUMED", "RESUMED", "STARTED"]);
}

#[test]
fn stop_sends_events_of_action_stage_and_pipeline() {
    for (abandon, states) in [
        (false, vec!["web STOPPING", "Test STOPPING"]),
        (true, vec!["web STOPPING", "Test STOPPING", "Unit ABANDONED", "Test STOPPED", "web STOPPED"]),
    ] {
        let (mut local, execution) = local(|_| {}, &json!([check("Unit", 1)]));
        local.events();
        let input = json!({"pipelineName": "web", "pipelineExecutionId": execution, "abandon": abandon, "reason": "r"});
        local.call("StopPipelineExecution", &input);
        assert_eq!(local.states(), states);
    }
}

#[test]
fn superseded_and_canceled_send_events() {
    let (mut local, _) = local(|settings| settings.cancel_on_update = true, &json!([check("Unit", 1)]));
    local.events();
    local.start("web");
    local.events();
    local.start("web");
    let superseded = local.states();
    assert!(superseded.contains(&"web SUPERSEDED".to_owned()), "{superseded:?}");
    local.call("UpdatePipeline", &pipeline("web", &json!([check("Other", 1)])));
    assert_eq!(local.states(), ["web CANCELED", "Unit CANCELED", "Test CANCELED", "web CANCELED"]);
}

#[test]
fn started_event_may_precede_its_job_and_repeat() {
    let (mut local, _) = local(
        |settings| {
            settings.event_lead = Duration::from_secs(5);
            settings.duplicate_events = true;
        },
        &json!([check("Unit", 1)]),
    );
    let events = local.events();
    assert_eq!(events[events.len() - 1], events[events.len() - 2]);
    assert_eq!(events[events.len() - 1]["detail"]["action"], "Unit");
    assert!(local.poll(5).is_empty());
    local.wait(5);
    assert_eq!(local.poll(5).len(), 1);
}

#[test]
fn events_contain_no_configuration() {
    let mut unit = check("Unit", 1);
    unit["configuration"]["Token"] = "s3cret".into();
    let (mut local, _) = local(|_| {}, &json!([unit]));
    let job = local.claim_after_source();
    local.succeed(&job);
    let events = Value::from(local.events()).to_string();
    assert!(events.contains("Unit") && !events.contains("s3cret") && !events.contains("web.zip"));
}

impl Local {
    fn claim_after_source(&mut self) -> Value {
        assert_eq!(self.finish_sources(&found()), 1);
        self.claim()
    }
}
