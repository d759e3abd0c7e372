//! Client tokens: fetched once, replaced after a refusal, and waited for when a report needs one.

use std::sync::Arc;
use std::time::Duration;

use codepipeline_worker::actions::Turn;
use codepipeline_worker::queue::{Acknowledged, Queue};
use codepipeline_worker::redact::Redactor;
use codepipeline_worker::report::report;
use codepipeline_worker::worker::Summary;
use tokio::time::Instant;

use super::log::Log;
use super::service::{ADA, BOB, Doing, Service, World, finish, served};
use crate::support::aws_json::NO_ANSWER;
use crate::support::metrics::Written;
use crate::support::{self, invoke, sdk_config};

#[tokio::test]
async fn bad_token_affects_only_its_job_and_log_names_the_client() {
    let log = Log::default();
    let _guard = tracing::subscriber::set_default(log.subscriber());
    let mut service = Service::with_clients(&[(ADA, "token of Ada"), (BOB, "token of Bob")]);
    for (id, client) in [
        ("1", "11111111-0000-4000-8000-000000000000"),
        ("2", "22222222-0000-4000-8000-000000000000"),
        ("3", BOB),
        ("4", ADA),
    ] {
        service = service.job(id, client);
    }
    service.secrets.insert("clients/22222222-0000-4000-8000-000000000000".into(), r#"{"other": "s3cr3t"}"#.into());
    service.secrets.insert(format!("clients/{BOB}"), "wr0ng s3cr3t".into());
    let world = World::new(service).await;

    let (worker, written) = Written::by(world.partner(Doing(|_: &Turn| finish())));
    let summary = invoke(&worker).await;

    assert_eq!(summary, Summary { polled: 4, claimed: 1, succeeded: 1, unusable: 3, ..Summary::default() });
    assert_eq!(world.states(), ["Dispatched", "Dispatched", "Dispatched", "Succeeded"]);
    let log = log.text();
    for said in [
        "has no secret 'clients/11111111-0000-4000-8000-000000000000'",
        "the secret 'clients/22222222-0000-4000-8000-000000000000' holds no client token",
        "client bbbbbbbb-0000-4000-8000-000000000000: CodePipeline refuses the client token",
    ] {
        assert!(log.contains(said), "'{said}' is missing in\n{log}");
    }
    assert_eq!(written.values("ClientTokenProblems").iter().sum::<u64>(), 3);
    assert!(!log.contains("s3cr3t") && !log.contains("token of"), "{log}");
}

#[tokio::test]
async fn token_is_fetched_once_for_all_jobs_of_a_client() {
    let service = Service::with_clients(&[(ADA, "token of Ada")]).job("1", ADA).job("2", ADA).job("3", ADA);
    let world = World::new(service).await;
    let worker = world.partner(Doing(|_: &Turn| finish()));
    assert_eq!(invoke(&worker).await.succeeded, 3);
    world.service.lock().unwrap().jobs.values_mut().for_each(|job| job.state = "Queued");
    assert_eq!(invoke(&worker).await.succeeded, 3);
    assert_eq!(world.calls("GetSecretValue"), 1);
}

#[tokio::test]
async fn replaced_token_is_fetched_again_for_the_report() {
    let world = World::new(Service::with_clients(&[(ADA, "old")]).job("1", ADA)).await;
    let service = Arc::clone(&world.service);
    let worker = world.partner(Doing(move |_: &Turn| {
        let mut service = service.lock().unwrap();
        service.tokens.insert(ADA.into(), "new".into());
        service.secrets.insert(format!("clients/{ADA}"), "new".into());
        finish()
    }));
    assert_eq!(invoke(&worker).await.succeeded, 1);
    assert_eq!(world.calls("GetSecretValue"), 2);
    world.service.lock().unwrap().jobs.get_mut("1").unwrap().state = "Queued";
    assert_eq!(invoke(&worker).await.succeeded, 1);
    assert_eq!(world.calls("GetSecretValue"), 2);
}

#[tokio::test]
async fn report_waits_for_a_token_that_cannot_be_read_at_first() {
    let world = World::new(Service::with_clients(&[(ADA, "old")]).job("1", ADA)).await;
    let service = Arc::clone(&world.service);
    let worker = world.partner(Doing(move |_: &Turn| {
        let mut service = service.lock().unwrap();
        service.tokens.insert(ADA.into(), "new".into());
        service.secrets.insert(format!("clients/{ADA}"), "new".into());
        service.secret_errors = vec!["AccessDeniedException"; 2];
        finish()
    }));
    assert_eq!(invoke(&worker).await.succeeded, 1);
    assert_eq!(world.calls("GetSecretValue"), 4);
}

#[tokio::test]
async fn report_waits_for_a_token_until_its_deadline() {
    let world = World::new(Service::with_clients(&[(ADA, "old")]).job("1", ADA)).await;
    let queue = Queue::new(&sdk_config(world.server.endpoint()), Some("clients/".into()));
    let polled = queue.poll(&support::action_type("Build", "ThirdParty", "Partner"), None, 1).await.unwrap();
    let until = Instant::now() + Duration::from_secs(60);
    let Acknowledged::Claimed(claim) = queue.acknowledge(&polled.offers[0], until).await else { panic!("not claimed") };
    {
        let mut service = world.service.lock().unwrap();
        service.tokens.insert(ADA.into(), "new".into());
        // Each try takes 3 s, so these last beyond the deadline.
        service.secret_errors.extend([NO_ANSWER; 2]);
    }

    let next = report(finish(), "e-1", &Redactor::default());
    let began = Instant::now();
    let undelivered = queue.report(claim, &next, began + Duration::from_secs(2)).await.err().unwrap();

    assert!(began.elapsed() < Duration::from_secs(5), "{:?}", began.elapsed());
    let said = undelivered.to_string();
    assert!(said.contains(&format!("could not read the secret 'clients/{ADA}': no response in time")), "{said}");
}

#[tokio::test]
async fn wrong_token_is_fetched_again_only_once() {
    let mut service = Service::with_clients(&[(ADA, "right")]).job("1", ADA);
    service.secrets.insert(format!("clients/{ADA}"), "wrong".into());
    let world = World::new(service).await;
    assert_eq!(invoke(&world.partner(Doing(|_: &Turn| finish()))).await.unusable, 1);
    assert_eq!((world.calls("GetSecretValue"), world.calls("GetThirdPartyJobDetails")), (2, 1));
}

#[tokio::test]
async fn unreadable_token_is_fetched_once_per_poll() {
    let mut service = Service::with_clients(&[(ADA, "token of Ada"), (BOB, "token of Bob")]);
    for id in ["1", "2", "3"] {
        service = service.job(id, ADA);
    }
    service.secrets.clear();
    let world = World::new(service).await;

    assert_eq!(invoke(&world.partner(Doing(|_: &Turn| finish()))).await.unusable, 3);

    assert_eq!(world.calls("GetSecretValue"), 1);
}

#[tokio::test]
async fn secrets_manager_is_not_called_without_a_prefix() {
    let world = World::new(Service::with_clients(&[(ADA, "token")]).job("1", ADA)).await;
    let worker = world.worker(None, vec![served("ThirdParty", Doing(|_: &Turn| finish()))], 4);
    assert_eq!(invoke(&worker).await.unusable, 1);
    assert_eq!(world.calls("GetSecretValue"), 0);
}
