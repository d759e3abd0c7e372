//! Two deployments with different action types share one ledger, as during an upgrade from version 1 of a type to version 2.

use std::time::Duration;

use aws_sdk_codepipeline::types::{ActionTypeId, ArtifactDetails};
use codepipeline_local::Options;
use codepipeline_local::clock::ManualClock;
use codepipeline_local::engine::Settings;
use codepipeline_local::types::Timestamp;
use codepipeline_worker::actions::{OnCrash, Served};
use codepipeline_worker::job;
use codepipeline_worker::ledger::{Ledger, Listed};
use codepipeline_worker::lifecycle::Lifecycle;
use codepipeline_worker::worker::{Summary, Worker};
use tokio::time::Instant;

use super::stage::{A_MINUTE, BUCKET, QUARTER_OF_AN_HOUR};
use super::upgraded::{Ending, Upgraded};
use crate::support::log::logged;
use crate::support::{self, World, custom, until, zip};

/// Version 1 or 2 of the action type.
fn version(number: u8) -> job::ActionTypeId {
    job::ActionTypeId { version: number.to_string(), ..support::action_type("Test", "Custom", "Versioned") }
}

/// Both versions of a type, and a pipeline with an action of each in every execution.
struct Upgrade {
    world: World,
    time: ManualClock,
}

/// A deployment: the versions that it serves, and its action.
struct Deployment {
    versions: Vec<u8>,
    action: Upgraded,
}

impl Upgrade {
    async fn start(executions: usize) -> Self {
        let time = ManualClock::new(Timestamp(1_800_000_000_000));
        let engine = Settings { reoffer_after: Some(Duration::from_secs(30)), ..Settings::default() };
        let world = World::with(Options { clock: time.clock(), engine, ..Options::default() }).await;
        world.s3.create_bucket().bucket(BUCKET).send().await.unwrap();
        let any = || ArtifactDetails::builder().minimum_count(0).maximum_count(5).build();
        for number in ["1", "2"] {
            let request = world.codepipeline.create_custom_action_type().category("Test".into()).provider("Versioned");
            let request = request.input_artifact_details(any()).output_artifact_details(any());
            request.version(number).send().await.unwrap();
        }
        for pipeline in 0..executions {
            let act = |number: &str| {
                let id = ActionTypeId::builder().category("Test".into()).owner("Custom".into());
                let id = id.provider("Versioned").version(number).build().unwrap();
                custom(&format!("V{number}"), "Test", "Versioned").action_type_id(id)
            };
            let name = format!("p{pipeline}");
            world.create_pipeline(&name, vec![("Test", vec![act("1"), act("2")])]).await;
            // The bucket exists once a pipeline has named it.
            world.put_source(zip(&[("a", "b")])).await;
            world.start(&name).await;
            world.until_begun(&name, "V2").await;
        }
        Self { world, time }
    }

    fn ledger(&self) -> Ledger {
        Ledger::new(&self.world.sdk_config, BUCKET.into())
    }

    fn worker(&self, deployment: &Deployment) -> Worker {
        let work_folder = self.world.work_folder();
        let lifecycle =
            Lifecycle { ledger: Some(self.ledger()), ..support::lifecycle(&self.world.sdk_config, work_folder) };
        let serve =
            |number: &u8| Served::new(version(*number), A_MINUTE, deployment.action.clone()).on_crash(OnCrash::Run);
        Worker::new(lifecycle, deployment.versions.iter().map(serve).collect(), 2, A_MINUTE)
    }

    async fn tick(&self, deployment: &Deployment) -> Summary {
        Box::pin(support::invoke(&self.worker(deployment))).await
    }

    /// The deployment takes its job and dies in the middle of it.
    async fn dies(&self, deployment: &Deployment) {
        let (worker, before) = (self.worker(deployment), deployment.action.turns().len());
        tokio::select! {
            _ = Box::pin(worker.invoke(Instant::now() + QUARTER_OF_AN_HOUR)) => panic!("the turn hangs"),
            () = until(async || deployment.action.turns().len() > before) => {}
        }
    }

    /// How many jobs in the ledger have not ended.
    async fn unfinished(&self) -> usize {
        self.ledger().list().await.unwrap().iter().filter(|listed| !Listed::is_done(listed)).count()
    }

    async fn status(&self, version: u8) -> String {
        self.world.action("p0", &format!("V{version}")).await.unwrap().status.unwrap().to_string()
    }
}

