//! The promises at the end of a simulation: no job hangs.

use std::sync::Arc;
use std::time::Duration;

use super::Job;
use crate::codepipeline::{is_over, job_status};
use crate::world::World;
use crate::{lambda, lock};

/// An invoked job with this timeout does not time out within a simulation.
const LONG: Duration = Duration::from_secs(24 * 60 * 60);

/// A job at the end of a simulation.
struct AtEnd {
    status: Option<&'static str>,
    has_result: bool,
    invoked: bool,
    /// Whether the job needs no result: see [`is_lost`].
    lost: bool,
    /// Whether executions were abandoned.
    abandoned: bool,
    /// How long CodePipeline waits for an invoked job.
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
        // Within 20 minutes an invoked job may time out before a worker adopts it. CodePipeline forgets it later.
        let may_time_out = self.invoked && self.patience < LONG && status.is_none_or(|status| status == "TimedOut");
        let needs_none = self.has_result || was_abandoned || may_time_out;
        (!needs_none).then(|| "has no result, and was not abandoned".to_owned())
    }
}

/// Whether an invoked job is lost: each of its workers died, or could not reach the ledger, before the ledger had an entry. Lambda
/// does not send its event again.
fn is_lost(job: &Job, has_died: impl Fn(usize) -> bool, has_given_up: impl Fn(usize) -> bool) -> bool {
    let is_unknown = job.invoked && job.recorded.is_empty() && job.results.is_empty();
    is_unknown && job.hands.all_fell(has_died, has_given_up)
}

/// Checks at the end, an hour after the last fault, that no job hangs. Returns how many jobs are lost, which may still be in
/// progress.
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
            let deaths = job.turns.iter().filter(|turn| has_died(turn.invocation)).count();
            let runs = job.turns.len();
            if runs > 1 + deaths.min(3) {
                problems.push(format!("the job {id} ran {runs} times, and {deaths} of its workers died"));
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
    fn an_invoked_job_needs_a_result() {
        assert_eq!(INVOKED.problem(), None);
        for status in [Some("TimedOut"), Some("Failed"), None] {
            assert!(AtEnd { status, has_result: false, ..INVOKED }.problem().is_some(), "{status:?}");
        }
        let hangs = AtEnd { status: Some("InProgress"), has_result: false, ..INVOKED };
        assert!(hangs.problem().is_some());
        assert!(AtEnd { abandoned: true, ..hangs }.problem().is_some());
    }

    #[test]
    fn an_invoked_job_may_time_out_after_twenty_minutes() {
        let short = AtEnd { status: Some("TimedOut"), has_result: false, patience: SHORT, ..INVOKED };
        assert_eq!(short.problem(), None);
        assert!(AtEnd { status: Some("Failed"), ..short }.problem().is_some());
        let polled = AtEnd { status: Some("TimedOut"), has_result: false, invoked: false, patience: SHORT, ..INVOKED };
        assert!(polled.problem().is_some());
    }

    #[test]
    fn only_a_mishap_excuses_an_unrecorded_invoked_job() {
        let dead = |job: &Job| is_lost(job, |_| true, |_| false);
        let gave_up = |job: &Job| is_lost(job, |_| false, |_| true);
        let mut job = Job { invoked: true, ..Job::default() };
        assert!(!dead(&job), "no invocation got it");
        job.hands.invoked(1);
        assert!(!gave_up(&job), "it was dropped");
        assert!(dead(&job));
        job.hands.troubled(1);
        assert!(!is_lost(&job, |_| false, |_| false), "one fault is no reason to give up");
        assert!(gave_up(&job));
        job.hands.invoked(2);
        assert!(!is_lost(&job, |invocation| invocation == 1, |_| false), "a second invocation got it");
        job.recorded.push(1);
        assert!(!dead(&job), "the ledger has an entry");
    }
}
