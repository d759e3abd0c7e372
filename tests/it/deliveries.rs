//! Lambda delivers an event up to three times, at the same time or one after the other. Each job still runs once and has one
//! report, and no other job is affected.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use aws_sdk_codepipeline::types::{ActionExecutionStatus, ActionTypeId, FailureDetails, FailureType, StageRetryMode};
use codepipeline_local::Options;
use codepipeline_local::engine::Settings;
use codepipeline_worker::actions::state_machine::{StateMachineAction, StateMachineArn};
use codepipeline_worker::actions::{Abandoned, Action, Served, Turn, ends_of_work};
use codepipeline_worker::event::Event;
use codepipeline_worker::job::{Failure, Finished, Outcome};
use codepipeline_worker::ledger::Ledger;
use codepipeline_worker::lifecycle::Lifecycle;
use codepipeline_worker::worker::{InvocationError, Patience, Summary, Worker};
use serde_json::{Value, json};
use tokio::sync::mpsc::UnboundedReceiver;
use tokio::time::{Instant, timeout};

use crate::state_machine::fake::{Fake, MACHINE};
use crate::support::{self, World, custom, input, until, zip};

const LEDGER: &str = "the-ledger";

/// Counts its runs and stops.
#[derive(Clone, Default)]
struct Counting {
    runs: Arc<AtomicUsize>,
    stops: Arc<AtomicUsize>,
}

impl Action for Counting {
    async fn start(&self, _: Turn) -> Result<Outcome, Failure> {
        self.runs.fetch_add(1, Ordering::SeqCst);
        // Long enough for the other invocations to find it running.
        tokio::time::sleep(Duration::from_millis(50)).await;
        Ok(Outcome::Finished(Finished::default()))
    }

    async fn stop(&self, _: &Abandoned) -> Result<(), Failure> {
        self.stops.fetch_add(1, Ordering::SeqCst);
        Ok(())
    }
}

/// A pipeline `p` whose action `A` has started, and workers for it.
struct Scenario {
    world: World,
    counting: Counting,
    steps: Fake,
    ledger: bool,
}

impl Scenario {
    async fn new(category: &str, owner: &str, provider: &str) -> (Self, Value) {
        let engine = Settings { continuation_delay: Duration::ZERO, ..Settings::default() };
        let world = World::with(Options { engine, ..Options::default() }).await;
        world.s3.create_bucket().bucket(LEDGER).send().await.unwrap();
        let mut jobs = world.emulator.job_invocations();
        let action = if owner == "Custom" {
            world.create_type(category, provider, &[]).await;
            custom("A", category, provider)
        } else {
            let action = support::action("A", category, owner, provider).input_artifacts(input("Source"));
            action.configuration("FunctionName", "worker")
        };
        world.create_pipeline("p", vec![("Stage", vec![action])]).await;
        world.put_source(zip(&[("a", "b")])).await;
        world.start("p").await;
        let job = if owner == "Custom" {
            world.until_begun("p", "A").await;
            Value::Null
        } else {
            timeout(Duration::from_secs(60), jobs.recv()).await.unwrap().unwrap().event
        };
        (Self { world, counting: Counting::default(), steps: Fake::start().await, ledger: true }, job)
    }

    fn worker(&self) -> Worker {
        let ledger = self.ledger.then(|| Ledger::new(&self.world.sdk_config, LEDGER.into()));
        let lifecycle = Lifecycle { ledger, ..support::lifecycle(&self.world.sdk_config, self.world.work_folder()) };
        let minute = Duration::from_secs(60);
        let counting = |category, owner, provider| {
            Served::new(support::action_type(category, owner, provider), minute, self.counting.clone())
        };
        let machine = StateMachineAction::new(&self.steps.config, StateMachineArn::parse(MACHINE).unwrap());
        let served = vec![
            counting("Test", "Custom", "Count"),
            counting("Invoke", "AWS", "Lambda"),
            Served::new(support::action_type("Deploy", "Custom", "Rollout"), minute, machine),
        ];
        Worker::new(lifecycle, served, 4, minute).patience(Patience { tries: 2, step: Duration::ZERO })
    }

    /// Three invocations at the same time, then three one after the other, each in a process of its own.
    async fn deliver(&self, event: &Value) -> Vec<Summary> {
        let at_once: Vec<_> = (0..3).map(|_| self.worker()).collect();
        let at_once = futures_util::future::join_all(at_once.iter().map(|worker| invoke(worker, event))).await;
        let mut all: Vec<_> = at_once.into_iter().map(Result::unwrap).collect();
        for _ in 0..3 {
            all.push(invoke(&self.worker(), event).await.unwrap());
        }
        all
    }

    async fn status(&self) -> ActionExecutionStatus {
        self.world.action("p", "A").await.unwrap().status.unwrap()
    }

    fn runs(&self) -> usize {
        self.counting.runs.load(Ordering::SeqCst)
    }

    fn reports(&self) -> (usize, usize) {
        let calls = |operation| self.world.emulator.calls(operation);
        (calls("PutJobSuccessResult"), calls("PutJobFailureResult"))
    }
}

