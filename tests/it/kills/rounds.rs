//! Rounds of overlapping invocations, with deaths among them, and the time between rounds.

use std::collections::BTreeSet;
use std::time::Duration;

use codepipeline_local::runtime_api::Invocation;
use codepipeline_worker::ledger::{Ledger, Listed};
use serde_json::Value;
use tokio::task::JoinHandle;
use tokio::time::sleep;

use super::plan::{Moment, Plan, Trap};
use super::scenario::{Delivery, LEDGER, Scenario, TIMEOUT, Worker};
use super::step::Step;
use crate::support::until;

/// Processes that run at a time.
const WORKERS: usize = 3;

/// Lambda sends an event twice more if its invocation failed, unless it is configured otherwise. The last invocation is
/// not killed.
const TRIES: u32 = 3;

/// The time that passes between rounds, in seconds. A job is offered again after 30 s. A `claiming` lease has ended by
/// then, and a `held` one ends 10 s after the timeout.
const JUMPS: [u64; 5] = [5, 31, 45, 91, TIMEOUT.as_secs() + 11];

/// The time that passes now and then instead, so that the mark of a finished job can go. It does not pass while events
/// are pending: the marks of their jobs outlive Lambda's retries, and must.
const LONG_JUMP: u64 = 3600;

/// While a worker holds a job from round to round, less time passes than its lease has. The lease has whole seconds,
/// and 10 s more than the timeout.
const PATIENCE: Duration = TIMEOUT;

/// How many rounds without deaths finish all that the deaths left. A job that was run by a worker that died has at most
/// three more lives.
const LAST_ROUNDS: usize = 24;

pub(crate) struct Rounds {
    pub(crate) scenario: Scenario,
    workers: Vec<Option<Worker>>,
    /// How the invocations ended that were not killed and returned no answer.
    pub(crate) failed: Vec<String>,
    pub(crate) rounds: usize,
    /// Invoked jobs whose worker died before it held them. Only another event can save these.
    pub(crate) unheld: usize,
    patient: Option<Patient>,
    /// Actions whose worker lived through deaths of other workers.
    pub(crate) unharmed: BTreeSet<String>,
}

/// A worker that holds one job over several rounds.
struct Patient {
    worker: Worker,
    invocation: JoinHandle<std::io::Result<Invocation>>,
    action: String,
    time: Duration,
}

impl Rounds {
    pub(crate) async fn start(plan: &mut Plan) -> Self {
        let scenario = Scenario::start(plan.world()).await;
        let workers = (0..WORKERS).map(|_| None).collect();
        Self { scenario, workers, failed: Vec::new(), rounds: 0, unheld: 0, patient: None, unharmed: BTreeSet::new() }
    }

    /// Runs rounds until so many workers have been killed.
    pub(crate) async fn kill(&mut self, plan: &mut Plan, kills: u32) {
        while plan.kills() < kills {
            if self.patient.is_none() && plan.rng().u8(..4) == 0 {
                self.begin_patience().await;
            }
            for _ in 0..1 + plan.rng().usize(..2) {
                self.scenario.begin_pipeline(plan.rng()).await;
            }
            self.round(plan, kills).await;
            let is_long = plan.rng().u8(..6) == 0 && self.scenario.deliveries.is_empty();
            let jump = if is_long { LONG_JUMP } else { JUMPS[plan.rng().usize(..JUMPS.len())] };
            let jump = Duration::from_secs(jump);
            match &mut self.patient {
                Some(patient) if patient.time + jump <= PATIENCE => patient.time += jump,
                Some(_) => self.end_patience(plan, kills).await,
                None => {}
            }
            self.scenario.time.advance(jump);
        }
        self.end_patience(plan, kills).await;
    }

    /// Starts one more worker that takes one job, and returns when the worker has it.
    async fn begin_patience(&mut self) {
        self.scenario.service.set_slow(true);
        let action = self.scenario.begin_slow_pipeline().await;
        let worker = self.scenario.patient_worker().await;
        let function = worker.function.clone();
        let invocation = tokio::spawn(async move { function.invoke(&schedule()).await });
        until(async || !worker.wire.holding().is_empty() && self.scenario.begun(&worker.wire.holding()) > 0).await;
        self.patient = Some(Patient { worker, invocation, action, time: Duration::ZERO });
    }

    /// The patient worker finishes its job, or dies during it after all.
    async fn end_patience(&mut self, plan: &mut Plan, kills: u32) {
        let Some(Patient { worker, invocation, action, .. }) = self.patient.take() else { return };
        if plan.kills() < kills && plan.rng().bool() {
            worker.function.stop().await;
            worker.wire.close().await;
            plan.killed_in(Step::Run);
            // The channel may be closed.
            self.scenario.service.set_slow(false);
            return;
        }
        self.scenario.service.set_slow(false);
        match invocation.await.unwrap().unwrap() {
            Invocation::Answered(_) => {}
            other => self.failed.push(format!("{other:?}")),
        }
        worker.function.stop().await;
        self.unharmed.insert(action);
    }