fn deployment(versions: &[u8], ending: Ending) -> Deployment {
    Deployment { versions: versions.to_vec(), action: Upgraded::new(ending) }
}

#[tokio::test(flavor = "multi_thread")]
async fn each_version_takes_only_its_own_jobs() {
    let upgrade = Upgrade::start(6).await;
    let [old, new] = [1, 2].map(|number| deployment(&[number], Ending::Success));
    let ticks = [upgrade.tick(&old), upgrade.tick(&new), upgrade.tick(&old), upgrade.tick(&new)];
    let summaries = futures_util::future::join_all(ticks.map(Box::pin)).await;
    assert_eq!(summaries.iter().map(|summary| summary.succeeded).sum::<usize>(), 12, "{summaries:?}");
    assert!(summaries.iter().all(|summary| summary.adopted + summary.failed == 0), "{summaries:?}");
    assert_eq!((old.action.turns().len(), new.action.turns().len()), (6, 6), "each job runs once");
    assert_eq!(upgrade.unfinished().await, 0);
}

/// The new deployment has no entry of ACTIONS for the old version, so it leaves the old deployment's jobs to it.
#[tokio::test(flavor = "multi_thread")]
async fn new_version_does_not_adopt_jobs_of_the_old() {
    let upgrade = Upgrade::start(1).await;
    let (dying, old) = (deployment(&[1], Ending::Hangs), deployment(&[1], Ending::Success));
    let new = deployment(&[2], Ending::Success);
    upgrade.dies(&dying).await;
    assert_eq!(upgrade.tick(&new).await.succeeded, 1, "its own job");
    upgrade.time.advance(QUARTER_OF_AN_HOUR + A_MINUTE);
    for _ in 0..3 {
        let (lines, summary) = logged(upgrade.tick(&new)).await;
        assert_eq!(summary, Summary::default());
        assert!(
            lines.iter().any(|line| line.to_string().contains("no action in ACTIONS has their types")),
            "{lines:?}"
        );
        upgrade.time.advance(A_MINUTE);
    }
    assert_eq!((upgrade.unfinished().await, new.action.turns().len()), (1, 1));
    let adopted = Summary { adopted: 1, claimed: 1, succeeded: 1, ..Summary::default() };
    assert_eq!(upgrade.tick(&old).await, adopted);
    assert_eq!((upgrade.status(1).await, old.action.turns().len()), ("Succeeded".into(), 1));
    assert_eq!(upgrade.unfinished().await, 0);
}

/// After a rollback, the jobs of the new version wait for the deployment that serves it.
#[tokio::test(flavor = "multi_thread")]
async fn old_version_does_not_adopt_jobs_of_the_new() {
    let upgrade = Upgrade::start(1).await;
    let (dying, old) = (deployment(&[2], Ending::Hangs), deployment(&[1], Ending::Success));
    upgrade.dies(&dying).await;
    assert_eq!(upgrade.tick(&old).await.succeeded, 1, "its own job");
    upgrade.time.advance(QUARTER_OF_AN_HOUR + A_MINUTE);
    assert_eq!(upgrade.tick(&old).await, Summary::default());
    assert_eq!((upgrade.unfinished().await, upgrade.status(2).await), (1, "InProgress".into()));
    let both = deployment(&[1, 2], Ending::Success);
    assert_eq!(upgrade.tick(&both).await.adopted, 1);
    assert_eq!((upgrade.status(2).await, upgrade.unfinished().await), ("Succeeded".into(), 0));
}

/// A deployment that serves both versions continues what the old one began.
#[tokio::test(flavor = "multi_thread")]
async fn deployment_of_both_versions_resumes_old_runs() {
    let upgrade = Upgrade::start(1).await;
    let old = deployment(&[1], Ending::Continuation);
    assert_eq!(upgrade.tick(&old).await.continued, 1);
    let both = deployment(&[1, 2], Ending::Success);
    upgrade.time.advance(A_MINUTE);
    assert_eq!(upgrade.tick(&both).await.succeeded, 2);
    let (execution, _) = &old.action.turns()[0];
    let resumed = both.action.turns().contains(&(execution.clone(), Some("build 17".to_owned())));
    assert!(resumed, "the run continues with the old deployment's token");
    assert_eq!(upgrade.status(1).await, "Succeeded");
}
