//! The API's replies after the engine's state was written as records and read by another engine.

use std::collections::BTreeMap;

use super::*;
use crate::api::read_connections;
use crate::engine::{Kind, Record};

const CLIENT: &str = "11111111-2222-4333-8444-555555555555";
const REASON: &str = "codepipeline-local was restarted while this execution was in progress";

/// The content of a database.
#[derive(Default)]
pub(super) struct Disk(BTreeMap<(Kind, String), Record>);

impl Disk {
    /// Stores the changes. Returns the number of records.
    pub(super) fn keep(&mut self, local: &mut Local) -> usize {
        let changes = local.engine.take_changes();
        let number = changes.len();
        for record in changes {
            let place = (record.kind, record.key.clone());
            if record.value.is_some() {
                self.0.insert(place, record);
            } else {
                self.0.remove(&place);
            }
        }
        number
    }

    pub(super) fn restore(&self, settings: Settings, now: Timestamp) -> Local {
        let mut engine = Engine::new(settings, 7);
        engine.restore(now, self.0.values().cloned().collect()).unwrap();
        Local { engine, now }
    }

    /// Ends the emulator and starts another.
    pub(super) fn restart(&mut self, mut local: Local) -> Local {
        self.keep(&mut local);
        let mut next = self.restore(local.engine.settings.clone(), local.now);
        self.keep(&mut next);
        next
    }
}

/// An emulator whose state is kept, with the action type and the pipeline `web` of these actions.
fn kept(actions: &Value) -> (Local, Disk) {
    let mut local = Disk::default().restore(Settings::default(), Timestamp(1_700_000_000_000));
    local.call("CreateCustomActionType", &action_type());
    local.call("CreatePipeline", &pipeline("web", actions));
    (local, Disk::default())
}

/// The replies of all read operations.
pub(super) fn everything(local: &mut Local) -> Vec<Value> {
    let mut answers = vec![local.call("ListPipelines", &json!({})), local.call("ListActionTypes", &json!({}))];
    for pipeline in answers[0]["pipelines"].as_array().unwrap().clone() {
        let (name, latest) = (&pipeline["name"], pipeline["version"].as_u64().unwrap());
        for version in 1..=latest {
            answers.push(local.call("GetPipeline", &json!({"name": name, "version": version})));
        }
        answers.push(local.call("GetPipelineState", &json!({"name": name})));
        answers.push(local.call("ListActionExecutions", &json!({"pipelineName": name})));
        let arn = format!("arn:aws:codepipeline:us-east-1:123456789012:{}", name.as_str().unwrap());
        answers.push(local.call("ListTagsForResource", &json!({"resourceArn": arn})));
        let executions = local.call("ListPipelineExecutions", &json!({"pipelineName": name}));
        for execution in executions["pipelineExecutionSummaries"].as_array().unwrap() {
            let input = json!({"pipelineName": name, "pipelineExecutionId": execution["pipelineExecutionId"]});
            answers.push(local.call("GetPipelineExecution", &input));
        }
        answers.push(executions);
    }
    answers
}

pub(super) fn result(job: &Value) -> Value {
    json!({
        "jobId": job["id"],
        "executionDetails": {"summary": "done", "externalExecutionId": "run-7", "percentComplete": 100},
        "currentRevision": {"revision": "r1", "changeIdentifier": "c1", "revisionSummary": "why", "created": 1.5},
        "outputVariables": {"Result": "good"},
    })
}

#[test]
fn everything_is_returned_as_before() {
    let mut build = check("Unit", 1);
    build["namespace"] = "unit".into();
    build["configuration"]["Token"] = "hunter2".into();
    build["outputArtifacts"] = json!([{"name": "Made"}]);
    let (mut local, mut disk) = kept(&json!([build]));
    local.start("web");
    local.finish_sources(&found());
    let job = local.claim();
    local.call("PutJobSuccessResult", &result(&job));
    local.start("web");
    local.finish_sources(&found());
    let job = local.claim();
    let failed = json!({"type": "JobFailed", "message": "it broke", "externalExecutionId": "run-8"});
    local.call("PutJobFailureResult", &json!({"jobId": job["id"], "failureDetails": failed}));
    local.start("web");
    local.finish_sources(&Err(SourceError::NotFound("web.zip".to_owned())));
    local.call("UpdatePipeline", &pipeline("web", &json!([check("Unit", 1), check("Lint", 2)])));
    let closed = json!({"pipelineName": "web", "stageName": "Test", "transitionType": "Inbound", "reason": "wait"});
    local.call("DisableStageTransition", &closed);
    let arn = "arn:aws:codepipeline:us-east-1:123456789012:web";
    local.call("TagResource", &json!({"resourceArn": arn, "tags": [{"key": "a", "value": "b"}]}));
    let before = everything(&mut local);
    let replies = format!("{before:?}");
    for shown in ["run-7", "run-8", "it broke", "good", "wait", "web.zip", "****"] {
        assert!(replies.contains(shown), "{shown}");
    }
    local.wait(60);
    let mut local = disk.restart(local);
    assert_eq!(everything(&mut local), before);
}

