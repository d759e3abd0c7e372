//! Actions that providers of this machine run, skipped actions and stand-ins.

use super::*;
use crate::engine::{ActionTypeId, Done, Failed, RunId, Task, TaskRevision};

pub(super) fn code_build() -> ActionTypeId {
    ActionTypeId::first("Build", "AWS", "CodeBuild")
}

fn code_deploy() -> ActionTypeId {
    ActionTypeId::first("Deploy", "AWS", "CodeDeploy")
}

pub(super) fn id(id: &ActionTypeId) -> Value {
    json!({"category": id.category, "owner": id.owner, "provider": id.provider, "version": id.version})
}

pub(super) fn build() -> Value {
    json!({
        "name": "Make", "actionTypeId": id(&code_build()), "namespace": "made",
        "configuration": {"ProjectName": "#{codepipeline.PipelineExecutionId}"},
        "inputArtifacts": [{"name": "Source"}], "outputArtifacts": [{"name": "Site"}],
    })
}

/// An emulator that runs CodeBuild, with a started pipeline `web` of these actions.
pub(super) fn building(change: impl FnOnce(&mut Settings), actions: &Value) -> (Local, String) {
    running(
        |settings| {
            settings.provided.emulated.insert(code_build());
            change(settings);
        },
        actions,
    )
}

/// The runs that the engine asks for, and those that it ends.
pub(super) fn runs(local: &mut Local) -> (Vec<(RunId, Task)>, Vec<RunId>) {
    let (mut asked, mut ended) = (Vec::new(), Vec::new());
    for effect in local.engine.take_effects() {
        match effect {
            Effect::RunAction { id, task, .. } => asked.push((id, *task)),
            Effect::EndRun { id } => ended.push(id),
            _ => {}
        }
    }
    (asked, ended)
}

pub(super) fn one_run(local: &mut Local) -> (RunId, Task) {
    let (mut asked, ended) = runs(local);
    assert!(asked.len() == 1 && ended.is_empty(), "one run begins");
    asked.remove(0)
}

#[test]
fn provider_gets_the_resolved_action() {
    let (mut local, execution) = building(|_| {}, &json!([build()]));
    let (_, task) = one_run(&mut local);
    assert_eq!(task.configuration["ProjectName"], execution);
    assert_eq!(task.variables["ProjectName"]["codepipeline.PipelineExecutionId"], execution);
    assert_eq!((task.pipeline.as_str(), task.stage.as_str(), task.action.as_str()), ("web", "Test", "Make"));
    assert_eq!((&task.pipeline_execution_id, task.account_id.as_str()), (&execution, "123456789012"));
    assert_eq!((task.inputs[0].name.as_str(), task.inputs[0].revision.as_deref()), ("Source", Some("v1")));
    let maker = task.inputs[0].maker.as_ref().unwrap();
    assert_eq!((maker.action.as_str(), maker.action_type.provider.as_str()), ("Fetch", "S3"));
    assert_eq!((task.outputs[0].name.as_str(), task.outputs[0].place.bucket.as_str()), ("Site", "store"));
    assert_eq!(task.timeout, local.engine.settings.action_timeout);
    assert!(!format!("{task:?}").contains("ProjectName"), "no configuration is shown");
}

#[test]
fn result_reaches_the_state_and_later_actions() {
    let mut after = check("Unit", 2);
    after["configuration"]["Command"] = "#{made.Size}".into();
    after["inputArtifacts"] = json!([{"name": "Site"}]);
    let (mut local, execution) = building(|_| {}, &json!([build(), after]));
    let (run, task) = one_run(&mut local);
    let variables = [("Size".to_owned(), "7".to_owned())].into();
    let done = Done {
        variables,
        summary: Some("built".to_owned()),
        external_id: Some("web:1".to_owned()),
        external_url: Some("https://builds/1".to_owned()),
        revision: None,
    };
    local.engine.run_finished(local.now, run, Ok(done.clone()));
    let state = local.action("web", 1, 0)["latestExecution"].clone();
    assert_eq!((&state["status"], &state["summary"]), (&json!("Succeeded"), &json!("built")));
    assert_eq!(state["externalExecutionId"], "web:1");
    assert_eq!(state["externalExecutionUrl"], "https://builds/1");
    let job = local.claim();
    assert_eq!(job["data"]["actionConfiguration"]["configuration"]["Command"], "7");
    let input = &job["data"]["inputArtifacts"][0]["location"]["s3Location"];
    assert_eq!(input["objectKey"], task.outputs[0].place.key);
    // A result that comes twice has no effect.
    local.engine.run_finished(local.now, run, Err(Failed::job("late")));
    local.succeed(&job);
    assert_eq!(local.status("web", &execution), "Succeeded");
}

