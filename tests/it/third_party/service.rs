//! The services: CodePipeline's third-party operations, one custom action type, and Secrets Manager.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use codepipeline_worker::actions::{Action, Served, Turn};
use codepipeline_worker::job::{Continuation, Failure, Finished, Outcome};
use codepipeline_worker::lifecycle::Lifecycle;
use codepipeline_worker::queue::Queue;
use codepipeline_worker::worker::Worker;
use serde_json::{Value, json};

use crate::support::aws_json::{Answer, AwsJson, NO_ANSWER};
use crate::support::{self, sdk_config};

pub(crate) const ADA: &str = "aaaaaaaa-0000-4000-8000-000000000000";
pub(crate) const BOB: &str = "bbbbbbbb-0000-4000-8000-000000000000";

/// CodePipeline's third-party side, one custom action type, and Secrets Manager.
#[derive(Default)]
pub(crate) struct Service {
    pub(crate) jobs: BTreeMap<String, Job>,
    /// The tokens that CodePipeline accepts.
    pub(crate) tokens: BTreeMap<String, String>,
    pub(crate) secrets: BTreeMap<String, String>,
    pub(crate) custom_jobs: Vec<String>,
    /// A job whose details never arrive.
    pub(crate) silent_job: Option<&'static str>,
    /// Errors that Secrets Manager returns before it succeeds.
    pub(crate) secret_errors: Vec<&'static str>,
}

pub(crate) struct Job {
    pub(crate) client: &'static str,
    pub(crate) state: &'static str,
    pub(crate) continuation: Option<String>,
}

impl Service {
    /// A service with clients whose tokens are in their secrets.
    pub(crate) fn with_clients(clients: &[(&str, &str)]) -> Self {
        let mut service = Self::default();
        for (client, token) in clients {
            service.tokens.insert((*client).to_owned(), (*token).to_owned());
            service.secrets.insert(format!("clients/{client}"), (*token).to_owned());
        }
        service
    }

    pub(crate) fn job(mut self, id: &str, client: &'static str) -> Self {
        self.jobs.insert(id.to_owned(), Job { client, state: "Queued", continuation: None });
        self
    }

    pub(crate) fn answer(&mut self, operation: &str, input: &Value) -> Answer {
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
            _ => panic!("unexpected operation: {operation}"),
        }
        Ok(json!({"status": "InProgress"}))
    }
}

pub(crate) struct World {
    pub(crate) service: Arc<Mutex<Service>>,
    pub(crate) server: AwsJson,
    pub(crate) folder: tempfile::TempDir,
    pub(crate) look: Duration,
}

impl World {
    pub(crate) async fn new(service: Service) -> Self {
        let service = Arc::new(Mutex::new(service));
        let answering = Arc::clone(&service);
        let server = AwsJson::start(move |operation, input| answering.lock().unwrap().answer(operation, input)).await;
        Self { service, server, folder: tempfile::tempdir().unwrap(), look: Duration::from_secs(8) }
    }

    pub(crate) fn worker(&self, prefix: Option<&str>, served: Vec<Served>, concurrency: usize) -> Worker {
        let sdk_config = sdk_config(self.server.endpoint());
        let lifecycle = Lifecycle {
            queue: Queue::new(&sdk_config, prefix.map(str::to_owned)).look_up_within(self.look),
            ..support::lifecycle(&sdk_config, self.folder.path().to_owned())
        };
        Worker::new(lifecycle, served, concurrency, Duration::from_secs(60))
    }

    pub(crate) fn partner(&self, action: impl Action) -> Worker {
        self.worker(Some("clients/"), vec![served("ThirdParty", action)], 4)
    }

    pub(crate) fn states(&self) -> Vec<&'static str> {
        self.service.lock().unwrap().jobs.values().map(|job| job.state).collect()
    }

    pub(crate) fn calls(&self, operation: &str) -> usize {
        self.server.inputs(operation).len()
    }
}

pub(crate) fn served(owner: &str, action: impl Action) -> Served {
    Served::new(support::action_type("Build", owner, "Partner"), Duration::from_secs(60), action)
}

/// An action that runs one function.
pub(crate) struct Doing<F>(pub(crate) F);

impl<F: Fn(&Turn) -> Result<Outcome, Failure> + Send + Sync + 'static> Action for Doing<F> {
    async fn start(&self, turn: Turn) -> Result<Outcome, Failure> {
        (self.0)(&turn)
    }

    async fn resume(&self, _: Turn, token: &str) -> Result<Outcome, Failure> {
        assert_eq!(token, "build 17");
        finish()
    }
}

pub(crate) fn finish() -> Result<Outcome, Failure> {
    Ok(Outcome::Finished(Finished::default()))
}

pub(crate) fn continue_later() -> Result<Outcome, Failure> {
    let token = "build 17".to_owned();
    let percent_complete = Some(50);
    Ok(Outcome::Continue(Continuation { token, summary: None, external_execution_id: None, percent_complete }))
}
