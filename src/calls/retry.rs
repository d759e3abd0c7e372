//! The loop that tries a call until it succeeds or its budget is spent.

use std::time::Duration;

use tokio::time::{Instant, sleep, timeout_at};

use super::budget::Budget;
use super::table::{Failed, Meaning, NoResponse};

/// The response to one of several tries.
pub(crate) struct Responded<T> {
    /// The service's response.
    pub(crate) response: T,
    /// Whether a try before this one may have taken effect.
    pub(crate) unanswered_before: bool,
}

/// A call that failed after all its tries.
pub(crate) struct GaveUp<D> {
    /// How the last try failed.
    pub(crate) last: Failed<D>,
    /// How often the call was tried.
    pub(crate) tries: u32,
    /// Whether a try before the last may have taken effect.
    pub(crate) unanswered_before: bool,
}

impl<D> GaveUp<D> {
    /// Whether any try may have taken effect, the last included. `NoTimeLeft` means that it was never sent.
    pub(crate) fn is_unanswered(&self) -> bool {
        let was_sent = self.last.no_response != Some(NoResponse::NoTimeLeft);
        self.unanswered_before || was_sent && self.last.meaning == Meaning::Unanswered
    }
}

/// Calls `try_once` until it succeeds, the service refuses it, or the budget is spent.
pub(crate) async fn retry<T, D, F>(budget: Budget, try_once: impl FnMut() -> F) -> Result<Responded<T>, GaveUp<D>>
where
    F: Future<Output = Result<T, Failed<D>>>,
{
    retry_paced(Some(budget.until), |tried, _| budget.pause(tried), try_once).await
}

/// The same with other pauses than a budget's. `pace` gets the number of tries and the last failure, and returns `None`
/// to give up. No try begins after `until`, and a try under way is cut off.
pub(crate) async fn retry_paced<T, D, F>(
    until: Option<Instant>,
    mut pace: impl FnMut(u32, &Failed<D>) -> Option<Duration>,
    mut try_once: impl FnMut() -> F,
) -> Result<Responded<T>, GaveUp<D>>
where
    F: Future<Output = Result<T, Failed<D>>>,
{
    let mut unanswered_before = false;
    let mut tries = 0;
    loop {
        if until.is_some_and(|until| Instant::now() >= until) {
            return Err(GaveUp { last: NoResponse::NoTimeLeft.into(), tries, unanswered_before });
        }
        tries += 1;
        let tried = match until {
            Some(until) => timeout_at(until, try_once()).await.unwrap_or_else(|_| Err(NoResponse::Late.into())),
            None => try_once().await,
        };
        let last = match tried {
            Ok(response) => return Ok(Responded { response, unanswered_before }),
            Err(failed) => failed,
        };
        let Some(pause) = pace(tries, &last).filter(|_| last.meaning != Meaning::Refused) else {
            return Err(GaveUp { last, tries, unanswered_before });
        };
        tracing::debug!(tries, reason = last.reason, "retrying a call");
        unanswered_before |= last.meaning == Meaning::Unanswered;
        sleep(pause).await;
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;
    use std::future::pending;

    use super::super::budget::Pauses;
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn budget(tries: u32, time: Duration) -> Budget {
        Budget { tries, until: Instant::now() + time, pauses: Pauses::new(SECOND, SECOND * 5) }
    }

    fn failed(meaning: Meaning) -> Failed<()> {
        Failed { meaning, reason: "on purpose".to_owned(), detail: None, no_response: None }
    }

    /// Calls a service that fails in these ways, one after another, and then succeeds.
    async fn call(budget: Budget, failures: &[Meaning]) -> Result<Responded<usize>, GaveUp<()>> {
        let tried = Cell::new(0);
        let try_once = || {
            let index = tried.replace(tried.get() + 1);
            async move { failures.get(index).map_or(Ok(index + 1), |meaning| Err(failed(*meaning))) }
        };
        retry(budget, try_once).await
    }

    #[tokio::test(start_paused = true)]
    async fn only_unanswered_tries_may_have_taken_effect() {
        for (failures, unanswered) in [
            (&[] as &[Meaning], false),
            (&[Meaning::Throttled, Meaning::Throttled], false),
            (&[Meaning::Unanswered], true),
            (&[Meaning::Unanswered, Meaning::Throttled], true),
        ] {
            let responded = call(budget(9, SECOND * 60), failures).await.ok().unwrap();
            assert_eq!((responded.response, responded.unanswered_before), (failures.len() + 1, unanswered));
        }
    }

    #[tokio::test(start_paused = true)]
    async fn refusal_ends_the_tries_and_knows_earlier_ones() {
        for (before, unanswered) in [(Meaning::Throttled, false), (Meaning::Unanswered, true)] {
            let gave_up = call(budget(9, SECOND * 60), &[before, Meaning::Refused]).await.err().unwrap();
            assert!(gave_up.last.meaning == Meaning::Refused && gave_up.tries == 2);
            assert_eq!(gave_up.unanswered_before, unanswered);
            assert_eq!(gave_up.is_unanswered(), unanswered);
        }
    }

    #[tokio::test(start_paused = true)]
    async fn last_try_is_told_from_earlier_ones() {
        let gave_up = call(budget(2, SECOND * 60), &[Meaning::Throttled, Meaning::Unanswered]).await.err().unwrap();
        assert!(!gave_up.unanswered_before && gave_up.is_unanswered());
        assert_eq!(gave_up.tries, 2);
    }

    #[tokio::test(start_paused = true)]
    async fn try_that_hangs_is_cut_off_at_the_deadline() {
        let (begun, budget) = (Instant::now(), budget(9, SECOND * 10));
        let gave_up = retry(budget, pending::<Result<(), Failed<()>>>).await.err().unwrap();
        assert_eq!((gave_up.tries, begun.elapsed().as_secs()), (1, 10));
        assert!(gave_up.is_unanswered() && gave_up.last.reason == "no response in time");
    }

    #[tokio::test(start_paused = true)]
    async fn no_try_begins_after_the_deadline() {
        let gave_up = call(budget(9, Duration::ZERO), &[]).await.err().unwrap();
        assert_eq!((gave_up.tries, gave_up.last.reason.as_str()), (0, "no time was left for it"));
        assert!(!gave_up.is_unanswered());
    }

    #[tokio::test(start_paused = true)]
    async fn tries_end_before_the_deadline_however_many_are_left() {
        let begun = Instant::now();
        let gave_up = call(budget(u32::MAX, SECOND * 30), &[Meaning::Throttled; 1000]).await.err().unwrap();
        assert!(gave_up.tries > 6 && begun.elapsed() < SECOND * 30, "{} {:?}", gave_up.tries, begun.elapsed());
    }

    #[tokio::test(start_paused = true)]
    async fn pace_decides_on_each_pause() {
        let begun = Instant::now();
        let pace = |tried, _: &Failed<()>| (tried < 3).then_some(SECOND * tried);
        let try_once = || async { Err::<(), _>(failed(Meaning::Unanswered)) };
        let gave_up = retry_paced(None, pace, try_once).await.err().unwrap();
        assert_eq!((gave_up.tries, begun.elapsed()), (3, SECOND * 3));
    }
}
