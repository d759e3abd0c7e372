//! Workers that die: a later invocation ends their jobs, once, and leaves the jobs of living workers alone.

mod alarms;
mod claimed;
mod hopeless;
mod paused;
mod refused;
mod scenario;
mod stopping;
use std::sync::atomic::Ordering;
use std::time::Duration;

use aws_sdk_codepipeline::types::ActionExecutionStatus;
use codepipeline_local::engine::{Leniency, Settings};
use codepipeline_worker::actions::OnCrash;
use codepipeline_worker::worker::{InvocationError, Summary};
use tokio::time::Instant;

use self::scenario::{A_MINUTE, BUCKET, Deadly, QUARTER_OF_AN_HOUR, Scenario};
use crate::support;

#[tokio::test(flavor = "multi_thread")]
async fn a_dead_workers_job_fails_only_after_its_lease() {
    let scenario = Scenario::start(Deadly::kills(1)).await;
    scenario.worker_that_dies(|served| served, 1).await;
    assert_eq!(scenario.tick().await, Summary::default());
    scenario.time.advance(QUARTER_OF_AN_HOUR);
    assert_eq!(scenario.tick().await, Summary::default(), "a lease is 10 s longer than its invocation");

    scenario.time.advance(Duration::from_secs(11));
    assert_eq!(scenario.tick().await, Summary { adopted: 1, claimed: 1, failed: 1, ..Summary::default() });
    let execution = scenario.execution().await;
    let message = execution.error_details().unwrap().message().unwrap();
    assert!(message.starts_with("WorkerDied: ") && message.contains("onCrash"), "{message}");
    assert_eq!(scenario.action.runs(), 1);
    assert_eq!(scenario.action.stopped.load(Ordering::SeqCst), 1, "the work outside is stopped");
    assert!(scenario.all_done().await);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_action_runs_again_at_most_three_times() {
    for (kills, status) in [(3, ActionExecutionStatus::Succeeded), (4, ActionExecutionStatus::Failed)] {
        let scenario = Scenario::start(Deadly::kills(kills)).await;
        for run in 1..=kills {
            scenario.worker_that_dies(|served| served.on_crash(OnCrash::Run), run).await;
            scenario.time.advance(QUARTER_OF_AN_HOUR + Duration::from_secs(11));
        }
        let summary = support::invoke(&scenario.worker(|served| served.on_crash(OnCrash::Run))).await;
        assert_eq!((summary.adopted, summary.succeeded + summary.failed), (1, 1));
        assert_eq!(scenario.action.runs(), 4);
        assert_eq!(scenario.status().await, status);
        assert!(scenario.all_done().await);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn jobs_that_cannot_be_adopted_hold_up_no_other() {
    let scenario = Scenario::start(Deadly::kills(1)).await;
    for job in 0..60 {
        scenario.claim_of(&format!("unserved-{job}"), support::action_type("Test", "Custom", "Unserved")).await;
    }
    scenario.worker_that_dies(|served| served, 1).await;
    scenario.time.advance(QUARTER_OF_AN_HOUR + A_MINUTE);
    // Each tick reads 50 of 61 entries at random. That forty ticks all miss one is practically impossible.
    for _ in 0..40 {
        if scenario.tick().await.failed == 1 {
            return;
        }
    }
    panic!("the job was never looked at");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_ledger_decides_between_two_acknowledgements() {
    let settings = Settings {
        reoffer_after: Some(Duration::ZERO),
        keep_nonce_on_reoffer: true,
        second_acknowledge: Leniency::Accept,
        ..Settings::default()
    };
    let scenario = Scenario::with(Deadly::default(), settings).await;
    let workers: Vec<_> = (0..4).map(|_| scenario.worker(|served| served)).collect();
    let ticks = workers.iter().map(|worker| worker.invoke(Instant::now() + QUARTER_OF_AN_HOUR));
    let summaries: Vec<_> = futures_util::future::join_all(ticks).await.into_iter().map(Result::unwrap).collect();
    assert_eq!(summaries.iter().map(|summary| summary.succeeded).sum::<usize>(), 1, "{summaries:?}");
    assert_eq!(scenario.action.runs(), 1);
    assert_eq!(scenario.world.emulator.calls("PutJobSuccessResult"), 1);
    assert_eq!(scenario.world.emulator.calls("PutJobFailureResult"), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_idle_tick_costs_one_poll_of_each_type_and_one_listing() {
    let scenario = Scenario::start(Deadly::default()).await;
    scenario.tick().await;
    let before = scenario.world.emulator.operations().len();
    scenario.tick().await;
    assert_eq!(scenario.world.emulator.operations()[before..], ["PollForJobs", "ListObjectsV2"]);
    scenario.time.advance(Duration::from_secs(3601));
    scenario.tick().await;
    assert_eq!(scenario.world.emulator.operations()[before + 2..], ["PollForJobs", "ListObjectsV2", "DeleteObjects"]);
    assert!(scenario.ledger().list().await.unwrap().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_worker_without_its_ledger_takes_no_job() {
    let scenario = Scenario::start(Deadly::default()).await;
    scenario.world.s3.delete_bucket().bucket(BUCKET).send().await.unwrap();
    let worker = scenario.worker(|served| served);
    let error = worker.invoke(Instant::now() + QUARTER_OF_AN_HOUR).await.unwrap_err();
    assert_eq!(error, InvocationError::NoLedger(1));
    assert_eq!(scenario.world.emulator.calls("AcknowledgeJob"), 0);
    assert_eq!(scenario.action.runs(), 0);
}
