//! Pipeline declarations that are refused, and those that are barely valid.

use super::{pipelines::local, *};

/// The refusal of a valid pipeline after `change`.
fn refusal(change: impl FnOnce(&mut Value)) -> (String, String) {
    let mut input = pipeline("web", &json!([check("Unit", 1)]));
    change(&mut input["pipeline"]);
    local().refused("CreatePipeline", &input)
}

#[test]
fn unemulated_provider_is_refused_by_name() {
    let (name, message) = refusal(|pipeline| {
        pipeline["stages"][1]["actions"][0]["actionTypeId"] =
            json!({"category": "Build", "owner": "AWS", "provider": "CodeBuild", "version": "1"});
    });
    assert_eq!(name, "InvalidActionDeclarationException");
    assert!(message.contains("CodeBuild") && message.contains("Source/AWS/S3/1"), "{message}");
    assert!(message.contains("--provider 'Build/AWS/CodeBuild/1=COMMAND'"), "{message}");
    assert!(message.contains("--skip Unit") && message.contains("--run-commands"), "{message}");
}

type Change = fn(&mut Value);

fn assert_refused(cases: &[(Change, &str, &str)]) {
    for (change, name, message) in cases {
        assert_eq!(refusal(change), (format!("{name}Exception"), (*message).to_owned()));
    }
}

/// The comments in `engine/structure` cite the source of each message.
#[test]
fn invalid_structure_has_the_services_error() {
    assert_refused(&[
        (
            |p| p["stages"] = json!([p["stages"][0]]),
            "InvalidStructure",
            "Pipeline has only 1 stage(s). There should be a minimum of 2 stages in a pipeline",
        ),
        (
            |p| p["stages"] = json!(vec![p["stages"][0].clone(); 51]),
            "InvalidStructure",
            "Pipeline has too many stages. There can only be up to 50 stages in a pipeline",
        ),
        (
            |p| p["stages"][1]["name"] = "Source".into(),
            "InvalidStageDeclaration",
            "Stage name 'Source' is used more than once",
        ),
        (
            |p| p["stages"][0]["actions"] = json!([source(), check("Unit", 1)]),
            "InvalidStructure",
            "Pipeline should start with a stage that only contains source actions",
        ),
        (
            |p| p["stages"][1]["actions"] = json!([check("Unit", 1), source()]),
            "InvalidStructure",
            "Source actions can only be included in the first stage of the pipeline",
        ),
        (
            |p| p["stages"][1]["actions"] = json!([source()]),
            "InvalidStructure",
            "Pipeline should contain at least 1 action whose category is not Source",
        ),
        (
            |p| (p["pipelineType"], p["executionMode"]) = ("V1".into(), "QUEUED".into()),
            "InvalidStructure",
            "QUEUED or PARALLEL mode can only be used with V2 pipelines",
        ),
        (
            |p| (p["pipelineType"], p["variables"]) = ("V1".into(), json!([{"name": "a"}])),
            "InvalidStructure",
            "Pipeline variable can only be used with V2 pipelines",
        ),
        (
            |p| p["variables"] = json!([{"name": "a"}, {"name": "b"}, {"name": "a", "defaultValue": "x"}]),
            "InvalidStructure",
            "Variable names must be unique. The following variable name is already in use: a",
        ),
    ]);
}

#[test]
fn invalid_action_has_the_services_error() {
    assert_refused(&[
        (
            |p| p["stages"][1]["actions"][0]["actionTypeId"]["version"] = "7".into(),
            "InvalidActionDeclaration",
            "ActionType (Category: 'Test', Provider: 'Check', Owner: 'Custom', Version: '7') in action 'Unit' is not available in \
             region 'US_EAST_1'",
        ),
        (
            |p| p["stages"][1]["actions"][0]["roleArn"] = "arn:aws:iam::123456789012:role/action".into(),
            "InvalidActionDeclaration",
            "Action Unit with owner Custom contains roleArn. Role ARN is not supported for actions with owner other than 'AWS'",
        ),
        (
            |p| p["stages"][1]["actions"][0]["inputArtifacts"] = json!([{"name": "No"}]),
            "InvalidActionDeclaration",
            "Input Artifact Bundle No in action Unit is not declared as Output Artifact Bundle in any of the preceding actions",
        ),
        (
            |p| p["stages"][1]["actions"][0]["outputArtifacts"] = json!([{"name": "Source"}]),
            "InvalidActionDeclaration",
            "Output Artifact Bundle name must be unique within the pipeline. Source has been used more than once.",
        ),
        (
            |p| p["stages"][0]["actions"][0]["outputArtifacts"] = json!([]),
            "InvalidActionDeclaration",
            "Action Fetch declares 0 output artifacts which is less than the minimum count (1)",
        ),
        (
            |p| p["stages"][1]["actions"][0]["inputArtifacts"] = json!([{"name": "Source"}, {"name": "Source"}]),
            "InvalidActionDeclaration",
            "Action Unit declares 2 input artifacts which is more than the maximum count (1)",
        ),
        (
            |p| p["stages"][1]["actions"][0]["configuration"] = json!({}),
            "InvalidActionDeclaration",
            "Action configuration for action 'Unit' is missing required configuration 'Command'",
        ),
        (
            |p| p["stages"][1]["actions"][0]["configuration"]["Odd"] = "x".into(),
            "InvalidActionDeclaration",
            "Action configuration for action 'Unit' contains unknown configuration 'Odd'",
        ),
        (
            |p| p["stages"][1]["actions"][0]["namespace"] = "src".into(),
            "InvalidActionDeclaration",
            "Namespaces must be unique across the pipeline definition. The following occur more than once in the pipeline.\n\
             StageName=[Test], ActionName=[Unit], Namespace=[src]",
        ),
        (
            |p| p["stages"][1]["actions"][0]["configuration"]["Command"] = "#{no.x}".into(),
            "InvalidActionDeclaration",
            "Valid format for a pipeline execution variable reference is a namespace and a key separated by a period (.). The \
             following pipeline execution variables are referencing a namespace that does not exist.\nStageName=[Test], \
             ActionName=[Unit], ActionConfigurationKey=[Command], VariableReferenceText=[no.x]",
        ),
    ]);
}

