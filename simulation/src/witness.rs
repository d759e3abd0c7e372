//! What is promised, held against what happens.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::codepipeline::{is_over, job_status};
use crate::work::Ending;
use crate::world::World;
use crate::{lambda, lock};

/// Remembers what the promises are about.
#[derive(Default)]
pub(crate) struct Witness {
    /// The promises that were broken, in words.
    pub(crate) broken: Vec<String>,
    pub(crate) jobs: BTreeMap<String, Job>,
    pub(crate) figures: Figures,
}

/// What was seen of a job.
#[derive(Default)]
pub(crate) struct Job {
    /// The invocations that were told `InProgress`.
    acknowledged: Vec<usize>,
    delivered: bool,
    /// The invocations that told the ledger of it.
    recorded: Vec<usize>,
    runs: Vec<Run>,
    /// Which invocations' results took effect.
    results: Vec<usize>,
}

/// One time that an action ran.
struct Run {
    invocation: usize,
    /// What the action returned, if it did.
    ending: Option<Ending>,
    over: bool,
}

/// A result that took effect.
#[derive(Debug)]
pub(crate) enum Landed {
    Success,
    Continuation,
    /// With its message.
    Failure(String),
}

/// How much happened, over all seeds.
#[derive(Clone, Copy, Debug, Default)]
pub struct Figures {
    /// Requests that the services got.
    pub requests: u64,
    /// Invocations of the function.
    pub invocations: u64,
    /// Invocations that died.
    pub deaths: u64,
    /// Jobs that were acknowledged or delivered.
    pub jobs: u64,
    /// Times that an action ran.
    pub runs: u64,
    /// Jobs whose action ran more than once, or whose report another worker sent.
    pub taken_over: u64,
    /// Jobs that failed although their action did not.
    pub failed_instead: u64,
    /// Milliseconds that were simulated.
    pub simulated: u64,
}

impl Figures {
    /// Adds those of another simulation.
    pub fn add(&mut self, other: &Self) {
        self.requests += other.requests;
        self.invocations += other.invocations;
        self.deaths += other.deaths;
        self.jobs += other.jobs;
        self.runs += other.runs;
        self.taken_over += other.taken_over;
        self.failed_instead += other.failed_instead;
        self.simulated += other.simulated;
    }
}

/// An invocation was told that the job is its own.
pub(crate) fn acknowledged(world: &World, job: &str, invocation: usize) {
    lock(&world.witness).jobs.entry(job.to_owned()).or_default().acknowledged.push(invocation);
}

/// CodePipeline has handed a job to the function.
pub(crate) fn delivered(world: &World, job: &str) {
    lock(&world.witness).jobs.entry(job.to_owned()).or_default().delivered = true;
}

/// An invocation has told the ledger of a job.
pub(crate) fn recorded(world: &World, key: &str, invocation: usize) {
    // The ids of the emulator's jobs are not encoded.
    let id = key.rsplit('/').next().unwrap_or_default();
    if let Some(job) = lock(&world.witness).jobs.get_mut(id) {
        job.recorded.push(invocation);
    }
}

/// An action begins to run, until the guard is dropped.
pub(crate) fn begins(world: &Arc<World>, job: &str, invocation: usize) -> Running {
    let status = job_status(world, job);
    let mut witness = lock(&world.witness);
    witness.figures.runs += 1;
    let record = witness.jobs.entry(job.to_owned()).or_default();
    let others: Vec<_> = record.runs.iter().filter(|run| !run.over).map(|run| run.invocation).collect();
    let has_result = !record.results.is_empty();
    let was_given = record.delivered || !record.acknowledged.is_empty();
    let number = record.runs.len();
    record.runs.push(Run { invocation, ending: None, over: false });
    drop(witness);
    world.trace.line(format_args!("I{invocation:04} runs {job}, which is {}", status.unwrap_or("gone")));
    for other in others {
        if lambda::is_alive(world, other) {
            world.broken(format!("two living workers run the job {job}: I{other:04} and I{invocation:04}"));
        }
    }
    // It may have been abandoned, or have timed out: no worker can know.
    let was_ended = !has_result && status.is_none_or(is_over);
    if !was_ended && (status != Some("InProgress") || !was_given) {
        world.broken(format!("I{invocation:04} runs the job {job}, which is {}", status.unwrap_or("gone")));
    }
    Running { world: Arc::clone(world), job: job.to_owned(), number }
}

/// An action that runs.
pub(crate) struct Running {
    world: Arc<World>,
    job: String,
    number: usize,
}