#[test]
fn restart_stops_executions_with_a_reason() {
    let (mut local, mut disk) = kept(&json!([check("Unit", 1)]));
    let waiting = local.start("web");
    local.finish_sources(&found());
    let job = local.claim();
    local.wait(5);
    let mut local = disk.restart(local);
    let input = json!({"pipelineName": "web"});
    let summary = local.call("ListPipelineExecutions", &input)["pipelineExecutionSummaries"][0].clone();
    assert_eq!((&summary["status"], &summary["stopTrigger"]["reason"]), (&json!("Stopped"), &json!(REASON)));
    assert_eq!(summary["lastUpdateTime"], 1_700_000_005.0);
    let abandoned = local.action("web", 1, 0)["latestExecution"].clone();
    assert_eq!(
        (&abandoned["status"], abandoned.get("lastUpdatedBy")),
        (&json!("Abandoned"), None),
        "no user stopped it"
    );
    let state = local.call("GetPipelineState", &json!({"name": "web"}));
    assert_eq!(state["stageStates"][1]["latestExecution"]["status"], "Stopped");
    // Subscribers get an event.
    let effects = format!("{:?}", local.engine.take_effects());
    assert!(effects.contains("ABANDONED") && effects.contains("STOPPED") && effects.contains(REASON), "{effects}");
    // Its job no longer exists.
    assert_eq!(local.refused("PutJobSuccessResult", &json!({"jobId": job["id"]})).0, "JobNotFoundException");
    assert_eq!(local.refused("GetJobDetails", &json!({"jobId": job["id"]})).0, "JobNotFoundException");
    assert_eq!(local.acknowledge(&job), Err("JobNotFoundException".to_owned()));
    assert!(local.poll(5).is_empty());
    // Its stage can be retried.
    let again = json!({
        "pipelineName": "web", "stageName": "Test", "pipelineExecutionId": waiting, "retryMode": "FAILED_ACTIONS",
    });
    local.call("RetryStageExecution", &again);
    let job = local.claim();
    local.succeed(&job);
    assert_eq!(local.status("web", &waiting), "Succeeded");
}

#[test]
fn users_reason_to_stop_stays() {
    let (mut local, mut disk) = kept(&json!([check("Unit", 1)]));
    let execution = local.start("web");
    local.finish_sources(&found());
    let stop = json!({"pipelineName": "web", "pipelineExecutionId": execution, "reason": "wrong branch"});
    local.call("StopPipelineExecution", &stop);
    assert_eq!(local.status("web", &execution), "Stopping");
    let mut local = disk.restart(local);
    let summary = local.call("ListPipelineExecutions", &json!({"pipelineName": "web"}));
    let summary = &summary["pipelineExecutionSummaries"][0];
    assert_eq!((&summary["status"], &summary["stopTrigger"]["reason"]), (&json!("Stopped"), &json!("wrong branch")));
}

#[test]
fn ids_and_tokens_are_not_reused() {
    let (mut local, mut disk) = kept(&json!([check("Unit", 1)]));
    let token = json!({"name": "web", "clientRequestToken": "once"});
    let first = local.call("StartPipelineExecution", &token);
    local.finish_sources(&found());
    let job = local.claim();
    local.succeed(&job);
    let mut local = disk.restart(local);
    assert_eq!(local.call("StartPipelineExecution", &token), first);
    let second = local.start("web");
    assert_ne!(first["pipelineExecutionId"], *second);
    local.finish_sources(&found());
    let other = local.claim();
    assert_ne!(other["id"], job["id"]);
    let credentials = |job: &Value| job["data"]["artifactCredentials"]["accessKeyId"].as_str().unwrap().to_owned();
    assert_ne!(credentials(&job), credentials(&other));
    // The older one still belongs to a job and not to a user.
    assert!(local.engine.grant(&credentials(&job)).is_some());
}

