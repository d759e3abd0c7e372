//! The main job: a pipeline's custom actions polled, acknowledged, staged, executed and reported, over real sockets.

use aws_sdk_codepipeline::types::{ActionExecutionStatus, PipelineExecutionStatus};
use codepipeline_worker::worker::Summary;
use serde_json::json;

use crate::support::{self, World, custom, invoke, output, shell, zip};

#[tokio::test(flavor = "multi_thread")]
async fn a_pipeline_runs_from_its_source_to_its_last_action() {
    let world = World::new().await;
    world.create_type("Test", "Inspect", &["Command"]).await;
    world.create_type("Build", "Package", &["Command"]).await;
    let inspect = custom("Inspect", "Test", "Inspect")
        .namespace("Inspected")
        .configuration("Command", r#"test "$(cat greeting)" = hello; echo "Words=$(wc -w < greeting)" >> "$OUTPUT_VARIABLES"; echo fine > "$SUMMARY""#);
    let package = custom("Package", "Build", "Package").output_artifacts(output("Package")).configuration(
        "Command",
        r##"echo "#{Inspected.Words} word" > "$OUTPUT_PACKAGE/count"; mkdir "$OUTPUT_PACKAGE/empty""##,
    );
    world.create_pipeline("p", vec![("Test", vec![inspect]), ("Build", vec![package])]).await;
    world.put_source(zip(&[("greeting", "hello")])).await;
    let id = world.start("p").await;
    let worker = world.worker(&json!([shell("Test", "Inspect"), shell("Build", "Package")]));

    world.until_begun("p", "Inspect").await;
    let first = invoke(&worker).await;
    world.until_begun("p", "Package").await;
    let second = invoke(&worker).await;

    // The first invocation may have found the second action's job already.
    assert_eq!(first.succeeded + second.succeeded, 2, "{first:?} {second:?}");
    support::until(async || world.execution_status("p", &id).await != PipelineExecutionStatus::InProgress).await;
    assert_eq!(world.execution_status("p", &id).await, PipelineExecutionStatus::Succeeded);
    let inspected = world.action("p", "Inspect").await.unwrap();
    assert_eq!(inspected.summary(), Some("fine"));
    let artifact = world.output_artifact("p", "Package").await;
    let mut archive = ::zip::ZipArchive::new(std::io::Cursor::new(artifact)).unwrap();
    let mut count = String::new();
    std::io::Read::read_to_string(&mut archive.by_name("count").unwrap(), &mut count).unwrap();
    assert_eq!(count, "1 word\n");
    assert!(archive.by_name("empty/").unwrap().is_dir());
    assert!(!world.work_folder().read_dir().unwrap().any(|_| true), "a finished job left files in the work folder");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failed_command_fails_its_action_with_its_output() {
    let world = World::new().await;
    world.create_type("Test", "Shell", &["Command", "Token!"]).await;
    let failing = custom("Fail", "Test", "Shell")
        .configuration("Command", "echo the end is near; echo \"token is $CONFIG_TOKEN\" >&2; exit 3")
        .configuration("Token", "tok-123456");
    world.create_pipeline("p", vec![("Test", vec![failing])]).await;
    world.put_source(zip(&[("a", "b")])).await;
    world.start("p").await;
    world.until_begun("p", "Fail").await;
    let mut entry = shell("Test", "Shell");
    entry["secrets"] = json!(["Token"]);

    let summary = invoke(&world.worker(&json!([entry]))).await;

    assert_eq!(summary, Summary { polled: 1, claimed: 1, failed: 1, ..Summary::default() });
    let failed = world.action("p", "Fail").await.unwrap();
    assert_eq!(failed.status(), Some(&ActionExecutionStatus::Failed));
    let error = failed.error_details().unwrap();
    assert_eq!(error.code(), Some("JobFailed"));
    let message = error.message().unwrap();
    assert!(message.contains("exit code 3") && message.contains("the end is near"), "{message}");
    assert!(message.contains("token is ****") && !message.contains("tok-123456"), "{message}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_command_beyond_its_timeout_is_killed() {
    let world = World::new().await;
    world.create_type("Test", "Shell", &["Command"]).await;
    let endless = custom("Endless", "Test", "Shell").configuration("Command", "echo begun; exec tail -f /dev/null");
    world.create_pipeline("p", vec![("Test", vec![endless])]).await;
    world.put_source(zip(&[("a", "b")])).await;
    world.start("p").await;
    world.until_begun("p", "Endless").await;
    let mut entry = shell("Test", "Shell");
    entry["timeoutSeconds"] = json!(4);

    let summary = invoke(&world.worker(&json!([entry]))).await;

    assert_eq!(summary.failed, 1, "{summary:?}");
    let message = world.action("p", "Endless").await.unwrap().error_details.unwrap().message.unwrap();
    assert!(message.starts_with("CommandTimeout: ") && message.contains(":\nbegun\n(search the log for "), "{message}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_action_without_artifacts_needs_no_credentials() {
    let world = World::new().await;
    world.create_type("Test", "Shell", &["Command"]).await;
    let plain = support::action("Plain", "Test", "Custom", "Shell").configuration("Command", "echo $HOME > $SUMMARY");
    world.create_pipeline("p", vec![("Test", vec![plain])]).await;
    world.put_source(zip(&[("a", "b")])).await;
    world.start("p").await;
    world.until_begun("p", "Plain").await;

    let summary = invoke(&world.worker(&json!([shell("Test", "Shell")]))).await;

    assert_eq!(summary, Summary { polled: 1, claimed: 1, succeeded: 1, ..Summary::default() });
}
