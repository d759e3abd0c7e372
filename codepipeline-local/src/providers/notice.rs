//! A warning that is shown once.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use super::Workplace;

/// The warning that commands run on this machine. All clones together show it once.
#[derive(Clone, Default)]
pub struct Notice(Arc<AtomicBool>);

impl Notice {
    /// Shows the warning, unless it was shown before.
    pub(super) fn show(&self, work: &Workplace) {
        if !self.0.swap(true, Ordering::Relaxed) {
            work.line(
                "warning: commands of CodeBuild and Commands actions run on this machine, as the user who started codepipeline-local and \
                 without a container",
            );
        }
    }
}
