//! Lambda Invoke jobs: they come in events, the same actions run them, and each is reported.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use codepipeline_worker::actions::{Abandoned, Action, Served, Turn};
use codepipeline_worker::job::{Continuation, Failure, Finished, Outcome};
use codepipeline_worker::lifecycle::Lifecycle;
use codepipeline_worker::worker::{InvocationError, Summary, Worker};
use serde_json::{Value, json};
use tokio::time::Instant;

use crate::support::aws_json::{Answer, AwsJson};
use crate::support::log::{logged, with_message};
use crate::support::{self, sdk_config};

const FIRST: &str = "11111111-abcd-1111-abcd-111111abcdef";
const SECOND: &str = "22222222-abcd-1111-abcd-111111abcdef";

/// An execution id and a command.
type Seen = (String, Option<String>);

/// Continues once, then finishes. Notes the execution ids and commands that it sees.
#[derive(Clone, Default)]
struct Twice {
    seen: Arc<Mutex<Vec<Seen>>>,
    stopped: Arc<Mutex<Vec<Abandoned>>>,
    /// Continues for ever instead.
    endless: bool,
}

impl Twice {
    fn note(&self, turn: &Turn) {
        let execution_id = turn.job.pipeline.action_execution_id.clone().unwrap();
        let command = turn.job.configuration.get("Command").map(str::to_owned);
        self.seen.lock().unwrap().push((execution_id, command));
    }
}

impl Action for Twice {
    async fn start(&self, turn: Turn) -> Result<Outcome, Failure> {
        self.note(&turn);
        let token = "build 17".to_owned();
        let percent_complete = Some(50);
        Ok(Outcome::Continue(Continuation { token, summary: None, external_execution_id: None, percent_complete }))
    }

    async fn resume(&self, turn: Turn, token: &str) -> Result<Outcome, Failure> {
        self.note(&turn);
        assert_eq!(token, "build 17");
        if self.endless {
            return self.start(turn).await;
        }
        let variables = [("Key".to_owned(), "value".to_owned())].into();
        Ok(Outcome::Finished(Finished { variables, ..Finished::default() }))
    }

    async fn stop(&self, abandoned: &Abandoned) -> Result<(), Failure> {
        self.stopped.lock().unwrap().push(abandoned.clone());
        Ok(())
    }

    fn wants_files(&self) -> bool {
        false
    }
}

/// A CodePipeline that accepts every report unless the job has ended, and has the first job's details.
async fn codepipeline(over: bool) -> AwsJson {
    AwsJson::start(move |operation, _| -> Answer {
        if operation == "GetJobDetails" {
            let configuration = json!({"FunctionName": "f", "UserParameters": "{\"Command\": \"ls\"}"});
            let context = json!({"pipelineName": "p", "action": {"name": "Act", "actionExecutionId": "another"}});
            let data = json!({"actionConfiguration": {"configuration": configuration}, "pipelineContext": context});
            return Ok(json!({"jobDetails": {"id": FIRST, "data": data}}));
        }
        assert!(operation.starts_with("PutJob"), "unexpected {operation}");
        if over { Err("InvalidJobStateException") } else { Ok(json!({})) }
    })
    .await
}

struct World {
    server: AwsJson,
    folder: tempfile::TempDir,
}

impl World {
    async fn new(over: bool) -> Self {
        Self { server: codepipeline(over).await, folder: tempfile::tempdir().unwrap() }
    }

    fn worker(&self, served: Vec<Served>) -> Worker {
        let sdk_config = sdk_config(self.server.endpoint());
        let lifecycle = support::lifecycle(&sdk_config, self.folder.path().to_owned());
        Worker::new(lifecycle, served, 4, Duration::from_secs(60))
    }
}

fn served(action: impl Action) -> Vec<Served> {
    vec![Served::new(support::action_type("Invoke", "AWS", "Lambda"), Duration::from_secs(60), action)]
}

fn event(id: &str, token: Option<&str>) -> Value {
    json!({"CodePipeline.job": {"id": id, "accountId": "123456789012", "data": {
        "actionConfiguration": {"configuration": {"FunctionName": "f", "UserParameters": "{\"Command\": \"ls\"}"}},
        "inputArtifacts": [], "outputArtifacts": [], "continuationToken": token}}})
}

fn deadline() -> Instant {
    Instant::now() + Duration::from_secs(900)
}

