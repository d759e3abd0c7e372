//! Polls that CodePipeline throttles: since when, and whether that is still something to wait out.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use crate::actions::Served;
use crate::job::ActionTypeId;

/// A throttle that lasts this long does not pass by itself: too many workers poll, or too often. The next ticks, which come
/// every minute by default, are all the backing off that there is beyond a poll's own.
const PERSISTENT: Duration = Duration::from_secs(5 * 60);

/// So many throttled polls in a row are persistent whatever the clock says: it may stand while Lambda freezes the process.
/// Half an hour of ticks.
const MANY: u32 = 30;

/// What a process remembers of its polls from one invocation to the next, by what was polled for.
#[derive(Default)]
pub(super) struct Throttles(Mutex<HashMap<PolledFor, Throttled>>);

/// Polls since the last one that was answered.
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

    /// Notes that a poll was throttled. Whether that has lasted too long to be waited out.
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
    async fn a_throttle_persists_after_five_minutes_without_an_answer() {
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
    async fn thirty_throttled_polls_in_a_row_persist_where_the_clock_stands() {
        let (throttles, web) = (Throttles::default(), served("web"));
        assert_eq!((1..).find(|_| throttles.throttled(&web)), Some(30));
    }
}
