//! Services repeat the secrets in their errors and responses. No secret may appear in a log or a report.

mod services;

use std::sync::{Arc, Mutex};
use std::time::Duration;

use codepipeline_local::runtime_api::{Function, Invocation};
use codepipeline_worker::actions::{Action, Served, Turn};
use codepipeline_worker::job::{Continuation, Failure, FailureCode, FailureKind, Outcome};
use codepipeline_worker::worker::Worker;
use secrecy::ExposeSecret;
use serde_json::{Value, json};
use tokio::sync::mpsc::UnboundedReceiver;

use self::services::{EXECUTION, LOCATION, MACHINE, NAMED, Services, serve};
use crate::support::{self, World};

/// Every secret of these tests begins with this, including the webhook's key in base64.
const MARKER: &str = "MARKER";
const WEBHOOK_KEY: &str = "whsec_MARKERaMARKERbMARKERcMARKERdMARKERe0";

fn assert_clean(what: &str, text: &str) {
    // The ids of access keys are not secret and do not begin with the marker.
    let place = text.find(MARKER).map(|at| text[at.saturating_sub(300)..].chars().take(400).collect::<String>());
    assert!(place.is_none(), "{what} holds a secret: …{}…", place.unwrap_or_default());
}

/// The real binary with the most verbose log level for all crates, and every kind of action.
struct Scenario {
    services: Arc<Mutex<Services>>,
    function: Function,
    log: UnboundedReceiver<String>,
    _world: World,
}

impl Scenario {
    async fn start() -> Self {
        let services = Arc::new(Mutex::new(Services::default()));
        let endpoint = serve(Arc::clone(&services)).await;
        let kind = |owner: &str, provider: &str| json!({"category": "Test", "owner": owner, "provider": provider, "version": "1"});
        let lambda = json!({"category": "Invoke", "owner": "AWS", "provider": "Lambda", "version": "1"});
        let hook = json!({"http": {"url": format!("{endpoint}/hook"), "secretVariable": "WEBHOOK_KEY", "requestTimeoutSeconds": 5}});
        let machine = json!({"stateMachine": MACHINE});
        let actions = json!([
            {"actionType": kind("Custom", "Hook"), "secrets": ["Token"], "run": hook},
            {"actionType": kind("Custom", "Broken"), "secrets": ["Token"], "run": hook},
            {"actionType": kind("Custom", "Machine"), "secrets": ["Token"], "run": machine},
            {"actionType": lambda, "secrets": ["Token"], "run": machine},
            {"actionType": kind("ThirdParty", "Partner"), "secrets": ["Token"], "timeoutSeconds": 30,
             "run": {"command": ["sh", "-c", "env; cat /proc/self/environ; exit 7"]}},
        ]);
        let variables = [
            ("AWS_ENDPOINT_URL", endpoint.as_str()),
            ("AWS_ACCESS_KEY_ID", "AKIAOFTHEFUNCTION"),
            ("AWS_SECRET_ACCESS_KEY", "MARKER-functions-secret-key"),
            ("AWS_SESSION_TOKEN", "MARKER-functions-session-token"),
            ("AWS_LAMBDA_LOG_LEVEL", "TRACE"),
            ("RUST_LOG", "trace"),
            ("RUST_BACKTRACE", "full"),
            ("CLIENT_TOKENS_SECRET", "clients/"),
            ("WEBHOOK_KEY", WEBHOOK_KEY),
        ];
        let world = World::new().await;
        let (function, log) = support::function(&world, &actions, &variables);
        Self { services, function, log, _world: world }
    }

    fn offer(&self, id: &str, provider: &str, token: Option<&str>) {
        self.services.lock().unwrap().offer(id, provider, token);
    }

    async fn invoke(&self, event: &Value) -> Invocation {
        self.function.invoke(event).await.unwrap()
    }

    async fn wake(&self) -> Invocation {
        self.invoke(&serde_json::from_str(include_str!("../../../events/schedule.json")).unwrap()).await
    }

