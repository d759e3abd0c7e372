//! Compares what happens in the simulation with what the worker promises.

mod end;
mod failures;
mod figures;
mod hands;
mod start;

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::Value;

use crate::codepipeline::{is_on_offer, job_status};
use crate::network::Request;
use crate::work::{Ending, PLANNED};
use crate::world::World;
use crate::{lambda, lock, scenario};

use failures::{Failed, Ran};
use hands::Hands;

pub(crate) use end::nothing_hangs;
pub use figures::Figures;
pub(crate) use start::{Manner, begins};

/// The state of the promises.
#[derive(Default)]
pub(crate) struct Witness {
    /// The broken promises, in words.
    pub(crate) broken: Vec<String>,
    pub(crate) jobs: BTreeMap<String, Job>,
    pub(crate) figures: Figures,
}

/// A job as the simulation saw it.
#[derive(Default)]
pub(crate) struct Job {
    /// The invocations whose acknowledgement was answered with `InProgress`.
    acknowledged: Vec<usize>,
    invoked: bool,
    /// Whether its kind stages files.
    files: bool,
    hands: Hands,
    /// The invocations that wrote its entry.
    recorded: Vec<usize>,
    /// The invocations that recorded that they hold the job.
    holders: Vec<usize>,
    /// The invocation that holds it on the inference that it was acknowledged.
    inferred_by: Option<usize>,
    /// The invocation that recorded the outcome.
    outcome_by: Option<usize>,
    turns: Vec<Turn>,
    /// The invocations whose reports took effect.
    results: Vec<usize>,
}

/// One turn of the job's action.
struct Turn {
    invocation: usize,
    /// The action's result; `None` if it was cut off.
    ending: Option<Ending>,
    /// Whether the seed makes it take longer than its timeout.
    overlong: bool,
    /// Whether it runs alone in its invocation.
    alone: bool,
    /// Whether no worker had acknowledged the job at its start. Two mishaps may cause that.
    early: bool,
    /// Whether its report was refused because of that.
    refused: bool,
    over: bool,
}

/// How many mishaps it takes until a job that no worker acknowledged may be adopted (`tests/it/model`).
const MISHAPS: usize = 2;

/// A report that took effect.
#[derive(Debug)]
pub(crate) enum Landed {
    Success,
    Continuation,
    /// With its message.
    Failure(String),
}

/// An invocation's acknowledgement was answered with `InProgress`.
pub(crate) fn acknowledged(world: &World, job: &str, invocation: usize) {
    lock(&world.witness).jobs.entry(job.to_owned()).or_default().acknowledged.push(invocation);
}

/// CodePipeline invoked the function with a job.
pub(crate) fn invoked(world: &World, job: &str) {
    lock(&world.witness).jobs.entry(job.to_owned()).or_default().invoked = true;
}

/// An invocation starts whose event holds the job.
pub(crate) fn begins_with(world: &World, job: &str, invocation: usize) {
    lock(&world.witness).jobs.entry(job.to_owned()).or_default().hands.invoked(invocation);
}

/// The response to a poll for the provider's jobs holds these.
pub(crate) fn offered(world: &World, jobs: &[&str], provider: &str, request: &Request) {
    let mut witness = lock(&world.witness);
    for job in jobs {
        let job = witness.jobs.entry((*job).to_owned()).or_default();
        job.files = scenario::stages_files(provider);
        job.hands.offered(request.invocation, &request.name, &request.awaited);
    }
}

/// A request was answered. If not `well`, a fault hit the request or its response.
pub(crate) fn answered(world: &World, request: &Request, well: bool) {
    let mut witness = lock(&world.witness);
    if request.what.starts_with("Poll") {
        witness.jobs.values_mut().for_each(|job| job.hands.answered(&request.name, well));
    } else if !well && let Some(job) = request.job().and_then(|job| witness.jobs.get_mut(job)) {
        job.hands.troubled(request.invocation);
    }
}

