//! What must be so at the end.

use std::sync::Arc;
use std::time::Duration;

use super::Job;
use crate::codepipeline::{is_over, job_status};
use crate::world::World;
use crate::{lambda, lock};

/// Waited for so long, a delivered job does not time out within a simulation.
const LONG: Duration = Duration::from_secs(24 * 60 * 60);

/// What is known of a job when all is over.
struct AtEnd {
    status: Option<&'static str>,
    has_result: bool,
    invoked: bool,
    /// Whether there is no need for a result: see [`is_lost`].
    lost: bool,
    /// Whether executions were abandoned.
    abandoned: bool,
    /// How long CodePipeline waits for a delivered job.
    patience: Duration,
}

impl AtEnd {
    fn problem(&self) -> Option<String> {
        let Self { status, .. } = *self;
        if self.lost {
            return None;
        }
        if let Some(status) = status.filter(|status| !is_over(status)) {
            return Some(format!("is still {status}"));
        }
        let timed_out = status == Some("TimedOut");
        let was_abandoned = self.abandoned && !timed_out;
        // In 20 minutes a delivered job may time out before it is recovered. It is forgotten some time later.
        let may_time_out = self.invoked && self.patience < LONG && status.is_none_or(|status| status == "TimedOut");
        let needs_none = self.has_result || was_abandoned || may_time_out;
        (!needs_none).then(|| "has no result, and was not abandoned".to_owned())
    }
}

/// Whoever dies before the ledger knows of a delivered job leaves nothing to find it by, and Lambda delivers it no more. The
/// same goes for one who can't reach the ledger and gives up.
fn is_lost(job: &Job, has_died: impl Fn(usize) -> bool, has_given_up: impl Fn(usize) -> bool) -> bool {
    let is_unknown = job.invoked && job.recorded.is_empty() && job.results.is_empty();
    is_unknown && job.hands.all_fell(has_died, has_given_up)
}

/// At the end, when all faults have been over for an hour: no job hangs. Gives how many of them nothing tells of, so that they
/// may well be in progress.
pub(crate) fn nothing_hangs(world: &Arc<World>) -> usize {
    let lot = &world.lot;
    let has_died = |invocation| lambda::has_died(world, invocation);
    let has_given_up = |invocation| lambda::has_given_up(world, invocation);
    let mut problems = Vec::new();
    let mut lost = 0;
    {
        let mut witness = lock(&world.witness);
        for (id, job) in &witness.jobs {
            let at_end = AtEnd {
                status: job_status(world, id),
                has_result: !job.results.is_empty(),
                invoked: job.invoked,
                lost: is_lost(job, has_died, has_given_up),
                abandoned: lot.abandoned > 0,
                patience: lot.settings.invoke_timeout,
            };
            lost += usize::from(at_end.lost);
            problems.extend(at_end.problem().map(|problem| format!("the job {id} {problem}")));
            let deaths = job.runs.iter().filter(|run| has_died(run.invocation)).count();
            let runs = job.runs.len();
            if runs > 1 + deaths.min(3) {
                problems.push(format!("the job {id} ran {runs} times, of which {deaths} workers died"));
            }
        }
        witness.figures.lost += lost as u64;
    }
    problems.into_iter().for_each(|problem| world.broken(problem));
    lost
}

#[cfg(test)]
mod tests {
    use super::*;

    const INVOKED: AtEnd = AtEnd {
        status: Some("Succeeded"),
        has_result: true,
        invoked: true,
        lost: false,
        abandoned: false,
        patience: LONG,
    };
    const SHORT: Duration = Duration::from_secs(1200);

    #[test]
    fn a_delivered_job_needs_a_result_like_any_other() {
        assert_eq!(INVOKED.problem(), None);
        for status in [Some("TimedOut"), Some("Failed"), None] {
            assert!(AtEnd { status, has_result: false, ..INVOKED }.problem().is_some(), "{status:?}");
        }
        let hangs = AtEnd { status: Some("InProgress"), has_result: false, ..INVOKED };
        assert!(hangs.problem().is_some());
        assert!(AtEnd { abandoned: true, ..hangs }.problem().is_some());
    }

    #[test]
    fn what_the_service_waits_twenty_minutes_for_may_time_out() {
        let short = AtEnd { status: Some("TimedOut"), has_result: false, patience: SHORT, ..INVOKED };
        assert_eq!(short.problem(), None);
        assert!(AtEnd { status: Some("Failed"), ..short }.problem().is_some());
        let polled = AtEnd { status: Some("TimedOut"), has_result: false, invoked: false, patience: SHORT, ..INVOKED };
        assert!(polled.problem().is_some());
    }

    #[test]
    fn only_a_mishap_excuses_who_told_the_ledger_nothing_of_a_delivered_job() {
        let dead = |job: &Job| is_lost(job, |_| true, |_| false);
        let gave_up = |job: &Job| is_lost(job, |_| false, |_| true);
        let mut job = Job { invoked: true, ..Job::default() };
        assert!(!dead(&job), "nobody was given it");
        job.hands.invoked(1);
        assert!(!gave_up(&job), "it was dropped");
        assert!(dead(&job));
        job.hands.troubled(1);
        assert!(!is_lost(&job, |_| false, |_| false), "one fault is no reason to give up");
        assert!(gave_up(&job));
        job.hands.invoked(2);
        assert!(!is_lost(&job, |invocation| invocation == 1, |_| false), "it was delivered again");
        job.recorded.push(1);
        assert!(!dead(&job), "the ledger tells of it");
    }
}
