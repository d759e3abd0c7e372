//! DEBUG adds each call to a service, and TRACE each decision of the ledger's protocol.

use std::time::Duration;

use codepipeline_local::runtime_api::Invocation;
use codepipeline_worker::ledger::Ledger;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::time::timeout;
use tracing::Level;

use super::lines;
use crate::kills::lone::schedule;
use crate::support::log::logged_at;
use crate::support::{World, custom, function, output, sdk_config, shell, zip};

/// `LEVEL service operation status` of each call, in the order of their ends.
fn calls(lines: &[Value]) -> Vec<String> {
    let lines = lines.iter().filter(|line| line.get("operation").is_some());
    let text = |line: &Value, field: &str| line[field].as_str().unwrap().to_owned();
    lines
        .map(|line| {
            assert!(line["durationMs"].is_u64(), "{line}");
            format!("{} {} {} {}", text(line, "level"), text(line, "service"), text(line, "operation"), line["status"])
        })
        .collect()
}

/// The calls, with those of each expected group in alphabetical order, because they run concurrently.
fn in_order(calls: &[String], groups: &[&[&str]]) -> Vec<String> {
    let (mut left, mut ordered) = (calls, Vec::new());
    for group in groups {
        let (these, rest) = left.split_at(group.len().min(left.len()));
        ordered.extend_from_slice(these);
        let first = ordered.len() - these.len();
        ordered[first..].sort_unstable();
        left = rest;
    }
    ordered.extend_from_slice(left);
    ordered
}

#[tokio::test(flavor = "multi_thread")]
async fn debug_shows_calls_and_trace_shows_decisions() {
    let world = World::new().await;
    world.s3.create_bucket().bucket("ledger").send().await.unwrap();
    world.create_type("Build", "Shell", &["Command", "Token!"]).await;
    let action = custom("Act", "Build", "Shell").output_artifacts(output("Out"));
    let action = action.configuration("Command", "true").configuration("Token", "5ecret-value");
    world.create_pipeline("p", vec![("Build", vec![action])]).await;
    world.put_source(zip(&[("a", "b")])).await;
    world.start("p").await;
    world.until_begun("p", "Act").await;
    let mut entry = shell("Build", "Shell");
    entry["secrets"] = json!(["Token"]);
    let variables = [("RUST_LOG", "trace"), ("LEDGER_BUCKET", "ledger")];
    let (function, mut log) = function(&world, &json!([entry]), &variables);
    assert!(matches!(function.invoke(&schedule()).await.unwrap(), Invocation::Answered(_)));
    function.stop().await;
    let lines = lines(&mut log);

    // The calls of a pair don't depend on each other: hold and stage in, done and the next poll.
    let expected = [
        &["DEBUG CodePipeline PollForJobs 200"][..],
        &["DEBUG S3 PutObject 200"],
        &["DEBUG CodePipeline AcknowledgeJob 200"],
        &["DEBUG S3 GetObject 206", "DEBUG S3 PutObject 200"],
        &["DEBUG S3 PutObject 200"],
        &["DEBUG S3 PutObject 200"],
        &["DEBUG CodePipeline PutJobSuccessResult 200"],
        &["DEBUG CodePipeline PollForJobs 200", "DEBUG S3 PutObject 200"],
        &["DEBUG S3 ListObjectsV2 200"],
    ];
    assert_eq!(in_order(&calls(&lines), &expected), expected.concat());

    let decisions = lines.iter().filter(|line| line["message"] == "the protocol decided");
    let events: Vec<_> = decisions.map(|line| line["event"].as_str().unwrap().split('(').next().unwrap()).collect();
    assert_eq!(events, ["Written", "InProgress", "Written", "Ended", "Written", "Reported", "Written"]);
    assert!(lines.iter().all(|line| !line.to_string().contains("5ecret")), "{lines:?}");
}

#[tokio::test]
async fn a_call_that_is_cut_off_is_logged() {
    let silent = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let config = sdk_config(&format!("http://{}", silent.local_addr().unwrap()));
    let ledger = Ledger::new(&config, "ledger".into());
    let listing = async { timeout(Duration::from_millis(100), ledger.list()).await };
    let (lines, listed) = logged_at(Level::DEBUG, listing).await;
    assert!(listed.is_err());
    let [line] = &lines[..] else { panic!("{lines:?}") };
    assert_eq!([&line["message"], &line["service"], &line["operation"]], ["cut off a call", "S3", "ListObjectsV2"]);
}
