//! Claimed jobs of workers that died. No API call says whether such a job was acknowledged.

use std::time::Duration;

use aws_sdk_codepipeline::types::ActionExecutionStatus;
use codepipeline_local::engine::{Leniency, Settings};
use codepipeline_worker::actions::{OnCrash, Served};
use codepipeline_worker::ledger::{Content, Key};
use codepipeline_worker::worker::Summary;

use super::scenario::{A_MINUTE, Deadly, Scenario};
use crate::support;

#[tokio::test(flavor = "multi_thread")]
async fn acknowledged_unstarted_job_runs_at_the_fourth_tick() {
    let scenario = Scenario::start(Deadly::default()).await;
    let job = scenario.poll().await;
    scenario.claim(job.id().unwrap()).await;
    scenario.acknowledge(&job).await;
    for why in ["its worker may live", "it may be offered again", "it may have been offered just now, so it is marked"]
    {
        assert_eq!(scenario.tick().await, Summary::default(), "{why}");
        scenario.time.advance(A_MINUTE);
    }
    assert_eq!(scenario.tick().await, Summary { adopted: 1, claimed: 1, succeeded: 1, ..Summary::default() });
    assert_eq!((scenario.action.runs(), scenario.status().await), (1, ActionExecutionStatus::Succeeded));
    assert!(scenario.all_done().await);
}

#[tokio::test(flavor = "multi_thread")]
async fn claimed_job_is_taken_when_it_is_offered_again() {
    let scenario = Scenario::start(Deadly::default()).await;
    let job = scenario.poll().await;
    scenario.claim(job.id().unwrap()).await;
    scenario.time.advance(A_MINUTE);
    let expected = Summary { polled: 1, claimed: 1, succeeded: 1, ..Summary::default() };
    assert_eq!(scenario.tick().await, expected);
    assert_eq!((scenario.action.runs(), scenario.status().await), (1, ActionExecutionStatus::Succeeded));
}

/// Another worker polls just before the tick, so that the tick's poll is empty although the job is on offer.
#[tokio::test(flavor = "multi_thread")]
async fn job_polled_by_another_worker_is_not_adopted() {
    let scenario = Scenario::start(Deadly::default()).await;
    let job = scenario.poll().await;
    scenario.claim(job.id().unwrap()).await;
    scenario.time.advance(Duration::from_secs(600));
    scenario.poll().await;
    assert_eq!(scenario.tick().await, Summary::default());
    assert_eq!(scenario.action.runs(), 0);
    scenario.time.advance(A_MINUTE);
    let expected = Summary { polled: 1, claimed: 1, succeeded: 1, ..Summary::default() };
    assert_eq!(scenario.tick().await, expected, "a worker that is offered the job replaces the mark");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_empty_poll_after_an_unanswered_try_counts_nothing() {
    let scenario = Scenario::start(Deadly::default()).await;
    let job = scenario.poll().await;
    let id = job.id().unwrap();
    scenario.claim(id).await;
    scenario.time.advance(Duration::from_secs(600));
    let faults = scenario.world.emulator.faults();
    faults.add("PollForJobs:1:lose-answer".parse().unwrap());
    assert_eq!(scenario.tick().await, Summary::default());
    assert_eq!((faults.fired().len(), scenario.world.emulator.calls("PollForJobs")), (1, 3));
    let found = scenario.ledger().read(&Key::polled(id)).await.unwrap().unwrap();
    assert!(matches!(found.content, Content::Entry(entry, _) if !entry.marked), "it is on offer");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_claimed_job_of_a_shared_type_is_not_adopted() {
    let scenario = Scenario::start(Deadly::default()).await;
    let job = scenario.poll().await;
    scenario.claim(job.id().unwrap()).await;
    scenario.acknowledge(&job).await;
    for _ in 0..4 {
        scenario.time.advance(Duration::from_secs(600));
        let worker = scenario.worker(Served::shared);
        assert_eq!(support::invoke(&worker).await, Summary::default());
    }
    assert_eq!((scenario.action.runs(), scenario.status().await), (0, ActionExecutionStatus::InProgress));
}

/// Twice another worker polls just before the tick and dies. The tick's polls are empty, as if the job were acknowledged.
#[tokio::test(flavor = "multi_thread")]
async fn a_claimed_job_that_is_not_shown_is_ignored() {
    let settings = Settings { details_before_acknowledge: Leniency::Refuse, ..Settings::default() };
    let scenario = Scenario::with(Deadly::default(), settings).await;
    let job = scenario.poll().await;
    scenario.claim(job.id().unwrap()).await;
    for _ in ["it is marked", "it would be adopted"] {
        scenario.time.advance(Duration::from_secs(600));
        scenario.poll().await;
        assert_eq!(scenario.tick().await, Summary::default());
    }
    assert_eq!(scenario.world.emulator.calls("GetJobDetails"), 1);
    scenario.time.advance(A_MINUTE);
    let expected = Summary { polled: 1, claimed: 1, succeeded: 1, ..Summary::default() };
    assert_eq!(scenario.tick().await, expected);
    assert_eq!((scenario.action.runs(), scenario.status().await), (1, ActionExecutionStatus::Succeeded));
}

#[tokio::test(flavor = "multi_thread")]
async fn entry_of_an_ended_claimed_job_is_deleted() {
    let scenario = Scenario::start(Deadly::default()).await;
    let job = scenario.poll().await;
    let id = job.id().unwrap();
    scenario.claim(id).await;
    scenario.acknowledge(&job).await;
    scenario.world.codepipeline.put_job_success_result().job_id(id).send().await.unwrap();
    // CodePipeline no longer shows the job.
    scenario.time.advance(Duration::from_secs(24 * 60 * 60));
    assert_eq!(scenario.tick().await, Summary::default(), "it is marked");
    scenario.time.advance(A_MINUTE);
    assert_eq!(scenario.tick().await, Summary::default());
    assert_eq!(scenario.ledger().list().await.unwrap().len(), 1, "an acknowledgement may be on its way");
    scenario.time.advance(A_MINUTE * 60);
    assert_eq!(scenario.tick().await, Summary::default());
    assert!(scenario.ledger().list().await.unwrap().is_empty());
    assert_eq!(scenario.world.emulator.calls("GetJobDetails"), 2);
}

/// Its action may have run, so its entry stays. Without it, a worker that is offered the job would run it once more.
#[tokio::test(flavor = "multi_thread")]
async fn a_started_job_is_reported_after_an_hour_unseen() {
    let scenario = Scenario::start(Deadly::default()).await;
    let job = scenario.poll().await;
    let id = job.id().unwrap();
    scenario.acknowledge(&job).await;
    scenario.world.codepipeline.put_job_success_result().job_id(id).send().await.unwrap();
    // CodePipeline no longer shows the job.
    scenario.time.advance(Duration::from_secs(24 * 60 * 60));
    scenario.hold_inferred(id).await;
    let tick = async || support::invoke(&scenario.worker(|served| served.on_crash(OnCrash::Run))).await;
    scenario.time.advance(A_MINUTE);
    assert_eq!(tick().await, Summary::default());
    scenario.time.advance(A_MINUTE * 60);
    assert_eq!(tick().await, Summary { adopted: 1, claimed: 1, over: 1, ..Summary::default() });
    assert_eq!(scenario.action.runs(), 0);
}
