//! Transitions between stages, which their owner may close.

use super::{
    Engine,
    error::ApiError,
    state::{DisabledTransition, StageDeclaration},
};
use crate::types::Timestamp;

/// Which end of a stage a transition is at.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum TransitionType {
    Inbound,
    Outbound,
}

impl Engine {
    pub(crate) fn disable_transition(
        &mut self,
        at: Timestamp,
        pipeline: &str,
        stage: &str,
        kind: TransitionType,
        reason: String,
    ) -> Result<(), ApiError> {
        let stage = self.entered_stage(pipeline, stage, kind)?;
        if let Some(pipeline) = self.pipelines.get_mut(pipeline) {
            pipeline.disabled.insert(stage, DisabledTransition { reason, at });
        }
        Ok(())
    }

    /// Whoever waits goes on.
    pub(crate) fn enable_transition(
        &mut self,
        now: Timestamp,
        pipeline: &str,
        stage: &str,
        kind: TransitionType,
    ) -> Result<(), ApiError> {
        let stage = self.entered_stage(pipeline, stage, kind)?;
        if let Some(pipeline) = self.pipelines.get_mut(pipeline) {
            pipeline.disabled.remove(&stage);
        }
        self.settle(now);
        Ok(())
    }

    /// The stage that one enters through the transition: what goes out of one stage comes into the next.
    fn entered_stage(&self, pipeline: &str, stage: &str, kind: TransitionType) -> Result<String, ApiError> {
        let name = self.stage(pipeline, stage)?.name.clone();
        if kind == TransitionType::Inbound {
            return Ok(name);
        }
        let stages = &self.pipeline(pipeline)?.latest().stages;
        let next = stages.iter().skip_while(|known| known.name != name).nth(1);
        next.map(|next| next.name.clone()).ok_or_else(|| {
            ApiError::validation(format!("Stage '{name}' is the last of pipeline '{pipeline}': nothing goes out of it"))
        })
    }

    /// The stage of the pipeline's latest version.
    pub(super) fn stage(&self, pipeline: &str, stage: &str) -> Result<&StageDeclaration, ApiError> {
        let declared = self.pipeline(pipeline)?.latest().stages.iter().find(|known| known.name == stage);
        declared.ok_or_else(|| {
            ApiError::new("StageNotFoundException", format!("Pipeline '{pipeline}' has no stage '{stage}'"))
        })
    }
}
