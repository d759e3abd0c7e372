//! After the polls of an invocation: adopts the jobs of workers that died.

use std::sync::Arc;

use tokio::time::{Instant, timeout_at};
use tracing::{Instrument, Span};

use super::shift::Shift;
use super::{InvocationError, span};
use crate::actions::Served;
use crate::lifecycle::{BEFORE_DEADLINE, End, Orphan, Orphans};
use crate::metrics::counted;

/// Adopts the jobs that it can, one at a time, because a job itself may have killed its worker.
pub(super) async fn recover(shift: &mut Shift<'_>) -> Result<(), InvocationError> {
    let until = shift.invocation.deadline - BEFORE_DEADLINE;
    let looking = shift.worker.lifecycle.orphans();
    let Orphans { jobs: mut orphans, oldest } = match timeout_at(until, looking).await {
        Ok(Ok(found)) => found,
        Ok(Err(error)) if error.may_pass() => {
            tracing::warn!(%error, "could not search the ledger for jobs of workers that died; the next invocation retries");
            return Ok(());
        }
        Ok(Err(error)) => return Err(InvocationError::NotRecovered(error)),
        Err(_) => return Ok(()),
    };
    shift.meter.values.oldest_entry_seconds = oldest.map(|age| age.as_secs());
    // Jobs that need only a report come first, because they take little time.
    orphans.sort_by_cached_key(|orphan| orphan.would_run(&types(shift, orphan)));
    let (mut unserved, mut unprotected) = (Left::default(), Left::default());
    for orphan in orphans {
        let types = types(shift, &orphan);
        if types.is_empty() {
            unserved.add(&orphan);
        } else if orphan.is_claiming() && types.iter().any(|served| served.shared) {
            if !orphan.is_past() {
                unprotected.add(&orphan);
            }
        } else if adopt(shift, orphan, &types).await == End::NoLedger {
            // Each further job could wait for the ledger for more than a minute.
            tracing::warn!(
                "left the jobs of workers that died to the next invocation: the ledger does not answer in time"
            );
            break;
        }
    }
    if let Some(job) = unserved.example {
        let jobs = unserved.jobs;
        job.in_scope(|| {
            tracing::warn!(jobs, "ignored jobs whose worker died: no action in ACTIONS has their types");
        });
    }
    if let Some(job) = unprotected.example {
        let jobs = unprotected.jobs;
        shift.meter.values.unprotected_jobs = counted(jobs);
        job.in_scope(|| tracing::error!(
            jobs,
            "ignored claiming entries whose worker died: their types are shared with workers outside the ledger, and one of those may \
             have the jobs. If none has, each acknowledged job hangs until its action times out"
        ));
    }
    Ok(())
}

/// Ignored jobs: how many, and the span of one.
#[derive(Default)]
struct Left {
    jobs: usize,
    example: Option<Span>,
}

impl Left {
    fn add(&mut self, orphan: &Orphan) {
        self.jobs += 1;
        self.example.get_or_insert_with(|| span::of_orphan(orphan));
    }
}

async fn adopt(shift: &mut Shift<'_>, orphan: Orphan, types: &[Arc<Served>]) -> End {
    let span = span::of_orphan(&orphan);
    let needed = if orphan.would_run(types) { types.iter().map(|it| shift.worker.needs(it)).max() } else { None };
    let left = shift.invocation.deadline.saturating_duration_since(Instant::now());
    if left < needed.unwrap_or(shift.worker.lifecycle.reporting) {
        return End::Lost;
    }
    let needs_files = needed.is_some() && types.iter().any(|it| it.action.wants_files_boxed());
    if needs_files && let Some(shortage) = shift.worker.lifecycle.shortage() {
        shift.problems.low_disk(&shortage);
        return End::Lost;
    }
    let quiet = shift.quiet_for(types);
    // The future of a whole job is large, and few ticks need it.
    let adopting = Box::pin(shift.worker.lifecycle.adopt(orphan, types, quiet, shift.invocation));
    let end = adopting.instrument(span).await;
    if !matches!(end, End::Lost | End::NoLedger) {
        shift.summary.adopted += 1;
        shift.summary.count(end);
    }
    end
}

/// The entries of ACTIONS that serve the job's type.
fn types(shift: &Shift<'_>, orphan: &Orphan) -> Vec<Arc<Served>> {
    shift.worker.served.iter().filter(|served| served.action_type == *orphan.action_type()).cloned().collect()
}
