//! Remembers throttled polls between invocations, to tell a passing throttle from a lasting one.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use crate::actions::Served;
use crate::job::ActionTypeId;

/// A throttle that lasts this long does not pass without a change: too many workers poll, or poll too often. The worker backs off only
/// within a poll; the next tick, after a minute by default, polls again.
const PERSISTENT: Duration = Duration::from_secs(5 * 60);

/// So many throttled polls in a row count as lasting, even if the clock shows less time: half an hour of ticks. The clock may stop while
/// Lambda freezes the process.
const MANY: u32 = 30;

/// The throttled polls of a process, by action type and `queryParam`.
#[derive(Default)]
pub(super) struct Throttles(Mutex<HashMap<PolledFor, Throttled>>);

/// Throttled polls since the last poll that was answered.
struct Throttled {
    since: Instant,
    polls: u32,
}

type PolledFor = (ActionTypeId, Option<(String, String)>);

impl Throttles {
    /// Notes that a poll was answered.
    pub(super) fn answered(&self, served: &Served) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).remove(&polled_for(served));
    }

    /// Notes that a poll was throttled. Returns whether the throttle lasts.
    pub(super) fn throttled(&self, served: &Served) -> bool {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let throttled =
            known.entry(polled_for(served)).or_insert_with(|| Throttled { since: Instant::now(), polls: 0 });
        throttled.polls = throttled.polls.saturating_add(1);
        throttled.since.elapsed() >= PERSISTENT || throttled.polls >= MANY
    }
}

fn polled_for(served: &Served) -> PolledFor {
    (served.action_type.clone(), served.query_param.clone())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::actions::{Action, Turn};
    use crate::job::{Failure, Outcome};

    struct Idle;

    impl Action for Idle {
        async fn start(&self, _: Turn) -> Result<Outcome, Failure> {
            unreachable!("nothing is run here")
        }
    }

    fn served(project: &str) -> Served {
        let [category, owner, provider, version] = ["Test", "Custom", "LinkCheck", "1"].map(str::to_owned);
        let action_type = ActionTypeId { category, owner, provider, version };
        Served::new(action_type, Duration::from_secs(1), Idle).query_param("Project", project)
    }

    #[tokio::test(start_paused = true)]
    async fn a_throttle_lasts_after_five_minutes() {
        let (throttles, web) = (Throttles::default(), served("web"));
        for minute in 0..5 {
            assert!(!throttles.throttled(&web), "{minute}");
            tokio::time::advance(Duration::from_secs(60)).await;
        }
        assert!(throttles.throttled(&web));
        assert!(!throttles.throttled(&served("other")));
        throttles.answered(&web);
        assert!(!throttles.throttled(&web));
    }

    #[tokio::test(start_paused = true)]
    async fn thirty_throttled_polls_last_if_the_clock_stops() {
        let (throttles, web) = (Throttles::default(), served("web"));
        assert_eq!((1..).find(|_| throttles.throttled(&web)), Some(30));
    }
}
