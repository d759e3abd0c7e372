//! Work that outlasts an invocation: tokens from job to job, limits across jobs, and stopping work that no job waits for.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, UNIX_EPOCH};

use aws_sdk_codepipeline::types::{FailureDetails, FailureType, PipelineExecutionStatus};
use codepipeline_local::Options;
use codepipeline_local::engine::Settings;
use codepipeline_worker::actions::{Abandoned, Action, Served, Turn};
use codepipeline_worker::job::{ActionTypeId, Continuation, Failure, FailureCode, FailureKind, Finished, Outcome};
use codepipeline_worker::lifecycle::Lifecycle;
use codepipeline_worker::worker::{Summary, Worker};
use secrecy::SecretString;

use crate::support::{self, World, custom, invoke, until, zip};

/// A secret of the action itself.
const OWN_SECRET: &str = "key-of-the-action";

/// Returns the step of the n-th turn, from 0.
type Script = dyn Fn(usize, &Turn) -> Step + Send + Sync;

enum Step {
    Continue(String),
    Finish,
    Fail,
    /// Fails, although its work may still run.
    LoseTrack,
    Hang,
    /// Fails the job outside the worker, as for an abandoned action, and then continues.
    FailOutside,
}

/// Takes the steps of its script, and records the calls.
#[derive(Clone)]
struct Scripted {
    script: Arc<Script>,
    codepipeline: aws_sdk_codepipeline::Client,
    seen: Arc<Mutex<Seen>>,
    seconds: Arc<AtomicU64>,
}

#[derive(Default)]
struct Seen {
    tokens: Vec<Option<String>>,
    executions: Vec<String>,
    percents: Vec<Option<i32>>,
    stopped: Vec<(String, Option<String>)>,
}

impl Scripted {
    fn new(world: &World, script: impl Fn(usize, &Turn) -> Step + Send + Sync + 'static) -> Self {
        let codepipeline = world.codepipeline.clone();
        Self { script: Arc::new(script), codepipeline, seen: Arc::default(), seconds: Arc::default() }
    }

    async fn take(&self, turn: Turn, token: Option<&str>) -> Result<Outcome, Failure> {
        let state = self.codepipeline.get_pipeline_state().name("p").send().await.unwrap();
        let latest = state.stage_states()[1].action_states()[0].latest_execution().unwrap().percent_complete;
        let number = {
            let mut seen = self.seen.lock().unwrap();
            seen.tokens.push(token.map(str::to_owned));
            seen.executions.push(turn.job.pipeline.action_execution_id.clone().unwrap());
            seen.percents.push(latest);
            seen.tokens.len() - 1
        };
        self.seconds.fetch_add(40, Ordering::SeqCst);
        let token = match (self.script)(number, &turn) {
            Step::Continue(token) => token,
            Step::Finish => return Ok(Outcome::Finished(Finished::default())),
            Step::Fail => {
                return Err(Failure::new(FailureKind::JobFailed, FailureCode::new("Test"), "the work failed"));
            }
            Step::LoseTrack => {
                let failure = Failure::new(
                    FailureKind::PermissionError,
                    FailureCode::new("Test"),
                    "could not read the state of the work",
                );
                return Err(Failure { runs_on: true, ..failure });
            }
            Step::Hang => std::future::pending().await,
            Step::FailOutside => {
                let details =
                    FailureDetails::builder().r#type(FailureType::JobFailed).message("abandoned").build().unwrap();
                let request = self.codepipeline.put_job_failure_result().job_id(&turn.job.id).failure_details(details);
                request.send().await.unwrap();
                "lost".to_owned()
            }
        };
        Ok(Outcome::Continue(Continuation {
            token,
            summary: Some(format!("turn {number}")),
            external_execution_id: Some("build-17".into()),
            percent_complete: Some(u8::try_from(number * 25).unwrap()),
        }))
    }

    fn stopped(&self) -> Vec<(String, Option<String>)> {
        self.seen.lock().unwrap().stopped.clone()
    }

    /// The call of `stop` that this action's work needs.
    fn work(&self, token: Option<&str>) -> Vec<(String, Option<String>)> {
        vec![(self.seen.lock().unwrap().executions[0].clone(), token.map(str::to_owned))]
    }
}

