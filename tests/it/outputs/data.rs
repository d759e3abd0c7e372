//! The worker reports data unchanged. If data holds a secret, the job fails.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use aws_sdk_codepipeline::types::{ActionExecution, ActionExecutionDetail};
use codepipeline_worker::actions::{Abandoned, Action, Served, Turn};
use codepipeline_worker::job::{Continuation, Failure, FailureCode, FailureKind, Finished, Outcome, Revision};
use codepipeline_worker::worker::Worker;
use serde_json::json;

use crate::support::{World, action_type, custom, invoke, lifecycle, shell, zip};

const TARGET: &str = "prod-web-1/arn:aws:123456789012:a";

/// A pipeline whose action `Make` has the secret `value`.
async fn pipeline(provider: &str, value: &str) -> World {
    let world = World::new().await;
    world.create_type("Test", provider, &["Command", "ApiToken!"]).await;
    let make = custom("Make", "Test", provider).namespace("Make").configuration("ApiToken", value).configuration(
        "Command",
        format!("echo Target={TARGET} > $OUTPUT_VARIABLES; echo made prod-web-1 a > $SUMMARY"),
    );
    world.create_pipeline("p", vec![("Test", vec![make])]).await;
    world.put_source(zip(&[("a", "b")])).await;
    world.start("p").await;
    world.until_begun("p", "Make").await;
    world
}

async fn detail(world: &World) -> ActionExecutionDetail {
    let listed = world.codepipeline.list_action_executions().pipeline_name("p").send().await.unwrap();
    listed.action_execution_details().iter().find(|it| it.action_name() == Some("Make")).unwrap().clone()
}

async fn made(world: &World) -> ActionExecution {
    world.action("p", "Make").await.unwrap()
}

/// Runs a command with this secret. Returns the action and the command's output variable.
async fn ran(secret: &str) -> (ActionExecution, Option<String>) {
    let world = pipeline("Shell", secret).await;
    let mut entry = shell("Test", "Shell");
    entry["secrets"] = json!(["ApiToken"]);
    invoke(&world.worker(&json!([entry]))).await;
    let detail = detail(&world).await;
    let variables = detail.output.unwrap().output_variables.unwrap_or_default();
    (made(&world).await, variables.get("Target").cloned())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_variable_that_holds_a_secret_fails_the_job_and_is_named() {
    for secret in ["prod", "123456789012", "web-1/arn:aws"] {
        let (action, variable) = ran(secret).await;
        let error = action.error_details().unwrap();
        assert_eq!((error.code(), variable), (Some("ConfigurationError"), None));
        let message = error.message().unwrap();
        assert!(
            message.starts_with("SecretInOutcome: ") && message.contains("`Target`") && message.contains("`ApiToken`"),
            "{message}"
        );
        assert!(!message.contains(secret), "{message}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_short_secret_does_not_affect_variables() {
    for (secret, summary) in
        [("1", "made prod-web-**** a"), ("a", "made prod-web-1 ****"), ("aws", "made prod-web-1 a")]
    {
        let (action, variable) = ran(secret).await;
        assert_eq!((action.summary(), variable.as_deref()), (Some(summary), Some(TARGET)));
    }
}

/// Ends with a given outcome, and records whether its work was stopped.
#[derive(Clone)]
struct Scripted {
    outcome: fn() -> Result<Outcome, Failure>,
    stopped: Arc<Mutex<Vec<Abandoned>>>,
}

impl Action for Scripted {
    async fn start(&self, _: Turn) -> Result<Outcome, Failure> {
        (self.outcome)()
    }

    async fn stop(&self, abandoned: &Abandoned) -> Result<(), Failure> {
        self.stopped.lock().unwrap().push(abandoned.clone());
        Ok(())
    }

    fn wants_files(&self) -> bool {
        false
    }
}

/// Runs an action with the secret `prod` and this outcome. Returns the action and the tokens of stopped work.
async fn ended_with(outcome: fn() -> Result<Outcome, Failure>) -> (ActionExecution, Vec<Option<String>>) {
    let world = pipeline("Says", "prod").await;
    let scripted = Scripted { outcome, stopped: Arc::default() };
    let served = Served::new(action_type("Test", "Custom", "Says"), Duration::from_secs(60), scripted.clone());
    let lifecycle = lifecycle(&world.sdk_config, world.work_folder());
    let worker = Worker::new(lifecycle, vec![served.secrets(["ApiToken"])], 1, Duration::from_secs(60));
    assert_eq!(invoke(&worker).await.failed, 1);
    let stopped = scripted.stopped.lock().unwrap().iter().map(|abandoned| abandoned.token.clone()).collect();
    (made(&world).await, stopped)
}

fn id() -> Option<String> {
    Some("prod-7".to_owned())
}

#[tokio::test(flavor = "multi_thread")]
async fn ids_and_revisions_that_hold_a_secret_fail_the_job_too() {
    let named: fn() -> Result<Outcome, Failure> =
        || Ok(Outcome::Finished(Finished { external_execution_id: id(), ..Finished::default() }));
    let revision: fn() -> Result<Outcome, Failure> = || {
        let (revision, summary) = ("c0ffee".to_owned(), Some("of prod".to_owned()));
        let revision = Revision { revision, change_identifier: "for-prod".to_owned(), summary, created: None };
        Ok(Outcome::Finished(Finished { revision: Some(revision), ..Finished::default() }))
    };
    for (outcome, what) in [(named, "the external execution id"), (revision, "the revision's change identifier")] {
        let (action, stopped) = ended_with(outcome).await;
        let error = action.error_details().unwrap();
        assert_eq!(error.code(), Some("ConfigurationError"));
        assert_eq!(action.external_execution_id(), action.action_execution_id(), "the worker's own id");
        let message = error.message().unwrap();
        assert!(message.starts_with("SecretInOutcome: ") && message.contains(what), "{message}");
        assert!(stopped.is_empty(), "the work had ended");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn continued_work_with_a_secret_in_its_id_is_stopped() {
    let (action, stopped) = ended_with(|| {
        let token = "build 17".to_owned();
        Ok(Outcome::Continue(Continuation {
            token,
            summary: None,
            external_execution_id: id(),
            percent_complete: None,
        }))
    })
    .await;
    assert_eq!(action.error_details().unwrap().code(), Some("ConfigurationError"));
    assert_eq!(stopped, [Some("build 17".to_owned())]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failure_drops_an_id_that_holds_a_secret() {
    let (action, _) = ended_with(|| {
        Err(Failure {
            external_execution_id: id(),
            ..Failure::new(FailureKind::RevisionOutOfSync, FailureCode::new("Test"), "too old")
        })
    })
    .await;
    let error = action.error_details().unwrap();
    assert_eq!(error.code(), Some("RevisionOutOfSync"));
    assert_eq!(action.external_execution_id(), action.action_execution_id(), "the worker's own id");
    let message = error.message().unwrap();
    assert!(message.starts_with("Test: too old; ") && message.contains("`ApiToken`"), "{message}");
}