fn succeeded(summaries: &[Summary]) -> usize {
    summaries.iter().map(|summary| summary.succeeded).sum()
}

/// Handles an event as the function does.
async fn invoke(worker: &Worker, event: &Value) -> Result<Summary, InvocationError> {
    let deadline = Instant::now() + Duration::from_secs(900);
    match Event::parse(event, &ends_of_work()).unwrap() {
        Event::Schedule | Event::WorkEnded { .. } => worker.invoke(deadline).await,
        Event::ActionStarted { action_type, execution_id, .. } => {
            worker.action_started(&action_type, execution_id.as_deref(), None, deadline).await
        }
        Event::ActionOver { action_type, execution_id } => {
            worker.action_over(&action_type, execution_id.as_deref(), deadline).await
        }
        Event::ActionFailed { action_type, execution_id } => {
            worker.action_failed(&action_type, &execution_id, deadline).await
        }
        Event::InvokeJob => worker.run_job(event, deadline).await,
        other => panic!("{other:?} wakes nothing"),
    }
}

fn example(name: &str) -> Value {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("events").join(name);
    serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

/// The example, about the scenario's action.
async fn about(scenario: &Scenario, name: &str, category: &str, provider: &str) -> Value {
    let mut event = example(name);
    event["detail"]["type"] = json!({"owner": "Custom", "category": category, "provider": provider, "version": "1"});
    let execution = scenario.world.action("p", "A").await.unwrap();
    event["detail"]["action-execution-id"] = json!(execution.action_execution_id().unwrap());
    event
}

#[tokio::test(flavor = "multi_thread")]
async fn three_ticks_run_a_job_once() {
    for name in ["schedule.json", "scheduler.json"] {
        let (scenario, _) = Scenario::new("Test", "Custom", "Count").await;
        let summaries = scenario.deliver(&example(name)).await;
        assert_eq!((succeeded(&summaries), scenario.runs(), scenario.reports()), (1, 1, (1, 0)), "{summaries:?}");
        assert_eq!(scenario.status().await, ActionExecutionStatus::Succeeded);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn three_started_events_run_a_job_once() {
    let (scenario, _) = Scenario::new("Test", "Custom", "Count").await;
    let started = about(&scenario, "action-started.json", "Test", "Count").await;
    let summaries = scenario.deliver(&started).await;
    assert_eq!((succeeded(&summaries), scenario.runs(), scenario.reports()), (1, 1, (1, 0)), "{summaries:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn three_abandoned_events_stop_and_report_nothing() {
    let (scenario, _) = Scenario::new("Test", "Custom", "Count").await;
    let mut event = about(&scenario, "action-abandoned.json", "Test", "Count").await;
    for state in ["ABANDONED", "CANCELED"] {
        event["detail"]["state"] = json!(state);
        let summaries = scenario.deliver(&event).await;
        assert!(summaries.iter().all(|summary| summary.stopped == 1), "{summaries:?}");
    }
    assert_eq!((scenario.runs(), scenario.reports()), (0, (0, 0)));
    assert_eq!(scenario.status().await, ActionExecutionStatus::InProgress);
}

#[tokio::test(flavor = "multi_thread")]
async fn three_ends_of_an_execution_report_it_once() {
    let (scenario, _) = Scenario::new("Deploy", "Custom", "Rollout").await;
    let begun = invoke(&scenario.worker(), &example("schedule.json")).await.unwrap();
    assert!(begun.continued > 0, "{begun:?}");
    let execution = scenario.world.action("p", "A").await.unwrap().action_execution_id.unwrap();
    scenario.steps.succeed(&execution, &json!({"summary": "done"}));
    let summaries = scenario.deliver(&example("state-machine-ended.json")).await;
    assert_eq!(succeeded(&summaries), 1, "{summaries:?}");
    assert_eq!(scenario.status().await, ActionExecutionStatus::Succeeded);
    assert_eq!((scenario.reports().1, scenario.steps.executions()), (0, 1));
}

#[tokio::test(flavor = "multi_thread")]
async fn three_events_of_a_job_run_it_once() {
    let (scenario, job) = Scenario::new("Invoke", "AWS", "Lambda").await;
    let summaries = scenario.deliver(&job).await;
    assert_eq!((succeeded(&summaries), scenario.runs(), scenario.reports()), (1, 1, (1, 0)), "{summaries:?}");
    assert_eq!(summaries.iter().map(|summary| summary.lost).sum::<usize>(), 5);
    assert_eq!(scenario.status().await, ActionExecutionStatus::Succeeded);
}

/// As docs/operating.md says: without a ledger no worker knows of the other, and CodePipeline accepts the first report.
#[tokio::test(flavor = "multi_thread")]
async fn without_a_ledger_an_invoked_job_runs_each_time() {
    let (mut scenario, job) = Scenario::new("Invoke", "AWS", "Lambda").await;
    scenario.ledger = false;
    let summaries = scenario.deliver(&job).await;
    assert_eq!((succeeded(&summaries), scenario.runs()), (1, 6), "{summaries:?}");
    assert_eq!(summaries.iter().map(|summary| summary.over).sum::<usize>(), 5);
    assert_eq!(scenario.counting.stops.load(Ordering::SeqCst), 0);
    assert_eq!(scenario.status().await, ActionExecutionStatus::Succeeded);
}

/// The event that says that the action has failed.
async fn failed(events: &mut UnboundedReceiver<Value>) -> Value {
    loop {
        let event = timeout(Duration::from_secs(60), events.recv()).await.expect("the event comes").unwrap();
        if event["detail"]["state"] == "FAILED" && event["detail"]["action"] == "A" {
            return event;
        }
    }
}

/// The state machine's execution of the action execution that runs now.
async fn execution(scenario: &Scenario) -> String {
    scenario.world.action("p", "A").await.unwrap().action_execution_id.unwrap()
}

/// Ends the action without the worker, as its timeout does.
async fn fail_behind_its_back(world: &World) {
    let id = ActionTypeId::builder().category("Deploy".into()).owner("Custom".into()).provider("Rollout").version("1");
    let poll = world.codepipeline.poll_for_jobs().action_type_id(id.build().unwrap());
    let mut polled = None;
    until(async || {
        polled = poll.clone().send().await.unwrap().jobs.unwrap_or_default().pop();
        polled.is_some()
    })
    .await;
    let job = polled.unwrap();
    let acknowledge = world.codepipeline.acknowledge_job().job_id(job.id().unwrap()).nonce(job.nonce().unwrap());
    acknowledge.send().await.unwrap();
    let details = FailureDetails::builder().r#type(FailureType::JobFailed).message("timed out").build().unwrap();
    let report = world.codepipeline.put_job_failure_result().job_id(job.id().unwrap()).failure_details(details);
    report.send().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_late_failed_event_leaves_the_retry_alone() {
    let (scenario, _) = Scenario::new("Deploy", "Custom", "Rollout").await;
    let mut events = scenario.world.emulator.events();
    invoke(&scenario.worker(), &example("schedule.json")).await.unwrap();
    let first = execution(&scenario).await;
    fail_behind_its_back(&scenario.world).await;
    let event = failed(&mut events).await;
    assert_eq!(scenario.steps.execution(&first).unwrap().status, "RUNNING");

    let summaries = scenario.deliver(&event).await;
    assert!(summaries.iter().any(|summary| summary.stopped == 1), "{summaries:?}");
    let stopped = scenario.steps.execution(&first).unwrap();
    assert_eq!((stopped.status.as_str(), stopped.error.as_deref()), ("ABORTED", Some("CodePipeline.Failed")));

    let pipeline_execution = event["detail"]["execution-id"].as_str().unwrap();
    let retry = scenario.world.codepipeline.retry_stage_execution().pipeline_name("p").stage_name("Stage");
    let retry = retry.pipeline_execution_id(pipeline_execution).retry_mode(StageRetryMode::FailedActions);
    retry.send().await.unwrap();
    until(async || execution(&scenario).await != first).await;
    let second = execution(&scenario).await;
    until(async || {
        invoke(&scenario.worker(), &example("schedule.json")).await.unwrap();
        scenario.steps.execution(&second).is_some()
    })
    .await;

    let summaries = scenario.deliver(&event).await;
    assert!(summaries.iter().all(|summary| summary.stopped == 0), "{summaries:?}");
    assert_eq!(scenario.steps.execution(&second).unwrap().status, "RUNNING");
    scenario.steps.succeed(&second, &json!({}));
    until(async || {
        invoke(&scenario.worker(), &example("schedule.json")).await.unwrap();
        scenario.status().await == ActionExecutionStatus::Succeeded
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failure_that_the_worker_reported_leaves_nothing_to_stop() {
    let (scenario, _) = Scenario::new("Deploy", "Custom", "Rollout").await;
    let mut events = scenario.world.emulator.events();
    invoke(&scenario.worker(), &example("schedule.json")).await.unwrap();
    let name = execution(&scenario).await;
    scenario.steps.change(&name, |execution| execution.status = "FAILED".to_owned());
    until(async || {
        invoke(&scenario.worker(), &example("state-machine-ended.json")).await.unwrap();
        scenario.status().await == ActionExecutionStatus::Failed
    })
    .await;
    let event = failed(&mut events).await;
    let reports = scenario.reports();
    let summaries = scenario.deliver(&event).await;
    assert!(summaries.iter().all(|summary| *summary == Summary::default()), "{summaries:?}");
    assert!(scenario.steps.calls("StopExecution").is_empty());
    assert_eq!(scenario.reports(), reports);
}

#[tokio::test(flavor = "multi_thread")]
async fn other_kinds_ignore_their_failed_events() {
    let (scenario, _) = Scenario::new("Test", "Custom", "Count").await;
    let event = about(&scenario, "action-failed.json", "Test", "Count").await;
    let summaries = scenario.deliver(&event).await;
    assert!(summaries.iter().all(|summary| *summary == Summary::default()), "{summaries:?}");
    assert_eq!(scenario.counting.stops.load(Ordering::SeqCst), 0);
    assert_eq!(scenario.status().await, ActionExecutionStatus::InProgress);
}