    /// Stops the worker. Returns its log, which holds no secret, and its requests.
    async fn end(mut self) -> (String, Services) {
        self.function.stop().await;
        let mut logged = String::new();
        while let Some(line) = self.log.recv().await {
            logged.push_str(&line);
            logged.push('\n');
        }
        assert_clean("the log", &logged);
        (logged, std::mem::take(&mut self.services.lock().unwrap()))
    }
}

/// Asserts that the report of a job contains this text and no secret.
fn assert_reported(services: &Services, id: &str, expected: &str, logged: &str) {
    let report = services.report(id).unwrap_or_else(|| panic!("{id}: {logged}")).to_string();
    assert!(report.contains(expected), "`{id}`: {report}");
    assert_clean(&format!("the report of `{id}`"), &report);
}

/// A token whose action began in 1970, so its time has expired.
fn late(token: &str) -> String {
    let mut fields: Vec<_> = token.splitn(5, ' ').collect();
    fields[2] = "1";
    fields.join(" ")
}

#[tokio::test(flavor = "multi_thread")]
async fn repeated_secrets_are_in_no_log_response_or_report() {
    let scenario = Scenario::start().await;
    for id in ["fails", "succeeds", "goes-on", "goes-on-by-name"] {
        scenario.offer(id, "Hook", None);
    }
    scenario.offer("resumed", "Hook", Some("MARKER-continuation token"));

    let invocation = scenario.wake().await;
    let (logged, services) = scenario.end().await;

    let Invocation::Answered(summary) = &invocation else { panic!("{invocation:?}\n{logged}") };
    assert_clean("the answer", &summary.to_string());
    // CodePipeline refuses this report because of its content. The worker reports again without the output.
    let reports = services.bodies("PutThirdPartyJobFailureResult");
    let printed = reports.iter().find(|report| report["jobId"] == "prints").unwrap()["failureDetails"].to_string();
    assert!(printed.contains("CONFIG_TOKEN=****"), "{printed}");
    assert!(!logged.contains("\"stream\""), "output of a third-party job is logged: {logged}");
    assert_clean("the report with the output", &printed);
    for (id, expected) in [
        ("fails", "a plain value"),
        ("fails", "the external execution id"),
        ("succeeds", "SecretInOutcome: "),
        ("goes-on-by-name", "SecretInOutcome: "),
        ("goes-on", "ServiceResponseInvalid: "),
        ("resumed", "TokenOfAnotherWorker: "),
        ("prints", "CommandFailed: "),
        ("stages", "AccessDenied: GET /bucket/in"),
    ] {
        assert_reported(&services, id, expected, &logged);
    }
    let report = services.report("succeeds").unwrap();
    assert_eq!(report["failureDetails"]["type"], "ConfigurationError", "{report}");
    // The job fails, so no continuation follows, and the worker stops the work.
    let abandoned = services.bodies(&format!("POST {NAMED}"));
    assert!(abandoned.iter().any(|body| body["type"] == "job.abandoned"), "the work was not stopped: {logged}");
    // The services received the secrets that they need, and repeated them.
    let hooked = services.bodies("POST /hook");
    assert!(hooked.iter().any(|body| body.to_string().contains("MARKER-secret-value")));
    assert!(hooked.iter().any(|body| body.to_string().contains("X-Amz-Security-Token=MARKER")));
    let read = services.asked.iter().any(|(what, _)| what.starts_with("GET /bucket/in"));
    assert!(read, "S3 received no request");
}

