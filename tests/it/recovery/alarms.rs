//! The conditions of alarms that need a worker death, and the metrics that the worker writes.

use std::time::Duration;

use codepipeline_worker::actions::{OnCrash, Served};
use codepipeline_worker::worker::{InvocationError, Worker};
use tokio::time::Instant;

use super::scenario::{Deadly, QUARTER_OF_AN_HOUR, Scenario};
use crate::support::invoke;
use crate::support::metrics::Written;

async fn tick(worker: Worker) -> Written {
    let (worker, written) = Written::by(worker);
    invoke(&worker).await;
    written
}

#[tokio::test(flavor = "multi_thread")]
async fn adopted_job_is_counted() {
    let scenario = Scenario::start(Deadly::kills(1)).await;
    scenario.worker_that_dies(|served| served, 1).await;
    scenario.time.advance(QUARTER_OF_AN_HOUR + Duration::from_secs(11));
    let written = tick(scenario.worker(|served| served)).await;
    assert_eq!((written.values("JobsAdopted"), written.values("JobsFailed")), (vec![1], vec![1]));
    assert_eq!(written.lines()[0]["ActionType"], "Custom/Test/Deadly/1");
}

#[tokio::test(flavor = "multi_thread")]
async fn failed_adoption_is_not_counted() {
    let scenario = Scenario::start(Deadly::kills(1)).await;
    let runs_again = |served: Served| served.on_crash(OnCrash::Run);
    scenario.worker_that_dies(runs_again, 1).await;
    scenario.time.advance(QUARTER_OF_AN_HOUR + Duration::from_secs(11));
    scenario.world.emulator.faults().add("GetJobDetails:*:error".parse().unwrap());
    let (worker, written) = Written::by(scenario.worker(runs_again));
    let expected = InvocationError::Unreported { unreported: 1, unknown: 0 };
    assert_eq!(worker.invoke(Instant::now() + QUARTER_OF_AN_HOUR).await, Err(expected));
    assert_eq!(["JobsAdopted", "JobsUndelivered"].map(|metric| written.values(metric).len()), [0, 0]);
}

#[tokio::test(flavor = "multi_thread")]
async fn age_of_the_oldest_entry_is_measured_for_a_day() {
    let scenario = Scenario::start(Deadly::default()).await;
    let measured = async || {
        let worker = scenario.worker(Served::shared);
        tick(worker).await.values("OldestEntrySeconds")
    };
    scenario.poll().await;
    assert_eq!(measured().await, [0], "no entry");
    scenario.claim("first").await;
    scenario.time.advance(Duration::from_secs(1000));
    scenario.claim("second").await;
    scenario.time.advance(Duration::from_secs(800));
    // S3's clock has whole seconds.
    let first = measured().await[0];
    assert!((1799..=1800).contains(&first), "{first}");
    scenario.time.advance(Duration::from_secs(24 * 60 * 60 - 1000));
    let second = measured().await[0];
    assert!((86_199..=86_200).contains(&second), "{second}: the first entry is older than any action");
}

#[tokio::test(flavor = "multi_thread")]
async fn unprotected_job_is_counted() {
    let scenario = Scenario::start(Deadly::default()).await;
    let job = scenario.poll().await;
    scenario.claim(job.id().unwrap()).await;
    scenario.acknowledge(&job).await;
    scenario.time.advance(Duration::from_secs(600));
    let written = tick(scenario.worker(Served::shared)).await;
    assert_eq!(written.values("UnprotectedJobs"), [1]);
}
