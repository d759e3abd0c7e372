//! A Lambda Invoke job, which does not know its action execution, from its start to its abandonment.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, UNIX_EPOCH};

use codepipeline_local::Options;
use codepipeline_local::engine::Settings;
use codepipeline_worker::actions::Served;
use codepipeline_worker::lifecycle::Lifecycle;
use codepipeline_worker::worker::Worker;
use tokio::time::{Instant, timeout};

use super::scenario::action;
use super::service::{Request, Response, Service};
use crate::support::{self, World, zip};

const MINUTE: Duration = Duration::from_secs(60);

#[tokio::test(flavor = "multi_thread")]
async fn invoke_jobs_share_the_first_jobs_execution_id() {
    let responses =
        [Response::accepted("/runs/7"), Response::status(202), Response::status(202), Response::status(204)];
    let service = Service::answering(responses).await;
    let engine = Settings { continuation_delay: Duration::ZERO, ..Settings::default() };
    let world = World::with(Options { engine, ..Options::default() }).await;
    let mut jobs = world.emulator.job_invocations();
    let check = support::action("Check", "Invoke", "AWS", "Lambda").configuration("FunctionName", "worker");
    world.create_pipeline("p", vec![("Check", vec![check])]).await;
    world.put_source(zip(&[("a", "b")])).await;
    world.start("p").await;
    let seconds = Arc::new(AtomicU64::new(0));
    let clock = Arc::clone(&seconds);
    let lifecycle = Lifecycle {
        wall_clock: Arc::new(move || UNIX_EPOCH + Duration::from_secs(clock.load(Ordering::SeqCst))),
        ..support::lifecycle(&world.sdk_config, world.work_folder())
    };
    let served = Served::new(support::action_type("Invoke", "AWS", "Lambda"), MINUTE, action(service.origin(), MINUTE));
    let worker = Worker::new(lifecycle, vec![served.overall_timeout(Duration::from_secs(100))], 1, MINUTE);

    // The third job is beyond the limit, so the worker stops the work.
    let mut ids = Vec::new();
    for second in [0, 60, 120] {
        seconds.store(second, Ordering::SeqCst);
        let job = timeout(MINUTE, jobs.recv()).await.expect("CodePipeline invokes the function").unwrap();
        ids.push(job.event["CodePipeline.job"]["id"].clone());
        worker.run_job(&job.event, Instant::now() + MINUTE).await.unwrap();
    }

    let messages: Vec<_> = service.requests().iter().map(Request::json).collect();
    let types: Vec<_> = messages.iter().map(|message| message["type"].as_str().unwrap()).collect();
    assert_eq!(types, ["job.started", "job.continued", "job.continued", "job.abandoned"]);
    assert_ne!(ids[0], ids[1], "each job has its own id");
    for message in &messages {
        assert_eq!(message["data"]["executionId"], ids[0], "{message}");
    }
}
