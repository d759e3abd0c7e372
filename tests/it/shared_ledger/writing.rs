//! An old deployment can read the objects that the new one writes. Every fixture is compared with what the new worker writes in its place.

use std::collections::BTreeSet;

use codepipeline_worker::actions::OnCrash;
use serde_json::Value;

use super::format::{ADVICE, Ids, assert_readable, fixtures};
use super::stage::{A_MINUTE, Kind, QUARTER_OF_AN_HOUR, Stage};
use super::upgraded::Ending;
use crate::support::{self, until};

/// A phase of an entry, by the name of its fixture, and what the new worker wrote.
type Written = (&'static str, Vec<u8>);

impl Stage {
    /// The ids of the pipeline's job, as CodePipeline and the worker's report name them.
    async fn ids_of(&self, entry: &[u8]) -> Ids {
        let listed = self.world.codepipeline.list_action_executions().pipeline_name("p").send().await.unwrap();
        let act = listed.action_execution_details().iter().find(|it| it.action_name() == Some("A")).unwrap();
        let entry: Value = serde_json::from_slice(entry).unwrap();
        Ids {
            job: entry["job"].as_str().unwrap().to_owned(),
            pipeline_execution: act.pipeline_execution_id().unwrap().to_owned(),
            action_execution: act.action_execution_id().unwrap().to_owned(),
        }
    }

    async fn assert_all_readable(&self, kind: &str, written: &[Written]) {
        let (fixtures, ids) = (fixtures(kind), self.ids_of(&written[0].1).await);
        for (name, written) in written {
            let fixture = fixtures.get(*name).unwrap_or_else(|| panic!("{kind} has no fixture {name}"));
            let fixture = ids.fill(fixture);
            assert_readable(&format!("{kind}.{name}.json"), &fixture, written);
            if *name == "reporting-continuation" {
                let reported: Value = serde_json::from_slice(&self.wire.take_reports()[0]).unwrap();
                assert_eq!(
                    reported["continuationToken"],
                    token(&fixture),
                    "an old deployment resumes the run. {ADVICE}"
                );
            }
        }
    }
}

/// The entries of a job that the new worker takes and reports.
async fn of_whole_job(kind: Kind, ending: Ending, name: &'static str) -> (Stage, Vec<Written>) {
    let stage = Stage::start(kind, ending).await;
    stage.take_job(&stage.worker(OnCrash::Fail)).await;
    let names = if kind == Kind::Invoke { vec!["held", name] } else { vec!["claiming", "held", name] };
    let mut written = stage.wire.take_entries();
    assert_eq!(written.pop().unwrap(), b"", "the mark of a finished job is an empty object");
    assert_eq!(written.len(), names.len());
    let named = names.into_iter().zip(written).collect();
    (stage, named)
}

/// The entries of a job that runs again after its worker died.
async fn of_adopted_job(kind: Kind) -> (Stage, Vec<Written>) {
    let stage = Stage::start(kind, Ending::Hangs).await;
    for turns in 1..=2 {
        let worker = stage.worker(OnCrash::Run);
        let invocation = async {
            if turns == 1 {
                stage.take_job(&worker).await;
            } else {
                Box::pin(support::invoke(&worker)).await;
            }
        };
        tokio::select! {
            () = invocation => panic!("the turn hangs"),
            () = until(async || stage.action.turns().len() == turns) => {}
        }
        stage.time.advance(QUARTER_OF_AN_HOUR + A_MINUTE);
    }
    let written = stage.wire.take_entries();
    let named = vec![("held-again", written.last().unwrap().clone())];
    (stage, named)
}

/// The entries of a job that an old worker acknowledged and did not start.
async fn of_inferred_job(kind: Kind, name: &str) -> (Stage, Vec<Written>) {
    let stage = Stage::start(kind, Ending::Success).await;
    let ids = stage.old_deployment_takes_job(true).await;
    stage.put(&ids.job, ids.fill(&fixtures(name)["claiming"])).await;
    for _ in ["it is marked", "it is adopted"] {
        stage.time.advance(QUARTER_OF_AN_HOUR);
        stage.tick().await;
    }
    let written = stage.wire.take_entries();
    let named = ["claiming-marked", "held-inferred"].into_iter().zip(written).collect();
    (stage, named)
}

/// The continuation token in the outcome of an entry.
fn token(fixture: &str) -> Value {
    let entry: Value = serde_json::from_str(fixture).unwrap();
    let outcome: Value = serde_json::from_str(entry["outcome"].as_str().unwrap()).unwrap();
    outcome["report"]["Continuation"]["token"].clone()
}

async fn assert_writes_todays_format(kind: Kind, name: &str) {
    let mut runs = vec![of_adopted_job(kind).await];
    let endings = [
        (Ending::Success, "reporting-success"),
        (Ending::Failure, "reporting-failure"),
        (Ending::Continuation, "reporting-continuation"),
    ];
    for (ending, phase) in endings {
        runs.push(of_whole_job(kind, ending, phase).await);
    }
    if kind != Kind::Invoke {
        runs.push(of_inferred_job(kind, name).await);
    }
    let mut seen = BTreeSet::new();
    for (stage, written) in &runs {
        stage.assert_all_readable(name, written).await;
        seen.extend(written.iter().map(|(name, _)| (*name).to_owned()));
    }
    assert_eq!(seen, fixtures(name).into_keys().collect(), "each fixture is compared");
}

#[tokio::test(flavor = "multi_thread")]
async fn custom_jobs_entries_keep_their_format() {
    assert_writes_todays_format(Kind::Custom, "custom").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn third_party_jobs_entries_keep_their_format() {
    assert_writes_todays_format(Kind::ThirdParty, "third-party").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn invoked_jobs_entries_keep_their_format() {
    assert_writes_todays_format(Kind::Invoke, "invoke").await;
}