#[test]
fn version_of_a_deleted_type_stays_taken() {
    let (mut local, mut disk) = kept(&json!([check("Unit", 1)]));
    local.call("DeletePipeline", &json!({"name": "web"}));
    local.call("DeleteCustomActionType", &json!({"category": "Test", "provider": "Check", "version": "1"}));
    let mut local = disk.restart(local);
    assert_eq!(everything(&mut local)[0], json!({"pipelines": []}));
    let mut other = action_type();
    other["inputArtifactDetails"] = json!({"minimumCount": 1, "maximumCount": 1});
    assert_eq!(local.refused("CreateCustomActionType", &other).0, "ActionTypeAlreadyExistsException");
    local.call("CreateCustomActionType", &action_type());
}

fn connections(client: &str) -> Value {
    let token = property("Token", true, true, false);
    json!([{"clientId": client, "clientToken": "right", "actionType": {
        "category": "Test", "provider": "Partner", "version": "1", "configurationProperties": [token],
    }}])
}

#[test]
fn connections_stay_until_replaced() {
    let mut local = Disk::default().restore(Settings::default(), Timestamp(1_700_000_000_000));
    local.engine.connect(read_connections(&connections(CLIENT).to_string()).unwrap()).unwrap();
    let mut action = check("Scan", 1);
    action["actionTypeId"] = json!({"category": "Test", "owner": "ThirdParty", "provider": "Partner", "version": "1"});
    action["configuration"] = json!({"Token": "hunter2"});
    local.call("CreatePipeline", &pipeline("web", &json!([action])));
    let mut disk = Disk::default();
    let mut local = disk.restart(local);
    local.start("web");
    local.finish_sources(&found());
    let poll = json!({"actionTypeId": action["actionTypeId"]});
    let job = local.call("PollForThirdPartyJobs", &poll)["jobs"][0].clone();
    assert_eq!(job["clientId"], CLIENT);
    let details = json!({"jobId": job["jobId"], "clientToken": "right"});
    local.call("GetThirdPartyJobDetails", &details);
    let mut local = disk.restart(local);
    let before = everything(&mut local);
    assert_eq!(local.refused("GetThirdPartyJobDetails", &details).0, "JobNotFoundException");
    // Without the type nothing runs, but the history is unchanged.
    local.engine.connect(Vec::new()).unwrap();
    let mut local = disk.restart(local);
    assert_eq!(everything(&mut local)[2..], before[2..]);
    assert!(!format!("{before:?}").contains("hunter2"));
    assert_eq!(local.refused("PollForThirdPartyJobs", &poll).0, "ActionTypeNotFoundException");
}

#[test]
fn source_change_around_a_restart_starts_once() {
    let settings = Settings { source_poll: Some(Duration::from_secs(60)), ..Settings::default() };
    let mut disk = Disk::default();
    let mut local = disk.restore(settings, Timestamp(1_700_000_000_000));
    local.call("CreateCustomActionType", &action_type());
    local.call("CreatePipeline", &pipeline("web", &json!([check("Unit", 1)])));
    local.minute(Some("v1"));
    assert!(local.triggers().is_empty(), "the first check only records the revision");
    let mut local = disk.restart(local);
    local.minute(Some("v1"));
    assert!(local.triggers().is_empty());
    let mut local = disk.restart(local);
    local.minute(Some("v2"));
    assert_eq!(local.triggers(), ["PollForSourceChanges"]);
    let mut local = disk.restart(local);
    local.minute(Some("v2"));
    assert_eq!(local.triggers(), ["PollForSourceChanges"]);
    // An execution that a restart stops before its copy has not consumed the change.
    local.wait(60);
    local.engine.advance(local.now);
    let look = local.engine.take_effects().into_iter().find_map(|effect| match effect {
        Effect::PollSource { id, .. } => Some(id),
        _ => None,
    });
    local.engine.source_polled(local.now, look.unwrap(), Ok("v3".to_owned()));
    assert_eq!(local.triggers().len(), 2);
    let mut local = disk.restart(local);
    local.minute(Some("v3"));
    assert_eq!(local.triggers().len(), 3);
    local.minute(Some("v3"));
    assert_eq!(local.triggers().len(), 3);
}

