//! After the polls of an invocation: the jobs of workers that died.

use std::sync::Arc;

use tokio::time::{Instant, timeout_at};
use tracing::Instrument;

use super::InvocationError;
use super::shift::Shift;
use crate::actions::Served;
use crate::lifecycle::{BEFORE_DEADLINE, End, Orphan};

/// Adopts what can be adopted, one after another: what a worker died of may be the job itself.
pub(super) async fn recover(shift: &mut Shift<'_>) -> Result<(), InvocationError> {
    let until = shift.invocation.deadline - BEFORE_DEADLINE;
    let looking = shift.worker.lifecycle.orphans();
    let mut orphans = match timeout_at(until, looking).await {
        Ok(Ok(orphans)) => orphans,
        Ok(Err(error)) if error.may_pass() => {
            tracing::warn!(%error, "jobs of workers that died are looked for by a later invocation");
            return Ok(());
        }
        Ok(Err(error)) => return Err(InvocationError::NotRecovered(error)),
        Err(_) => return Ok(()),
    };
    // What only has to be reported comes first: it takes no time.
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
            // It would be asked about each of them for a minute and more.
            tracing::warn!(
                "jobs of workers that died are left to a later invocation: the ledger does not answer in time"
            );
            break;
        }
    }
    if let Some(job) = unserved.example {
        tracing::warn!(
            jobs = unserved.jobs,
            job.id = job,
            "left jobs alone whose worker died: no action in ACTIONS is for their types"
        );
    }
    if let Some(job) = unprotected.example {
        // A metric filter on the log group takes the number from the lines that have this field.
        tracing::error!(
            metric = "UnprotectedJobs",
            jobs = unprotected.jobs,
            job.id = job,
            "jobs were claimed and their worker died: those that were acknowledged and that no other worker has hang until \
             their actions time out. They are not adopted, since their types are shared with workers outside the ledger, one \
             of which may have them"
        );
    }
    Ok(())
}

/// Jobs that are left alone: how many, and one of them.
#[derive(Default)]
struct Left {
    jobs: usize,
    example: Option<String>,
}

impl Left {
    fn add(&mut self, orphan: &Orphan) {
        self.jobs += 1;
        self.example.get_or_insert_with(|| orphan.job().to_owned());
    }
}

async fn adopt(shift: &mut Shift<'_>, orphan: Orphan, types: &[Arc<Served>]) -> End {
    let span = tracing::info_span!("job", job.id = orphan.job(), action.type = %orphan.action_type());
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
    let adopting = shift.worker.lifecycle.adopt(orphan, types, quiet, shift.invocation);
    let end = adopting.instrument(span).await;
    if !matches!(end, End::Lost | End::NoLedger) {
        shift.summary.adopted += 1;
        shift.summary.count(end);
    }
    end
}

/// The ways in which the job's type is served.
fn types(shift: &Shift<'_>, orphan: &Orphan) -> Vec<Arc<Served>> {
    shift.worker.served.iter().filter(|served| served.action_type == *orphan.action_type()).cloned().collect()
}
