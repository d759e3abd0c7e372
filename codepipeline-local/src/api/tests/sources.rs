//! Starts with a revision: source revision overrides and `PutActionRevision`.

use super::*;

const WEB: &str = "web";

/// An emulator with the pipeline `web`, whose S3 source allows overriding its key.
fn with_override() -> Local {
    let mut local = Local::new();
    local.call("CreateCustomActionType", &action_type());
    let mut input = pipeline(WEB, &json!([check("Unit", 1)]));
    input["pipeline"]["stages"][0]["actions"][0]["configuration"]["AllowOverrideForS3ObjectKey"] = "true".into();
    local.call("CreatePipeline", &input);
    local
}

fn source_revision(action: &str, kind: &str, value: &str) -> Value {
    json!({"actionName": action, "revisionType": kind, "revisionValue": value})
}

fn start_with(revisions: &Value) -> Value {
    json!({"name": WEB, "sourceRevisions": revisions})
}

/// The key and version of the requested copy.
fn copied(local: &mut Local) -> (String, Option<String>) {
    let effects = local.engine.take_effects();
    let copy = effects.into_iter().find_map(|effect| match effect {
        Effect::CopySource { from, version, .. } => Some((from.key, version)),
        _ => None,
    });
    copy.expect("a copy was requested")
}

#[test]
fn override_names_the_sources_object() {
    let (key, version) = ("S3_OBJECT_KEY", "S3_OBJECT_VERSION_ID");
    for (revisions, read) in [
        (json!([source_revision("Fetch", key, "old.zip")]), ("old.zip", None)),
        (json!([source_revision("Fetch", version, "v0")]), ("web.zip", Some("v0"))),
        (
            json!([source_revision("Fetch", version, "v0"), source_revision("Fetch", key, "o.zip")]),
            ("o.zip", Some("v0")),
        ),
        (json!([]), ("web.zip", None)),
    ] {
        let mut local = with_override();
        local.call("StartPipelineExecution", &start_with(&revisions));
        assert_eq!(copied(&mut local), (read.0.to_owned(), read.1.map(str::to_owned)));
        let listed = local.call("ListActionExecutions", &json!({"pipelineName": WEB}));
        let input = &listed["actionExecutionDetails"][0]["input"];
        assert_eq!(input["resolvedConfiguration"]["S3ObjectKey"], read.0);
        assert_eq!(input["configuration"]["S3ObjectKey"], "web.zip");
    }
}

#[test]
fn retry_reads_the_overridden_object() {
    let mut local = with_override();
    let revisions = json!([source_revision("Fetch", "S3_OBJECT_VERSION_ID", "v0")]);
    let started = local.call("StartPipelineExecution", &start_with(&revisions));
    local.finish_sources(&Err(SourceError::NotFound("NoSuchVersion".to_owned())));
    let retry = json!({
        "pipelineName": WEB, "stageName": "Source", "retryMode": "ALL_ACTIONS",
        "pipelineExecutionId": started["pipelineExecutionId"],
    });
    let said = local.action(WEB, 0, 0)["latestExecution"]["errorDetails"]["message"].clone();
    assert!(said.as_str().unwrap().contains("version 'v0'"), "{said}");
    local.call("RetryStageExecution", &retry);
    assert_eq!(copied(&mut local).1.as_deref(), Some("v0"));
    let stages = local.call("GetPipelineState", &json!({"name": WEB}))["stageStates"].clone();
    let metadata = json!({"manualStageRetryAttempt": 1, "latestRetryTrigger": "ManualStageRetry"});
    assert_eq!((&stages[0]["retryStageMetadata"], stages[1].get("retryStageMetadata")), (&metadata, None));
}

#[test]
fn wrong_overrides_are_refused() {
    let version = source_revision("Fetch", "S3_OBJECT_VERSION_ID", "v0");
    for (revisions, named) in [
        (json!([source_revision("Nowhere", "S3_OBJECT_VERSION_ID", "v0")]), "'Nowhere'"),
        (json!([source_revision("Unit", "S3_OBJECT_VERSION_ID", "v0")]), "'Unit'"),
        (json!([source_revision("Fetch", "COMMIT_ID", "abc")]), "COMMIT_ID"),
        (json!([source_revision("Fetch", "IMAGE_DIGEST", "abc")]), "IMAGE_DIGEST"),
        (json!([source_revision("Fetch", "S3_OBJECT", "abc")]), "S3_OBJECT_KEY"),
        (json!([version, version]), "twice"),
    ] {
        let mut local = with_override();
        let (name, message) = local.refused("StartPipelineExecution", &start_with(&revisions));
        assert_eq!(name, "ValidationException");
        assert!(message.contains(named), "{message}");
        assert!(
            local.call("ListPipelineExecutions", &json!({"pipelineName": WEB}))["pipelineExecutionSummaries"]
                == json!([])
        );
    }
    let (mut local, _) = running(|_| {}, &json!([check("Unit", 1)]));
    let key = json!([source_revision("Fetch", "S3_OBJECT_KEY", "old.zip")]);
    let (name, message) = local.refused("StartPipelineExecution", &start_with(&key));
    assert_eq!(name, "ValidationException");
    assert!(message.contains("AllowOverrideForS3ObjectKey"), "{message}");
}

/// An emulator with the pipeline `web`, whose source is a custom action.
fn custom_source() -> Local {
    let mut local = Local::new();
    local.call("CreateCustomActionType", &action_type());
    let mut kind = action_type();
    kind["category"] = "Source".into();
    kind["settings"] = json!({"revisionUrlTemplate": "https://git/{Config:Command}/{RevisionId}"});
    kind["inputArtifactDetails"]["maximumCount"] = 0.into();
    kind["outputArtifactDetails"]["minimumCount"] = 1.into();
    local.call("CreateCustomActionType", &kind);
    let mut input = pipeline(WEB, &json!([check("Unit", 1)]));
    let source = &mut input["pipeline"]["stages"][0]["actions"][0];
    source["actionTypeId"] = source_type();
    source["configuration"] = json!({"Command": "clone"});
    local.call("CreatePipeline", &input);
    local
}