#[test]
fn failure_has_the_providers_code() {
    let (mut local, execution) = building(|_| {}, &json!([build()]));
    let (run, _) = one_run(&mut local);
    local.engine.run_finished(local.now, run, Err(Failed::configuration("no buildspec.yml")));
    let state = local.action("web", 1, 0)["latestExecution"].clone();
    assert_eq!(state["errorDetails"], json!({"code": "ConfigurationError", "message": "no buildspec.yml"}));
    assert_eq!(local.status("web", &execution), "Failed");
}

#[test]
fn variables_over_the_limit_fail_the_action() {
    let (mut local, _) = building(|_| {}, &json!([build()]));
    let (run, _) = one_run(&mut local);
    let variables = [("A".to_owned(), "x".repeat(122_880))].into();
    local.engine.run_finished(local.now, run, Ok(Done { variables, ..Done::default() }));
    let state = local.action("web", 1, 0)["latestExecution"].clone();
    assert!(state["errorDetails"]["message"].as_str().unwrap().contains("122881 bytes"), "{state}");
}

#[test]
fn git_source_reports_its_revision() {
    let connection = ActionTypeId::first("Source", "AWS", "CodeStarSourceConnection");
    let mut input = pipeline("web", &json!([check("Unit", 1)]));
    let action = &mut input["pipeline"]["stages"][0]["actions"][0];
    action["actionTypeId"] = id(&connection);
    action["configuration"] = json!({"ConnectionArn": "arn:a", "FullRepositoryId": "me/web", "BranchName": "main"});
    let mut local = Local::with(|settings| _ = settings.provided.emulated.insert(connection));
    local.call("CreateCustomActionType", &action_type());
    local.call("CreatePipeline", &input);
    local.start("web");
    let (run, _) = one_run(&mut local);
    let revision =
        TaskRevision { id: "abc".to_owned(), change_id: "abc".to_owned(), summary: Some("a change".to_owned()) };
    local.engine.run_finished(local.now, run, Ok(Done { revision: Some(revision), ..Done::default() }));
    assert_eq!(local.action("web", 0, 0)["currentRevision"]["revisionId"], "abc");
    let job = local.claim();
    assert_eq!(job["data"]["inputArtifacts"][0]["revision"], "abc");
    // Commits of Git sources can't be chosen, and versions of objects belong to S3.
    for kind in ["COMMIT_ID", "S3_OBJECT_VERSION_ID"] {
        let revisions = json!([{"actionName": "Fetch", "revisionType": kind, "revisionValue": "x"}]);
        local.refused("StartPipelineExecution", &json!({"name": "web", "sourceRevisions": revisions}));
    }
}

#[test]
fn token_of_a_git_hub_source_is_masked() {
    let git_hub = ActionTypeId::first("Source", "ThirdParty", "GitHub");
    let mut input = pipeline("web", &json!([check("Unit", 1)]));
    let action = &mut input["pipeline"]["stages"][0]["actions"][0];
    action["actionTypeId"] = id(&git_hub);
    action["configuration"] = json!({"Owner": "me", "Repo": "web", "Branch": "main", "OAuthToken": "hunter2"});
    let mut local = Local::with(|settings| _ = settings.provided.emulated.insert(git_hub));
    local.call("CreateCustomActionType", &action_type());
    let created = local.call("CreatePipeline", &input);
    assert_eq!(created["pipeline"]["stages"][0]["actions"][0]["configuration"]["OAuthToken"], "****");
    local.start("web");
    assert_eq!(one_run(&mut local).1.configuration["OAuthToken"], "hunter2");
}

fn deploy() -> Value {
    json!({
        "name": "Ship", "actionTypeId": id(&code_deploy()), "inputArtifacts": [{"name": "Source"}],
        "configuration": {"ApplicationName": "shop", "AccessToken": "hunter2"},
    })
}

