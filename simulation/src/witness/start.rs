//! The start of an action: whether its worker has a right to it, and whether it may start now.

use std::sync::Arc;

use super::{Job, MISHAPS, Turn};
use crate::codepipeline::{is_on_offer, is_over, job_status};
use crate::lot::Protection;
use crate::work::Ending;
use crate::world::World;
use crate::{lambda, lock};

/// How an action runs.
#[derive(Clone, Copy)]
pub(crate) struct Manner {
    /// Whether the seed makes it take longer than its timeout.
    pub(crate) overlong: bool,
    /// Whether it runs alone in its invocation.
    pub(crate) alone: bool,
}

/// An action starts in this manner, and runs until the guard is dropped.
pub(crate) fn begins(world: &Arc<World>, job: &str, invocation: usize, manner: Manner) -> Running {
    let Manner { overlong, alone } = manner;
    let status = job_status(world, job);
    let has_died = |invocation| lambda::has_died(world, invocation);
    let mut problems = Vec::new();
    problems.extend(not_yet_over(world, job, invocation, manner));
    let number = {
        let mut witness = lock(&world.witness);
        let witness = &mut *witness;
        let record = witness.jobs.entry(job.to_owned()).or_default();
        for other in record.turns.iter().filter(|turn| !turn.over && lambda::is_alive(world, turn.invocation)) {
            let other = other.invocation;
            problems.push(format!("two living workers run the job {job}: I{other:04} and I{invocation:04}"));
        }
        let right = record.right_to_run(status, invocation, has_died);
        if right.is_none() {
            problems.push(format!("I{invocation:04} runs the job {job}, which is {}", status.unwrap_or("gone")));
        }
        if world.lot.protection == Protection::Ledger && !record.holders.contains(&invocation) {
            problems.push(format!("I{invocation:04} runs the job {job}, which it does not hold"));
        }
        let early = right == Some(Right::Inferred);
        witness.figures.runs += 1;
        witness.figures.early_runs += u64::from(early);
        record.turns.push(Turn { invocation, ending: None, overlong, alone, early, refused: false, over: false });
        record.turns.len() - 1
    };
    world.trace.line(format_args!("I{invocation:04} runs {job}, which is {}", status.unwrap_or("gone")));
    problems.into_iter().for_each(|problem| world.broken(problem));
    Running { world: Arc::clone(world), job: job.to_owned(), number }
}

/// Why the action may not start yet: an action of its invocation must run alone, or a job that ran before it is not reported.
fn not_yet_over(world: &World, job: &str, invocation: usize, manner: Manner) -> Vec<String> {
    let mut problems = Vec::new();
    let mut ran = Vec::new();
    for (other, record) in lock(&world.witness).jobs.iter().filter(|(other, _)| *other != job) {
        let Some(last) = record.turns.last().filter(|turn| turn.invocation == invocation) else { continue };
        if !last.over && (manner.alone || last.alone) {
            problems.push(format!(
                "I{invocation:04} runs the job {job} together with {other}, and one of them must run alone"
            ));
        }
        if last.over && manner.alone {
            ran.push(other.clone());
        }
    }
    let unreported = ran.into_iter().filter(|other| job_status(world, other) == Some("InProgress"));
    problems.extend(
        unreported.map(|other| {
            format!("I{invocation:04} runs the job {job}, which runs alone, before it has reported {other}")
        }),
    );
    problems
}

/// The right by which an action runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Right {
    /// Its job is in progress.
    Given,
    /// Its job has ended, which no worker can know: it was abandoned or timed out.
    Ended,
    /// No worker has acknowledged its job, but after two mishaps the worker could infer that one had.
    Inferred,
}

impl Job {
    /// The right by which the invocation runs the job, which has this status now.
    pub(super) fn right_to_run(
        &self,
        status: Option<&str>,
        invocation: usize,
        has_died: impl Fn(usize) -> bool,
    ) -> Option<Right> {
        let was_given = self.invoked || !self.acknowledged.is_empty();
        match status {
            Some("InProgress") => was_given.then_some(Right::Given),
            Some(status) if is_on_offer(status) => {
                let inferred = self.inferred_by == Some(invocation) && self.hands.mishaps(has_died) >= MISHAPS;
                inferred.then_some(Right::Inferred)
            }
            status => (self.results.is_empty() && status.is_none_or(is_over)).then_some(Right::Ended),
        }
    }
}

/// A running action.
pub(crate) struct Running {
    world: Arc<World>,
    job: String,
    number: usize,
}

impl Running {
    /// Records what the action returns.
    pub(crate) fn returns(self, ending: Ending) {
        let mut witness = lock(&self.world.witness);
        if let Some(turn) = witness.jobs.get_mut(&self.job).and_then(|job| job.turns.get_mut(self.number)) {
            turn.ending = Some(ending);
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let mut witness = lock(&self.world.witness);
        if let Some(turn) = witness.jobs.get_mut(&self.job).and_then(|job| job.turns.get_mut(self.number)) {
            turn.over = true;
        }
    }
}