#[test]
fn put_revision_is_known_after_a_restart() {
    let (mut local, mut disk) = kept(&json!([check("Unit", 1)]));
    let mut type_of_source = action_type();
    type_of_source["category"] = "Source".into();
    type_of_source["inputArtifactDetails"]["maximumCount"] = 0.into();
    local.call("CreateCustomActionType", &type_of_source);
    let mut own = pipeline("own", &json!([check("Unit", 1)]));
    own["pipeline"]["stages"][0]["actions"][0]["actionTypeId"] = type_id();
    own["pipeline"]["stages"][0]["actions"][0]["actionTypeId"]["category"] = "Source".into();
    own["pipeline"]["stages"][0]["actions"][0]["configuration"] = json!({"Command": "fetch"});
    local.call("CreatePipeline", &own);
    let revision = json!({"revisionId": "r1", "revisionChangeId": "c1", "created": 1.5});
    let put = json!({"pipelineName": "own", "stageName": "Source", "actionName": "Fetch", "actionRevision": revision});
    let first = local.call("PutActionRevision", &put);
    assert_eq!(first["newRevision"], true);
    let mut local = disk.restart(local);
    assert_eq!(local.action("own", 0, 0)["currentRevision"], revision);
    let again = local.call("PutActionRevision", &put);
    assert_eq!((&again["newRevision"], &again["pipelineExecutionId"]), (&json!(false), &first["pipelineExecutionId"]));
    let input = json!({"pipelineName": "own", "pipelineExecutionId": first["pipelineExecutionId"]});
    assert_eq!(local.call("GetPipelineExecution", &input)["pipelineExecution"]["statusSummary"], REASON);
}

#[test]
fn only_what_changed_is_written() {
    let (mut local, mut disk) = kept(&json!([check("Unit", 1)]));
    assert!(disk.keep(&mut local) > 0);
    for (operation, input) in [("GetPipeline", json!({"name": "web"})), ("ListActionTypes", json!({}))] {
        local.call(operation, &input);
        assert_eq!(disk.keep(&mut local), 0, "{operation}");
    }
    assert!(local.poll(1).is_empty());
    assert_eq!(disk.keep(&mut local), 0, "a poll without a job");
    let arn = "arn:aws:codepipeline:us-east-1:123456789012:web";
    local.call("TagResource", &json!({"resourceArn": arn, "tags": [{"key": "a", "value": "b"}]}));
    assert_eq!(disk.keep(&mut local), 1, "the pipeline without its versions");
    local.call("UpdatePipeline", &pipeline("web", &json!([check("Lint", 1)])));
    assert_eq!(disk.keep(&mut local), 2, "the pipeline and its new version");
}

#[test]
fn without_a_restore_no_change_is_recorded() {
    let (mut local, _) = running(|_| {}, &json!([check("Unit", 1)]));
    assert!(local.engine.take_changes().is_empty());
}

#[test]
fn contradicting_records_are_named() {
    let (mut local, mut disk) = kept(&json!([check("Unit", 1)]));
    local.start("web");
    local.finish_sources(&found());
    disk.keep(&mut local);
    for kind in Kind::ALL {
        let Some((place, record)) = disk.0.iter().find(|(place, _)| place.0 == kind) else { continue };
        let (place, record) = (place.clone(), record.clone());
        let broken = Record { value: Some("{\"hunter2\": 1".to_owned()), ..record.clone() };
        disk.0.insert(place.clone(), broken);
        let mut engine = Engine::new(Settings::default(), 7);
        let error = engine.restore(local.now, disk.0.values().cloned().collect()).unwrap_err().to_string();
        assert!(error.contains(kind.name()) && !error.contains("hunter2"), "{error}");
        // A missing record is an error if another one refers to it.
        disk.0.remove(&place);
        let mut engine = Engine::new(Settings::default(), 7);
        let whole = engine.restore(local.now, disk.0.values().cloned().collect()).is_ok();
        assert_eq!(whole, !matches!(kind, Kind::Pipeline | Kind::Version | Kind::Execution), "{}", kind.name());
        disk.0.insert(place, record);
    }
}
