//! The role of a command: the request to STS, the command's credentials, and refusals.

use std::time::Duration;

use codepipeline_worker::actions::command::{Role, RoleArn};
use codepipeline_worker::job::{FailureKind, PipelineContext};
use serde_json::json;

use super::scenario::{Scenario, Staged, describe, sh};
use crate::support::sts::{ACCESS_KEY_ID, Form, Response, SECRET_ACCESS_KEY, SESSION_TOKEN, Sts};
use crate::support::{World, custom, invoke, output, sdk_config, shell, zip};

const ROLE: &str = "arn:aws:iam::111122223333:role/web/deploy";

/// The role with credentials from this server.
fn role(sts: &Sts) -> Role {
    Role::new(&sdk_config(sts.endpoint()), RoleArn::parse(ROLE).unwrap())
}

fn names() -> PipelineContext {
    let text = |text: &str| Some(text.to_owned());
    PipelineContext {
        pipeline_name: text("web.prod"),
        stage_name: text("Production"),
        action_name: text("Deploy@eu"),
        ..PipelineContext::default()
    }
}

/// A command that leaves a file, with its role from a server with these responses.
async fn asking(responses: &'static [Response]) -> (Sts, Scenario) {
    let sts = Sts::start(responses).await;
    let scenario = sh("touch $OUTPUT_OUT/ran").pipeline(names()).role(role(&sts)).grace(Duration::from_secs(1));
    (sts, scenario)
}

fn form(members: &[(&str, &str)]) -> Form {
    members.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

/// SHA-256 of the scenario's job id.
const SESSION: &str = "6120fb5d9ead5dad5250a423db465c65d1a467ae3b565721b926a770b2940160";

#[tokio::test]
async fn request_names_the_role_the_job_and_its_pipeline() {
    let (sts, scenario) = asking(&[Response::Session]).await;
    scenario.timeout(Duration::from_secs(865)).succeed().await;
    let expected = form(&[
        ("Action", "AssumeRole"),
        ("Version", "2011-06-15"),
        ("RoleArn", ROLE),
        ("RoleSessionName", SESSION),
        ("DurationSeconds", "925"),
        ("Tags.member.1.Key", "Pipeline"),
        ("Tags.member.1.Value", "web.prod"),
        ("Tags.member.2.Key", "Stage"),
        ("Tags.member.2.Value", "Production"),
        ("Tags.member.3.Key", "Action"),
        ("Tags.member.3.Value", "Deploy@eu"),
    ]);
    assert_eq!(sts.forms(), [expected]);
}

#[tokio::test]
async fn session_without_names_has_no_tags_and_lasts_900_seconds() {
    let (sts, scenario) = asking(&[Response::Session]).await;
    scenario.pipeline(PipelineContext::default()).timeout(Duration::from_secs(60)).succeed().await;
    let expected = form(&[
        ("Action", "AssumeRole"),
        ("Version", "2011-06-15"),
        ("RoleArn", ROLE),
        ("RoleSessionName", SESSION),
        ("DurationSeconds", "900"),
    ]);
    assert_eq!(sts.forms(), [expected]);
}

/// The variables of a command that are about AWS.
async fn aws_variables(staged: &Staged) -> Vec<String> {
    staged.start().await.map_err(describe).unwrap();
    staged.written("env").lines().map(str::to_owned).collect()
}

#[tokio::test]
async fn only_a_command_with_a_role_gets_credentials() {
    let sts = Sts::start(&[Response::Session]).await;
    let scenario = || sh("env | grep ^AWS_ | sort > $OUTPUT_OUT/env").region("eu-west-1");
    let region = ["AWS_DEFAULT_REGION=eu-west-1", "AWS_REGION=eu-west-1"];
    assert_eq!(aws_variables(&scenario().stage()).await, region);
    let expected = [
        &format!("AWS_ACCESS_KEY_ID={ACCESS_KEY_ID}"),
        region[0],
        region[1],
        &format!("AWS_SECRET_ACCESS_KEY={SECRET_ACCESS_KEY}"),
        &format!("AWS_SESSION_TOKEN={SESSION_TOKEN}"),
    ];
    assert_eq!(aws_variables(&scenario().role(role(&sts)).stage()).await, expected);
}

#[tokio::test]
async fn output_and_summary_mask_the_credentials() {
    let sts = Sts::start(&[Response::Session]).await;
    let script = "env; echo $AWS_SESSION_TOKEN | base64; echo of $AWS_SECRET_ACCESS_KEY > $SUMMARY; exit $CONFIG_CODE";
    let scenario = |code| sh(script).configured("Code", code).role(role(&sts));
    assert_eq!(scenario("0").succeed().await.summary.as_deref(), Some("of ****"));
    let output = scenario("7").fail().await.output.unwrap();
    for name in ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"] {
        assert!(output.contains(&format!("{name}=****")), "{output}");
    }
    for secret in [ACCESS_KEY_ID, "MARKER", "TUFSS0VS"] {
        assert!(!output.contains(secret), "{output}");
    }
}

