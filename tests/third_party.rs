//! Third-party jobs: whose they are, which token opens them, and that a bad one costs nobody else.
#![allow(clippy::unwrap_used, reason = "a scenario whose set-up fails has failed")]

mod support;

use std::collections::BTreeMap;
use std::io::Write;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use codepipeline_worker::actions::{Action, Run, Served};
use codepipeline_worker::job::{Continuation, Failure, FailureKind, Finished, Outcome};
use codepipeline_worker::lifecycle::Lifecycle;
use codepipeline_worker::queue::{Acknowledged, Queue};
use codepipeline_worker::redact::Redactor;
use codepipeline_worker::report::report;
use codepipeline_worker::worker::{Summary, Worker};
use serde_json::{Value, json};
use support::aws_json::{Answer, AwsJson, NO_ANSWER};
use support::{invoke, shared_config};
use tokio::time::Instant;

const ADA: &str = "aaaaaaaa-0000-4000-8000-000000000000";
const BOB: &str = "bbbbbbbb-0000-4000-8000-000000000000";

/// CodePipeline's third-party side, one custom action type, and Secrets Manager.
#[derive(Default)]
struct Service {
    jobs: BTreeMap<String, Job>,
    /// What CodePipeline takes.
    tokens: BTreeMap<String, String>,
    secrets: BTreeMap<String, String>,
    custom_jobs: Vec<String>,
    /// The job whose details never come.
    silent_job: Option<&'static str>,
    /// What Secrets Manager answers before it answers well.
    secret_errors: Vec<&'static str>,
}

struct Job {
    client: &'static str,
    state: &'static str,
    continuation: Option<String>,
}

impl Service {
    /// A service with a client whose token is in its secret.
    fn with_clients(clients: &[(&str, &str)]) -> Self {
        let mut service = Self::default();
        for (client, token) in clients {
            service.tokens.insert((*client).to_owned(), (*token).to_owned());
            service.secrets.insert(format!("clients/{client}"), (*token).to_owned());
        }
        service
    }

    fn job(mut self, id: &str, client: &'static str) -> Self {
        self.jobs.insert(id.to_owned(), Job { client, state: "Queued", continuation: None });
        self
    }

    fn answer(&mut self, operation: &str, input: &Value) -> Answer {
        let member = |name: &str| input[name].as_str().unwrap_or_default().to_owned();
        match operation {
            "GetSecretValue" => {
                if let Some(error) = self.secret_errors.pop() {
                    return Err(error);
                }
                let secret = self.secrets.get(&member("SecretId")).ok_or("ResourceNotFoundException")?;
                return Ok(json!({"Name": member("SecretId"), "SecretString": secret}));
            }
            "PollForThirdPartyJobs" => {
                let room = usize::try_from(input["maxBatchSize"].as_u64().unwrap()).unwrap();
                let queued = self.jobs.iter_mut().filter(|(_, job)| job.state == "Queued").take(room);
                let offer = |(id, job): (&String, &mut Job)| {
                    job.state = "Dispatched";
                    json!({"jobId": id, "clientId": job.client})
                };
                return Ok(json!({"jobs": queued.map(offer).collect::<Vec<_>>()}));
            }
            "PollForJobs" => {
                let offer = |id| json!({"id": id, "nonce": "3", "accountId": "123456789012", "data": {}});
                return Ok(json!({"jobs": self.custom_jobs.pop().map(offer).into_iter().collect::<Vec<_>>()}));
            }
            "AcknowledgeJob" => return Ok(json!({"status": "InProgress"})),
            "PutJobSuccessResult" => return Ok(json!({})),
            _ => {}
        }
        let id = member("jobId");
        let count = self.jobs.len();
        let job = self.jobs.get_mut(&id).ok_or("JobNotFoundException")?;
        if self.tokens.get(job.client) != Some(&member("clientToken")) {
            return Err("InvalidClientTokenException");
        }
        match operation {
            "GetThirdPartyJobDetails" if self.silent_job == Some(id.as_str()) => return Err(NO_ANSWER),
            "GetThirdPartyJobDetails" => {
                let data = json!({
                    "actionConfiguration": {"configuration": {"Job": id}},
                    "pipelineContext": {"action": {"name": "Act", "actionExecutionId": "execution"}},
                    "continuationToken": job.continuation,
                });
                return Ok(json!({"jobDetails": {"id": id, "nonce": format!("nonce of {id}"), "data": data}}));
            }
            "AcknowledgeThirdPartyJob" if job.state != "Dispatched" || member("nonce") != format!("nonce of {id}") => {
                return Err("InvalidNonceException");
            }
            "AcknowledgeThirdPartyJob" => job.state = "InProgress",
            _ if job.state != "InProgress" => return Err("InvalidJobStateException"),
            "PutThirdPartyJobSuccessResult" => {
                assert!(input.get("outputVariables").is_none(), "the operation has no such member");
                job.state = "Succeeded";
                if let Some(token) = input["continuationToken"].as_str() {
                    let continuation = Some(token.to_owned());
                    let next = Job { client: job.client, state: "Queued", continuation };
                    self.jobs.insert(format!("{id}-{count}"), next);
                }
            }
            "PutThirdPartyJobFailureResult" => job.state = "Failed",
            _ => panic!("nobody expects {operation}"),
        }
        Ok(json!({"status": "InProgress"}))
    }
}

