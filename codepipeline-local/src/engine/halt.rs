//! The end of the emulator, while workers still report.

use super::{Effect, Engine, error::ApiError};

impl Engine {
    /// From now on nothing starts: no stage, action, run, invocation, poll of a source, or offer of a job. Time has no effects either, so
    /// nothing times out. Results of what runs already are recorded. A restored engine finds what did not start as interrupted.
    pub fn halt(&mut self) {
        self.halted = true;
        self.effects.retain(|effect| {
            !matches!(effect, Effect::RunAction { .. } | Effect::InvokeFunction { .. } | Effect::PollSource { .. })
        });
    }

    /// Whether the engine was halted.
    pub(crate) fn is_halted(&self) -> bool {
        self.halted
    }

    /// Refuses a request that would start an action in a halted engine.
    pub(super) fn check_not_halted(&self) -> Result<(), ApiError> {
        match self.halted {
            true => Err(ApiError::new("ConflictException", "The emulator is ending; start it again first".to_owned())),
            false => Ok(()),
        }
    }
}
