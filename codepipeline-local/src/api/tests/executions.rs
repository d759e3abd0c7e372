use super::*;

#[test]
fn pipeline_runs_from_source_to_end() {
    let mut unit = check("Unit", 1);
    unit["configuration"]["Command"] = "make #{src.ETag} #{codepipeline.PipelineExecutionId}".into();
    unit["namespace"] = "unit".into();
    unit["outputArtifacts"] = json!([{"name": "Report"}]);
    let mut lint = check("Lint", 2);
    lint["configuration"]["Command"] = "lint #{unit.Count}".into();
    lint["inputArtifacts"] = json!([{"name": "Report"}]);
    let (mut local, execution) = running(|_| {}, &json!([unit, lint]));

    let source = local.action("web", 0, 0);
    assert_eq!(source["latestExecution"]["status"], "Succeeded");
    assert_eq!(source["currentRevision"]["revisionId"], "v1");
    let job = local.claim();
    let data = &job["data"];
    assert_eq!(data["actionConfiguration"]["configuration"]["Command"], format!("make abc {execution}"));
    assert_eq!(data["pipelineContext"]["pipelineExecutionId"], json!(execution));
    assert_eq!(data["inputArtifacts"][0]["revision"], "v1");
    let key = data["outputArtifacts"][0]["location"]["s3Location"]["objectKey"].as_str().unwrap();
    assert!(key.starts_with("web/Report/"), "{key}");
    assert!(local.poll(5).is_empty(), "the second run order waits for the first");
    local.call(
        "PutJobSuccessResult",
        &json!({
            "jobId": job["id"], "outputVariables": {"Count": "12"},
            "executionDetails": {"summary": "12 passed", "externalExecutionId": "77", "percentComplete": 100},
        }),
    );
    let second = local.claim();
    assert_eq!(second["data"]["actionConfiguration"]["configuration"]["Command"], "lint 12");
    assert_eq!(second["data"]["inputArtifacts"][0]["location"], data["outputArtifacts"][0]["location"]);
    assert_eq!(local.status("web", &execution), "InProgress");
    local.succeed(&second);
    assert_eq!(local.status("web", &execution), "Succeeded");

    let listed = local.call("ListActionExecutions", &json!({"pipelineName": "web"}));
    let details = listed["actionExecutionDetails"].as_array().unwrap();
    let names: Vec<&str> = details.iter().map(|detail| detail["actionName"].as_str().unwrap()).collect();
    assert_eq!(names, ["Lint", "Unit", "Fetch"]);
    assert_eq!(details[1]["output"]["outputVariables"], json!({"Count": "12"}));
    assert_eq!(details[1]["output"]["executionResult"]["externalExecutionSummary"], "12 passed");
    assert_eq!(
        details[2]["output"]["outputVariables"],
        json!({"BucketName": "sources", "ETag": "abc", "ObjectKey": "web.zip", "VersionId": "v1"})
    );
    let filter = json!({"pipelineName": "web", "filter": {"succeededInStage": {"stageName": "Test"}}});
    let listed = local.call("ListPipelineExecutions", &filter);
    assert_eq!(listed["pipelineExecutionSummaries"][0]["sourceRevisions"][0]["revisionId"], "v1");
}

#[test]
fn failure_waits_for_parallel_actions() {
    let (mut local, execution) = running(|_| {}, &json!([check("A", 1), check("B", 1), check("C", 2)]));
    let jobs = local.poll(5);
    assert_eq!(jobs.len(), 2);
    for job in &jobs {
        local.acknowledge(job).unwrap();
    }
    let failure =
        json!({"jobId": jobs[0]["id"], "failureDetails": {"type": "ConfigurationError", "message": "no such suite"}});
    local.call("PutJobFailureResult", &failure);
    assert_eq!(local.status("web", &execution), "InProgress");
    local.succeed(&jobs[1]);
    assert_eq!(local.status("web", &execution), "Failed");
    assert!(local.poll(5).is_empty(), "the next run order never starts");
    let action = local.action("web", 1, 0);
    let error = json!({"code": "ConfigurationError", "message": "no such suite"});
    assert_eq!(action["latestExecution"]["errorDetails"], error);
    let state = local.call("GetPipelineState", &json!({"name": "web"}));
    assert_eq!(state["stageStates"][1]["latestExecution"]["status"], "Failed");
}

#[test]
fn missing_source_object_is_named() {
    let (mut local, _) = running(|_| {}, &json!([check("Unit", 1)]));
    let execution = local.start("web");
    assert_eq!(local.finish_sources(&Err(SourceError::NotFound("NoSuchKey".to_owned()))), 1);
    assert_eq!(local.status("web", &execution), "Failed");
    let action = local.action("web", 0, 0);
    let message = action["latestExecution"]["errorDetails"]["message"].as_str().unwrap();
    assert!(message.contains("'web.zip'") && message.contains("'sources'"), "{message}");
}

