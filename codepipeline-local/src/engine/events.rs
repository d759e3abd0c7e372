//! State-change events of pipelines, stages and actions (User Guide, "detect-state-changes-cloudwatch-events").

use serde_json::{Map, Value, json};

use super::{
    Effect, Engine,
    state::{
        ActionExecution, ActionNumber, ActionStatus, Artifact, Execution, ExecutionNumber, ExecutionStatus, Trigger,
    },
};
use crate::dates::{iso, iso_seconds};

impl Engine {
    pub(super) fn emit_pipeline_event(&mut self, number: ExecutionNumber, state: &str) {
        let Some(execution) = self.executions.get(&number) else { return };
        let mut detail = details(execution, state, execution.started);
        if let (Some(reason), "STOPPING" | "STOPPED") = (&execution.stop_reason, state) {
            detail.insert("stop-execution-comments".to_owned(), reason.clone().into());
        }
        if state == ExecutionStatus::InProgress.event_state() {
            let Trigger { kind, detail: by } = &execution.trigger;
            let trigger = json!({"trigger-type": kind.name(), "trigger-detail": by});
            detail.insert("execution-trigger".to_owned(), trigger);
        }
        let pipeline = execution.pipeline.clone();
        self.emit("CodePipeline Pipeline Execution State Change", &pipeline, detail);
    }

    /// Emits an event for the stage that the execution entered last.
    pub(super) fn emit_stage_event(&mut self, number: ExecutionNumber, state: &str) {
        let Some(execution) = self.executions.get(&number) else { return };
        let Some(stage) = execution.stages.len().checked_sub(1).and_then(|it| execution.declaration.stages.get(it))
        else {
            return;
        };
        let mut detail = details(execution, state, execution.updated);
        detail.insert("stage".to_owned(), stage.name.clone().into());
        let pipeline = execution.pipeline.clone();
        self.emit("CodePipeline Stage Execution State Change", &pipeline, detail);
    }

    /// Emits an event for the action's status. `canceled` marks an action that an update of the pipeline abandoned.
    pub(super) fn emit_action_event(&mut self, number: ActionNumber, canceled: bool) {
        let Some(action) = self.actions.get(&number) else { return };
        let Some(execution) = self.executions.get(&action.execution) else { return };
        let state = match action.status {
            ActionStatus::InProgress => "STARTED",
            ActionStatus::Abandoned if canceled => "CANCELED",
            ActionStatus::Abandoned => "ABANDONED",
            ActionStatus::Succeeded => "SUCCEEDED",
            ActionStatus::Failed => "FAILED",
        };
        let id = &action.declaration.action_type_id;
        let mut detail = details(execution, state, action.started);
        for (member, value) in [
            ("stage", action.stage.clone().into()),
            ("action", action.declaration.name.clone().into()),
            ("action-execution-id", action.id.clone().into()),
            ("region", self.settings.region.clone().into()),
            (
                "type",
                json!({"owner": id.owner, "category": id.category, "provider": id.provider, "version": id.version}),
            ),
            ("input-artifacts", places(&action.inputs)),
        ] {
            detail.insert(member.to_owned(), value);
        }
        if action.status == ActionStatus::Succeeded {
            detail.insert("output-artifacts".to_owned(), places(&action.outputs));
        }
        if matches!(action.status, ActionStatus::Succeeded | ActionStatus::Failed) {
            detail.insert("execution-result".to_owned(), self.execution_result(action));
        }
        let pipeline = execution.pipeline.clone();
        self.emit("CodePipeline Action Execution State Change", &pipeline, detail);
    }

    fn execution_result(&self, action: &ActionExecution) -> Value {
        let error = action.error.as_ref();
        let summary = error.map(|error| error.message.clone()).or_else(|| action.summary.clone());
        let members = [
            ("external-execution-url", self.external_url(action)),
            ("external-execution-summary", summary),
            ("external-execution-id", action.external_id.clone()),
            ("error-code", error.map(|error| error.code.clone())),
        ];
        members
            .into_iter()
            .filter_map(|(name, value)| Some((name.to_owned(), value?.into())))
            .collect::<Map<_, _>>()
            .into()
    }

    fn emit(&mut self, kind: &str, pipeline: &str, mut detail: Map<String, Value>) {
        detail.insert("pipeline".to_owned(), pipeline.into());
        let event = json!({
            "version": "0",
            "id": self.random.uuid(),
            "detail-type": kind,
            "source": "aws.codepipeline",
            "account": self.settings.account_id,
            "time": iso_seconds(self.clock),
            "region": self.settings.region,
            "resources": [self.pipeline_arn(pipeline)],
            "detail": detail,
        });
        if self.settings.duplicate_events {
            self.effects.push(Effect::Event(event.clone()));
        }
        self.effects.push(Effect::Event(event));
    }
}

fn details(execution: &Execution, state: &str, started: crate::types::Timestamp) -> Map<String, Value> {
    // The service has been observed to write these two numbers as floats.
    let members = [
        ("execution-id", execution.id.clone().into()),
        ("state", state.into()),
        ("start-time", iso(started).into()),
        ("version", f64::from(execution.declaration.version).into()),
        ("pipeline-execution-attempt", f64::from(execution.attempt).into()),
    ];
    members.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
}

fn places(artifacts: &[Artifact]) -> Value {
    let place = |artifact: &Artifact| {
        let at = &artifact.location;
        json!({"name": artifact.name, "s3location": {"bucket": at.bucket, "key": at.key}})
    };
    artifacts.iter().map(place).collect()
}