#[tokio::test]
async fn an_invoked_job_continues_under_the_first_jobs_id() {
    let world = World::new(false).await;
    let action = Twice::default();
    let worker = world.worker(served(action.clone()));

    let began = worker.run_job(&event(FIRST, None), deadline()).await.unwrap();
    let put = world.server.inputs("PutJobSuccessResult")[0].clone();
    let token = put["continuationToken"].as_str().unwrap();
    let ended = worker.run_job(&event(SECOND, Some(token)), deadline()).await.unwrap();

    assert_eq!(began, Summary { claimed: 1, continued: 1, ..Summary::default() });
    assert_eq!(put["jobId"], FIRST);
    assert_eq!(put["executionDetails"]["percentComplete"], 50);
    assert_eq!(ended, Summary { claimed: 1, succeeded: 1, ..Summary::default() });
    let put = &world.server.inputs("PutJobSuccessResult")[1];
    assert_eq!((&put["jobId"], &put["outputVariables"]), (&json!(SECOND), &json!({"Key": "value"})));
    let seen = action.seen.lock().unwrap();
    assert_eq!(*seen, [(FIRST.to_owned(), Some("ls".to_owned())), (FIRST.to_owned(), Some("ls".to_owned()))]);
    assert_eq!(world.server.operations().len(), 2, "only reports: {:?}", world.server.operations());
}

/// Must not run.
struct NeedsFiles;

impl Action for NeedsFiles {
    async fn start(&self, _: Turn) -> Result<Outcome, Failure> {
        unreachable!("there is no room for its files")
    }
}

#[tokio::test]
async fn an_invoked_job_fails_on_a_full_disk() {
    let world = World::new(false).await;
    let sdk_config = sdk_config(world.server.endpoint());
    let full = |action| {
        let folder = world.folder.path().to_owned();
        let lifecycle = Lifecycle { min_free_bytes: u64::MAX, ..support::lifecycle(&sdk_config, folder) };
        Worker::new(lifecycle, action, 4, Duration::from_secs(60))
    };

    let (lines, failed) = logged(full(served(NeedsFiles)).run_job(&event(FIRST, None), deadline())).await;
    let continued = full(served(Twice::default())).run_job(&event(SECOND, None), deadline()).await.unwrap();

    assert_eq!(failed, Ok(Summary { claimed: 1, failed: 1, ..Summary::default() }));
    assert_eq!(with_message(&lines, "failed the invoked job").len(), 1);
    assert_eq!(continued, Summary { claimed: 1, continued: 1, ..Summary::default() });
    let put = &world.server.inputs("PutJobFailureResult")[0]["failureDetails"];
    assert_eq!(put["type"], "SystemUnavailable");
    assert!(put["message"].as_str().unwrap().starts_with("LowDisk: "), "{put}");
}

#[tokio::test]
async fn a_job_that_came_twice_leaves_the_work_running() {
    let world = World::new(true).await;
    let action = Twice::default();

    let summary = world.worker(served(action.clone())).run_job(&event(FIRST, None), deadline()).await.unwrap();

    assert_eq!(summary, Summary { claimed: 1, over: 1, ..Summary::default() });
    assert!(action.stopped.lock().unwrap().is_empty());
}

#[tokio::test]
async fn an_abandoned_invoked_continuation_is_stopped() {
    let action = Twice { endless: true, ..Twice::default() };
    let before = World::new(false).await;
    before.worker(served(action.clone())).run_job(&event(FIRST, None), deadline()).await.unwrap();
    let put = before.server.inputs("PutJobSuccessResult")[0].clone();
    let token = put["continuationToken"].as_str().unwrap();
    let world = World::new(true).await;

    let continuation = event(SECOND, Some(token));
    let summary = world.worker(served(action.clone())).run_job(&continuation, deadline()).await.unwrap();

    assert_eq!(summary, Summary { claimed: 1, over: 1, ..Summary::default() });
    let stopped = action.stopped.lock().unwrap();
    assert_eq!((stopped[0].execution_id.as_str(), stopped[0].token.as_deref()), (FIRST, Some("build 17")));
}

#[tokio::test]
async fn an_unserved_invoked_job_fails() {
    let world = World::new(false).await;
    let summary = world.worker(Vec::new()).run_job(&event(FIRST, None), deadline()).await.unwrap();
    assert_eq!(summary, Summary { claimed: 1, failed: 1, ..Summary::default() });
    let put = &world.server.inputs("PutJobFailureResult")[0]["failureDetails"];
    assert_eq!(put["type"], "ConfigurationError");
    assert!(put["message"].as_str().unwrap().starts_with("ActionTypeNotServed: "), "{put}");
}