#[tokio::test(flavor = "multi_thread")]
async fn step_functions_gets_and_leaks_no_secret() {
    let scenario = Scenario::start().await;
    let continued =
        |id: &str| format!("codepipeline-worker/1 Custom/Test/Machine/1 9999999999 {id} states/1:{EXECUTION}{id}");
    for id in ["started", "unstarted", "known"] {
        scenario.offer(id, "Machine", None);
    }
    for id in ["unseen", "ended"] {
        scenario.offer(id, "Machine", Some(&continued(id)));
    }
    scenario.offer("late", "Machine", Some(&late(&continued("late"))));
    let event = scenario.services.lock().unwrap().invoke_job("invoked");

    scenario.wake().await;
    scenario.invoke(&event).await;
    let (logged, services) = scenario.end().await;

    for (id, expected) in [
        ("started", EXECUTION),
        ("unstarted", "StepFunctionsDenied: "),
        ("known", "****"),
        ("unseen", "states:DescribeExecution"),
        ("ended", "SecretInOutcome: "),
        ("late", "OverallTimeout: "),
        ("invoked", EXECUTION),
    ] {
        assert_reported(&services, id, expected, &logged);
    }
    assert!(logged.contains("could not stop the work outside"), "no stop failed: {logged}");
    let inputs = services.bodies("StartExecution");
    for id in ["started", "invoked"] {
        let asked = inputs.iter().find(|body| body["name"] == id).unwrap_or_else(|| panic!("{id}: {logged}"));
        assert!(asked.to_string().contains("a plain value"), "{asked}");
        assert_clean("the execution's input", &asked.to_string());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_continuation_token_is_in_no_log() {
    let scenario = Scenario::start().await;
    let report_of = |id: &str| scenario.services.lock().unwrap().report(id);
    scenario.offer("accepted", "Hook", None);
    scenario.wake().await;
    let report = report_of("accepted").unwrap();
    let token = report["continuationToken"].as_str().unwrap_or_else(|| panic!("{report}"));
    assert!(token.contains(LOCATION), "{token}");

    scenario.offer("asked", "Hook", Some(token));
    scenario.offer("refused", "Hook", Some(token));
    scenario.offer("late", "Hook", Some(&late(token)));
    let invocation = scenario.wake().await;
    let again = report_of("asked").unwrap();
    assert_eq!(again["continuationToken"], token, "{invocation:?}");
    for (id, expected) in [("refused", "ServiceRejectedConfiguration: "), ("late", "OverallTimeout: ")] {
        let report = report_of(id).unwrap_or_else(|| panic!("{id}: {invocation:?}")).to_string();
        assert!(report.contains(expected), "{report}");
        assert_clean("the report", &report);
    }
    let (logged, services) = scenario.end().await;

    assert_clean("the answer", &format!("{invocation:?}"));
    assert!(logged.contains("retrying a call"), "no try failed: {logged}");
    assert!(logged.contains("could not stop the work outside"), "no stop failed: {logged}");
    let asked = services.bodies(&format!("POST {LOCATION}"));
    assert!(asked.iter().any(|body| body["type"] == "job.abandoned"), "the worker did not try to stop the work");
}

/// Fails with a link to its input artifact, or continues with the link as its token.
struct Links {
    continues: bool,
}

impl Action for Links {
    async fn start(&self, turn: Turn) -> Result<Outcome, Failure> {
        let link = turn.links.to_read(&turn.job.inputs[0]).await?.url.expose_secret().to_owned();
        if self.continues {
            let continuation =
                Continuation { token: link, summary: None, external_execution_id: None, percent_complete: None };
            return Ok(Outcome::Continue(continuation));
        }
        Err(Failure::new(FailureKind::JobFailed, FailureCode::new("Test"), format!("can't be read: {link}")))
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn renewed_credentials_are_in_no_report_or_token() {
    for continues in [false, true] {
        let services = Arc::new(Mutex::new(Services::default()));
        services.lock().unwrap().offer("renews", "Links", None);
        let sdk_config = support::sdk_config(&serve(Arc::clone(&services)).await);
        let folder = tempfile::tempdir().unwrap();
        let served =
            Served::new(support::action_type("Test", "Custom", "Links"), Duration::from_secs(60), Links { continues });
        let lifecycle = support::lifecycle(&sdk_config, folder.path().to_owned());
        let worker = Worker::new(lifecycle, vec![served], 1, Duration::from_secs(60));

        let summary = support::invoke(&worker).await;

        assert_eq!(summary.failed, 1, "{summary:?}");
        let services = std::mem::take(&mut *services.lock().unwrap());
        assert!(!services.bodies("GetJobDetails").is_empty(), "the credentials were not renewed");
        let expected = if continues { "SecretInContinuationToken: " } else { "X-Amz-Security-Token=****" };
        let report = services.report("renews").unwrap().to_string();
        assert!(report.contains(expected), "{report}");
        assert_clean("the report", &report.replace("%2F", "/"));
    }
}
