//! The file sets of output artifacts.

use super::super::buildspec::{Artifacts, FileSet};

/// The file set of one of `count` output artifacts. `None` if the buildspec lacks it.
pub(super) fn set_of<'a>(output: &str, count: usize, artifacts: &'a Artifacts) -> Option<&'a FileSet> {
    artifacts.secondary.get(output).or_else(|| (count == 1).then_some(&artifacts.primary))
}

/// The advice for a buildspec that lacks an output artifact.
pub(super) fn several_lack(output: &str) -> String {
    format!(
        "the action has several output artifacts, and the buildspec lacks {output}: add artifacts/secondary-artifacts/{output} to it"
    )
}
