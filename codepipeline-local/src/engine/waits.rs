//! The reasons why an execution does not move on, apart from the work of its actions.

use super::state::{Engine, Execution, Place};

/// The reason why an execution waits.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Wait<'a> {
    /// A manual approval is open.
    Approval { action: &'a str },
    /// The transition into the next stage is disabled.
    Transition,
    /// Another execution is in the next stage.
    Execution { id: &'a str },
}

impl Engine {
    /// The name of the stage that an execution is in, or before, and the reason why it waits there. `None` if it has ended.
    pub(crate) fn position<'a>(&'a self, execution: &'a Execution) -> Option<(&'a str, Option<Wait<'a>>)> {
        match &execution.place {
            Place::Running(group) => {
                let mut actions = group.actions.iter().filter_map(|number| self.actions.get(number));
                let approval = actions.find(|action| action.open_approval().is_some());
                let wait = approval.map(|action| Wait::Approval { action: &action.declaration.name });
                Some((execution.runs_in()?, wait))
            }
            Place::Waiting { .. } => {
                let stage = execution.waits_for_name()?;
                let pipeline = self.pipelines.get(&execution.pipeline);
                let wait = if pipeline.is_some_and(|pipeline| pipeline.disabled.contains_key(stage)) {
                    Some(Wait::Transition)
                } else {
                    let mut peers = self.same_pipeline(execution);
                    let holder = peers.find(|(_, peer)| peer.runs_in() == Some(stage));
                    holder.map(|(_, peer)| Wait::Execution { id: &peer.id })
                };
                Some((stage, wait))
            }
            Place::Ended(_) => None,
        }
    }
}
