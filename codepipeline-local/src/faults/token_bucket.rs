//! A token bucket that refills steadily, as AWS throttles its operations.

use super::fault::Throttle;
use crate::types::Timestamp;

/// The calls that one operation may still make.
pub(super) struct TokenBucket {
    tokens: f64,
    at: Timestamp,
}

impl TokenBucket {
    pub(super) fn full(throttle: &Throttle, now: Timestamp) -> Self {
        Self { tokens: f64::from(throttle.burst), at: now }
    }

    /// Takes a token. Returns false if the bucket is empty.
    pub(super) fn take(&mut self, throttle: &Throttle, now: Timestamp) -> bool {
        // The emulator's clock may move back.
        let seconds = now.0.saturating_sub(self.at.0) as f64 / 1000.0;
        self.tokens = (self.tokens + seconds * throttle.rate).min(f64::from(throttle.burst));
        self.at = now;
        let taken = self.tokens >= 1.0;
        if taken {
            self.tokens -= 1.0;
        }
        taken
    }
}