impl Action for Scripted {
    async fn start(&self, turn: Turn) -> Result<Outcome, Failure> {
        self.take(turn, None).await
    }

    async fn resume(&self, turn: Turn, token: &str) -> Result<Outcome, Failure> {
        self.take(turn, Some(token)).await
    }

    async fn stop(&self, abandoned: &Abandoned) -> Result<(), Failure> {
        let Abandoned { execution_id, token } = abandoned.clone();
        self.seen.lock().unwrap().stopped.push((execution_id, token));
        Ok(())
    }

    fn wants_files(&self) -> bool {
        false
    }

    fn secrets(&self) -> Vec<SecretString> {
        vec![OWN_SECRET.into()]
    }
}

fn slow_type() -> ActionTypeId {
    support::action_type("Test", "Custom", "Slow")
}

/// A pipeline `p` whose action `Slow` has begun; continuation jobs come without delay.
async fn world() -> World {
    world_with("Unused", "unused").await
}

/// Like [`world`], with one property in the action's configuration.
async fn world_with(property: &str, value: &str) -> World {
    let settings = Settings { continuation_delay: Duration::ZERO, ..Settings::default() };
    let world = World::with(Options { engine: settings, ..Options::default() }).await;
    world.create_type("Test", "Slow", &[property]).await;
    let action = custom("Slow", "Test", "Slow").configuration(property.trim_end_matches('!'), value);
    world.create_pipeline("p", vec![("Test", vec![action])]).await;
    world.put_source(zip(&[("a", "b")])).await;
    world.start("p").await;
    world.until_begun("p", "Slow").await;
    world
}

/// A worker whose wall clock shows the seconds of the action.
fn worker(world: &World, action: &Scripted, served: impl FnOnce(Served) -> Served) -> Worker {
    let seconds = Arc::clone(&action.seconds);
    let lifecycle = Lifecycle {
        wall_clock: Arc::new(move || UNIX_EPOCH + Duration::from_secs(seconds.load(Ordering::SeqCst))),
        ..support::lifecycle(&world.sdk_config, world.work_folder())
    };
    let served = served(Served::new(slow_type(), Duration::from_secs(60), action.clone()));
    Worker::new(lifecycle, vec![served], 1, Duration::from_secs(60))
}

/// Invokes until the pipeline's execution has ended. Returns its status and the sum of the summaries.
async fn work(world: &World, worker: &Worker) -> (PipelineExecutionStatus, Summary) {
    let mut sum = Summary::default();
    until(async || {
        let summary = invoke(worker).await;
        sum.claimed += summary.claimed;
        sum.continued += summary.continued;
        sum.succeeded += summary.succeeded;
        sum.failed += summary.failed;
        sum.over += summary.over;
        status(world).await != PipelineExecutionStatus::InProgress
    })
    .await;
    (status(world).await, sum)
}

async fn status(world: &World) -> PipelineExecutionStatus {
    let listed = world.codepipeline.list_pipeline_executions().pipeline_name("p").send().await.unwrap();
    listed.pipeline_execution_summaries()[0].status.clone().unwrap()
}

async fn error(world: &World) -> (String, String) {
    let details = world.action("p", "Slow").await.unwrap().error_details.unwrap();
    let message = details.message.unwrap();
    let (message, _) = message.split_once(" (search the log for ").expect("a message that ends with an id");
    (details.code.unwrap(), message.to_owned())
}