#[tokio::test]
async fn a_late_invoked_job_has_its_details_fetched() {
    for (expires_in_ms, fetched) in [(60_000.0, 1), (830_000.0, 1), (900_000.0, 0)] {
        let world = World::new(false).await;
        let action = Twice::default();
        let mut event = event(FIRST, None);
        // The workers' clock stands at the epoch.
        event["CodePipeline.job"]["data"]["artifactCredentials"] = json!({"expirationTime": expires_in_ms});
        let summary = world.worker(served(action.clone())).run_job(&event, deadline()).await.unwrap();
        assert_eq!(summary, Summary { claimed: 1, continued: 1, ..Summary::default() });
        assert_eq!(world.server.inputs("GetJobDetails").len(), fetched);
        assert_eq!(*action.seen.lock().unwrap(), [(FIRST.to_owned(), Some("ls".to_owned()))]);
    }
}

#[tokio::test]
async fn an_invoked_job_without_data_fails() {
    for data in [Value::Null, json!("no object")] {
        let world = World::new(false).await;
        let action = Twice::default();
        let event = json!({"CodePipeline.job": {"id": FIRST, "data": data}});
        let summary = world.worker(served(action.clone())).run_job(&event, deadline()).await.unwrap();
        assert_eq!(summary, Summary { claimed: 1, failed: 1, ..Summary::default() });
        let put = &world.server.inputs("PutJobFailureResult")[0];
        assert_eq!((&put["jobId"], &put["failureDetails"]["type"]), (&json!(FIRST), &json!("ConfigurationError")));
        assert!(put["failureDetails"]["message"].as_str().unwrap().starts_with("JobDataMissing: "), "{put}");
        assert!(action.seen.lock().unwrap().is_empty());
    }
}

#[tokio::test]
async fn a_polled_job_in_an_event_is_not_reported() {
    let server = AwsJson::start(|operation, _| -> Answer {
        assert_eq!(operation, "GetJobDetails");
        let action_type = json!({"category": "Build", "owner": "Custom", "provider": "Other", "version": "1"});
        Ok(json!({"jobDetails": {"id": FIRST, "data": {"actionTypeId": action_type}}}))
    })
    .await;
    let world = World { server, folder: tempfile::tempdir().unwrap() };
    let without_data = json!({"CodePipeline.job": {"id": FIRST}});
    for (event, served) in [(event(FIRST, None), Vec::new()), (without_data, served(Twice::default()))] {
        let summary = world.worker(served).run_job(&event, deadline()).await.unwrap();
        assert_eq!(summary, Summary { lost: 1, ..Summary::default() });
    }
}

#[tokio::test]
async fn an_unserved_job_of_unknown_type_is_not_failed() {
    let server = AwsJson::start(|_, _| -> Answer { Err("ThrottlingException") }).await;
    let world = World { server, folder: tempfile::tempdir().unwrap() };
    let soon = Instant::now() + Duration::from_secs(4);
    let error = world.worker(Vec::new()).run_job(&event(FIRST, None), soon).await.unwrap_err();
    assert_eq!(error, InvocationError::Unreported { unreported: 1, unknown: 0 });
    let asked = world.server.operations();
    assert!(asked.len() > 1 && asked.iter().all(|operation| operation == "GetJobDetails"), "{asked:?}");
}

#[tokio::test]
async fn an_invoked_job_starts_however_little_time_is_left() {
    let world = World::new(false).await;
    let action = Twice::default();
    let soon = Instant::now() + Duration::from_secs(40);
    let summary = world.worker(served(action.clone())).run_job(&event(FIRST, None), soon).await.unwrap();
    assert_eq!(summary, Summary { claimed: 1, continued: 1, ..Summary::default() });
}

#[tokio::test]
async fn an_event_without_a_job_is_an_error() {
    let world = World::new(false).await;
    let error = world.worker(Vec::new()).run_job(&json!({"CodePipeline.job": {}}), deadline()).await.unwrap_err();
    assert!(matches!(error, InvocationError::Invoked(_)), "{error}");
    assert!(world.server.operations().is_empty());
}

#[tokio::test]
async fn a_worker_of_invoked_jobs_does_not_poll() {
    let world = World::new(false).await;
    assert_eq!(world.worker(served(Twice::default())).invoke(deadline()).await, Ok(Summary::default()));
    assert!(world.server.operations().is_empty());
}