struct World {
    service: Arc<Mutex<Service>>,
    server: AwsJson,
    folder: tempfile::TempDir,
    look: Duration,
}

impl World {
    async fn new(service: Service) -> Self {
        let service = Arc::new(Mutex::new(service));
        let answering = Arc::clone(&service);
        let server = AwsJson::start(move |operation, input| answering.lock().unwrap().answer(operation, input)).await;
        Self { service, server, folder: tempfile::tempdir().unwrap(), look: Duration::from_secs(8) }
    }

    fn worker(&self, prefix: Option<&str>, served: Vec<Served>, concurrency: usize) -> Worker {
        let shared = shared_config(self.server.endpoint());
        let lifecycle = Lifecycle {
            queue: Queue::new(&shared, prefix.map(str::to_owned)).look(self.look),
            ..support::lifecycle(&shared, self.folder.path().to_owned())
        };
        Worker::new(lifecycle, served, concurrency, Duration::from_secs(60))
    }

    fn partner(&self, action: impl Action) -> Worker {
        self.worker(Some("clients/"), vec![served("ThirdParty", action)], 4)
    }

    fn states(&self) -> Vec<&'static str> {
        self.service.lock().unwrap().jobs.values().map(|job| job.state).collect()
    }

    fn calls(&self, operation: &str) -> usize {
        self.server.inputs(operation).len()
    }
}

fn served(owner: &str, action: impl Action) -> Served {
    Served::new(support::action_type("Build", owner, "Partner"), Duration::from_secs(60), action)
}

/// An action that is one function.
struct Doing<F>(F);

impl<F: Fn(&Run) -> Result<Outcome, Failure> + Send + Sync + 'static> Action for Doing<F> {
    async fn start(&self, run: Run) -> Result<Outcome, Failure> {
        (self.0)(&run)
    }

    async fn resume(&self, _: Run, token: &str) -> Result<Outcome, Failure> {
        assert_eq!(token, "build 17");
        finish()
    }
}

fn finish() -> Result<Outcome, Failure> {
    Ok(Outcome::Finished(Finished::default()))
}

fn going_on() -> Result<Outcome, Failure> {
    let token = "build 17".to_owned();
    let percent_complete = Some(50);
    Ok(Outcome::Continue(Continuation { token, summary: None, external_execution_id: None, percent_complete }))
}