#[test]
fn source_summary_has_version_or_etag() {
    let (mut local, _) = running(|_| {}, &json!([check("Unit", 1)]));
    let summary = |local: &mut Local| local.action("web", 0, 0)["latestExecution"]["summary"].clone();
    assert_eq!(summary(&mut local), "Amazon S3 version id: v1");
    local.start("web");
    local.finish_sources(&found().map(|revision| SourceRevision { version_id: None, ..revision }));
    assert_eq!(summary(&mut local), "Amazon S3 ETag: abc");
}

#[test]
fn newer_execution_supersedes_a_waiting_one() {
    let (mut local, first) = running(|_| {}, &json!([check("Unit", 1)]));
    let second = local.start("web");
    local.finish_sources(&found());
    let state = local.call("GetPipelineState", &json!({"name": "web"}));
    assert_eq!(state["stageStates"][1]["inboundExecution"]["pipelineExecutionId"], json!(second));
    assert_eq!(state["stageStates"][1]["latestExecution"]["pipelineExecutionId"], json!(first));
    let third = local.start("web");
    local.finish_sources(&found());
    let job = local.claim();
    local.succeed(&job);
    let job = local.claim();
    assert_eq!(job["data"]["pipelineContext"]["pipelineExecutionId"], json!(third));
    assert_eq!(
        [first, second, third].map(|execution| local.status("web", &execution)),
        ["Succeeded", "Superseded", "InProgress"]
    );
}

fn three_at_once(mode: &str) -> (Local, [String; 3]) {
    let mut local = Local::new();
    local.call("CreateCustomActionType", &action_type());
    let mut input = pipeline("web", &json!([check("Unit", 1)]));
    input["pipeline"]["executionMode"] = mode.into();
    input["pipeline"]["pipelineType"] = "V2".into();
    local.call("CreatePipeline", &input);
    let executions = [(); 3].map(|()| local.start("web"));
    while local.finish_sources(&found()) > 0 {}
    (local, executions)
}

#[test]
fn queued_executions_all_run_in_order() {
    let (mut local, executions) = three_at_once("QUEUED");
    for execution in &executions {
        let jobs = local.poll(5);
        assert_eq!(jobs.len(), 1);
        assert_eq!(jobs[0]["data"]["pipelineContext"]["pipelineExecutionId"], json!(execution));
        local.acknowledge(&jobs[0]).unwrap();
        local.succeed(&jobs[0]);
    }
    assert_eq!(executions.map(|execution| local.status("web", &execution)), ["Succeeded"; 3]);
}

#[test]
fn parallel_executions_run_concurrently() {
    assert_eq!(three_at_once("PARALLEL").0.poll(5).len(), 3);
}

#[test]
fn client_request_token_starts_one_execution() {
    let (mut local, _) = running(|_| {}, &json!([check("Unit", 1)]));
    let start = json!({"name": "web", "clientRequestToken": "once"});
    let first = local.call("StartPipelineExecution", &start);
    assert_eq!(local.call("StartPipelineExecution", &start), first);
}

#[test]
fn pipeline_variables_have_defaults_and_must_be_declared() {
    let mut local = Local::new();
    local.call("CreateCustomActionType", &action_type());
    let mut action = check("Unit", 1);
    action["configuration"]["Command"] = "make #{variables.Target}".into();
    let mut input = pipeline("web", &json!([action]));
    input["pipeline"]["pipelineType"] = "V2".into();
    input["pipeline"]["variables"] = json!([{"name": "Target", "defaultValue": "all"}]);
    local.call("CreatePipeline", &input);
    let given = |name: &str| json!({"name": "web", "variables": [{"name": name, "value": "docs"}]});
    assert!(local.refused("StartPipelineExecution", &given("Other")).1.contains("'Other'"));
    let started = local.call("StartPipelineExecution", &given("Target"));
    local.finish_sources(&found());
    assert_eq!(local.claim()["data"]["actionConfiguration"]["configuration"]["Command"], "make docs");
    let input = json!({"pipelineName": "web", "pipelineExecutionId": started["pipelineExecutionId"]});
    let got = local.call("GetPipelineExecution", &input);
    assert_eq!(got["pipelineExecution"]["variables"], json!([{"name": "Target", "resolvedValue": "docs"}]));
}

