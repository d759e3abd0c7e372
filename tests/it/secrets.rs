//! Plants marker secrets wherever a secret can occur, and searches for them in everything that the worker outputs.

use codepipeline_local::runtime_api::{Function, Invocation};
use serde_json::{Value, json};
use tokio::sync::mpsc;

use crate::support::tee::{tee, values};
use crate::support::{self, World, custom, output, shell, zip};

/// The function's own credentials, a secret of the action, and a plain value of its configuration.
const FUNCTION_KEY: &str = "MARKER-function-secret-key";
const FUNCTION_TOKEN: &str = "MARKER-function-session-token";
const SECRET: &str = "MARKER-action/secret+value";
const PLAIN: &str = "MARKER-plain-configuration-value";
/// A value in the function's environment that no command may see.
const ENVIRONMENT: &str = "MARKER-function-environment";

/// Starts the real binary with the most verbose log level for all crates.
fn function(world: &World, actions: &Value, endpoint: &str) -> (Function, mpsc::UnboundedReceiver<String>) {
    let variables = [
        ("AWS_ENDPOINT_URL", endpoint),
        ("AWS_ACCESS_KEY_ID", "MARKERKEYID"),
        ("AWS_SECRET_ACCESS_KEY", FUNCTION_KEY),
        ("AWS_SESSION_TOKEN", FUNCTION_TOKEN),
        ("RUST_LOG", "trace"),
        ("AWS_LAMBDA_LOG_LEVEL", "TRACE"),
        ("DATABASE_PASSWORD", ENVIRONMENT),
    ];
    support::function(world, actions, &variables)
}

/// A schedule's event, as in `events/schedule.json`.
fn schedule() -> Value {
    serde_json::from_str(include_str!("../../events/schedule.json")).unwrap()
}

async fn whole_log(mut log: mpsc::UnboundedReceiver<String>) -> String {
    let mut lines = Vec::new();
    while let Some(line) = log.recv().await {
        lines.push(line);
    }
    lines.join("\n")
}

/// The lines of the worker itself, and the lines that commands printed.
fn by_origin(log: &str) -> [String; 2] {
    let (printed, own): (Vec<_>, Vec<_>) = log.lines().partition(|line| {
        serde_json::from_str::<Value>(line).unwrap_or_else(|error| panic!("{error}: {line}")).get("stream").is_some()
    });
    [own.join("\n"), printed.join("\n")]
}

fn assert_clean(what: &str, text: &str, markers: &[&str]) {
    for marker in markers {
        assert!(!text.contains(marker), "{what} holds {marker}:\n{text}");
    }
}

/// One job of a `Shell` action that runs `command`, with the secret and the plain value in its configuration.
async fn one_job(command: &str) -> World {
    let world = World::new().await;
    world.create_type("Test", "Shell", &["Command", "Token!", "Plain"]).await;
    let action = custom("Act", "Test", "Shell")
        .output_artifacts(output("Out"))
        .configuration("Command", command)
        .configuration("Token", SECRET)
        .configuration("Plain", PLAIN);
    world.create_pipeline("p", vec![("Test", vec![action])]).await;
    world.put_source(zip(&[("a", "b")])).await;
    world.start("p").await;
    world.until_begun("p", "Act").await;
    world
}

fn actions() -> Value {
    let mut entry = shell("Test", "Shell");
    entry["secrets"] = json!(["Token"]);
    json!([entry])
}