#[test]
fn invalid_artifact_store_has_the_services_error() {
    let missing = "Your pipeline must have an artifact store, such as an artifact bucket, for each region where you have an action. \
                   The following region is missing in 'pipeline.artifactStores': ";
    let stores = |regions: &[&str]| -> Value {
        regions.iter().map(|region| ((*region).to_owned(), json!({"type": "S3", "location": "store"}))).collect()
    };
    let refused = |own: Value, others: Value, region: Value| {
        refusal(|p| {
            (p["artifactStore"], p["artifactStores"]) = (own.clone(), others.clone());
            p["stages"][1]["actions"][0]["region"] = region.clone();
        })
    };
    let own = stores(&["x"])["x"].clone();
    for (own, others, region, name, message) in [
        (&Value::Null, Value::Null, Value::Null, "Validation", "You must include either 'pipeline.artifactStore'"),
        (&own, stores(&["us-east-1"]), Value::Null, "Validation", "but you cannot use both."),
        (
            &own,
            Value::Null,
            "eu-west-1".into(),
            "Validation",
            "Your pipeline contains actions in more than one region. Use",
        ),
        (&Value::Null, stores(&["eu-west-1"]), Value::Null, "Validation", &format!("{missing}us-east-1.")),
        (&Value::Null, stores(&["us-east-1"]), "eu-west-1".into(), "Validation", &format!("{missing}eu-west-1.")),
        (
            &Value::Null,
            stores(&["eu-west-1", "us-east-1"]),
            "eu-west-1".into(),
            "InvalidActionDeclaration",
            "codepipeline-local does not emulate cross-region actions",
        ),
    ] {
        let refused = refused(own.clone(), others, region);
        assert_eq!(refused.0, format!("{name}Exception"), "{}", refused.1);
        assert!(refused.1.contains(message), "{}", refused.1);
    }
}

#[test]
fn other_invalid_structures_name_the_mistake() {
    let cases: [(Change, &str, &str); 10] = [
        (|p| p["stages"][1]["actions"] = json!([]), "InvalidStageDeclaration", "0 actions"),
        (|p| p["stages"][1]["actions"] = json!([check("U", 1), check("U", 1)]), "InvalidActionDeclaration", "'U'"),
        (|p| p["stages"][1]["actions"][0]["namespace"] = "codepipeline".into(), "InvalidActionDeclaration", "reserved"),
        (
            |p| p["stages"][1]["actions"][0]["timeoutInMinutes"] = 60.into(),
            "InvalidActionDeclaration",
            "timeoutInMinutes",
        ),
        (|p| p["stages"][1]["onFailure"] = json!({"result": "ROLLBACK"}), "InvalidStageDeclaration", "onFailure"),
        (|p| p["artifactStore"]["location"] = "Store".into(), "InvalidStructure", "'Store'"),
        (|p| p["artifactStore"]["location"] = "a..b".into(), "InvalidStructure", "two periods"),
        (
            |p| p["stages"][0]["actions"][0]["configuration"]["S3Bucket"] = "my_sources".into(),
            "InvalidActionDeclaration",
            "its S3Bucket",
        ),
        (
            |p| p["stages"][1]["actions"][0]["configuration"]["Command"] = "#{codepipeline.Id}".into(),
            "InvalidActionDeclaration",
            "PipelineExecutionId",
        ),
        (
            |p| {
                p["variables"] = json!([{"name": "a"}]);
                p["stages"][1]["actions"][0]["configuration"]["Command"] = "#{variables.b}".into();
            },
            "InvalidStructure",
            "VariableReferenceText=[variables.b]",
        ),
    ];
    for (change, name, named) in cases {
        let refused = refusal(change);
        assert_eq!(refused.0, format!("{name}Exception"), "{}", refused.1);
        assert!(refused.1.contains(named), "{} lacks {named}", refused.1);
    }
}