#[test]
fn unset_output_variable_fails_the_next_action() {
    let mut first = check("First", 1);
    first["namespace"] = "first".into();
    let mut second = check("Second", 2);
    second["configuration"]["Command"] = "#{first.Missing}".into();
    let (mut local, execution) = running(|_| {}, &json!([first, second]));
    let job = local.claim();
    local.succeed(&job);
    assert_eq!(local.status("web", &execution), "Failed");
    let action = local.action("web", 1, 1);
    assert!(action["latestExecution"]["errorDetails"]["message"].as_str().unwrap().contains("#{first.Missing}"));
}

#[test]
fn timed_out_action_takes_no_result() {
    let (mut local, execution) = running(|_| {}, &json!([check("Unit", 1)]));
    let job = local.claim();
    local.wait(24 * 60 * 60 - 1);
    assert_eq!(local.status("web", &execution), "InProgress");
    local.wait(1);
    assert_eq!(local.status("web", &execution), "Failed");
    let late = json!({"jobId": job["id"]});
    assert_eq!(local.refused("PutJobSuccessResult", &late).0, "InvalidJobStateException");
    assert_eq!(local.action("web", 1, 0)["latestExecution"]["errorDetails"]["code"], "JobFailed");
    local.wait(60 * 60);
    assert_eq!(local.refused("PutJobSuccessResult", &late).0, "JobNotFoundException");
}

#[test]
fn action_of_a_deleted_type_fails() {
    let mut local = Local::new();
    local.call("CreateCustomActionType", &action_type());
    local.call("CreatePipeline", &pipeline("web", &json!([check("Unit", 1)])));
    local.call("DeleteCustomActionType", &json!({"category": "Test", "provider": "Check", "version": "1"}));
    let execution = local.start("web");
    local.finish_sources(&found());
    assert_eq!(local.status("web", &execution), "Failed");
    let action = local.action("web", 1, 0);
    assert!(action["latestExecution"]["errorDetails"]["message"].as_str().unwrap().contains("Provider: 'Check'"));
}

#[test]
fn execution_keeps_its_pipeline_version() {
    let (mut local, execution) = running(|_| {}, &json!([check("Unit", 1), check("Lint", 2)]));
    local.call("UpdatePipeline", &pipeline("web", &json!([check("Other", 1)])));
    for name in ["Unit", "Lint"] {
        let job = local.claim();
        assert_eq!(job["data"]["pipelineContext"]["action"]["name"], name);
        local.succeed(&job);
    }
    assert_eq!(local.status("web", &execution), "Succeeded");
}

#[test]
fn late_or_second_source_copy_changes_nothing() {
    let mut local = Local::new();
    local.call("CreateCustomActionType", &action_type());
    local.call("CreatePipeline", &pipeline("web", &json!([check("Unit", 1)])));
    let execution = local.start("web");
    let copies = local.engine.take_effects();
    let Some(Effect::CopySource { id, from, to, .. }) = copies.last() else { panic!("a copy was requested") };
    assert_eq!((from.bucket.as_str(), from.key.as_str(), to.bucket.as_str()), ("sources", "web.zip", "store"));
    local.engine.source_finished(local.now, *id, found());
    local.engine.source_finished(local.now, *id, Err(SourceError::Other("late".to_owned())));
    assert_eq!(local.status("web", &execution), "InProgress");
    assert_eq!(local.action("web", 0, 0)["latestExecution"]["status"], "Succeeded");
    assert_eq!(local.poll(9).len(), 1);
}

#[test]
fn latest_executions_of_actions_can_be_listed() {
    let (mut local, first) = running(|_| {}, &json!([check("Unit", 1)]));
    local.start("web");
    let list = |filter: Value| json!({"pipelineName": "web", "filter": filter, "maxResults": 1});
    let page = local.call("ListActionExecutions", &list(json!({"pipelineExecutionId": first})));
    assert_eq!(page["actionExecutionDetails"][0]["actionName"], "Unit");
    let mut next = list(json!({"pipelineExecutionId": first}));
    next["nextToken"] = page["nextToken"].clone();
    let page = local.call("ListActionExecutions", &next);
    assert_eq!(page["actionExecutionDetails"][0]["actionName"], "Fetch");
    assert_eq!(page.get("nextToken"), None);
    let latest = json!({"latestInPipelineExecution": {"pipelineExecutionId": first, "startTimeRange": "Latest"}});
    let page = local.call("ListActionExecutions", &list(latest));
    assert_eq!(page["actionExecutionDetails"][0]["pipelineExecutionId"], json!(first));
    let unknown = list(json!({"pipelineExecutionId": "11111111-aaaa-2222-bbbb-333333333333"}));
    assert_eq!(local.refused("ListActionExecutions", &unknown).0, "PipelineExecutionNotFoundException");
}