#[tokio::test(flavor = "multi_thread")]
async fn work_continues_across_jobs_and_shows_its_progress() {
    let world = world().await;
    let action = Scripted::new(&world, |number, _| match number {
        4 => Step::Finish,
        number => Step::Continue(format!("step {number}")),
    });

    let (status, sum) = work(&world, &worker(&world, &action, |served| served)).await;

    assert_eq!(status, PipelineExecutionStatus::Succeeded);
    assert_eq!(sum, Summary { claimed: 5, continued: 4, succeeded: 1, ..Summary::default() });
    let seen = action.seen.lock().unwrap();
    let tokens: Vec<_> = seen.tokens.iter().map(Option::as_deref).collect();
    assert_eq!(tokens, [None, Some("step 0"), Some("step 1"), Some("step 2"), Some("step 3")]);
    assert_eq!(seen.percents, [None, Some(0), Some(25), Some(50), Some(75)]);
    assert!(seen.executions.iter().all(|id| *id == seen.executions[0]), "{:?}", seen.executions);
    assert!(seen.stopped.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn overall_limit_counts_across_jobs_and_stops_the_work() {
    let world = world().await;
    let action = Scripted::new(&world, |number, _| Step::Continue(format!("step {number}")));
    let limited = worker(&world, &action, |served| served.overall_timeout(Duration::from_secs(100)));

    let (status, sum) = work(&world, &limited).await;

    assert_eq!(status, PipelineExecutionStatus::Failed);
    assert_eq!(sum, Summary { claimed: 3, continued: 2, failed: 1, ..Summary::default() });
    let (code, message) = error(&world).await;
    assert_eq!(code, "JobFailed");
    assert!(message.starts_with("OverallTimeout: ") && message.contains("100 s"), "{message}");
    assert_eq!(action.stopped(), action.work(Some("step 2")));
}

#[tokio::test(flavor = "multi_thread")]
async fn work_that_finished_succeeds_after_the_limit() {
    let world = world().await;
    let action = Scripted::new(&world, |number, _| match number {
        2 => Step::Finish,
        number => Step::Continue(format!("step {number}")),
    });
    let limited = worker(&world, &action, |served| served.overall_timeout(Duration::from_secs(100)));
    assert_eq!(work(&world, &limited).await.0, PipelineExecutionStatus::Succeeded);
    assert!(action.stopped().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn refused_continuation_stops_the_work() {
    let world = world().await;
    let action = Scripted::new(&world, |_, _| Step::FailOutside);

    let (_, sum) = work(&world, &worker(&world, &action, |served| served)).await;

    assert_eq!(sum, Summary { claimed: 1, over: 1, ..Summary::default() });
    assert_eq!(action.stopped(), action.work(Some("lost")));
}

#[tokio::test(flavor = "multi_thread")]
async fn too_long_token_fails_the_job_and_stops_the_work() {
    let world = world().await;
    let token = "t".repeat(2048);
    let action = Scripted::new(&world, {
        let token = token.clone();
        move |_, _| Step::Continue(token.clone())
    });

    work(&world, &worker(&world, &action, |served| served)).await;

    let (_, message) = error(&world).await;
    assert!(message.starts_with("InvalidTokenLength: ") && message.contains("2048"), "{message}");
    assert_eq!(action.stopped(), action.work(Some(&token)));
}

#[tokio::test(flavor = "multi_thread")]
async fn token_with_a_secret_fails_the_job_and_stops_the_work() {
    for (secret, is_refused) in [("hunter22-the-token", true), ("hunter2", false)] {
        let world = world_with("Token!", secret).await;
        let token = format!("https://builds.example/17?key={secret}");
        let action = Scripted::new(&world, {
            let token = token.clone();
            move |number, _| if number == 0 { Step::Continue(token.clone()) } else { Step::Finish }
        });

        let (status, _) = work(&world, &worker(&world, &action, |served| served.secrets(["Token"]))).await;

        if is_refused {
            let (_, message) = error(&world).await;
            assert!(message.starts_with("SecretInContinuationToken: ") && message.contains("`Token`"), "{message}");
            assert!(!message.contains(secret), "{message}");
            assert_eq!(action.stopped(), action.work(Some(&token)));
        } else {
            // A text this short may be in the token by chance.
            assert_eq!(status, PipelineExecutionStatus::Succeeded);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn turn_knows_the_secrets_of_its_action() {
    let world = world_with("Token!", "hunter22").await;
    let action = Scripted::new(&world, |_, turn| {
        let described = turn.describe_without_secrets();
        let masked = turn.redactor.redact(&format!("hunter22 and {OWN_SECRET}")).into_owned();
        assert_eq!((described["configuration"].to_string(), masked.as_str()), ("{}".to_owned(), "**** and ****"));
        assert_eq!(turn.secret_keys, ["Token"]);
        Step::Finish
    });
    let (status, _) = work(&world, &worker(&world, &action, |served| served.secrets(["Token"]))).await;
    // A failed assertion above fails the job.
    assert_eq!(status, PipelineExecutionStatus::Succeeded);
}

#[tokio::test(flavor = "multi_thread")]
async fn work_is_stopped_if_its_turn_times_out() {
    let world = world().await;
    let action = Scripted::new(&world, |number, _| match number {
        0 => Step::Continue("begun".into()),
        _ => Step::Hang,
    });
    let seen = action.clone();
    let hasty = worker(&world, &action, |_| Served::new(slow_type(), Duration::from_secs(1), seen));

    work(&world, &hasty).await;

    let (_, message) = error(&world).await;
    assert!(message.starts_with("ActionTimeout: "), "{message}");
    assert_eq!(action.stopped(), action.work(Some("begun")));
}

#[tokio::test(flavor = "multi_thread")]
async fn failed_work_is_not_stopped() {
    let world = world().await;
    let action = Scripted::new(&world, |number, _| match number {
        0 => Step::Continue("begun".into()),
        _ => Step::Fail,
    });
    work(&world, &worker(&world, &action, |served| served)).await;
    assert_eq!(error(&world).await, ("JobFailed".into(), "Test: the work failed".into()));
    assert!(action.stopped().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn work_that_may_still_run_is_stopped() {
    let world = world().await;
    let action = Scripted::new(&world, |number, _| match number {
        0 => Step::Continue("begun".into()),
        _ => Step::LoseTrack,
    });
    work(&world, &worker(&world, &action, |served| served)).await;
    assert_eq!(error(&world).await, ("PermissionError".into(), "Test: could not read the state of the work".into()));
    assert_eq!(action.stopped(), action.work(Some("begun")));
}

#[tokio::test(flavor = "multi_thread")]
async fn default_limit_ends_work_before_24_hours() {
    for limit in [None, Some(Duration::from_secs(86_400))] {
        let world = world().await;
        let action = Scripted::new(&world, |number, _| Step::Continue(format!("step {number}")));
        let limited = worker(&world, &action, |served| match limit {
            Some(limit) => served.overall_timeout(limit),
            None => served,
        });
        let summary = invoke(&limited).await;
        assert!(summary.continued > 0 && summary.failed == 0, "{summary:?}");
        action.seconds.store(85_500, Ordering::SeqCst);
        let (status, _) = work(&world, &limited).await;
        assert_eq!(status, PipelineExecutionStatus::Failed);
        let (_, message) = error(&world).await;
        assert!(message.starts_with("OverallTimeout: ") && message.contains("85500"), "{message}");
        assert_eq!(action.stopped().len(), 1);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn token_of_another_worker_is_a_configuration_error() {
    let world = world().await;
    let action = Scripted::new(&world, |_, _| Step::Finish);
    let kind = aws_sdk_codepipeline::types::ActionTypeId::builder().category("Test".into()).owner("Custom".into());
    let poll = world.codepipeline.poll_for_jobs().action_type_id(kind.provider("Slow").version("1").build().unwrap());
    let mut polled = None;
    until(async || {
        polled = poll.clone().send().await.unwrap().jobs.unwrap_or_default().pop();
        polled.is_some()
    })
    .await;
    let job = polled.unwrap();
    let id = job.id.unwrap();
    world.codepipeline.acknowledge_job().job_id(&id).nonce(job.nonce.unwrap()).send().await.unwrap();
    let theirs = world.codepipeline.put_job_success_result().job_id(&id).continuation_token("{\"build\": \"theirs\"}");
    theirs.send().await.unwrap();

    let (status, sum) = work(&world, &worker(&world, &action, |served| served)).await;

    assert_eq!(status, PipelineExecutionStatus::Failed);
    assert_eq!(sum, Summary { claimed: 1, failed: 1, ..Summary::default() });
    let (code, message) = error(&world).await;
    assert_eq!(code, "ConfigurationError");
    assert!(message.starts_with("TokenOfAnotherWorker: ") && !message.contains("theirs"), "{message}");
    assert!(action.seen.lock().unwrap().tokens.is_empty(), "the worker must not call the action");
}
