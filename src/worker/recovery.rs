//! After the polls of an invocation: the jobs of workers that died.

use std::sync::Arc;

use tokio::time::{Instant, timeout_at};
use tracing::Instrument;

use super::shift::Shift;
use super::{BEFORE_DEADLINE, InvocationError};
use crate::actions::Served;
use crate::lifecycle::{End, Orphan};

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
    for orphan in orphans {
        adopt(shift, orphan).await;
    }
    Ok(())
}

async fn adopt(shift: &mut Shift<'_>, orphan: Orphan) {
    let types = types(shift, &orphan);
    let span = tracing::info_span!("job", job.id = orphan.job(), action.type = %orphan.action_type());
    if types.is_empty() {
        let _entered = span.enter();
        tracing::warn!("left a job alone whose worker died: no action in ACTIONS is for its type");
        return;
    }
    if orphan.is_claiming() && types.iter().any(|served| served.shared) {
        let _entered = span.enter();
        // A metric filter on the log group counts the lines that have this field.
        tracing::error!(
            metric = "UnprotectedJobs",
            "a job was claimed and its worker died: if it was acknowledged, it hangs until its action times out. It is not \
             adopted, since its type is shared with workers outside the ledger, one of which may have it"
        );
        return;
    }
    let needed = if orphan.would_run(&types) { types.iter().map(|it| shift.worker.needs(it)).max() } else { None };
    let left = shift.invocation.deadline.saturating_duration_since(Instant::now());
    if left < needed.unwrap_or(shift.worker.lifecycle.reporting) {
        return;
    }
    let quiet = shift.quiet_for(&types);
    let adopting = shift.worker.lifecycle.adopt(orphan, &types, quiet, shift.invocation);
    let end = adopting.instrument(span).await;
    if end != End::Lost {
        shift.summary.adopted += 1;
        shift.summary.count(end);
    }
}

/// The ways in which the job's type is served.
fn types(shift: &Shift<'_>, orphan: &Orphan) -> Vec<Arc<Served>> {
    shift.worker.served.iter().filter(|served| served.action_type == *orphan.action_type()).cloned().collect()
}