#[test]
fn stand_in_is_marked_wherever_it_shows() {
    let stand_in = |settings: &mut Settings| _ = settings.provided.stand_ins.insert(code_deploy());
    let (mut local, _) = building(stand_in, &json!([deploy()]));
    let (run, task) = one_run(&mut local);
    assert_eq!(task.configuration["AccessToken"], "hunter2");
    let link = "https://stand-in.invalid/Deploy/AWS/CodeDeploy/1";
    assert_eq!(local.action("web", 1, 0)["entityUrl"], link);
    let listed = local.call("ListActionTypes", &json!({"actionOwnerFilter": "AWS"}))["actionTypes"].clone();
    let marked = |provider: &str| {
        let listed = listed.as_array().unwrap().iter().find(|listed| listed["id"]["provider"] == provider).unwrap();
        listed["settings"]["entityUrlTemplate"] == link
    };
    assert!(marked("CodeDeploy") && !marked("CodeBuild"), "{listed}");
    local.engine.run_finished(local.now, run, Ok(Done { summary: Some("shipped".to_owned()), ..Done::default() }));
    let state = local.action("web", 1, 0);
    assert_eq!(state["latestExecution"]["summary"], "stand-in: shipped");
    let shown = local.call("GetPipeline", &json!({"name": "web"}))["pipeline"].clone();
    let configuration = &shown["stages"][1]["actions"][0]["configuration"];
    assert_eq!(configuration, &json!({"ApplicationName": "shop", "AccessToken": "****"}));
}

#[test]
fn skipped_action_may_have_any_type() {
    for name in ["Ship", "Test/Ship"] {
        let skip = |settings: &mut Settings| _ = settings.provided.skipped.insert(name.to_owned());
        let (mut local, execution) = building(skip, &json!([deploy()]));
        let (run, _) = one_run(&mut local);
        local.engine.run_finished(local.now, run, Ok(Done::default()));
        assert_eq!(local.action("web", 1, 0)["latestExecution"]["summary"], "skipped");
        assert_eq!(local.status("web", &execution), "Succeeded");
    }
    let elsewhere = |settings: &mut Settings| _ = settings.provided.skipped.insert("Source/Ship".to_owned());
    let mut local = Local::with(elsewhere);
    local.refused("CreatePipeline", &pipeline("web", &json!([deploy()])));
}

#[test]
fn commands_have_members_of_their_own() {
    let commands = ActionTypeId::first("Compute", "AWS", "Commands");
    let action = json!({
        "name": "Run", "actionTypeId": id(&commands), "inputArtifacts": [{"name": "Source"}],
        "outputArtifacts": [{"name": "Site", "files": ["out/**"]}], "outputVariables": ["Size"],
        "commands": ["echo #{codepipeline.PipelineExecutionId}"],
        "environmentVariables": [{"name": "KEY", "value": "a", "type": "SECRETS_MANAGER"}, {"name": "B", "value": "b"}],
    });
    let provide = |settings: &mut Settings| _ = settings.provided.emulated.insert(commands);
    let (mut local, execution) = building(provide, &json!([action]));
    let (_, task) = one_run(&mut local);
    assert_eq!(task.commands, [format!("echo {execution}")]);
    assert_eq!(
        (task.output_variables.as_slice(), task.output_files["Site"].as_slice()),
        (&["Size".to_owned()][..], &["out/**".to_owned()][..])
    );
    let kinds: Vec<_> = task.environment.iter().map(|variable| (variable.name.as_str(), variable.kind)).collect();
    use crate::engine::EnvironmentVariableKind::{Plaintext, SecretsManager};
    assert_eq!(kinds, [("KEY", SecretsManager), ("B", Plaintext)]);
    assert_eq!(local.call("GetPipeline", &json!({"name": "web"}))["pipeline"]["pipelineType"], "V2");
    let refused = |local: &mut Local, change: fn(&mut Value), named: &str| {
        let mut input = pipeline("other", &json!([action]));
        change(&mut input["pipeline"]);
        let (_, message) = local.refused("CreatePipeline", &input);
        assert!(message.contains(named), "{message}");
    };
    let local = &mut local;
    refused(local, |it| it["pipelineType"] = "V1".into(), "V2");
    refused(local, |it| it["stages"][1]["actions"][0]["commands"] = json!(["a\nb"]), "several lines");
    refused(local, |it| it["stages"][1]["actions"][0]["commands"] = json!(["a #{x.y}"]), "does not exist");
    let without_commands = |it: &mut Value| {
        it["pipelineType"] = "V2".into();
        it["stages"][1]["actions"][0].as_object_mut().unwrap().remove("commands");
    };
    refused(local, without_commands, "no commands");
    refused(local, |it| it["stages"][0]["actions"][0]["outputVariables"] = json!(["A"]), "outputVariables");
}