#[tokio::test]
async fn a_third_party_job_lives_the_life_of_any_job() {
    let world = World::new(Service::with_clients(&[(ADA, "token of Ada")]).job("job", ADA)).await;
    let action = Doing(|run: &Run| {
        assert_eq!(run.job.configuration.get("Job"), Some("job"));
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
    assert_eq!(result["executionDetails"], json!({"summary": "done", "percentComplete": 100}));
}

#[tokio::test]
async fn failures_and_continuations_go_through_the_third_party_operations() {
    let service = Service::with_clients(&[(ADA, "token of Ada")]).job("fails", ADA).job("goes on", ADA);
    let world = World::new(service).await;
    let action = Doing(|run: &Run| match run.job.id.as_str() {
        "fails" => Err(Failure::new(FailureKind::RevisionOutOfSync, "no")),
        _ => going_on(),
    });

    let summary = invoke(&world.partner(action)).await;

    assert_eq!(summary, Summary { polled: 3, claimed: 3, failed: 1, continued: 1, succeeded: 1, ..Summary::default() });
    assert_eq!(world.states(), ["Failed", "Succeeded", "Succeeded"]);
    let failure = &world.server.inputs("PutThirdPartyJobFailureResult")[0];
    assert_eq!(failure["failureDetails"], json!({"type": "RevisionOutOfSync", "message": "no"}));
}

#[tokio::test]
async fn a_missing_or_bad_token_costs_its_own_job_alone_and_a_log_line_names_the_client() {
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

    let summary = invoke(&world.partner(Doing(|_: &Run| finish()))).await;

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
    assert_eq!(log.matches("metric=\"ClientTokenProblems\"").count(), 3, "{log}");
    assert!(!log.contains("s3cr3t") && !log.contains("token of"), "{log}");
}

#[tokio::test]
async fn output_variables_that_are_dropped_anyway_may_be_of_any_name_and_size() {
    let log = Log::default();
    let _guard = tracing::subscriber::set_default(log.subscriber());
    let service = Service::with_clients(&[(ADA, "token of Ada")]).job("name", ADA).job("size", ADA);
    let world = World::new(service).await;
    let action = Doing(|run: &Run| {
        let variable = match run.job.id.as_str() {
            "name" => ("not a name".to_owned(), "value".to_owned()),
            _ => ("Key".to_owned(), "v".repeat(200_000)),
        };
        Ok(Outcome::Finished(Finished { variables: [variable].into(), ..Finished::default() }))
    });

    assert_eq!(invoke(&world.partner(action)).await.succeeded, 2);

    assert_eq!(log.text().matches("third-party jobs have no output variables").count(), 2, "{}", log.text());
}

#[tokio::test]
async fn a_token_is_fetched_once_for_all_jobs_of_a_client() {
    let service = Service::with_clients(&[(ADA, "token of Ada")]).job("1", ADA).job("2", ADA).job("3", ADA);
    let world = World::new(service).await;
    let worker = world.partner(Doing(|_: &Run| finish()));
    assert_eq!(invoke(&worker).await.succeeded, 3);
    world.service.lock().unwrap().jobs.values_mut().for_each(|job| job.state = "Queued");
    assert_eq!(invoke(&worker).await.succeeded, 3);
    assert_eq!(world.calls("GetSecretValue"), 1);
}

#[tokio::test]
async fn a_token_that_was_replaced_is_fetched_again_even_for_the_report() {
    let world = World::new(Service::with_clients(&[(ADA, "old")]).job("1", ADA)).await;
    let service = Arc::clone(&world.service);
    let worker = world.partner(Doing(move |_: &Run| {
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
async fn a_report_whose_new_token_can_not_be_read_at_first_is_delivered_all_the_same() {
    let world = World::new(Service::with_clients(&[(ADA, "old")]).job("1", ADA)).await;
    let service = Arc::clone(&world.service);
    let worker = world.partner(Doing(move |_: &Run| {
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
async fn a_report_waits_for_a_new_token_until_its_deadline_and_no_longer() {
    let world = World::new(Service::with_clients(&[(ADA, "old")]).job("1", ADA)).await;
    let queue = Queue::new(&shared_config(world.server.endpoint()), Some("clients/".into()));
    let polled = queue.poll(&support::action_type("Build", "ThirdParty", "Partner"), None, 1).await.unwrap();
    let until = Instant::now() + Duration::from_secs(60);
    let Acknowledged::Claimed(claim) = queue.acknowledge(&polled.offers[0], until).await else { panic!("not claimed") };
    {
        let mut service = world.service.lock().unwrap();
        service.tokens.insert(ADA.into(), "new".into());
        // One is tried for 3 s, so these are not over before the deadline.
        service.secret_errors.extend([NO_ANSWER; 2]);
    }

    let next = report(finish(), &Redactor::default());
    let began = Instant::now();
    let undelivered = queue.report(claim, &next, began + Duration::from_secs(2)).await.err().unwrap();

    assert!(began.elapsed() < Duration::from_secs(5), "{:?}", began.elapsed());
    let said = undelivered.to_string();
    assert!(said.contains(&format!("the secret 'clients/{ADA}' could not be read: no answer in time")), "{said}");
}

#[tokio::test]
async fn a_wrong_token_is_fetched_again_once_and_not_more() {
    let mut service = Service::with_clients(&[(ADA, "right")]).job("1", ADA);
    service.secrets.insert(format!("clients/{ADA}"), "wrong".into());
    let world = World::new(service).await;
    assert_eq!(invoke(&world.partner(Doing(|_: &Run| finish()))).await.unusable, 1);
    assert_eq!((world.calls("GetSecretValue"), world.calls("GetThirdPartyJobDetails")), (2, 1));
}

#[tokio::test]
async fn a_client_whose_details_do_not_come_costs_nobody_else() {
    let mut service = Service::with_clients(&[(ADA, "token of Ada"), (BOB, "token of Bob")]);
    service = service.job("1", ADA).job("2", BOB);
    service.silent_job = Some("1");
    let world = World { look: Duration::from_secs(4), ..World::new(service).await };

    let summary = invoke(&world.partner(Doing(|_: &Run| finish()))).await;

    assert_eq!(summary, Summary { polled: 2, claimed: 1, succeeded: 1, unusable: 1, ..Summary::default() });
    assert_eq!(world.states(), ["Dispatched", "Succeeded"]);
}

#[tokio::test]
async fn a_token_that_can_not_be_had_is_asked_for_once_in_a_poll() {
    let mut service = Service::with_clients(&[(ADA, "token of Ada"), (BOB, "token of Bob")]);
    for id in ["1", "2", "3"] {
        service = service.job(id, ADA);
    }
    service.secrets.clear();
    let world = World::new(service).await;

    assert_eq!(invoke(&world.partner(Doing(|_: &Run| finish()))).await.unusable, 3);

    assert_eq!(world.calls("GetSecretValue"), 1);
}

#[tokio::test]
async fn without_a_configured_prefix_secrets_manager_is_not_asked() {
    let world = World::new(Service::with_clients(&[(ADA, "token")]).job("1", ADA)).await;
    let worker = world.worker(None, vec![served("ThirdParty", Doing(|_: &Run| finish()))], 4);
    assert_eq!(invoke(&worker).await.unusable, 1);
    assert_eq!(world.calls("GetSecretValue"), 0);
}

#[tokio::test]
async fn custom_and_third_party_types_take_turns_when_there_is_room_for_one_job() {
    let mut service = Service::with_clients(&[(ADA, "token of Ada")]);
    for id in ["1", "2", "3", "4"] {
        service = service.job(id, ADA);
        service.custom_jobs.push(format!("00000000-0000-4000-8000-00000000000{id}"));
    }
    let world = World::new(service).await;
    let types = ["ThirdParty", "Custom"].map(|owner| served(owner, Doing(|_: &Run| finish())));

    let summary = invoke(&world.worker(Some("clients/"), types.into(), 1)).await;

    assert_eq!(summary.succeeded, 8);
    let claimed: Vec<_> = world.server.operations().into_iter().filter(|it| it.starts_with("Acknowledge")).collect();
    assert!(claimed.windows(2).all(|pair| pair[0] != pair[1]), "{claimed:?}");
}

/// What is logged on this thread.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Log {
    fn subscriber(&self) -> impl tracing::Subscriber + Send + Sync {
        let log = self.clone();
        tracing_subscriber::fmt().with_ansi(false).with_writer(move || log.clone()).finish()
    }

    fn text(&self) -> String {
        String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
    }
}

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}
