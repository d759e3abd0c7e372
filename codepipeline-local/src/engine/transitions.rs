//! Transitions between stages, which users can disable.

use super::{
    Engine,
    error::ApiError,
    state::{DisabledTransition, StageDeclaration},
};
use crate::types::Timestamp;

/// The side of a stage that a transition is on.
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

    /// Enables the transition. Waiting executions continue.
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

    /// The stage that the transition leads to. The outbound transition of a stage is the inbound transition of the
    /// next.
    fn entered_stage(&self, pipeline: &str, stage: &str, kind: TransitionType) -> Result<String, ApiError> {
        let name = self.stage(pipeline, stage)?.name.clone();
        if kind == TransitionType::Inbound {
            return Ok(name);
        }
        let stages = &self.pipeline(pipeline)?.latest().stages;
        let next = stages.iter().skip_while(|known| known.name != name).nth(1);
        next.map(|next| next.name.clone()).ok_or_else(|| {
            ApiError::validation(format!(
                "Stage '{name}' is the last stage of pipeline '{pipeline}', so it has no outbound transition"
            ))
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
