//! A paused worker: it polls for nothing, and still ends the jobs of workers that died.

use std::time::Duration;

use aws_sdk_codepipeline::types::ActionExecutionStatus;
use codepipeline_worker::worker::Summary;
use tokio::time::Instant;

use super::scenario::{Deadly, QUARTER_OF_AN_HOUR, Scenario, action_type};
use crate::support;

#[tokio::test(flavor = "multi_thread")]
async fn paused_worker_takes_no_job_on_offer() {
    let scenario = Scenario::start(Deadly::default()).await;
    let paused = scenario.worker(|served| served).polling(false);
    let started = paused.action_started(&action_type(), None, None, Instant::now() + QUARTER_OF_AN_HOUR).await;
    assert_eq!(started, Ok(Summary::default()));
    assert_eq!(support::invoke(&paused).await, Summary::default());
    assert_eq!((scenario.world.emulator.calls("PollForJobs"), scenario.action.runs()), (0, 0));

    let expected = Summary { polled: 1, claimed: 1, succeeded: 1, ..Summary::default() };
    assert_eq!(support::invoke(&paused.polling(true)).await, expected);
}

#[tokio::test(flavor = "multi_thread")]
async fn paused_worker_ends_the_job_of_a_dead_worker() {
    let scenario = Scenario::start(Deadly::kills(1)).await;
    scenario.worker_that_dies(|served| served, 1).await;
    scenario.time.advance(QUARTER_OF_AN_HOUR + Duration::from_secs(11));
    let polls = scenario.world.emulator.calls("PollForJobs");

    let paused = scenario.worker(|served| served).polling(false);
    assert_eq!(support::invoke(&paused).await, Summary { adopted: 1, claimed: 1, failed: 1, ..Summary::default() });
    assert_eq!(scenario.status().await, ActionExecutionStatus::Failed);
    assert_eq!(scenario.world.emulator.calls("PollForJobs"), polls);
    assert!(scenario.all_done().await);
}
