//! Every line about a job has the ids of the job, of its run and of the invocation, also after a worker death.

use std::collections::BTreeSet;
use std::time::Duration;

use codepipeline_local::runtime_api::Invocation;
use serde_json::{Value, json};

use super::{lines, of_jobs, read};
use crate::kills::lone::{Lone, schedule};
use crate::support::{World, custom, function, output, shell, zip};

/// The ids of a job of a custom action, and of the invocation that runs it.
const IDS: [&str; 9] = [
    "jobId",
    "actionType",
    "pipeline",
    "pipelineExecutionId",
    "stage",
    "action",
    "actionExecutionId",
    "requestId",
    "xrayTraceId",
];

/// The values of each id in the lines about jobs. Fails if one line lacks an id.
fn ids(lines: &[Value]) -> Vec<BTreeSet<String>> {
    let of = |line: &Value, id| line[id].as_str().unwrap_or_else(|| panic!("the line has no {id}: {line}")).to_owned();
    assert!(of_jobs(lines).count() > 1, "{lines:?}");
    IDS.iter().map(|id| of_jobs(lines).map(|line| of(line, id)).collect()).collect()
}

/// Fails if no line has the metrics of a job, which then has all ids too.
fn assert_have_metrics(lines: &[Value]) {
    assert!(of_jobs(lines).any(|line| line.get("_aws").is_some()), "{lines:?}");
}

/// Staging in and out log in tasks and threads of their own.
#[tokio::test(flavor = "multi_thread")]
async fn each_line_of_a_job_has_all_ids() {
    let world = World::new().await;
    world.create_type("Build", "Shell", &["Command"]).await;
    let action = custom("Act", "Build", "Shell").output_artifacts(output("Out"));
    let action = action.configuration("Command", "mkfifo \"$OUTPUT_OUT/pipe\"");
    world.create_pipeline("p", vec![("Build", vec![action])]).await;
    world.put_source(zip(&[("a", "b")])).await;
    let execution = world.start("p").await;
    world.until_begun("p", "Act").await;
    let (function, mut log) = function(&world, &json!([shell("Build", "Shell")]), &[("RUST_LOG", "debug")]);
    let Invocation::Answered(summary) = function.invoke(&schedule()).await.unwrap() else { panic!("no answer") };
    function.stop().await;
    let lines = lines(&mut log);
    assert_eq!(summary["succeeded"], 1, "{lines:?}");
    assert!(lines.iter().any(|line| line["message"].as_str().unwrap().starts_with("skipped sockets")), "{lines:?}");

    assert_have_metrics(&lines);
    let ids = ids(&lines);
    assert!(ids.iter().all(|values| values.len() == 1), "{ids:?}");
    let value = |id: &str| ids[IDS.iter().position(|it| *it == id).unwrap()].first().unwrap().as_str();
    assert_eq!(
        ["actionType", "pipeline", "pipelineExecutionId", "stage", "action"].map(value),
        ["Custom/Build/Shell/1", "p", &execution, "Build", "Act"]
    );
    let state = world.action("p", "Act").await.unwrap();
    assert_eq!(Some(value("actionExecutionId")), state.action_execution_id());
}

#[tokio::test(flavor = "multi_thread")]
async fn an_adopted_job_has_the_same_ids() {
    let lone = Lone::start("kill -KILL $PPID").await;
    lone.run().await;
    let dying = lone.function(&[]);
    assert!(!matches!(lone.tick(&dying).await, Invocation::Answered(_)));
    dying.stop().await;
    let first = read(&std::mem::take(&mut *lone.lines.lock().unwrap()));
    lone.time.advance(Duration::from_secs(3600));
    let adopting = lone.function(&[]);
    assert_eq!(lone.ticked(&adopting, "adopted").await, 1);
    adopting.stop().await;
    let second = read(&lone.lines.lock().unwrap());

    assert_have_metrics(&second);
    let (first, second) = (ids(&first), ids(&second));
    assert_eq!(first[..7], second[..7], "the job's own ids");
    assert_ne!(first[7], second[7], "the ids of two invocations");
}
