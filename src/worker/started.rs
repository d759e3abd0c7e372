//! After an action started: polls for its job until the job comes or another worker has it.

use std::time::SystemTime;

use tokio::time::{Instant, sleep};

use super::elsewhere::{Elsewhere, LOOK};
use super::shift::Shift;
use super::{InvocationError, Summary, Worker, sum_up};
use crate::job::ActionTypeId;
use crate::lifecycle::Invocation;

/// The worker lists the ledger after this many empty polls.
const POLLS_PER_LOOK: u32 = 3;

impl Worker {
    /// Polls the type of a started action until the job of that action execution comes. If the event names no execution, any job
    /// ends the polling. Stops if another worker holds the job and none is on offer, or after the last try. A throttled or unanswered poll
    /// counts as a try. Does nothing for a type that the worker does not poll. The metrics measure the time to claim from `time`, the
    /// time of the event.
    ///
    /// # Errors
    /// Returns the errors of [`Worker::invoke`].
    pub async fn action_started(
        &self,
        action_type: &ActionTypeId,
        execution_id: Option<&str>,
        time: Option<SystemTime>,
        deadline: Instant,
    ) -> Result<Summary, InvocationError> {
        if !self.polls {
            tracing::info!(actionType = %action_type, "did not poll for a started action, because the worker is paused (POLLING is false)");
            drop(self.lifecycle.measure_invocation());
            return Ok(Summary::default());
        }
        let began = Instant::now();
        let served = self.polled(|served| served.action_type == *action_type);
        if served.is_empty() {
            tracing::info!(actionType = %action_type, "ignored the start of an action: its type is not polled");
            drop(self.lifecycle.measure_invocation());
            return Ok(Summary::default());
        }
        let needed = self.least_needed(&served);
        let mut shift = Shift::new(self, served.clone(), Invocation::until(deadline));
        shift.started = execution_id.map(str::to_owned).zip(time);
        let ledger = self.lifecycle.ledger.as_ref().zip(execution_id);
        let mut elsewhere = ledger.map(|(ledger, execution_id)| Elsewhere::new(ledger, execution_id, began));
        let (mut polls_since_look, mut is_taken) = (0, false);
        for tried in 1..=self.patience.tries {
            let (polls_before, seen_before) = (shift.polls, shift.seen.len());
            shift.work().await;
            let has_polled = shift.polls > polls_before;
            let has_come = execution_id.map_or(!shift.seen.is_empty(), |id| shift.seen.contains(id));
            if has_come || !has_polled || tried == self.patience.tries {
                break;
            }
            let pause = self.patience.step.mul_f64(f64::from(tried) + fastrand::f64() - 0.5);
            // Other jobs may have used up the time.
            let left = deadline.saturating_duration_since(Instant::now());
            if left < LOOK + pause + needed.unwrap_or_default() {
                break;
            }
            polls_since_look += 1;
            // The job of another action may have taken long.
            let is_late = shift.seen.len() > seen_before;
            if !is_taken && (is_late || polls_since_look >= POLLS_PER_LOOK) {
                polls_since_look = 0;
                is_taken = match &mut elsewhere {
                    Some(elsewhere) => elsewhere.is_taken().await,
                    None => false,
                };
            }
            // The other worker may have been woken for another action and taken this job instead. That action's job then needs this
            // worker, so stop only after an empty poll.
            if is_taken && shift.quiet_for(&served).is_some() {
                tracing::info!(actionType = %action_type, "another worker has the job of the started action");
                break;
            }
            sleep(pause).await;
        }
        sum_up(shift, began)
    }
}