    /// Runs rounds without deaths until nothing is left to do.
    pub(crate) async fn settle(&mut self, plan: &mut Plan) {
        for _ in 0..LAST_ROUNDS {
            self.round(plan, 0).await;
            if self.is_over().await {
                break;
            }
            self.scenario.time.advance(TIMEOUT + Duration::from_secs(11));
        }
        // All workers start anew, and as many as ever ran: a worker that takes a dead worker's folder clears it.
        for worker in &mut self.workers {
            if let Some(worker) = worker.take() {
                worker.function.stop().await;
            }
        }
        self.workers.push(None);
        self.round(plan, 0).await;
    }

    /// Whether CodePipeline and the ledger have nothing left to do.
    async fn is_over(&self) -> bool {
        let ledger = Ledger::new(&self.scenario.world.sdk_config, LEDGER.into());
        if !ledger.list().await.unwrap().iter().all(Listed::is_done) {
            return false;
        }
        for (_, pipeline, execution) in &self.scenario.actions {
            if self.scenario.world.execution_status(pipeline, execution).await.as_str() == "InProgress" {
                return false;
            }
        }
        true
    }

    /// One invocation of each worker, all at the same time. Some of them are killed, until there are `kills`.
    async fn round(&mut self, plan: &mut Plan, kills: u32) {
        self.rounds += 1;
        self.scenario.take_deliveries(plan.rng());
        let mut invocations = Vec::new();
        for worker in &mut self.workers {
            if worker.is_none() {
                *worker = Some(self.scenario.worker().await);
            }
            let delivery = if plan.rng().u8(..3) == 0 { None } else { self.scenario.deliveries.pop_front() };
            let is_spared = delivery.as_ref().is_some_and(|delivery| delivery.tries + 1 == TRIES);
            let room = u32::try_from(invocations.len()).unwrap() + plan.kills() < kills;
            let trap = (room && !is_spared && plan.rng().u8(..8) > 0).then(|| plan.trap(delivery.is_some()));
            invocations.push((delivery, trap));
        }
        let running = self.workers.iter().zip(&invocations).map(|(worker, (delivery, trap))| {
            let event = delivery.as_ref().map_or_else(schedule, |delivery| delivery.event.clone());
            invoke(&self.scenario, worker.as_ref().unwrap(), event, *trap)
        });
        let ends = futures_util::future::join_all(running).await;
        for ((worker, (delivery, _)), end) in self.workers.iter_mut().zip(invocations).zip(ends) {
            match end {
                Err(step) => {
                    *worker = None;
                    plan.killed_in(step);
                    if let Some(Delivery { event, tries }) = delivery {
                        self.unheld += usize::from(!self.scenario.was_held(&event));
                        self.scenario.deliveries.push_back(Delivery { event, tries: tries + 1 });
                    }
                }
                Ok(Invocation::Answered(_)) => {}
                Ok(other) => self.failed.push(format!("{other:?}")),
            }
        }
        // The processes of a killed worker were killed with it. The others have ended their own.
        until(async || self.scenario.living_commands().is_empty()).await;
    }
}

/// Runs one invocation. Returns how it ended, or where it was killed.
async fn invoke(scenario: &Scenario, worker: &Worker, event: Value, trap: Option<Trap>) -> Result<Invocation, Step> {
    worker.wire.lay(trap);
    let function = worker.function.clone();
    let mut invocation = tokio::spawn(async move { function.invoke(&event).await });
    let step = tokio::select! {
        end = &mut invocation => return Ok(end.unwrap().unwrap()),
        step = stepped_into(scenario, worker, trap) => step,
    };
    // Returns when the process has ended.
    worker.function.clone().stop().await;
    worker.wire.close().await;
    // The process may have answered before it was killed.
    let _ = invocation.await.unwrap();
    Err(step)
}

/// Returns where the worker must be killed, once it is there. It waits forever if the worker never gets there.
async fn stepped_into(scenario: &Scenario, worker: &Worker, trap: Option<Trap>) -> Step {
    let Some(trap) = trap else { return std::future::pending().await };
    tokio::select! {
        () = time_is_up(scenario, worker, trap) => trap.step,
        step = worker.wire.sprung() => step,
    }
}

/// Returns when a worker must be killed at a step that no request shows.
async fn time_is_up(scenario: &Scenario, worker: &Worker, trap: Trap) {
    match (trap.step, trap.moment) {
        (Step::Anytime, Moment::After(time)) => sleep(time).await,
        (Step::Run, Moment::After(time)) => {
            // An adopted action has begun before.
            let (mut held, mut before) = (0, 0);
            loop {
                let holding = worker.wire.holding();
                if holding.len() != held {
                    (held, before) = (holding.len(), scenario.begun(&holding));
                }
                if scenario.begun(&holding) > before {
                    break;
                }
                sleep(Duration::from_millis(2)).await;
            }
            sleep(time).await;
        }
        _ => std::future::pending().await,
    }
}

fn schedule() -> Value {
    serde_json::from_str(include_str!("../../../events/schedule.json")).unwrap()
}