impl Running {
    /// Notes what the action returns.
    pub(crate) fn returns(self, ending: Ending) {
        let mut witness = lock(&self.world.witness);
        if let Some(run) = witness.jobs.get_mut(&self.job).and_then(|job| job.runs.get_mut(self.number)) {
            run.ending = Some(ending);
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let mut witness = lock(&self.world.witness);
        if let Some(run) = witness.jobs.get_mut(&self.job).and_then(|job| job.runs.get_mut(self.number)) {
            run.over = true;
        }
    }
}

/// A result took effect on a job that was in the state `before`.
pub(crate) fn result(world: &Arc<World>, id: &str, before: Option<&str>, invocation: usize, landed: &Landed) {
    let mut problems = Vec::new();
    {
        let mut witness = lock(&world.witness);
        let witness = &mut *witness;
        let job = witness.jobs.entry(id.to_owned()).or_default();
        if before != Some("InProgress") {
            problems.push(format!("was {} and not in progress", before.unwrap_or("gone")));
        }
        for other in job.runs.iter().filter(|run| !run.over && run.invocation != invocation) {
            if lambda::is_alive(world, other.invocation) {
                problems.push(format!("is run by I{:04}", other.invocation));
            }
        }
        let last = job.runs.last();
        if let Some(last) = last.filter(|last| last.invocation != invocation) {
            witness.figures.taken_over += 1;
            // Whoever adopted the job may have died since, with its report on the wire.
            if !lambda::has_died(world, last.invocation) {
                problems.push(format!("was run last by I{:04}, which has not died", last.invocation));
            }
        }
        let returned = last.and_then(|last| last.ending);
        match (landed, returned) {
            (Landed::Success, Some(Ending::Success)) | (Landed::Continuation, Some(Ending::Continuation)) => {}
            (Landed::Success | Landed::Continuation, _) => {
                problems.push(format!("got {landed:?} where the action returned {returned:?}"));
            }
            (Landed::Failure(message), returned) => {
                let is_planned = message.contains(crate::work::PLANNED) || message.contains("panicked");
                if !is_planned {
                    witness.figures.failed_instead += 1;
                }
                if let Some(problem) = unjust(world, job, message, returned) {
                    problems.push(problem);
                }
            }
        }
        job.results.push(invocation);
        if job.results.len() > 1 {
            problems.push("has two results".to_owned());
        }
    }
    for problem in problems {
        world.broken(format!("I{invocation:04} reported the job {id}, which {problem}"));
    }
}

/// What a dead worker's job is failed with (`lifecycle`).
const DIED: &str = "the worker died while it ran the action";

/// Why a job should not have failed with this message, if it should not.
fn unjust(world: &World, job: &Job, message: &str, returned: Option<Ending>) -> Option<String> {
    let is_planned = message.contains(crate::work::PLANNED);
    if message.contains(DIED) {
        let mut anyone = job.acknowledged.iter().chain(&job.recorded).copied();
        let died = anyone.any(|invocation| lambda::has_died(world, invocation));
        return (!died).then(|| format!("failed with '{message}' although none of its workers died"));
    }
    match returned {
        Some(Ending::Failure) if is_planned => None,
        Some(Ending::Failure) => Some(format!("failed with '{message}' instead of its action's own words")),
        Some(Ending::Panic) if message.contains("panicked") => None,
        Some(Ending::Success | Ending::Continuation | Ending::Panic) | None => {
            let never_troubled = !world.lot.has_troubles();
            let cut_off = message.contains("timeout") || message.contains("deadline");
            (never_troubled && !cut_off).then(|| format!("failed with '{message}' in a world without faults"))
        }
    }
}

/// At the end, when all faults have been over for an hour: no job hangs.
pub(crate) fn nothing_hangs(world: &Arc<World>) {
    // Whoever dies before the ledger knows of a delivered job leaves nothing to find it by, and Lambda delivers it no more:
    // CodePipeline fails it when its time is over.
    let known = |job: &Job| !job.delivered || !job.recorded.is_empty();
    let jobs: Vec<_> = {
        let witness = lock(&world.witness);
        let known = witness.jobs.iter().filter(|(_, job)| known(job));
        known.map(|(id, job)| (id.clone(), job.results.len(), job.delivered)).collect()
    };
    for (id, results, delivered) in jobs {
        let status = job_status(world, &id);
        if let Some(status) = status.filter(|status| !is_over(status)) {
            world.broken(format!("the job {id} is still {status}"));
        } else if results == 0 && !delivered && (world.lot.abandoned == 0 || status == Some("TimedOut")) {
            // CodePipeline waits 20 minutes for a delivered job, which may be less than what recovery takes.
            world.broken(format!("the job {id} has no result, and was not abandoned"));
        }
    }
    let problems: Vec<String> = {
        let witness = lock(&world.witness);
        let many = witness.jobs.iter().filter_map(|(id, job)| {
            let deaths = job.runs.iter().filter(|run| lambda::has_died(world, run.invocation)).count();
            let allowed = 1 + deaths.min(3);
            (job.runs.len() > allowed)
                .then(|| format!("the job {id} ran {} times, of which {deaths} workers died", job.runs.len()))
        });
        many.collect()
    };
    problems.into_iter().for_each(|problem| world.broken(problem));
}