/// An invocation wrote a job's entry.
pub(crate) fn recorded(world: &World, key: &str, entry: &[u8], invocation: usize) {
    // The ids of the emulator's jobs are not encoded.
    let id = key.rsplit('/').next().unwrap_or_default();
    // A queued job was certainly not acknowledged, so no worker may infer it. But its offer may lapse before it runs.
    let is_free = job_status(world, id) == Some("Queued");
    let mut witness = lock(&world.witness);
    let Some(job) = witness.jobs.get_mut(id) else { return };
    job.recorded.push(invocation);
    let entry: Value = serde_json::from_slice(entry).unwrap_or_default();
    match entry["phase"].as_str() {
        Some("held") => {
            job.inferred_by = (entry["inferred"] == true && !is_free).then_some(invocation);
            job.outcome_by = None;
            job.holders.push(invocation);
        }
        Some("reporting") => job.outcome_by = job.outcome_by.or(Some(invocation)),
        _ => {}
    }
}

/// How many jobs have a result.
pub(crate) fn results(world: &World) -> u64 {
    lock(&world.witness).jobs.values().filter(|job| !job.results.is_empty()).count() as u64
}

/// A report was refused, for a job with this status.
pub(crate) fn refused(world: &World, id: &str, status: Option<&str>, invocation: usize) {
    let mut witness = lock(&world.witness);
    let Some(last) = witness.jobs.get_mut(id).and_then(|job| job.turns.last_mut()) else { return };
    last.refused |= last.invocation == invocation && status.is_some_and(is_on_offer);
}

/// A report took effect on a job that had the status `before`.
pub(crate) fn result(world: &Arc<World>, id: &str, before: Option<&str>, invocation: usize, landed: &Landed) {
    let mut problems = Vec::new();
    {
        let mut witness = lock(&world.witness);
        let witness = &mut *witness;
        let job = witness.jobs.entry(id.to_owned()).or_default();
        for other in job.turns.iter().filter(|turn| !turn.over && turn.invocation != invocation) {
            if lambda::is_alive(world, other.invocation) {
                problems.push(format!("is run by I{:04}", other.invocation));
            }
        }
        let last = job.turns.last();
        witness.figures.taken_over += u64::from(last.is_some_and(|last| last.invocation != invocation));
        let has_died = |invocation| lambda::has_died(world, invocation);
        let is_alive = |invocation| lambda::is_alive(world, invocation);
        problems.extend(last.and_then(|last| last.not_to_be_reported_by(invocation, has_died, is_alive)));
        // The service may accept the report of a job that no worker acknowledged.
        let is_early = before.is_some_and(is_on_offer) && last.is_some_and(|last| last.early);
        if before != Some("InProgress") && !is_early {
            problems.push(format!("was {} and not in progress", before.unwrap_or("gone")));
        }
        let returned = last.and_then(|last| last.ending);
        match (landed, returned) {
            (Landed::Success, Some(Ending::Success)) | (Landed::Continuation, Some(Ending::Continuation)) => {}
            (Landed::Success | Landed::Continuation, _) => {
                problems.push(format!("got {landed:?} where the action returned {returned:?}"));
            }
            (Landed::Failure(message), _) => {
                let failed = failed(world, job, message, invocation);
                let is_planned = [PLANNED.as_str(), failures::PANICKED].contains(&failed.code());
                witness.figures.failed_instead += u64::from(!is_planned);
                problems.extend(failed.unjust());
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

impl Turn {
    /// Why another worker must not report this turn's outcome; `None` if it may. The worker that adopted the job may have died since,
    /// with its report under way.
    fn not_to_be_reported_by(
        &self,
        reporter: usize,
        has_died: impl Fn(usize) -> bool,
        is_alive: impl Fn(usize) -> bool,
    ) -> Option<String> {
        let Self { invocation, early, refused, .. } = *self;
        let is_left = early && refused && !is_alive(invocation);
        let may = invocation == reporter || has_died(invocation) || is_left;
        (!may).then(|| format!("was run last by I{invocation:04}, which has not died"))
    }
}

/// The failure that the invocation reported.
fn failed<'a>(world: &World, job: &Job, message: &'a str, reporter: usize) -> Failed<'a> {
    let author = job.outcome_by.unwrap_or(reporter);
    let holder_before = job.holders.iter().rev().find(|holder| **holder != author);
    let turn = job.turns.iter().rev().find(|turn| turn.invocation == author);
    Failed {
        message,
        died: holder_before.is_some_and(|holder| lambda::has_died(world, *holder)),
        run: turn.map(|turn| Ran { returned: turn.ending, overlong: turn.overlong }),
        files: job.files,
        disturbed: world.lot.has_troubles() && lambda::began(world, author) < world.lot.troubled * 60_000,
    }
}

#[cfg(test)]
mod tests;
