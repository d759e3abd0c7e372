use super::*;

/// An emulator with the action type of [`check`].
pub(super) fn local() -> Local {
    let mut local = Local::new();
    local.call("CreateCustomActionType", &action_type());
    local
}

#[test]
fn new_pipeline_has_defaults_and_buckets() {
    let mut local = local();
    let reply = local.call("CreatePipeline", &pipeline("web", &json!([check("Unit", 1)])));
    let declared = &reply["pipeline"];
    assert_eq!((&declared["version"], &declared["executionMode"]), (&json!(1), &json!("SUPERSEDED")));
    assert_eq!(declared["stages"][0]["actions"][0]["runOrder"], 1);
    assert_eq!(
        local.engine.take_effects(),
        ["sources", "store"].map(|bucket| Effect::CreateBucket { bucket: bucket.to_owned() })
    );
    assert!(local.engine.is_artifact_store("store") && !local.engine.is_artifact_store("sources"));
    let got = local.call("GetPipeline", &json!({"name": "web"}));
    assert_eq!(got["pipeline"], *declared);
    assert_eq!(got["metadata"]["pipelineArn"], "arn:aws:codepipeline:us-east-1:123456789012:web");
    let executions = local.call("ListPipelineExecutions", &json!({"pipelineName": "web"}));
    assert_eq!(executions["pipelineExecutionSummaries"], json!([]));
    let again = pipeline("web", &json!([check("Unit", 1)]));
    assert_eq!(local.refused("CreatePipeline", &again).0, "PipelineNameInUseException");
}

#[test]
fn new_pipeline_starts_if_set() {
    let mut local = Local::with(|settings| settings.start_on_create = true);
    local.call("CreateCustomActionType", &action_type());
    local.call("CreatePipeline", &pipeline("web", &json!([check("Unit", 1)])));
    let executions = local.call("ListPipelineExecutions", &json!({"pipelineName": "web"}));
    assert_eq!(executions["pipelineExecutionSummaries"][0]["trigger"]["triggerType"], "CreatePipeline");
}

#[test]
fn automatic_start_needs_variable_defaults() {
    let create = |default: Value| {
        let mut local = Local::with(|settings| settings.start_on_create = true);
        local.call("CreateCustomActionType", &action_type());
        let mut action = check("Unit", 1);
        action["configuration"]["Command"] = "make #{variables.Target}".into();
        let mut input = pipeline("web", &json!([action]));
        input["pipeline"]["pipelineType"] = "V2".into();
        input["pipeline"]["variables"] = json!([{"name": "Target", "defaultValue": default}]);
        local.call("CreatePipeline", &input);
        local
    };
    let mut local = create("all".into());
    local.finish_sources(&found());
    assert_eq!(local.claim()["data"]["actionConfiguration"]["configuration"]["Command"], "make all");
    let mut local = create(Value::Null);
    assert_eq!(local.finish_sources(&found()), 0);
    assert!(local.refused("StartPipelineExecution", &json!({"name": "web"})).1.contains("'Target'"));
    let executions = local.call("ListPipelineExecutions", &json!({"pipelineName": "web"}));
    assert_eq!(executions["pipelineExecutionSummaries"], json!([]));
}

#[test]
fn masked_secrets_survive_an_update() {
    let mut local = local();
    let with = |name: &str, token: &str| {
        let mut action = check(name, 1);
        action["configuration"]["Token"] = token.into();
        pipeline("web", &json!([action]))
    };
    let (name, message) = local.refused("CreatePipeline", &with("Unit", "****"));
    assert_eq!(name, "InvalidActionDeclarationException");
    assert!(message.contains("'Unit'") && message.contains("'Token'"), "{message}");
    let created = local.call("CreatePipeline", &with("Unit", "s3cret"));
    assert!(!created.to_string().contains("s3cret"));
    let got = local.call("GetPipeline", &json!({"name": "web"}));
    assert_eq!(
        got["pipeline"]["stages"][1]["actions"][0]["configuration"],
        json!({"Command": "make", "Token": "****"})
    );
    local.refused("UpdatePipeline", &with("Renamed", "****"));
    let mut stage_renamed = with("Unit", "****");
    stage_renamed["pipeline"]["stages"][1]["name"] = "Checks".into();
    local.refused("UpdatePipeline", &stage_renamed);
    assert_eq!(local.call("UpdatePipeline", &json!({"pipeline": got["pipeline"]}))["pipeline"]["version"], 2);

    local.start("web");
    local.finish_sources(&found());
    let job = local.claim();
    assert_eq!(job["data"]["actionConfiguration"]["configuration"]["Token"], "s3cret");
    for (operation, input) in [
        ("GetPipelineState", json!({"name": "web"})),
        ("ListActionExecutions", json!({"pipelineName": "web"})),
        ("GetPipeline", json!({"name": "web", "version": 1})),
    ] {
        assert!(!local.call(operation, &input).to_string().contains("s3cret"), "{operation}");
    }
}

