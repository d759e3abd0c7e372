//! Where the output of actions goes.

use std::fmt;
use std::io::Write;
use std::sync::Arc;

/// A line of an action's output, with the secrets masked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OutputLine {
    /// The pipeline's name.
    pub pipeline: String,
    /// The stage's name.
    pub stage: String,
    /// The action's name.
    pub action: String,
    /// The id of the action's execution.
    pub action_execution_id: String,
    /// The text, without an end of line.
    pub text: String,
}

impl fmt::Display for OutputLine {
    /// Writes the line after the action's name.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "[{}] {}", self.action, self.text)
    }
}

/// Takes the lines of all actions, in the order of their arrival.
#[derive(Clone)]
pub struct Output(Arc<dyn Fn(OutputLine) + Send + Sync>);

impl Output {
    /// Passes each line to `take`, which must not block.
    pub fn new(take: impl Fn(OutputLine) + Send + Sync + 'static) -> Self {
        Self(Arc::new(take))
    }

    /// Writes the lines to standard output, each after its action's name.
    pub fn standard() -> Self {
        // The reader of standard output may be gone. That ends no action.
        Self::new(|line| drop(writeln!(std::io::stdout(), "{line}")))
    }

    pub(super) fn show(&self, line: OutputLine) {
        (self.0)(line);
    }
}

impl Default for Output {
    fn default() -> Self {
        Self::standard()
    }
}