#[test]
fn update_of_a_missing_pipeline_has_the_services_error() {
    let missing = local().refused("UpdatePipeline", &pipeline("web", &json!([check("Unit", 1)])));
    let text = "The account with id '123456789012' does not include a pipeline with the name 'web'";
    assert_eq!(missing, ("ResourceNotFoundException".to_owned(), text.to_owned()));
}

#[test]
fn empty_and_default_members_are_accepted() {
    let mut input = pipeline("web", &json!([check("Unit", 1)]));
    let declared = &mut input["pipeline"];
    (declared["executionMode"], declared["pipelineType"]) = ("SUPERSEDED".into(), "V2".into());
    (declared["triggers"], declared["variables"]) = (json!([]), json!([]));
    (declared["stages"][1]["onFailure"], declared["stages"][1]["blockers"]) = (json!({}), json!([]));
    declared["stages"][1]["actions"][0]["outputArtifacts"] = json!([]);
    declared["stages"][1]["actions"][0]["region"] = "us-east-1".into();
    let mut local = local();
    let created = local.call("CreatePipeline", &input);
    assert_eq!(local.call("GetPipeline", &json!({"name": "web"}))["pipeline"], created["pipeline"]);
    let action = &created["pipeline"]["stages"][1]["actions"][0];
    assert_eq!((&action["outputArtifacts"], &action["region"]), (&json!([]), &json!("us-east-1")));
    assert_eq!(created["pipeline"].get("triggers"), None);
}

#[test]
fn members_of_v2_make_a_pipeline_without_a_type_v2() {
    let made = |change: Change| {
        let mut input = pipeline("web", &json!([check("Unit", 1)]));
        change(&mut input["pipeline"]);
        local().call("CreatePipeline", &input)["pipeline"]["pipelineType"].clone()
    };
    assert_eq!(made(|_| {}), "V1");
    assert_eq!(made(|p| p["executionMode"] = "SUPERSEDED".into()), "V1");
    assert_eq!(made(|p| p["executionMode"] = "PARALLEL".into()), "V2");
    assert_eq!(made(|p| p["variables"] = json!([{"name": "a"}])), "V2");
}

#[test]
fn duplicate_input_artifact_is_refused() {
    let mut local = Local::new();
    let mut wide = action_type();
    wide["inputArtifactDetails"]["maximumCount"] = 5.into();
    local.call("CreateCustomActionType", &wide);
    let mut action = check("Unit", 1);
    action["inputArtifacts"] = json!([{"name": "Source"}, {"name": "Source"}]);
    let (name, message) = local.refused("CreatePipeline", &pipeline("web", &json!([action])));
    assert_eq!(name, "InvalidActionDeclarationException");
    assert_eq!(message, "Input Artifact Bundle Source in action Unit is declared more than once");
}

#[test]
fn variable_may_name_a_bucket() {
    let mut input = pipeline("web", &json!([check("Unit", 1)]));
    input["pipeline"]["pipelineType"] = "V2".into();
    input["pipeline"]["variables"] = json!([{"name": "Bucket", "defaultValue": "sources"}]);
    input["pipeline"]["stages"][0]["actions"][0]["configuration"]["S3Bucket"] = "#{variables.Bucket}".into();
    let mut local = local();
    local.call("CreatePipeline", &input);
    assert_eq!(local.engine.take_effects(), [Effect::CreateBucket { bucket: "store".to_owned() }]);
}

#[test]
fn variable_of_a_parallel_action_is_refused() {
    let (_, message) = refusal(|pipeline| {
        let mut second = check("Second", 1);
        second["configuration"]["Command"] = "#{first.x}".into();
        let mut first = check("First", 1);
        first["namespace"] = "first".into();
        pipeline["stages"][1]["actions"] = json!([first, second]);
    });
    assert!(message.contains("VariableReferenceText=[first.x]"), "{message}");
}

#[test]
fn artifact_of_a_parallel_action_is_refused() {
    let refusal = |run_order: u32| {
        let mut report = check("Report", 1);
        report["outputArtifacts"] = json!([{"name": "Report"}]);
        let mut read = check("Read", run_order);
        read["inputArtifacts"] = json!([{"name": "Report"}]);
        local().try_call("CreatePipeline", &pipeline("web", &json!([report, read])))
    };
    assert!(refusal(1).unwrap_err().1.contains("Bundle Report in action Read"));
    refusal(2).unwrap();
}
