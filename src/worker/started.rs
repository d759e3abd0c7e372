//! An action that has just begun: its job is looked for until it comes, or another worker has it.

use tokio::time::{Instant, sleep};

use super::elsewhere::{Elsewhere, LOOK};
use super::shift::Shift;
use super::{InvocationError, Summary, Worker, sum_up};
use crate::job::ActionTypeId;
use crate::lifecycle::Invocation;

/// After so many polls in a row that brought no job the ledger is asked: one listing for three polls.
const POLLS_PER_LOOK: u32 = 3;

impl Worker {
    /// Polls for the job of an action that has begun: its type alone, until the job of that action execution comes. Where the
    /// event names no execution, any job will do. Stops if another worker holds the job and none is on offer, or when patience
    /// ends. A poll that is throttled or unanswered counts as one of them. An action type that is not served costs nothing.
    ///
    /// # Errors
    /// As [`Worker::invoke`].
    pub async fn action_started(
        &self,
        action_type: &ActionTypeId,
        execution_id: Option<&str>,
        deadline: Instant,
    ) -> Result<Summary, InvocationError> {
        let began = Instant::now();
        let served = self.polled(|served| served.action_type == *action_type);
        if served.is_empty() {
            tracing::info!(action.type = %action_type, "an action of a type that is not polled has begun: nothing to do");
            return Ok(Summary::default());
        }
        let needed = self.least_needed(&served);
        let mut shift = Shift::new(self, served.clone(), Invocation::until(deadline));
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
            // Other jobs may have taken the rest of the time.
            let left = deadline.saturating_duration_since(Instant::now());
            if left < LOOK + pause + needed.unwrap_or_default() {
                break;
            }
            polls_since_look += 1;
            // After the job of another action much time may have passed.
            let is_late = shift.seen.len() > seen_before;
            if !is_taken && (is_late || polls_since_look >= POLLS_PER_LOOK) {
                polls_since_look = 0;
                is_taken = match &mut elsewhere {
                    Some(elsewhere) => elsewhere.is_taken().await,
                    None => false,
                };
            }
            // That worker may have been woken for another action, whose job then waits for this one. So only a poll that
            // CodePipeline answers with nothing is the last.
            if is_taken && shift.quiet_for(&served).is_some() {
                tracing::info!(action.type = %action_type, "another worker has the job of the action that has begun");
                break;
            }
            sleep(pause).await;
        }
        sum_up(shift, began)
    }
}
