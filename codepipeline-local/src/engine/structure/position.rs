//! The order of a pipeline's actions.

/// An action's place in the pipeline. A smaller one is earlier.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Position {
    /// The index of the action's stage.
    pub(super) stage: usize,
    pub(super) run_order: u32,
}