#[test]
fn url_hides_secrets_of_the_old_type_version() {
    let mut local = local();
    let mut old = check("Unit", 1);
    old["configuration"]["Token"] = "s3cret".into();
    local.call("CreatePipeline", &pipeline("web", &json!([old])));
    local.start("web");
    local.finish_sources(&found());
    let mut open = action_type();
    open["version"] = "2".into();
    open["configurationProperties"] = json!([property("Token", true, false, false)]);
    open["settings"] = json!({"entityUrlTemplate": "https://ci/{Config:Token}"});
    local.call("CreateCustomActionType", &open);
    let mut new = check("Unit", 1);
    new["actionTypeId"]["version"] = "2".into();
    new["configuration"] = json!({"Token": "public"});
    local.call("UpdatePipeline", &pipeline("web", &json!([new])));
    let state = local.call("GetPipelineState", &json!({"name": "web"}));
    assert!(!state.to_string().contains("s3cret"));
    assert_eq!(state["stageStates"][1]["actionStates"][0]["entityUrl"], "https://ci/public");
}

#[test]
fn updates_make_versions_that_stay_readable() {
    let mut local = local();
    local.call("CreatePipeline", &pipeline("web", &json!([check("Unit", 1)])));
    local.wait(5);
    local.call("UpdatePipeline", &pipeline("web", &json!([check("Other", 1)])));
    let version = |local: &mut Local, version: u32| {
        local.call("GetPipeline", &json!({"name": "web", "version": version}))["pipeline"]["stages"][1]["actions"][0]["name"].clone()
    };
    assert_eq!((version(&mut local, 1), version(&mut local, 2)), (json!("Unit"), json!("Other")));
    let missing = json!({"name": "web", "version": 3});
    assert_eq!(local.refused("GetPipeline", &missing).0, "PipelineVersionNotFoundException");
    assert_eq!(local.refused("GetPipeline", &json!({"name": "no"})).0, "PipelineNotFoundException");
    assert!(local.refused("UpdatePipeline", &pipeline("no", &json!([check("Unit", 1)]))).1.contains("'no'"));
}

#[test]
fn listings_come_in_pages() {
    let mut local = local();
    for name in ["a", "b", "c"] {
        local.call("CreatePipeline", &pipeline(name, &json!([check("Unit", 1)])));
    }
    let mut names = Vec::new();
    let mut token = Value::Null;
    loop {
        let page = local.call("ListPipelines", &json!({"maxResults": 2, "nextToken": token}));
        names.extend(page["pipelines"].as_array().unwrap().iter().map(|summary| summary["name"].clone()));
        token = page["nextToken"].clone();
        if token.is_null() {
            break;
        }
    }
    assert_eq!(names, ["a", "b", "c"]);
    assert_eq!(local.refused("ListPipelines", &json!({"nextToken": "x"})).0, "InvalidNextTokenException");
}

#[test]
fn listing_continues_after_a_deleted_item() {
    let mut local = local();
    for name in ["a", "b", "c"] {
        local.call("CreatePipeline", &pipeline(name, &json!([check("Unit", 1)])));
    }
    let page = local.call("ListPipelines", &json!({"maxResults": 2}));
    local.call("DeletePipeline", &json!({"name": "b"}));
    let rest = local.call("ListPipelines", &json!({"maxResults": 2, "nextToken": page["nextToken"]}));
    assert_eq!((rest["pipelines"].as_array().unwrap().len(), &rest["pipelines"][0]["name"]), (1, &json!("c")));
}

#[test]
fn listings_return_each_item_once() {
    let mut local = Local::with(|settings| settings.page_size = 1);
    for provider in ["Check", "Check-2", "Check_2"] {
        let mut declared = action_type();
        declared["provider"] = provider.into();
        local.call("CreateCustomActionType", &declared);
    }
    local.call("CreatePipeline", &pipeline("web", &json!([check("Unit", 1)])));
    for _ in 0..3 {
        local.start("web");
        local.finish_sources(&found());
    }
    let of_web = json!({"pipelineName": "web"});
    for (operation, member, input, count) in [
        ("ListActionTypes", "actionTypes", json!({}), 6),
        ("ListPipelineExecutions", "pipelineExecutionSummaries", of_web.clone(), 3),
        ("ListActionExecutions", "actionExecutionDetails", of_web, 4),
    ] {
        let mut input = input;
        let mut seen = Vec::new();
        loop {
            let page = local.call(operation, &input);
            seen.extend(page[member].as_array().unwrap().iter().map(Value::to_string));
            input["nextToken"] = page["nextToken"].clone();
            if page["nextToken"].is_null() {
                break;
            }
        }
        let given = seen.len();
        seen.sort();
        seen.dedup();
        assert_eq!((given, seen.len()), (count, count), "{operation}");
    }
}

#[test]
fn deleting_a_pipeline_deletes_its_jobs() {
    let (mut local, _) = running(|_| {}, &json!([check("Unit", 1)]));
    let job = local.claim();
    local.call("DeletePipeline", &json!({"name": "web"}));
    assert_eq!(local.refused("GetJobDetails", &json!({"jobId": job["id"]})).0, "JobNotFoundException");
    assert_eq!(local.refused("StartPipelineExecution", &json!({"name": "web"})).0, "PipelineNotFoundException");
    assert_eq!(local.engine.next_due(), None);
}
