//! Tests of the plan, the picture and the flags.

use clap::Parser;
use serde_json::{Value, json};

use super::flags::{RunFlags, Wanted};
use super::plan::Plan;
use super::*;

#[derive(Parser)]
struct Line {
    #[command(flatten)]
    flags: RunFlags,
}

fn flags(arguments: &[&str]) -> RunFlags {
    Line::try_parse_from([&["run"], arguments].concat()).map_err(|error| error.to_string()).unwrap().flags
}

fn wanted(arguments: &[&str]) -> Result<Wanted, String> {
    flags(arguments).wanted()
}

fn action(name: &str, order: u8, id: &str, configuration: &Value) -> Value {
    let parts: Vec<&str> = id.split('/').collect();
    let id = json!({"category": parts[0], "owner": parts[1], "provider": parts[2], "version": parts[3]});
    json!({"name": name, "runOrder": order, "actionTypeId": id, "configuration": configuration})
}

/// Two sources, parallel and later actions, and one action of each kind that runs elsewhere.
fn project() -> Project {
    let source = json!({"S3Bucket": "sources", "S3ObjectKey": "config.zip"});
    let stages = json!([
        {"name": "Source", "actions": [
            action("App", 1, "Source/AWS/CodeStarSourceConnection/1", &json!({})),
            action("Config", 1, "Source/AWS/S3/1", &source)]},
        {"name": "Check", "actions": [
            action("Size", 2, "Test/Custom/Shell/1", &json!({"Command": "du"})),
            action("Look", 1, "Approval/AWS/Manual/1", &json!({})),
            action("Lint", 2, "Invoke/AWS/Lambda/1", &json!({"FunctionName": "lint"}))]},
        {"name": "Ship", "actions": [
            action("Site", 1, "Deploy/AWS/S3/1", &json!({"BucketName": "site", "Extract": "true"})),
            action("Service", 2, "Deploy/AWS/ECS/1", &json!({}))]},
    ]);
    let declaration = json!({
        "name": "web", "roleArn": "arn:aws:iam::123456789012:role/any", "stages": stages, "pipelineType": "V2",
        "artifactStore": {"type": "S3", "location": "artifacts"},
        "variables": [{"name": "Stage", "defaultValue": "test"}, {"name": "Version"}],
    });
    loaded(&json!({"pipeline": declaration}))
}

fn loaded(answer: &Value) -> Project {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("pipeline.json");
    std::fs::write(&file, answer.to_string()).unwrap();
    let project = Opened::open(Some(&file)).and_then(|opened| opened.project(&flags(&[]).parameters().unwrap()));
    project.map_err(|problems| joined(&problems)).unwrap()
}

fn plan(arguments: &[&str]) -> Result<Plan, String> {
    let project = project();
    Plan::of(&project.pipelines[0], &project, &wanted(arguments).unwrap()).map_err(|problems| joined(&problems))
}

fn picture(arguments: &[&str]) -> String {
    let (project, wanted) = (project(), wanted(arguments).unwrap());
    let plan = plan(arguments).unwrap();
    let mistakes = check::mistakes(&plan, &project.pipelines[0], &wanted, None);
    listing::picture(&plan, "pipeline.json", &mistakes, |text| text.replace("Config", "***"))
}

#[test]
fn picture_names_what_is_missing_and_the_flags() {
    let wanted = "\
web, from pipeline.json
Source
  ┌ App      Source/AWS/CodeStarSourceConnection/1  MISSING: no folder stands for this source
  └ ***      Source/AWS/S3/1                        MISSING: no folder stands for this source
  ↓
Check
  ─ Look     Approval/AWS/Manual/1                  a person, or --yes
  ↓
  ┌ Size     Test/Custom/Shell/1                    MISSING: no worker runs this custom action
  └ Lint     Invoke/AWS/Lambda/1                    MISSING: no command runs the function lint
  ↓
Ship
  ─ Site     Deploy/AWS/S3/1                        objects in s3://site
  ↓
  ─ Service  Deploy/AWS/ECS/1                       MISSING: ECS of AWS does not run on this machine

add to the command:
  --source App=DIR
  --source Config=DIR
  --worker 'COMMAND' (or --function worker='COMMAND' for a Lambda function)
  --function lint='COMMAND'
  --provider 'Deploy/AWS/ECS/1=COMMAND' (or --skip Service)
  --variable Version=VALUE
";
    assert_eq!(picture(&[]), wanted);
}

