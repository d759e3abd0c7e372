//! Lambda: wakes worker processes, each for one invocation at a time, and lets them die.

use std::path::PathBuf;
use std::sync::Arc;

use codepipeline_worker::event::Event;
use codepipeline_worker::worker::{InvocationError, Summary, Worker};
use serde_json::Value;
use tokio::task::AbortHandle;

use crate::load::Sent;
use crate::world::World;
use crate::{load, lock, scenario, witness};

/// The processes and the invocations, in the order of their start.
#[derive(Default)]
pub(crate) struct Lambda {
    processes: Vec<Process>,
    pub(crate) invocations: Vec<Invocation>,
}

/// A process. It lives until an invocation dies in it.
struct Process {
    /// `None` after its death.
    worker: Option<Arc<Worker>>,
    busy: Option<usize>,
}

/// One invocation.
pub(crate) struct Invocation {
    process: usize,
    began: u64,
    alive: bool,
    /// When the invocation died, if it did.
    died: Option<u64>,
    /// Whether it ended with a job that it could not report.
    failed: bool,
    /// Whether it ended with a job that it skipped because it could not reach the ledger.
    gave_up: bool,
    sent: u32,
    arrived: u32,
    death: Death,
    task: Option<AbortHandle>,
}

impl Lambda {
    /// How many invocations have died.
    pub(crate) fn deaths(&self) -> u64 {
        self.invocations.iter().filter(|invocation| invocation.died.is_some()).count() as u64
    }
}

/// When an invocation dies. The requests count that are about a job: most invocations find nothing to do.
#[derive(Clone, Copy)]
enum Death {
    BeforeRequest(u32),
    AfterRequest(u32),
    AfterMilliseconds(u64),
    /// The process lives, but from this request on, nothing that it sends arrives, and it gets no response.
    MuteFrom(u32),
    None,
}

/// The reason for an invocation.
#[derive(Clone)]
pub(crate) enum Waking {
    Schedule,
    Event(Sent),
}

/// Invokes the function after so many milliseconds.
pub(crate) fn wake_after(world: &Arc<World>, delay: u64, name: String, waking: Waking) {
    world.after(delay, format!("wake for {name}"), move |world| wake(world, &name, waking));
}

/// Invokes the function with `event`, which Lambda receives after so many milliseconds.
pub(crate) fn wake_with(world: &Arc<World>, delay: u64, name: String, event: &Value) {
    let sent = Sent::new(event.clone(), world.clock.elapsed() + delay);
    wake_after(world, delay, name, Waking::Event(sent));
}

fn wake(world: &Arc<World>, name: &str, waking: Waking) {
    let mut random = world.random(&format!("wake for {name}"));
    let running = lock(&world.lambda).invocations.iter().filter(|one| one.alive).count();
    if running >= world.lot.concurrency {
        // Lambda keeps asynchronous invocations and tries again.
        match waking {
            Waking::Schedule => {}
            Waking::Event(sent) if world.lot.load.is_some() => load::throttled(world, &mut random, name, sent),
            Waking::Event(_) => wake_after(world, random.range(1_000, 30_000), format!("{name}'"), waking),
        }
        return;
    }
    lock(&world.meter).running(running + 1);
    let troubled = world.is_troubled();
    let fresh = random.chance(world.lot.fresh);
    let idle = lock(&world.lambda).processes.iter().position(|it| it.worker.is_some() && it.busy.is_none());
    let process = idle.filter(|_| !fresh).unwrap_or_else(|| start_process(world));
    let death = if troubled && random.chance(world.lot.crashes) {
        match random.range(0, 3) {
            0 => Death::MuteFrom(random.range(1, 12) as u32),
            1 => Death::BeforeRequest(random.range(1, 12) as u32),
            2 => Death::AfterRequest(random.range(1, 12) as u32),
            _ => Death::AfterMilliseconds(random.range(1, 60_000)),
        }
    } else {
        Death::None
    };
    invoke(world, process, name, waking, death);
}

fn start_process(world: &Arc<World>) -> usize {
    let number = lock(&world.lambda).processes.len();
    let worker = Some(Arc::new(scenario::worker(world, number, &folder(world, number))));
    lock(&world.lambda).processes.push(Process { worker, busy: None });
    number
}

fn folder(world: &World, process: usize) -> PathBuf {
    world.folder.path().join(process.to_string())
}

