//! The jobs of third-party actions, as a partner's worker sees them.

use super::*;
use crate::api::read_connections;

const CLIENT: &str = "11111111-2222-4333-8444-555555555555";
const OTHER: &str = "99999999-2222-4333-8444-555555555555";
const UNKNOWN: &str = "00000000-0000-4000-8000-000000000000";

fn partner() -> Value {
    json!({"category": "Test", "owner": "ThirdParty", "provider": "Partner", "version": "1"})
}

fn connection(client: &str, token: &str) -> Value {
    json!({
        "clientId": client, "clientToken": token,
        "actionType": {
            "category": "Test", "provider": "Partner", "version": "1",
            "configurationProperties": [property("Command", true, false, false)],
        },
    })
}

fn scan() -> Value {
    let mut action = check("Scan", 1);
    action["actionTypeId"] = partner();
    action
}

/// An emulator with these connections and a started pipeline `web` with a partner's action.
fn connected(change: impl FnOnce(&mut Settings), connections: &Value) -> Local {
    let mut local = Local::with(change);
    local.engine.connect(read_connections(&connections.to_string()).unwrap()).unwrap();
    local.call("CreatePipeline", &pipeline("web", &json!([scan()])));
    local.start("web");
    local.finish_sources(&found());
    local
}

fn one(change: impl FnOnce(&mut Settings)) -> Local {
    connected(change, &json!([connection(CLIENT, "right")]))
}

impl Local {
    fn poll_partner(&mut self) -> Vec<Value> {
        let reply = self.call("PollForThirdPartyJobs", &json!({"actionTypeId": partner(), "maxBatchSize": 5}));
        reply["jobs"].as_array().unwrap().clone()
    }

    fn details(&mut self, job: &Value, token: &str) -> Result<Value, String> {
        let input = json!({"jobId": job["jobId"], "clientToken": token});
        let answer = self.try_call("GetThirdPartyJobDetails", &input);
        answer.map(|reply| reply["jobDetails"].clone()).map_err(|(name, _)| name)
    }

    /// Polls a partner's job and acknowledges it with the nonce of its details.
    fn claim_partner(&mut self) -> Value {
        let job = self.poll_partner().pop().expect("a job is on offer");
        let details = self.details(&job, "right").unwrap();
        let input = json!({"jobId": job["jobId"], "nonce": details["nonce"], "clientToken": "right"});
        assert_eq!(self.call("AcknowledgeThirdPartyJob", &input)["status"], "InProgress");
        details
    }
}

#[test]
fn partner_polls_acknowledges_and_finishes() {
    let mut local = one(|_| {});
    let jobs = local.poll_partner();
    assert_eq!(jobs[0]["clientId"], CLIENT);
    assert_eq!(jobs[0].as_object().unwrap().len(), 2, "a poll returns only two ids");
    let details = local.details(&jobs[0], "right").unwrap();
    assert_eq!((&details["id"], &details["nonce"]), (&jobs[0]["jobId"], &json!("3")));
    let data = &details["data"];
    assert_eq!(data["actionConfiguration"]["configuration"], json!({"Command": "make"}));
    assert!(data["artifactCredentials"]["sessionToken"].is_string());
    let context = data["pipelineContext"].as_object().unwrap();
    assert_eq!(context.keys().collect::<Vec<_>>(), ["action", "pipelineName", "stage"]);

    let acknowledge = json!({"jobId": details["id"], "nonce": "3", "clientToken": "right"});
    assert_eq!(local.call("AcknowledgeThirdPartyJob", &acknowledge)["status"], "InProgress");
    local.call(
        "PutThirdPartyJobSuccessResult",
        &json!({"jobId": details["id"], "clientToken": "right", "executionDetails": {"summary": "clean"}}),
    );
    let latest = local.action("web", 1, 0)["latestExecution"].clone();
    assert_eq!((&latest["status"], &latest["summary"]), (&json!("Succeeded"), &json!("clean")));
}

#[test]
fn wrong_client_token_is_refused_and_not_shown() {
    let mut local = one(|_| {});
    let job = local.poll_partner().pop().unwrap();
    assert_eq!(local.details(&job, "wr0ng").unwrap_err(), "InvalidClientTokenException");
    let id = &job["jobId"];
    for (operation, input) in [
        ("AcknowledgeThirdPartyJob", json!({"jobId": id, "nonce": "3", "clientToken": "wr0ng"})),
        ("PutThirdPartyJobSuccessResult", json!({"jobId": id, "clientToken": "wr0ng"})),
        (
            "PutThirdPartyJobFailureResult",
            json!({"jobId": id, "clientToken": "wr0ng", "failureDetails": {"type": "JobFailed", "message": "m"}}),
        ),
    ] {
        let (name, message) = local.refused(operation, &input);
        assert_eq!(name, "InvalidClientTokenException", "{operation}");
        assert!(!message.contains("wr0ng") && !message.contains("right"), "{message}");
    }
    assert_eq!(local.claim_error("3"), None, "the job is unchanged");
}

