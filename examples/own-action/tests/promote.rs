//! The action in a pipeline: the emulator has CodePipeline and S3, and the worker is the one that runs on Lambda.

use std::time::Duration;

use codepipeline_local::Options;
use codepipeline_local::engine::Settings;
use codepipeline_local::testing::aws_sdk_codepipeline::types::PipelineExecutionStatus;
use codepipeline_local::testing::{Local, action, input, output, property, unzip, zip};
use codepipeline_worker::testing::TestWorker;

/// An emulator with a pipeline whose second stage promotes `release.json`. Its continuations come at once.
async fn pipeline(bake_seconds: &str, release: &str) -> Local {
    let engine = Settings { continuation_delay: Duration::ZERO, ..Settings::default() };
    let local = Local::new(Options { engine, ..Options::default() }).await;
    let properties = ["BakeSeconds", "Channel"].map(|name| property(name).required(true));
    local.create_type("Deploy", "Promote", properties).await;
    let promote = action("Promote", "Deploy", "Custom", "Promote")
        .configuration("BakeSeconds", bake_seconds)
        .configuration("Channel", "stable")
        .input_artifacts(input("Source"))
        .output_artifacts(output("Promotion"));
    local.create_pipeline("release", vec![("Promote", vec![promote])]).await;
    local.put_source(zip(&[("release.json", release)])).await;
    local
}

#[tokio::test]
async fn release_is_promoted_after_its_bake_time() {
    let local = pipeline("1", r#"{"version": "1.4.0"}"#).await;
    let worker = TestWorker::new(vec![own_action::served()], &local.sdk_config);
    let mut continued = 0;

    let status = local.run("release", async || continued += worker.invoke().await.continued).await;

    assert_eq!(status, PipelineExecutionStatus::Succeeded);
    assert!(continued > 0, "a bake time of a second needs several jobs");
    let promoted = local.action("release", "Promote").await.unwrap();
    assert_eq!(promoted.summary(), Some("promoted version 1.4.0 to stable"));
    assert_eq!(local.variables("release", "Promote").await["Version"], "1.4.0");
    let files = unzip(&local.output_artifact("release", "Promote").await);
    assert_eq!(files["promotion.json"], br#"{"channel":"stable","version":"1.4.0"}"#);
}

#[tokio::test]
async fn mistakes_fail_the_action_and_say_what_to_change() {
    for (bake_seconds, release, expected) in [
        ("soon", "{}", "`BakeSeconds` must be a whole number from 0 to 82800"),
        ("0", "{}", "ReleaseInvalid: `version` in release.json must be a text of 1 to 50 characters"),
    ] {
        let local = pipeline(bake_seconds, release).await;
        let worker = TestWorker::new(vec![own_action::served()], &local.sdk_config);

        let status = local
            .run("release", async || {
                worker.invoke().await;
            })
            .await;

        assert_eq!(status, PipelineExecutionStatus::Failed);
        let failed = local.action("release", "Promote").await.unwrap();
        let message = failed.error_details().unwrap().message().unwrap().to_owned();
        assert!(message.contains(expected), "{message}");
    }
}