#[tokio::test(flavor = "multi_thread")]
async fn a_command_that_prints_its_environment_leaks_no_secret() {
    let everything = r#"printf 'divided: %s' "${CONFIG_TOKEN%?????}"; printf '\033[1m%s\n' "${CONFIG_TOKEN#"${CONFIG_TOKEN%?????}"}"
           env; cat /proc/self/environ; env >&2; env > "$OUTPUT_OUT/environment"; env > "$SUMMARY"; exit 7"#;
    let world = one_job(everything).await;
    let (endpoint, heard) = tee(&world.emulator.endpoint()).await;
    let (function, log) = function(&world, &actions(), &endpoint);

    let invocation = function.invoke(&schedule()).await.unwrap();
    function.stop().await;
    let log = whole_log(log).await;

    let Invocation::Answered(summary) = invocation else { panic!("{invocation:?}\n{log}") };
    assert_eq!(summary["failed"], 1, "{summary}");
    let message = world.action("p", "Act").await.unwrap().error_details.unwrap().message.unwrap();
    assert!(message.contains("exit code 7") && message.contains("CONFIG_TOKEN=****"), "{message}");
    assert_clean("the report", &message, &[SECRET, FUNCTION_KEY, FUNCTION_TOKEN, ENVIRONMENT, "MARKERKEYID"]);
    assert!(log.contains("\"TRACE\"") || log.contains("acknowledged the job"), "nothing was logged:\n{log}");
    let [own, printed] = by_origin(&log);
    assert_clean("the log", &own, &["MARKER-", "X-Amz-Security-Token", "x-amz-security-token", "secretAccessKey"]);
    assert_clean("the log", &printed, &[SECRET, FUNCTION_KEY, FUNCTION_TOKEN, ENVIRONMENT, "MARKERKEYID"]);
    for part in [r#""stdout""#, r#""stderr""#, "divided: ****", "CONFIG_TOKEN=****", PLAIN] {
        assert!(printed.contains(part), "{part} is not in the log:\n{printed}");
    }
    assert_clean("the answer", &summary.to_string(), &["MARKER"]);

    // The job's temporary credentials, as the worker received them.
    for member in ["secretAccessKey", "sessionToken"] {
        let values = values(&heard, member);
        assert!(!values.is_empty(), "the worker received no {member}");
        for value in &values {
            assert_clean("the log", &log, &[value]);
            assert_clean("the report", &message, &[value]);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_commands_environment_has_only_documented_variables() {
    let world = one_job(r#"env | cut -d = -f 1 | grep -vxE 'PWD|OLDPWD|SHLVL|_' | sort > "$OUTPUT_OUT/names"; env > "$OUTPUT_OUT/environment""#).await;
    let (function, log) = function(&world, &actions(), &world.emulator.endpoint());

    let invocation = function.invoke(&schedule()).await.unwrap();
    function.stop().await;
    let log = whole_log(log).await;

    assert!(matches!(&invocation, Invocation::Answered(summary) if summary["succeeded"] == 1), "{invocation:?}\n{log}");
    let mut archive = ::zip::ZipArchive::new(std::io::Cursor::new(world.output_artifact("p", "Act").await)).unwrap();
    let mut read = |name: &str| std::io::read_to_string(archive.by_name(name).unwrap()).unwrap();
    let environment = read("environment");
    assert!(environment.contains(&format!("CONFIG_TOKEN={SECRET}")), "{environment}");
    let others = ["MARKERKEYID", "AWS_ACCESS", "AWS_SECRET", "AWS_SESSION", "AWS_LAMBDA", "AWS_ENDPOINT"];
    assert_clean("the environment", &environment, &[FUNCTION_KEY, FUNCTION_TOKEN, ENVIRONMENT]);
    assert_clean("the environment", &environment, &others);
    insta::assert_snapshot!(read("names"));
    assert_clean("the log", &log, &["MARKER-"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_commands_role_leaks_no_credentials() {
    let world =
        one_job(r#"env | tee "$OUTPUT_OUT/environment" >&2; env > "$SUMMARY"; echo "$AWS_SESSION_TOKEN" | base64"#)
            .await;
    let mut actions = actions();
    actions[0]["role"] = json!("arn:aws:iam::123456789012:role/deploy");
    let (function, log) = function(&world, &actions, &world.emulator.endpoint());

    let invocation = function.invoke(&schedule()).await.unwrap();
    function.stop().await;
    let log = whole_log(log).await;

    assert!(matches!(&invocation, Invocation::Answered(summary) if summary["succeeded"] == 1), "{invocation:?}\n{log}");
    let mut archive = ::zip::ZipArchive::new(std::io::Cursor::new(world.output_artifact("p", "Act").await)).unwrap();
    let environment = std::io::read_to_string(archive.by_name("environment").unwrap()).unwrap();
    let value = |name: &str| environment.lines().find_map(|line| line.strip_prefix(&format!("{name}="))).unwrap();
    let session = ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"].map(value);
    let own = [FUNCTION_KEY, FUNCTION_TOKEN, "MARKERKEYID"];
    assert_clean("the environment", &environment, &own);
    let summary = world.action("p", "Act").await.unwrap().summary.unwrap();
    for (name, text) in [("the summary", &summary), ("the log", &log)] {
        assert_clean(name, text, &session);
        assert_clean(name, text, &own);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_invalid_configuration_is_reported_without_values() {
    let world = World::new().await;
    let mut entry = shell("Test", "Shell");
    entry["actionType"]["owner"] = json!(SECRET);
    entry["queryParam"] = json!({"Project": SECRET});
    entry["run"] = json!({"command": [{"nested": SECRET}]});
    let (function, log) = function(&world, &json!([entry]), &world.emulator.endpoint());

    let invocation = function.invoke(&schedule()).await.unwrap();
    function.stop().await;
    let log = whole_log(log).await;

    assert!(matches!(invocation, Invocation::Exited { .. }), "{invocation:?}");
    assert_eq!(log.lines().count(), 1, "{log}");
    let line: Value = serde_json::from_str(&log).unwrap();
    let message = line["message"].as_str().unwrap();
    for part in ["3 mistakes", "ACTIONS[0].actionType.owner", "ACTIONS[0].queryParam", "ACTIONS[0].run.command[0]"] {
        assert!(message.contains(part), "{message}");
    }
    assert_clean("the log", &log, &["MARKER"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refused_event_is_not_repeated() {
    let world = one_job("true").await;
    let (function, log) = function(&world, &actions(), &world.emulator.endpoint());
    let event = json!({"CodePipeline.job": {"data": {"artifactCredentials": {"secretAccessKey": SECRET}}}});

    let invocation = function.invoke(&event).await.unwrap();
    function.stop().await;
    let log = whole_log(log).await;

    let Invocation::Failed { error_type, message } = invocation else { panic!("{invocation:?}\n{log}") };
    assert_eq!(error_type, "InvocationError");
    assert!(message.contains("CodePipeline.job event has no job id"), "{message}");
    assert_clean("the answer", &message, &["MARKER"]);
    assert_clean("the log", &log, &["MARKER"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_invoked_job_leaks_no_credentials_or_parameters() {
    let world = World::new().await;
    let mut entry = shell("Invoke", "Lambda");
    entry["actionType"]["owner"] = json!("AWS");
    entry["secrets"] = json!(["Token", "UserParameters"]);
    let (function, log) = function(&world, &json!([entry]), &world.emulator.endpoint());
    let parameters = json!({"Command": "env; exit 7", "Token": SECRET, "Plain": PLAIN}).to_string();
    let mut event: Value = serde_json::from_str(include_str!("../../events/codepipeline-job.json")).unwrap();
    let data = &mut event["CodePipeline.job"]["data"];
    data["actionConfiguration"]["configuration"]["UserParameters"] = json!(parameters);
    data["inputArtifacts"] = json!([]);
    for member in ["accessKeyId", "secretAccessKey", "sessionToken"] {
        data["artifactCredentials"][member] = json!(format!("MARKER-{member}"));
    }

    let invocation = function.invoke(&event).await.unwrap();
    function.stop().await;
    let log = whole_log(log).await;

    // The emulator does not know this job, so it accepts no report.
    let Invocation::Answered(summary) = invocation else { panic!("{invocation:?}\n{log}") };
    assert_eq!((&summary["claimed"], &summary["over"]), (&json!(1), &json!(1)), "{summary}\n{log}");
    let [own, printed] = by_origin(&log);
    assert!(own.contains("exit code 7") && printed.contains("CONFIG_TOKEN=****"), "{log}");
    assert_clean("the log", &own, &["MARKER"]);
    let credentials = ["MARKER-accessKeyId", "MARKER-secretAccessKey", "MARKER-sessionToken"];
    assert_clean("the log", &printed, &[SECRET, FUNCTION_KEY, FUNCTION_TOKEN, ENVIRONMENT]);
    assert_clean("the log", &printed, &credentials);
}