fn invoke(world: &Arc<World>, process: usize, name: &str, waking: Waking, death: Death) {
    let (number, worker) = {
        let mut lambda = lock(&world.lambda);
        let number = lambda.invocations.len();
        let began = world.clock.elapsed();
        let invocation = Invocation {
            process,
            began,
            alive: true,
            died: None,
            failed: false,
            gave_up: false,
            sent: 0,
            arrived: 0,
            death,
            task: None,
        };
        lambda.invocations.push(invocation);
        lambda.processes[process].busy = Some(number);
        (number, lambda.processes[process].worker.clone())
    };
    let Some(worker) = worker else { return };
    world.trace.line(format_args!("I{number:04} begins in P{process:03}: {name}"));
    if let Waking::Event(Sent { event, .. }) = &waking
        && let Some(job) = event.pointer("/CodePipeline.job/id").and_then(Value::as_str)
    {
        witness::begins_with(world, job, number);
    }
    let lasts = world.lot.function_timeout * 1000;
    let deadline = world.clock.instant(world.clock.elapsed() + lasts);
    let (of, name) = (Arc::clone(world), name.to_owned());
    let task = tokio::spawn(async move {
        let result = match &waking {
            Waking::Schedule => worker.invoke(deadline).await,
            Waking::Event(Sent { event, .. }) => match Event::parse(event, &[]) {
                Ok(Event::ActionStarted { action_type, execution_id, .. }) => {
                    worker.action_started(&action_type, execution_id.as_deref(), None, deadline).await
                }
                Ok(Event::ActionOver { action_type, execution_id }) => {
                    worker.action_over(&action_type, execution_id.as_deref(), deadline).await
                }
                Ok(Event::ActionFailed { action_type, execution_id }) => {
                    worker.action_failed(&action_type, &execution_id, deadline).await
                }
                Ok(Event::InvokeJob) => worker.run_job(event, deadline).await,
                Ok(_) | Err(_) => Ok(Summary::default()),
            },
        };
        ends(&of, number, &result);
        if let (Some(_), Err(_), Waking::Event(sent)) = (of.lot.load, &result, waking) {
            load::failed(&of, &name, sent);
        }
    });
    lock(&world.lambda).invocations[number].task = Some(task.abort_handle());
    world.after(lasts, format!("I{number:04} at its deadline"), move |world| {
        if is_alive(world, number) {
            world.broken(format!("I{number:04} did not end before its deadline"));
            die(world, number);
        }
    });
    if let Death::AfterMilliseconds(delay) = death {
        world.after(delay, format!("I{number:04} dies"), move |world| die(world, number));
    }
}

fn ends(world: &Arc<World>, number: usize, result: &Result<Summary, InvocationError>) {
    let process = {
        let mut lambda = lock(&world.lambda);
        let invocation = &mut lambda.invocations[number];
        invocation.alive = false;
        invocation.failed = matches!(result, Err(InvocationError::Unreported { .. }));
        invocation.gave_up = matches!(result, Err(InvocationError::NoLedger(_)));
        let process = invocation.process;
        let lasted = world.clock.elapsed() - invocation.began;
        lock(&world.meter).ended(lasted, result.is_err());
        lambda.processes[process].busy = None;
        process
    };
    match result {
        Ok(_) => world.trace.line(format_args!("I{number:04} ends")),
        Err(error) if world.lot.has_troubles() => world.trace.line(format_args!("I{number:04} ends badly: {error}")),
        Err(error) => world.broken(format!("I{number:04} failed in a world without faults: {error}")),
    }
    let left = std::fs::read_dir(folder(world, process)).map_or(0, Iterator::count);
    if left > 0 {
        world.broken(format!("I{number:04} left {left} folders in its work folder"));
    }
}

fn die(world: &Arc<World>, number: usize) {
    let (task, process) = {
        let mut lambda = lock(&world.lambda);
        let invocation = &mut lambda.invocations[number];
        if !invocation.alive {
            return;
        }
        invocation.alive = false;
        invocation.died = Some(world.clock.elapsed());
        let (task, process) = (invocation.task.take(), invocation.process);
        lambda.processes[process].worker = None;
        (task, process)
    };
    world.trace.line(format_args!("I{number:04} dies, and P{process:03} with it"));
    // All that the task runs is dropped with it.
    if let Some(task) = task {
        task.abort();
    }
}

