//! Which further action types run on this machine, and which actions are skipped.

use std::collections::BTreeSet;

use super::state::{ActionDeclaration, ActionTypeId};

/// The action types that providers of this machine run, besides those that the engine runs itself: S3 sources, manual approvals, and
/// Lambda Invoke.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Provided {
    /// The types that a provider emulates.
    pub emulated: BTreeSet<ActionTypeId>,
    /// The types that a command of the user stands in for. They accept any configuration. Listings and summaries say "stand-in".
    pub stand_ins: BTreeSet<ActionTypeId>,
    /// The actions that succeed at once with empty output artifacts: `ACTION`, or `STAGE/ACTION` if several stages have the name. They may
    /// have any type.
    pub skipped: BTreeSet<String>,
}

impl Provided {
    /// Whether the action is skipped.
    pub fn skips(&self, stage: &str, action: &str) -> bool {
        self.skipped.contains(action) || self.skipped.contains(&format!("{stage}/{action}"))
    }

    /// Whether a provider or a stand-in of this machine runs the type.
    pub fn has(&self, id: &ActionTypeId) -> bool {
        self.emulated.contains(id) || self.stand_ins.contains(id)
    }

    /// Whether the action may have members that only some types have, such as `commands`: skipped actions and stand-ins may have all.
    pub(super) fn accepts_anything(&self, stage: &str, action: &ActionDeclaration) -> bool {
        self.skips(stage, &action.name) || self.stand_ins.contains(&action.action_type_id)
    }
}