impl Local {
    /// The error of acknowledging the partner's only job with this nonce, if it fails.
    fn claim_error(&mut self, nonce: &str) -> Option<String> {
        self.wait(30);
        let job = self.poll_partner().pop().unwrap();
        let input = json!({"jobId": job["jobId"], "nonce": nonce, "clientToken": "right"});
        let stale = self.try_call("AcknowledgeThirdPartyJob", &input).unwrap_err().0;
        assert_eq!(stale, "InvalidNonceException", "the job was offered again, so the old nonce is invalid");
        let nonce = self.details(&job, "right").unwrap()["nonce"].clone();
        let input = json!({"jobId": job["jobId"], "nonce": nonce, "clientToken": "right"});
        self.try_call("AcknowledgeThirdPartyJob", &input).err().map(|(name, _)| name)
    }
}

#[test]
fn job_operations_refuse_the_other_kind_of_job() {
    let mut local = one(|_| {});
    local.call("CreateCustomActionType", &action_type());
    local.call("CreatePipeline", &pipeline("own", &json!([check("Unit", 1)])));
    local.start("own");
    local.finish_sources(&found());
    let own = local.claim();
    let partners = local.claim_partner();
    for (operation, input) in [
        ("GetJobDetails", json!({"jobId": partners["id"]})),
        ("AcknowledgeJob", json!({"jobId": partners["id"], "nonce": "3"})),
        ("PutJobSuccessResult", json!({"jobId": partners["id"]})),
        ("PutThirdPartyJobSuccessResult", json!({"jobId": own["id"], "clientToken": "right"})),
        ("GetThirdPartyJobDetails", json!({"jobId": UNKNOWN, "clientToken": "right"})),
    ] {
        assert_eq!(local.refused(operation, &input).0, "JobNotFoundException", "{operation}");
    }
    for id in [&own["id"], &json!("no id")] {
        let input = json!({"jobId": id, "clientToken": "right"});
        assert_eq!(local.refused("GetThirdPartyJobDetails", &input).0, "InvalidJobException");
    }
    let poll = |id: Value| json!({"actionTypeId": id});
    let (name, message) = local.refused("PollForThirdPartyJobs", &poll(type_id()));
    assert_eq!((name.as_str(), message.contains("'Custom'")), ("ValidationException", true));
    assert_eq!(local.refused("PollForJobs", &poll(partner())).0, "ValidationException");
    let mut unknown = partner();
    unknown["provider"] = "Nobody".into();
    assert_eq!(local.refused("PollForThirdPartyJobs", &poll(unknown)).0, "ActionTypeNotFoundException");
}

#[test]
fn partners_revision_date_must_be_writable() {
    let mut local = one(|_| {});
    let job = local.claim_partner();
    let put = |created: f64| {
        let revision = json!({"revision": "r", "changeIdentifier": "c", "created": created});
        json!({"jobId": job["id"], "clientToken": "right", "currentRevision": revision})
    };
    for created in [-1.0, 253_402_300_800.0] {
        let (name, message) = local.refused("PutThirdPartyJobSuccessResult", &put(created));
        assert_eq!(name, "ValidationException");
        assert!(message.contains("currentRevision.created") && message.contains("9999"), "{message}");
    }
    local.call("PutThirdPartyJobSuccessResult", &put(253_402_300_799.0));
    assert_eq!(local.action("web", 1, 0)["currentRevision"]["created"], 253_402_300_799.0);
}

#[test]
fn partners_continuations_end_at_the_timeout() {
    let mut local = one(|settings| settings.action_timeout = Duration::from_secs(100));
    let first = local.claim_partner();
    local.call(
        "PutThirdPartyJobSuccessResult",
        &json!({"jobId": first["id"], "clientToken": "right", "continuationToken": "scan-1"}),
    );
    local.wait(30);
    let second = local.claim_partner();
    assert_ne!(second["id"], first["id"]);
    assert_eq!(second["data"]["continuationToken"], "scan-1");
    assert_eq!(second["data"]["pipelineContext"], first["data"]["pipelineContext"]);
    local.wait(70);
    let late = json!({"jobId": second["id"], "clientToken": "right"});
    assert_eq!(local.refused("PutThirdPartyJobSuccessResult", &late).0, "InvalidJobStateException");
    let latest = local.action("web", 1, 0)["latestExecution"].clone();
    assert!(latest["errorDetails"]["message"].as_str().unwrap().contains("100s"), "{latest}");
}