/// Returns the invocation that sends a process's request. `None` if it is dead, dies now, or is cut off.
pub(crate) fn sends(world: &Arc<World>, process: usize, about_a_job: bool) -> Option<usize> {
    let (number, dies, is_mute) = {
        let mut lambda = lock(&world.lambda);
        let Some(number) = lambda.processes[process].busy else {
            drop(lambda);
            world.broken(format!("P{process:03} sends a request outside of any invocation"));
            return None;
        };
        let invocation = &mut lambda.invocations[number];
        if !invocation.alive {
            let lately = invocation.died == Some(world.clock.elapsed());
            drop(lambda);
            if !lately {
                world.broken(format!("I{number:04} sends a request after its death: a task was not dropped"));
            }
            return None;
        }
        invocation.sent += u32::from(about_a_job);
        let dies = about_a_job && matches!(invocation.death, Death::BeforeRequest(at) if at == invocation.sent);
        let is_mute = matches!(invocation.death, Death::MuteFrom(at) if at <= invocation.sent);
        (number, dies, is_mute)
    };
    if dies {
        die(world, number);
    }
    (!dies && !is_mute).then_some(number)
}

/// Whether the invocation dies of the request that has just arrived.
pub(crate) fn dies_after(world: &Arc<World>, number: usize, about_a_job: bool) -> bool {
    let dies = {
        let mut lambda = lock(&world.lambda);
        let invocation = &mut lambda.invocations[number];
        invocation.arrived += u32::from(about_a_job);
        about_a_job
            && invocation.alive
            && matches!(invocation.death, Death::AfterRequest(at) if at == invocation.arrived)
    };
    if dies {
        die(world, number);
    }
    dies
}

/// The invocation that the process runs.
pub(crate) fn current(world: &World, process: usize) -> Option<usize> {
    lock(&world.lambda).processes[process].busy
}

/// When the invocation began.
pub(crate) fn began(world: &World, invocation: usize) -> u64 {
    lock(&world.lambda).invocations[invocation].began
}

/// Whether the invocation is running.
pub(crate) fn is_alive(world: &World, invocation: usize) -> bool {
    lock(&world.lambda).invocations[invocation].alive
}

/// Whether the invocation died before its end, was cut off, or could not report until its end. To a job these are the
/// same.
pub(crate) fn has_died(world: &World, invocation: usize) -> bool {
    let lambda = lock(&world.lambda);
    let invocation = &lambda.invocations[invocation];
    let is_mute = matches!(invocation.death, Death::MuteFrom(at) if at <= invocation.sent);
    invocation.died.is_some() || invocation.failed || is_mute
}

/// Whether it skipped a job because it could not reach the ledger.
pub(crate) fn has_given_up(world: &World, invocation: usize) -> bool {
    lock(&world.lambda).invocations[invocation].gave_up
}

/// Whether any invocation is under way.
pub(crate) fn is_busy(world: &World) -> bool {
    lock(&world.lambda).invocations.iter().any(|invocation| invocation.alive)
}

/// An event from EventBridge. The rule matches actions of the types that the worker serves.
pub(crate) fn tell(world: &Arc<World>, event: &Value) {
    let text = |at: &str| event.pointer(at).and_then(Value::as_str).unwrap_or_default();
    let is_served = matches!(text("/detail/type/owner"), "Custom" | "ThirdParty");
    let state = text("/detail/state");
    if !is_served || !matches!(state, "STARTED" | "ABANDONED" | "FAILED") {
        return;
    }
    if world.lot.load.is_some() {
        return load::tell(world, event);
    }
    let name = format!("{state} {}", text("/detail/action-execution-id"));
    let mut random = world.random(&format!("{name} {}", text("/id")));
    let times = match random.range(0, 99) {
        0..5 if world.is_troubled() => 0,
        5..8 => 2,
        8..10 => 3,
        _ => 1,
    };
    for time in 0..times {
        let delay = random.range(50, 3_000) + time * random.range(0, 20_000);
        wake_with(world, delay, format!("{name} {time}"), event);
    }
}

/// Drops everything, because the workers hold the world that holds them.
pub(crate) fn clear(world: &World) -> Lambda {
    std::mem::take(&mut *lock(&world.lambda))
}
