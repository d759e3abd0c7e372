//! Which further action types run on this machine, and which actions are skipped.

use std::collections::BTreeSet;

use crate::quoted::{in_quotes, word};

use super::state::{ActionDeclaration, ActionType, ActionTypeId};

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

    /// Whether the type's actions may have properties that it does not declare: those of stand-ins, and of types that the emulator does not
    /// know.
    pub(super) fn accepts_any_configuration(&self, action_type: &ActionType) -> bool {
        let id = &action_type.id;
        self.stand_ins.contains(id)
            || (self.emulated.contains(id) && action_type.action_configuration_properties.is_empty())
    }

    /// Whether the action may have members that only some types have, such as `commands`: skipped actions and stand-ins may have all.
    pub(super) fn accepts_anything(&self, stage: &str, action: &ActionDeclaration) -> bool {
        self.skips(stage, &action.name) || self.stand_ins.contains(&action.action_type_id)
    }
}

/// The flags that let an action run whose type the emulator does not run, as a sentence.
pub(super) fn advice(action: &ActionDeclaration) -> String {
    let (name, id) = (&action.name, &action.action_type_id);
    let has_commands =
        id.is_aws("Build", "CodeBuild") || id.is_aws("Test", "CodeBuild") || id.is_aws("Compute", "Commands");
    let run = if has_commands { "Run its commands on this machine with --run-commands, let" } else { "Let" };
    let id = id.name();
    format!(
        "{run} a command stand in for the type with --provider {}, or skip the action with --skip {}",
        in_quotes(&format!("{id}=COMMAND")),
        word(name)
    )
}