fn source_type() -> Value {
    json!({"category": "Source", "owner": "Custom", "provider": "Check", "version": "1"})
}

fn put(revision: &str) -> Value {
    let revision = json!({"revisionId": revision, "revisionChangeId": "change", "created": 1_600_000_000});
    json!({"pipelineName": WEB, "stageName": "Source", "actionName": "Fetch", "actionRevision": revision})
}

#[test]
fn put_revision_starts_a_custom_source() {
    let mut local = custom_source();
    let reply = local.call("PutActionRevision", &put("r1"));
    assert_eq!(reply["newRevision"], true);
    let state = local.action(WEB, 0, 0);
    let current = json!({"revisionId": "r1", "revisionChangeId": "change", "created": 1_600_000_000.0});
    assert_eq!(state["currentRevision"], current);
    assert_eq!(state["latestExecution"]["status"], "InProgress");
    assert_eq!(state["revisionUrl"], "https://git/clone/r1");

    let jobs = local.call("PollForJobs", &json!({"actionTypeId": source_type()}));
    local.acknowledge(&jobs["jobs"][0]).unwrap();
    local.succeed(&jobs["jobs"][0]);
    assert_eq!(local.claim()["data"]["inputArtifacts"][0]["revision"], "r1");
    let execution = local.call(
        "GetPipelineExecution",
        &json!({"pipelineName": WEB, "pipelineExecutionId": reply["pipelineExecutionId"]}),
    );
    let trigger = json!({"triggerType": "PutActionRevision", "triggerDetail": "arn:aws:iam::123456789012:root"});
    assert_eq!(execution["pipelineExecution"]["trigger"], trigger);
    assert_eq!(
        execution["pipelineExecution"]["artifactRevisions"],
        json!([{
            "name": "Source", "revisionId": "r1", "revisionChangeIdentifier": "change",
            "created": 1_600_000_000.0, "revisionUrl": "https://git/clone/r1",
        }])
    );
}

#[test]
fn known_revision_starts_nothing() {
    let mut local = custom_source();
    let first = local.call("PutActionRevision", &put("r1"));
    let again = local.call("PutActionRevision", &put("r1"));
    assert_eq!(again, json!({"newRevision": false, "pipelineExecutionId": first["pipelineExecutionId"]}));
    let second = local.call("PutActionRevision", &put("r2"));
    assert_eq!(second["newRevision"], true);
    assert_ne!(second["pipelineExecutionId"], first["pipelineExecutionId"]);
    assert_eq!(local.action(WEB, 0, 0)["currentRevision"]["revisionId"], "r2", "it waits for its stage");
    assert_eq!(local.call("PutActionRevision", &put("r2"))["newRevision"], false);
}

#[test]
fn reported_revision_is_known() {
    let mut local = custom_source();
    let started = local.start(WEB);
    let jobs = local.call("PollForJobs", &json!({"actionTypeId": source_type()}));
    local.acknowledge(&jobs["jobs"][0]).unwrap();
    let revision = json!({"revision": "r7", "changeIdentifier": "c7", "revisionSummary": "fix"});
    local.call("PutJobSuccessResult", &json!({"jobId": jobs["jobs"][0]["id"], "currentRevision": revision}));
    let reply = local.call("PutActionRevision", &put("r7"));
    assert_eq!(reply, json!({"newRevision": false, "pipelineExecutionId": started}));
    let listed = local.call("ListPipelineExecutions", &json!({"pipelineName": WEB}));
    let source = json!({
        "actionName": "Fetch", "revisionId": "r7", "revisionSummary": "fix", "revisionUrl": "https://git/clone/r7",
    });
    assert_eq!(listed["pipelineExecutionSummaries"][0]["sourceRevisions"], json!([source]));
}

#[test]
fn s3_source_reads_its_object_after_a_put_revision() {
    let (mut local, first) = running(|_| {}, &json!([check("Unit", 1)]));
    let known = local.call("PutActionRevision", &put("v1"));
    assert_eq!(known, json!({"newRevision": false, "pipelineExecutionId": first}));
    assert_eq!(local.call("PutActionRevision", &put("v2"))["newRevision"], true);
    assert_eq!(copied(&mut local), ("web.zip".to_owned(), None));
}

#[test]
fn put_revision_names_missing_things() {
    let mut local = custom_source();
    for (member, value, error) in [
        ("pipelineName", json!("none"), "PipelineNotFoundException"),
        ("stageName", json!("none"), "StageNotFoundException"),
        ("actionName", json!("none"), "ActionNotFoundException"),
        ("actionRevision", json!({"revisionId": "", "revisionChangeId": "c", "created": 0}), "ValidationException"),
        ("actionRevision", json!({"revisionId": "r", "revisionChangeId": "c"}), "ValidationException"),
        ("actionRevision", json!({"revisionId": "r", "revisionChangeId": "c", "created": -1}), "ValidationException"),
    ] {
        let mut input = put("r1");
        input[member] = value;
        assert_eq!(local.refused("PutActionRevision", &input).0, error, "{input}");
    }
    let mut input = put("r1");
    (input["stageName"], input["actionName"]) = ("Test".into(), "Unit".into());
    let (name, message) = local.refused("PutActionRevision", &input);
    assert_eq!(name, "ValidationException");
    assert!(message.contains("'Unit'") && message.contains("source"), "{message}");
}
