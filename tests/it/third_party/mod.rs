//! Third-party jobs: their clients and tokens, and that a bad token affects only its own client.

mod log;
mod service;
mod tokens;

use std::time::Duration;

use codepipeline_worker::actions::Turn;
use codepipeline_worker::job::{Failure, FailureCode, FailureKind, Finished, Outcome};
use codepipeline_worker::worker::Summary;
use serde_json::json;

use self::log::Log;
use self::service::{ADA, BOB, Doing, Service, World, continue_later, finish, served};
use crate::support::invoke;

#[tokio::test]
async fn third_party_job_runs_like_any_job() {
    let world = World::new(Service::with_clients(&[(ADA, "token of Ada")]).job("job", ADA)).await;
    let action = Doing(|turn: &Turn| {
        assert_eq!(turn.job.configuration.get("Job"), Some("job"));
        let variables = [("Key".to_owned(), "value".to_owned())].into();
        Ok(Outcome::Finished(Finished { summary: Some("done".into()), variables, ..Finished::default() }))
    });

    let summary = invoke(&world.partner(action)).await;

    assert_eq!(summary, Summary { polled: 1, claimed: 1, succeeded: 1, ..Summary::default() });
    let mut operations = world.server.operations();
    assert_eq!(operations[0], "PollForThirdPartyJobs");
    operations.retain(|it| it != "PollForThirdPartyJobs");
    assert_eq!(
        operations,
        ["GetSecretValue", "GetThirdPartyJobDetails", "AcknowledgeThirdPartyJob", "PutThirdPartyJobSuccessResult"]
    );
    let result = &world.server.inputs("PutThirdPartyJobSuccessResult")[0];
    assert_eq!(
        result["executionDetails"],
        json!({"summary": "done", "externalExecutionId": "execution", "percentComplete": 100})
    );
}

#[tokio::test]
async fn failures_and_continuations_use_their_own_operations() {
    let service = Service::with_clients(&[(ADA, "token of Ada")]).job("fails", ADA).job("goes on", ADA);
    let world = World::new(service).await;
    let action = Doing(|turn: &Turn| match turn.job.id.as_str() {
        "fails" => Err(Failure::new(FailureKind::RevisionOutOfSync, FailureCode::new("Test"), "no")),
        _ => continue_later(),
    });

    let summary = invoke(&world.partner(action)).await;

    assert_eq!(summary, Summary { polled: 3, claimed: 3, failed: 1, continued: 1, succeeded: 1, ..Summary::default() });
    assert_eq!(world.states(), ["Failed", "Succeeded", "Succeeded"]);
    let failure = &world.server.inputs("PutThirdPartyJobFailureResult")[0];
    assert_eq!(
        failure["failureDetails"],
        json!({
            "type": "RevisionOutOfSync",
            "message": "Test: no (search the log for execution)",
            "externalExecutionId": "execution",
        })
    );
}

#[tokio::test]
async fn dropped_output_variables_fail_no_job() {
    let log = Log::default();
    let _guard = tracing::subscriber::set_default(log.subscriber());
    let service = Service::with_clients(&[(ADA, "token of Ada")]).job("name", ADA).job("size", ADA);
    let world = World::new(service).await;
    let action = Doing(|turn: &Turn| {
        let variable = match turn.job.id.as_str() {
            "name" => ("not a name".to_owned(), "value".to_owned()),
            _ => ("Key".to_owned(), "v".repeat(200_000)),
        };
        Ok(Outcome::Finished(Finished { variables: [variable].into(), ..Finished::default() }))
    });

    assert_eq!(invoke(&world.partner(action)).await.succeeded, 2);

    assert_eq!(log.text().matches("third-party jobs can't report any").count(), 2, "{}", log.text());
}

#[tokio::test]
async fn missing_details_affect_only_their_job() {
    let mut service = Service::with_clients(&[(ADA, "token of Ada"), (BOB, "token of Bob")]);
    service = service.job("1", ADA).job("2", BOB);
    service.silent_job = Some("1");
    let world = World { look: Duration::from_secs(4), ..World::new(service).await };

    let summary = invoke(&world.partner(Doing(|_: &Turn| finish()))).await;

    assert_eq!(summary, Summary { polled: 2, claimed: 1, succeeded: 1, unusable: 1, ..Summary::default() });
    assert_eq!(world.states(), ["Dispatched", "Succeeded"]);
}

#[tokio::test]
async fn custom_and_third_party_types_take_turns() {
    let mut service = Service::with_clients(&[(ADA, "token of Ada")]);
    for id in ["1", "2", "3", "4"] {
        service = service.job(id, ADA);
        service.custom_jobs.push(format!("00000000-0000-4000-8000-00000000000{id}"));
    }
    let world = World::new(service).await;
    let types = ["ThirdParty", "Custom"].map(|owner| served(owner, Doing(|_: &Turn| finish())));

    let summary = invoke(&world.worker(Some("clients/"), types.into(), 1)).await;

    assert_eq!(summary.succeeded, 8);
    let claimed: Vec<_> = world.server.operations().into_iter().filter(|it| it.starts_with("Acknowledge")).collect();
    assert!(claimed.windows(2).all(|pair| pair[0] != pair[1]), "{claimed:?}");
}