#[test]
fn partners_failure_message_reaches_the_action() {
    let mut local = one(|_| {});
    let job = local.claim_partner();
    let details = json!({"type": "PermissionError", "message": "no licence", "externalExecutionId": "7"});
    local.call(
        "PutThirdPartyJobFailureResult",
        &json!({"jobId": job["id"], "clientToken": "right", "failureDetails": details}),
    );
    let latest = local.action("web", 1, 0)["latestExecution"].clone();
    assert_eq!(latest["errorDetails"], json!({"code": "PermissionError", "message": "no licence"}));
    assert_eq!(latest["externalExecutionId"], "7");
}

#[test]
fn connection_that_names_the_pipeline_wins() {
    let mut named = connection(OTHER, "other");
    named["pipelines"] = json!(["web"]);
    let mut local = connected(|_| {}, &json!([connection(CLIENT, "right"), named]));
    local.call("CreatePipeline", &pipeline("another", &json!([scan()])));
    local.start("another");
    local.finish_sources(&found());
    let clients: Vec<Value> = local.poll_partner().iter().map(|job| job["clientId"].clone()).collect();
    assert_eq!(clients, [OTHER, CLIENT]);
}

#[test]
fn pipeline_without_a_connection_is_refused() {
    let mut local = Local::new();
    let mut named = connection(CLIENT, "right");
    named["pipelines"] = json!(["another"]);
    local.engine.connect(read_connections(&json!([named]).to_string()).unwrap()).unwrap();
    let (_, message) = local.refused("CreatePipeline", &pipeline("web", &json!([scan()])));
    assert!(message.contains("'web' has no connection"), "{message}");
    let listed = local.call("ListActionTypes", &json!({"actionOwnerFilter": "ThirdParty"}));
    assert_eq!(listed["actionTypes"][0]["id"], partner());
    let message = Local::new().refused("CreatePipeline", &pipeline("web", &json!([scan()]))).1;
    assert!(message.contains("is not available"), "{message}");
}

#[test]
fn partners_action_has_no_role() {
    let mut local = Local::new();
    local.engine.connect(read_connections(&json!([connection(CLIENT, "right")]).to_string()).unwrap()).unwrap();
    let mut action = scan();
    action["roleArn"] = "arn:aws:iam::123456789012:role/action".into();
    let (name, message) = local.refused("CreatePipeline", &pipeline("web", &json!([action])));
    assert_eq!(name, "InvalidActionDeclarationException");
    assert!(message.starts_with("Action Scan with owner ThirdParty contains roleArn."), "{message}");
}

#[test]
fn malformed_connections_name_the_entry_but_no_token() {
    let wrong = |connections: &Value| {
        let read = read_connections(&connections.to_string());
        let why = match read {
            Ok(connections) => Engine::new(Settings::default(), 0).connect(connections).unwrap_err(),
            Err(why) => why,
        };
        assert!(!why.contains("t0ken"), "{why}");
        why
    };
    type Change = fn(&mut Value);
    let cases: [(Change, &str); 7] = [
        (
            |entry| entry["actionType"]["propertys"] = "t0ken".into(),
            "connection 2: actionType: Unknown member at 'propertys'",
        ),
        (|entry| entry["clientId"] = "t0ken".into(), "connection 2: 1 validation error"),
        (|entry| entry["clientToken"] = "t0ken".repeat(60).into(), "256"),
        (|entry| entry["t0ken"] = "clientToken".into(), "connection 2: has an unknown member."),
        (|entry| entry["actionType"]["category"] = "Odd".into(), "actionType: "),
        (|entry| entry["clientId"] = CLIENT.into(), "occurs twice"),
        (|entry| entry["actionType"]["configurationProperties"] = json!([]), "define "),
    ];
    for (change, named) in cases {
        let mut second = connection(OTHER, "t0ken");
        change(&mut second);
        let why = wrong(&json!([connection(CLIENT, "t0ken"), second]));
        assert!(why.contains(named), "{why} lacks {named}");
    }
    let mut queryable = connection(CLIENT, "t0ken");
    queryable["actionType"]["configurationProperties"][0]["queryable"] = true.into();
    assert!(wrong(&json!([queryable])).contains("queryable"));
    assert!(wrong(&json!({"clientToken": "t0ken"})).contains("must be a JSON list"));
}
