//! Manual approvals: actions that wait for a person (User Guide, "approvals").

use std::collections::BTreeMap;

use super::{
    Engine,
    error::ApiError,
    state::{ActionNumber, ActionStatus, StepKind},
};
use crate::types::Timestamp;

/// The decision of an approver.
pub(crate) struct Decision {
    pub(crate) approved: bool,
    pub(crate) summary: String,
}

impl Engine {
    /// Applies the decision to the action that issued the token.
    pub(crate) fn put_approval(
        &mut self,
        now: Timestamp,
        pipeline: &str,
        stage: &str,
        action: &str,
        token: &str,
        decision: Decision,
    ) -> Result<(), ApiError> {
        let declared = self.stage(pipeline, stage)?.actions.iter().find(|known| known.name == action);
        if declared.is_none_or(|declared| declared.action_type_id.category != "Approval") {
            return Err(ApiError::new(
                "ActionNotFoundException",
                format!("Stage '{stage}' of pipeline '{pipeline}' has no approval action '{action}'"),
            ));
        }
        let shown = |found: &&(ActionNumber, ActionStatus, Option<String>)| found.2.as_deref() == Some(token);
        let found: Vec<_> = self
            .actions_of(pipeline)
            .filter(|(_, _, known)| known.stage == stage && known.declaration.name == action)
            .map(|(number, _, known)| (number, known.status, known.approval_token.clone()))
            .collect();
        let Some((number, status, _)) = found.iter().find(shown) else {
            return Err(ApiError::new(
                "InvalidApprovalTokenException",
                format!("Action '{action}' has no pending approval with this token"),
            ));
        };
        if *status != ActionStatus::InProgress {
            return Err(ApiError::new(
                "ApprovalAlreadyCompletedException",
                format!("The approval of action '{action}' was {} already", status.name()),
            ));
        }
        self.decide(now, *number, decision);
        self.settle(now);
        Ok(())
    }

    fn decide(&mut self, now: Timestamp, number: ActionNumber, decision: Decision) {
        let user = self.user_arn();
        if let Some(action) = self.actions.get_mut(&number) {
            action.updated_by = Some(user);
            let step = if decision.approved { StepKind::Approved } else { StepKind::Rejected };
            action.timeline.note(now, step);
            action.summary = Some(decision.summary).filter(|summary| !summary.is_empty());
        }
        if decision.approved {
            self.succeed_action(now, number, BTreeMap::new());
        } else {
            self.fail_action(now, number, "JobFailed", "The approval was rejected".to_owned());
        }
    }

    pub(super) fn ask_for_approval(&mut self, number: ActionNumber) {
        // The service names a user for a pending approval too (User Guide, "approvals-approve-or-reject").
        let (token, user) = (self.random.uuid(), self.user_arn());
        if let Some(action) = self.actions.get_mut(&number) {
            action.updated_by = Some(user);
            action.approval_token = Some(token);
        }
    }
}
