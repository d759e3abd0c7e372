//! What must be so at the end.

use std::sync::Arc;

use super::Job;
use crate::codepipeline::{is_over, job_status};
use crate::world::World;
use crate::{lambda, lock};

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
