//! Tries of a message, and the pauses between them.

use std::time::Duration;

use crate::calls::Pauses;

/// The longest `Retry-After` to wait for. After a longer one, the next continuation asks again, if there is one.
const LONGEST_ASKED: Duration = Duration::from_secs(30);

/// If no continuation asks again, the tries share the time left, provided that each gets at least this much. With less
/// time, more requests would only disturb a service that asked for a long pause.
const LEAST_SHARE: Duration = Duration::from_secs(10);

/// When to send a message again that got no response, or a passing one (408, 429, 5xx).
#[derive(Clone, Copy, Debug)]
pub struct Retries {
    /// The most tries, with the first one.
    pub tries: u32,
    /// The limit of the first pause. It doubles with each try. Each pause is random, up to its limit.
    pub first_pause: Duration,
    /// The longest pause, unless the service asks for a longer one. Up to 30 s are granted.
    pub longest_pause: Duration,
}

impl Default for Retries {
    /// Four tries pause for at most 500 + 1000 + 2000 ms = 3.5 s, or for 3 × 30 s if the service asks for it. With
    /// requests that take 30 s each, the default, that is 123.5 s or 210 s. The end of the turn cuts it short, after 70
    /// s by default. At the start of a job longer pauses are granted, if they leave time for four tries: 17 s each in
    /// such a turn.
    fn default() -> Self {
        Self { tries: 4, first_pause: Duration::from_millis(500), longest_pause: Duration::from_secs(5) }
    }
}

impl Retries {
    /// How long to wait after `tries` tries; `None` to give up. `asked` is the last response's `Retry-After`. `chance`
    /// is from 0 to 1 ("full jitter"). `left` is the time for all further tries, unless a later job asks again.
    pub(super) fn pause(
        &self,
        tries: u32,
        chance: f64,
        asked: Option<Duration>,
        left: Option<Duration>,
    ) -> Option<Duration> {
        let further = self.tries.checked_sub(tries).filter(|&further| further > 0)?;
        let share = left.map(|left| left / further.saturating_add(1)).filter(|share| *share >= LEAST_SHARE);
        let asked = match (asked, share) {
            (Some(asked), Some(share)) => Some(asked.min(share)),
            (Some(asked), None) if asked > LONGEST_ASKED => return None,
            (asked, _) => asked,
        };
        let pause = Pauses::new(self.first_pause, self.longest_pause).limit(tries).mul_f64(chance);
        Some(asked.map_or(pause, |asked| asked.max(pause)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_double_and_end_with_the_tries() {
        let retries = Retries { tries: 7, ..Retries::default() };
        let pauses: Vec<_> =
            (1..=7).map(|tries| retries.pause(tries, 1.0, None, None).map(|it| it.as_millis())).collect();
        assert_eq!(pauses, [Some(500), Some(1000), Some(2000), Some(4000), Some(5000), Some(5000), None]);
        assert_eq!(retries.pause(2, 0.25, None, None), Some(Duration::from_millis(250)));
        assert_eq!(
            Retries { tries: u32::MAX, ..retries }.pause(u32::MAX - 1, 1.0, None, None),
            Some(retries.longest_pause)
        );
    }

    #[test]
    fn retry_after_is_granted_within_limits() {
        let pause = |asked| Retries::default().pause(1, 1.0, Some(Duration::from_secs(asked)), None);
        assert_eq!(pause(0), Some(Duration::from_millis(500)));
        assert_eq!(pause(30), Some(Duration::from_secs(30)));
        assert_eq!(pause(31), None);
    }

    #[test]
    fn start_has_four_tries_whatever_retry_after_says() {
        let pauses = |asked, mut left: Duration| {
            let mut pauses = Vec::new();
            while let Some(pause) =
                Retries::default().pause(pauses.len() as u32 + 1, 0.0, Some(Duration::from_secs(asked)), Some(left))
                && pause < left
            {
                pauses.push(pause.as_millis());
                left -= pause;
            }
            pauses
        };
        assert_eq!(pauses(3600, Duration::from_secs(69)), [17_250; 3]);
        assert_eq!(pauses(30, Duration::from_secs(69)), [17_250; 3]);
        assert_eq!(pauses(31, Duration::from_secs(600)), [31_000; 3]);
        assert!(pauses(3600, Duration::from_secs(39)).is_empty(), "there is too little time");
        assert_eq!(pauses(5, Duration::from_secs(39)), [5000; 3]);
    }
}
