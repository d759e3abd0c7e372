//! The budget of a call: tries, deadline and pauses.

use std::time::Duration;

use tokio::time::Instant;

/// With less time left, the call is not tried again.
const TOO_LATE: Duration = Duration::from_millis(200);

/// How much a call may take, all tries together. The tries take at most `tries` × the timeout of one try. The pauses
/// between them take at most the sum of their limits (see [`Pauses`]). The deadline cuts both short.
#[derive(Clone, Copy)]
pub(crate) struct Budget {
    /// The most tries.
    pub(crate) tries: u32,
    /// The deadline. No try begins after it, and a try under way is cut off.
    pub(crate) until: Instant,
    /// The pauses between the tries.
    pub(crate) pauses: Pauses,
}

impl Budget {
    /// The pause after so many tries; `None` if the budget is spent. It takes at most half of the time left, so that
    /// the next try has the other half.
    pub(super) fn pause(&self, tried: u32) -> Option<Duration> {
        if tried >= self.tries { None } else { self.pauses.within(tried, self.until) }
    }
}

/// Pauses of random length between the tries of a call. The limit of a pause doubles with each try, up to the longest
/// ("full jitter": AWS Architecture Blog, "Exponential Backoff And Jitter"). Random lengths spread callers that failed
/// at the same time.
///
/// With 100 ms and 5 s, seven pauses take at most 100 + 200 + 400 + … + 3200 + 5000 ms = 11.3 s, and half of that on
/// average. Each further pause takes at most 5 s.
#[derive(Clone, Copy)]
pub(crate) struct Pauses {
    first: Duration,
    longest: Duration,
}

impl Pauses {
    /// The first pause is at most `first`, and none is longer than `longest`.
    pub(crate) const fn new(first: Duration, longest: Duration) -> Self {
        Self { first, longest }
    }

    /// The longest pause after so many tries.
    pub(crate) fn limit(&self, tried: u32) -> Duration {
        self.first.saturating_mul(1 << tried.saturating_sub(1).min(20)).min(self.longest)
    }

    /// A random pause after so many tries.
    pub(crate) fn after(&self, tried: u32) -> Duration {
        self.limit(tried).mul_f64(fastrand::f64())
    }

    /// A random pause after so many tries, at most half of the time until the deadline; `None` if the time left is too
    /// short for a try.
    pub(crate) fn within(&self, tried: u32, until: Instant) -> Option<Duration> {
        let left = until.saturating_duration_since(Instant::now());
        (left >= TOO_LATE).then(|| self.after(tried).min(left / 2))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn limit_doubles_up_to_the_longest() {
        let pauses = Pauses::new(Duration::from_millis(100), Duration::from_millis(350));
        let limits: Vec<_> = (1..=4).map(|tried| pauses.limit(tried).as_millis()).collect();
        assert_eq!(limits, [100, 200, 350, 350]);
        assert_eq!(pauses.limit(u32::MAX), pauses.longest);
        for tried in (1..=4).cycle().take(400) {
            assert!(pauses.after(tried) <= pauses.limit(tried));
        }
    }

    #[test]
    fn seven_pauses_take_11_3_seconds_at_most() {
        let pauses = Pauses::new(Duration::from_millis(100), Duration::from_secs(5));
        let longest: Duration = (1..=7).map(|tried| pauses.limit(tried)).sum();
        assert_eq!(longest, Duration::from_millis(11_300));
    }

    #[test]
    fn pauses_are_random() {
        let pauses = Pauses::new(SECOND, SECOND);
        let lengths: std::collections::BTreeSet<_> = (0..20).map(|_| pauses.after(1)).collect();
        assert!(lengths.len() > 10, "{lengths:?}");
    }

    #[tokio::test(start_paused = true)]
    async fn pause_leaves_half_of_the_time_for_a_try() {
        let pauses = Pauses::new(SECOND * 3600, SECOND * 3600);
        let until = Instant::now() + SECOND;
        assert!((0..100).all(|_| pauses.within(1, until).unwrap() <= SECOND / 2));
        assert_eq!(pauses.within(1, Instant::now() + TOO_LATE - Duration::from_millis(1)), None);
        let budget = Budget { tries: 3, until, pauses };
        assert!(budget.pause(2).is_some());
        assert_eq!(budget.pause(3), None);
    }
}
