//! A new deployment adopts, reports and sweeps what an old deployment has left in the ledger, in each phase.

use std::time::Duration;

use aws_sdk_codepipeline::types::ActionExecutionStatus;
use codepipeline_worker::actions::OnCrash;
use codepipeline_worker::worker::Summary;
use serde_json::{Value, json};

use super::format::{Ids, fixtures};
use super::stage::{A_MINUTE, Kind, QUARTER_OF_AN_HOUR, Stage};
use super::upgraded::Ending;

/// A job that an old deployment left in this phase, after its lease.
async fn left(kind: Kind, fixture: &str) -> (Stage, Ids) {
    let stage = Stage::start(kind, Ending::Success).await;
    let ids = stage.old_deployment_takes_job(true).await;
    stage.put(&ids.job, ids.fill(fixture)).await;
    assert_eq!(stage.tick().await, Summary::default(), "the old worker may be alive");
    stage.time.advance(QUARTER_OF_AN_HOUR + A_MINUTE);
    (stage, ids)
}

impl Stage {
    /// The only report that the new deployment has sent, without the job's id.
    fn report(&self) -> Value {
        let reports = self.wire.take_reports();
        assert_eq!(reports.len(), 1, "one report");
        serde_json::from_slice(&reports[0]).unwrap()
    }

    /// Ends with a mark of the finished job, which is swept when no worker needs it any more.
    async fn assert_swept_in_the_end(&self) {
        assert_eq!(self.entries().await, (1, 1), "the job is marked as finished");
        let hours = if self.kind == Kind::Invoke { 7 } else { 1 };
        self.time.advance(Duration::from_secs(hours * 3600 - 60));
        self.tick().await;
        assert_eq!(self.entries().await.0, 1, "the mark is kept for {hours} hours");
        self.time.advance(A_MINUTE * 2);
        self.tick().await;
        assert_eq!(self.entries().await.0, 0);
    }
}

async fn finishes(kind: Kind, phase: &str, fixture: &str) {
    let (stage, ids) = left(kind, fixture).await;
    let adopted = Summary { adopted: 1, claimed: 1, ..Summary::default() };
    let run = match kind {
        // The first job of a Lambda Invoke action names no execution.
        Kind::Invoke => ids.job.clone(),
        Kind::Custom | Kind::ThirdParty => ids.action_execution.clone(),
    };
    match phase {
        "claiming" => {
            assert_eq!(stage.tick().await, Summary::default(), "it is marked");
            stage.time.advance(A_MINUTE);
            assert_eq!(stage.tick().await, Summary { succeeded: 1, ..adopted });
            assert_eq!(stage.action.turns(), [(run, None)]);
        }
        "claiming-marked" => {
            assert_eq!(stage.tick().await, Summary { succeeded: 1, ..adopted });
            assert_eq!(stage.action.turns(), [(run, None)]);
        }
        "held" | "held-again" | "held-inferred" => {
            assert_eq!(stage.tick().await, Summary { failed: 1, ..adopted });
            let message = stage.report()["failureDetails"]["message"].as_str().unwrap().to_owned();
            assert!(message.starts_with("WorkerDied: "), "{message}");
            assert_eq!(stage.action.turns(), []);
            assert_eq!(stage.action.stopped.lock().unwrap()[0].execution_id, run, "its work outside is stopped");
        }
        "reporting-success" => {
            assert_eq!(stage.tick().await, Summary { succeeded: 1, ..adopted });
            let report = stage.report();
            let details = json!({"summary": "ran", "externalExecutionId": "x-1", "percentComplete": 100});
            assert_eq!(report["executionDetails"], details);
            let variables = if kind == Kind::ThirdParty { Value::Null } else { json!({"Key": "value"}) };
            assert_eq!(report["outputVariables"], variables);
        }
        "reporting-failure" => {
            assert_eq!(stage.tick().await, Summary { failed: 1, ..adopted });
            let failure = json!({"type": "JobFailed", "message": "Test: no:\nprinted", "externalExecutionId": "x-1"});
            assert_eq!(stage.report()["failureDetails"], failure);
        }
        "reporting-continuation" => {
            assert_eq!(stage.tick().await, Summary { continued: 1, ..adopted });
            let report = stage.report();
            assert_eq!(report["executionDetails"]["percentComplete"], 50);
            // The next job carries the old deployment's token, and the new deployment resumes the run.
            stage.time.advance(A_MINUTE);
            let worker = stage.worker(OnCrash::Fail);
            assert_eq!(stage.take_job(&worker).await.succeeded, 1);
            assert_eq!(stage.action.turns(), [(run, Some("build 17".to_owned()))]);
        }
        other => panic!("say here how a new deployment handles an entry that is {other}"),
    }
    let failed = phase.starts_with("held") || phase == "reporting-failure";
    let status = if failed { ActionExecutionStatus::Failed } else { ActionExecutionStatus::Succeeded };
    assert_eq!(stage.execution().await.status, Some(status), "{phase}");
    assert!(stage.action.turns().len() <= 1, "nothing runs twice");
    if phase != "reporting-continuation" {
        stage.assert_swept_in_the_end().await;
    }
}

async fn finishes_each(kind: Kind, name: &str) {
    for (phase, fixture) in fixtures(name) {
        println!("{name}.{phase}");
        Box::pin(finishes(kind, &phase, &fixture)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn new_deployment_finishes_old_custom_jobs() {
    finishes_each(Kind::Custom, "custom").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn new_deployment_finishes_old_third_party_jobs() {
    finishes_each(Kind::ThirdParty, "third-party").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn new_deployment_finishes_old_invoked_jobs() {
    finishes_each(Kind::Invoke, "invoke").await;
}

/// An old worker holds the job and lives. The new one is offered it, as a service does that accepts a second acknowledgement.
#[tokio::test(flavor = "multi_thread")]
async fn new_deployment_leaves_jobs_of_a_living_old_one() {
    for kind in [Kind::Custom, Kind::ThirdParty] {
        let name = if kind == Kind::Custom { "custom" } else { "third-party" };
        let stage = Stage::start(kind, Ending::Success).await;
        let ids = stage.old_deployment_takes_job(false).await;
        stage.put(&ids.job, ids.fill(&fixtures(name)["held"])).await;
        // CodePipeline offers the job again after 30 s.
        stage.time.advance(A_MINUTE);
        let summary = stage.tick().await;
        assert_eq!((summary.polled, summary.claimed, summary.adopted), (1, 0, 0), "{summary:?}");
        assert_eq!(stage.action.turns(), []);
        assert_eq!(stage.entries().await, (1, 0), "the old worker's entry is unchanged");
    }
}

/// Both deployments report a job that has ended as done, with an empty object.
#[tokio::test(flavor = "multi_thread")]
async fn old_marks_of_finished_jobs_are_heeded_and_swept() {
    for kind in [Kind::Custom, Kind::ThirdParty, Kind::Invoke] {
        let stage = Stage::start(kind, Ending::Success).await;
        let ids = match kind {
            Kind::Invoke => stage.old_deployment_takes_job(true).await,
            Kind::Custom | Kind::ThirdParty => stage.old_deployment_takes_job(false).await,
        };
        stage.put(&ids.job, "").await;
        stage.time.advance(A_MINUTE);
        stage.tick().await;
        assert_eq!(stage.action.turns(), [], "{kind:?} has ended and does not run again");
        stage.assert_swept_in_the_end().await;
    }
}