#[test]
fn flag_of_two_actions_is_listed_once() {
    let ids = ["Deploy/AWS/CloudFormation/1", "Deploy/AWS/CloudFormation/1", "Deploy/AWS/S4/1", "Deploi/AWS/S3/1"];
    let actions = ids.iter().zip(["Create", "Execute it", "Near", "Wrong"]);
    let actions: Vec<Value> = actions.map(|(id, name)| action(name, 1, id, &json!({}))).collect();
    let project = loaded(&json!({"pipeline": {"name": "web", "stages": [{"name": "Ship", "actions": actions}]}}));
    let wanted = wanted(&[]).unwrap();
    let plan = Plan::of(&project.pipelines[0], &project, &wanted).unwrap();
    let mistakes = check::mistakes(&plan, &project.pipelines[0], &wanted, None);
    let picture = listing::picture(&plan, "pipeline.json", &mistakes, str::to_owned);
    let (_, advice) = picture.split_once("\n\n").unwrap();
    let wanted = "\
add to the command:
  --provider 'Deploy/AWS/CloudFormation/1=COMMAND' (or --skip Create --skip 'Execute it')
  --provider 'Deploy/AWS/S4/1=COMMAND' (or --skip Near)

correct:
  Ship/Wrong: the category Deploi does not exist; did you mean Deploy?
";
    assert_eq!(advice, wanted);
    assert!(picture.contains("WRONG: the category Deploi does not exist; did you mean Deploy?\n"), "{picture}");
    assert!(picture.contains("MISSING: no Deploy provider S4 of AWS is known here; did you mean S3?\n"), "{picture}");
}

#[test]
fn picture_says_who_runs_each_action() {
    let wanted = "\
web, from pipeline.json
Source
  ┌ App      Source/AWS/CodeStarSourceConnection/1  folder app
  └ ***      Source/AWS/S3/1                        folder etc, as s3://sources/config.zip
  ↓
Check
  ─ Look     Approval/AWS/Manual/1                  skipped by --skip; its output artifacts are empty
  ↓
  ┌ Size     Test/Custom/Shell/1                    function poll, which polls
  └ Lint     Invoke/AWS/Lambda/1                    function lint
  ↓
Ship
  ─ Site     Deploy/AWS/S3/1                        objects in s3://site
  ↓
  ─ Service  Deploy/AWS/ECS/1                       stand-in

add to the command:
  --variable Version=VALUE

correct:
  --source App: app does not exist; name a folder
  --source Config: etc does not exist; name a folder
  --variable Stge: the pipeline declares no variable of this name; did you mean Stage?
";
    let arguments = ["--source", "App=app", "--source", "Config=etc", "--skip", "Check/Look", "--function", "lint=sh"];
    let others = ["--function", "poll=sh", "--provider", "Deploy/AWS/ECS/1=true", "--variable", "Stge=a"];
    assert_eq!(picture(&[&arguments[..], &others].concat()), wanted);
}

#[test]
fn only_skips_all_but_the_stage_or_action() {
    let skipped = |arguments: &[&str]| plan(arguments).unwrap().skipped().collect::<Vec<_>>();
    let stage = skipped(&["--only", "Ship", "--source", "Config=etc"]);
    assert_eq!(stage, ["Source/App", "Check/Look", "Check/Size", "Check/Lint"], "a given source runs");
    for name in ["Lint", "Check/Lint"] {
        let skipped = skipped(&["--only", name]);
        assert_eq!(skipped.len(), 6);
        assert!(!skipped.contains(&"Check/Lint".to_owned()));
    }
    let notes = plan(&["--only", "Ship"]).unwrap().notes();
    assert!(notes[0].contains("Source/App") && notes[0].contains("are empty"), "{notes:?}");
    assert!(plan(&[]).unwrap().notes().is_empty());
}

