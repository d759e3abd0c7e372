//! Two workers and the same jobs: one of them runs each job, and the other reports nothing.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use codepipeline_local::Options;
use codepipeline_local::engine::Settings;
use codepipeline_worker::actions::{Action, Served, Turn};
use codepipeline_worker::job::{ActionTypeId, Failure, Finished, Outcome};
use codepipeline_worker::lifecycle::{End, Invocation, Lifecycle};
use tokio::task::JoinSet;
use tokio::time::Instant;

use crate::support::{self, World, custom, until, zip};

const JOBS: usize = 20;

/// Notes the jobs that it ran, and how often.
#[derive(Clone, Default)]
struct Noting(Arc<Mutex<BTreeMap<String, u32>>>);

impl Action for Noting {
    async fn start(&self, turn: Turn) -> Result<Outcome, Failure> {
        *self.0.lock().unwrap().entry(turn.job.id.clone()).or_default() += 1;
        Ok(Outcome::Finished(Finished::default()))
    }
}

fn test_type() -> ActionTypeId {
    support::action_type("Test", "Custom", "Race")
}

fn lifecycle(world: &World) -> Lifecycle {
    support::lifecycle(&world.sdk_config, world.work_folder())
}

/// Twenty jobs on offer to two workers at the same time. Each worker has its own work folder, as each Lambda has its own /tmp.
async fn two_workers_with_the_same_offers(settings: Settings) {
    let world = World::with(Options { engine: settings, ..Options::default() }).await;
    world.create_type("Test", "Race", &[]).await;
    let actions = (0..JOBS).map(|n| custom(&format!("Race{n}"), "Test", "Race")).collect();
    world.create_pipeline("p", vec![("Test", actions)]).await;
    world.put_source(zip(&[("a", "b")])).await;
    world.start("p").await;
    world.until_begun("p", "Race0").await;

    let noting = Noting::default();
    let served = Arc::new(Served::new(test_type(), Duration::from_secs(60), noting.clone()));
    let deadline = Instant::now() + Duration::from_secs(900);
    let mut workers = Vec::new();
    for name in ["one", "other"] {
        let mut lifecycle = lifecycle(&world);
        lifecycle.work_folder.push(name);
        let mut offers = Vec::new();
        until(async || {
            offers = lifecycle.queue.poll(&test_type(), None, JOBS).await.unwrap().offers;
            offers.len() == JOBS
        })
        .await;
        workers.push((Arc::new(lifecycle), offers));
    }
    let mut lives = JoinSet::new();
    for (lifecycle, offers) in workers {
        for offer in offers {
            let (lifecycle, served) = (Arc::clone(&lifecycle), Arc::clone(&served));
            lives.spawn(async move { lifecycle.live(offer, &served, Invocation::until(deadline)).await });
        }
    }
    let ends = lives.join_all().await;

    assert_eq!(ends.iter().filter(|end| **end == End::Succeeded).count(), JOBS, "{ends:?}");
    assert_eq!(ends.iter().filter(|end| **end == End::Lost).count(), JOBS, "{ends:?}");
    let ran = noting.0.lock().unwrap().clone();
    assert_eq!(ran.len(), JOBS);
    assert!(ran.values().all(|times| *times == 1), "{ran:?}");
    assert_eq!(world.emulator.calls("AcknowledgeJob"), 2 * JOBS);
    assert_eq!(world.emulator.calls("PutJobSuccessResult"), JOBS);
    assert_eq!(world.emulator.calls("PutJobFailureResult"), 0);
}

/// A poll returns every unacknowledged job, so both workers get the same offers.
fn offered_to_everybody() -> Settings {
    Settings { reoffer_after: Some(Duration::ZERO), keep_nonce_on_reoffer: true, ..Settings::default() }
}

#[tokio::test(flavor = "multi_thread")]
async fn one_of_two_workers_runs_and_reports_each_job() {
    two_workers_with_the_same_offers(offered_to_everybody()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn one_of_two_workers_runs_each_job_with_new_nonces() {
    two_workers_with_the_same_offers(Settings { keep_nonce_on_reoffer: false, ..offered_to_everybody() }).await;
}