#[tokio::test]
async fn refused_role_starts_no_command_and_says_what_to_change() {
    let trust = "allow both to the function's role in the trust policy of arn:aws:iam::111122223333:role/web/deploy; \
                 conditions on tags must accept Pipeline=web.prod, Stage=Production, Action=Deploy@eu";
    let tagging = "allow sts:TagSession where sts:AssumeRole is allowed";
    let (denied, refused) = (FailureKind::PermissionError, FailureKind::ConfigurationError);
    let cases: [(&'static [Response], FailureKind, &str, &str); 6] = [
        (
            &[Response::Error(403, "AccessDenied", "MARKER is not authorized to perform: sts:AssumeRole")],
            denied,
            "RoleDenied",
            trust,
        ),
        (&[Response::Error(403, "AccessDenied", "MARKER may not: sts:TagSession")], denied, "RoleDenied", tagging),
        (
            &[Response::Error(403, "RegionDisabledException", "MARKER")],
            refused,
            "RoleRefused",
            "activate STS for the function's region",
        ),
        (
            &[Response::Error(400, "ValidationError", "MARKER: DurationSeconds exceeds the MaxSessionDuration")],
            refused,
            "RoleRefused",
            "the session would last 900 s: raise the role's maximum session duration",
        ),
        (
            &[Response::Error(400, "PackedPolicyTooLarge", "MARKER")],
            refused,
            "RoleRefused",
            "its session tags are too large",
        ),
        (
            &[Response::Error(400, "MalformedPolicyDocument", "MARKER")],
            refused,
            "RoleRefused",
            "check `role` in ACTIONS",
        ),
    ];
    for (responses, kind, code, words) in cases {
        let (sts, scenario) = asking(responses).await;
        let staged = scenario.stage();
        let failure = staged.start().await.err().unwrap();
        assert_eq!((failure.kind, failure.code.as_str()), (kind, code), "{}", failure.message);
        let start = format!("could not assume the role {ROLE} for the command (");
        assert!(failure.message.starts_with(&start) && failure.message.contains(words), "{}", failure.message);
        assert!(!failure.message.contains("MARKER"), "{}", failure.message);
        assert_eq!((sts.forms().len(), staged.output().join("ran").exists()), (1, false));
    }
}

#[tokio::test]
async fn throttled_and_failed_requests_are_repeated() {
    let (sts, scenario) = asking(&[
        Response::Error(400, "Throttling", "Rate exceeded"),
        Response::Error(500, "InternalFailure", ""),
        Response::Error(400, "ExpiredTokenException", ""),
        Response::Session,
    ])
    .await;
    let staged = scenario.stage();
    staged.start().await.map_err(describe).unwrap();
    assert_eq!((sts.forms().len(), staged.output().join("ran").exists()), (4, true));
}

#[tokio::test]
async fn role_is_not_assumed_without_time_for_the_command() {
    let (sts, scenario) = asking(&[Response::Session]).await;
    let failure = scenario.deadline(Duration::from_millis(1900)).fail().await;
    assert_eq!(failure.code.as_str(), "CommandOutOfTime");
    assert!(sts.forms().is_empty());
}

/// The emulator's STS gives the credentials. The worker finds them in the report of the job.
#[tokio::test(flavor = "multi_thread")]
async fn data_with_the_roles_credentials_fails_the_job() {
    let world = World::new().await;
    world.create_type("Deploy", "Shell", &["Command"]).await;
    let script = r#"echo "Key=$AWS_ACCESS_KEY_ID" > "$OUTPUT_VARIABLES"; env > "$OUTPUT_OUT/env"; echo "of $AWS_SESSION_TOKEN" > "$SUMMARY""#;
    let act = custom("Act", "Deploy", "Shell").output_artifacts(output("Out")).configuration("Command", script);
    world.create_pipeline("p", vec![("Deploy", vec![act])]).await;
    world.put_source(zip(&[("a", "b")])).await;
    world.start("p").await;
    world.until_begun("p", "Act").await;
    let mut entry = shell("Deploy", "Shell");
    entry["role"] = json!(ROLE);

    invoke(&world.worker(&json!([entry]))).await;

    let message = world.action("p", "Act").await.unwrap().error_details.unwrap().message.unwrap();
    let expected = "SecretInOutcome: the output variable `Key` holds a part of the credentials of the command's role: ";
    assert!(message.starts_with(expected) && !message.contains("LOCL"), "{message}");
    assert_eq!(world.emulator.calls("AssumeRole"), 1);
}