#[test]
fn flag_that_fits_nothing_gets_the_nearest_name() {
    for (arguments, named) in [
        (["--source", "Ap=."], "--source Ap: the pipeline has no source action of this name; did you mean App?"),
        (["--source", "Size=."], "--source Size: the pipeline has no source action"),
        (["--skip", "Servce"], "did you mean Service?"),
        (["--only", "Sip"], "did you mean Ship?"),
        (["--provider", "Deploy/AWS/EC/1=true"], "did you mean Deploy/AWS/ECS/1?"),
        (["--provider", "Build/AWS/ecs/2=true"], "did you mean Deploy/AWS/ECS/1?"),
        (["--provider", "Deploy/AWS/EKS/1=true"], "did you mean Deploy/AWS/ECS/1?"),
        (
            ["--provider", "Deploy/AWS/CodeDeploy/1=true"],
            "no action of the pipeline has this type; it has Approval/AWS/",
        ),
    ] {
        let error = plan(&arguments).err().unwrap();
        assert!(error.contains(named), "{error}");
    }
    let pipeline = json!({"name": "web", "stages": [{"name": "Invoke", "actions": [
        action("Lint", 1, "Invoke/AWS/Lambda/1", &json!({"FunctionName": "lint"}))]}]});
    let project = loaded(&json!({"pipeline": pipeline}));
    let wanted = wanted(&["--function", "lnt=sh"]).unwrap();
    let problems = Plan::of(&project.pipelines[0], &project, &wanted).err().unwrap();
    assert_eq!(problems, ["--function lnt: no action invokes this function; did you mean lint?"]);
}

#[test]
fn bad_value_of_each_flag_is_named_with_its_form() {
    for (flag, value, named) in [
        ("--source", "App", "write --source ACTION=DIR"),
        ("--source", "=.", "write --source ACTION=DIR"),
        ("--worker", "sh -c 'exit", "--worker: a quote is not closed"),
        ("--worker", " ", "--worker: the command is empty"),
        ("--function", "sh", "write --function NAME='COMMAND'"),
        ("--function", "lint='sh", "--function lint: a quote"),
        ("--env", "A", "write --env NAME=VALUE"),
        ("--provider", "ECS=true", "\"ECS\" is not an action type; write --provider"),
        ("--provider", "Deploy/AWS/ECS/1", "--provider: it has no command"),
        ("--variable", "secret", "write --variable KEY=VALUE"),
        ("--secret", "web/token", "write --secret KEY=ENV"),
        ("--secret", "web/token=NO_SUCH_VARIABLE", "the environment variable for web/token is not set"),
        ("--endpoint", "stepfunctions", "--endpoint: write SERVICE=URL"),
    ] {
        let error = wanted(&[flag, value]).err().unwrap();
        assert!(error.contains(named), "{flag} {value}: {error}");
        assert!(flag != "--variable" || !error.contains("secret"), "{error}");
    }
    let error = flags(&["--parameter", "secret"]).parameters().err().unwrap();
    assert!(error.contains("--parameter: write KEY=VALUE") && !error.contains("secret"), "{error}");
}

#[test]
fn flag_that_is_given_twice_is_refused() {
    for (flag, value) in [
        ("--source", "App=."),
        ("--function", "lint=sh"),
        ("--provider", "Deploy/AWS/ECS/1=true"),
        ("--variable", "Stage=a"),
        ("--secret", "web/token=PATH"),
    ] {
        let error = wanted(&[flag, value, flag, value]).err().unwrap();
        assert!(error.contains("given twice"), "{error}");
    }
}

#[test]
fn list_and_dry_run_exclude_each_other() {
    assert!(Line::try_parse_from(["run", "--list", "--dry-run"]).is_err());
}

#[test]
fn mistakes_are_reported_together() {
    let (project, folder) = (project(), tempfile::tempdir().unwrap());
    std::fs::write(folder.path().join("file"), "").unwrap();
    let at = |name: &str| folder.path().join(name).display().to_string();
    let sources = [format!("App={}", at("file")), format!("Config={}", at("none"))];
    let arguments =
        ["--source", &sources[0], "--source", &sources[1], "--worker", "no-such-worker", "--variable", "Stge=a"];
    let wanted = wanted(&arguments).unwrap();
    let plan = Plan::of(&project.pipelines[0], &project, &wanted).unwrap();
    let mistakes = check::mistakes(&plan, &project.pipelines[0], &wanted, Some(folder.path()));
    let mistakes = joined(&mistakes);
    for named in [
        "Check/Lint: no command runs the function lint; add --function lint='COMMAND'",
        "Ship/Service: ECS of AWS does not run on this machine; add --provider 'Deploy/AWS/ECS/1=COMMAND'",
        "file is a file; name a folder",
        "none does not exist; name a folder",
        "--worker: no folder in PATH has a program no-such-worker",
        "--variable Stge: the pipeline declares no variable of this name; did you mean Stage?",
        "the variable Version has no default value; add --variable Version=VALUE",
        "which no earlier run made",
    ] {
        assert!(mistakes.contains(named), "{named}\n{mistakes}");
    }
}
