//! Action executions: start, success and failure.

use std::{collections::BTreeMap, time::Duration};

use super::{
    Engine, artifacts, provided,
    runs::Runner,
    state::{
        ActionDeclaration, ActionError, ActionExecution, ActionNumber, ActionStatus, ActionType, Artifact,
        Configuration, Execution, ExecutionNumber, JobState, PipelineDeclaration, Revision, StepKind, Timeline,
        is_queryable_value, queryable_rule,
    },
    urls::{self, Ids},
    variables,
};
use crate::types::Timestamp;

/// Default timeout of a manual approval (User Guide, "limits").
const APPROVAL_TIMEOUT: Duration = Duration::from_secs(7 * 24 * 60 * 60);

impl Engine {
    /// Starts an action and returns its number. If the action can't run, it has failed on return.
    pub(super) fn start_action(
        &mut self,
        now: Timestamp,
        execution: ExecutionNumber,
        pipeline: &PipelineDeclaration,
        stage: usize,
        declaration: &ActionDeclaration,
    ) -> ActionNumber {
        let number: ActionNumber = self.number();
        let outputs = declaration
            .output_artifacts
            .iter()
            .filter_map(|artifact| {
                let store = pipeline.store(&self.settings.region)?;
                let place = artifacts::place(&mut self.random, &store.location, &pipeline.name, &artifact.name);
                Some(Artifact { name: artifact.name.clone(), location: place, revision: None })
            })
            .collect();
        let mut action = ActionExecution {
            id: self.random.uuid(),
            execution,
            stage: pipeline.stages[stage].name.clone(),
            declaration: declaration.clone(),
            configuration: Configuration::new(),
            inputs: Vec::new(),
            outputs,
            started: now,
            updated: now,
            deadline: now.after(self.timeout(declaration)),
            status: ActionStatus::InProgress,
            approval_token: None,
            updated_by: None,
            summary: None,
            external_id: None,
            external_url: None,
            percent_complete: None,
            error: None,
            source_version: None,
            revision: None,
            variables: BTreeMap::new(),
            unchecked: None,
            timeline: Timeline::default(),
        };
        action.timeline.note(now, StepKind::Started);
        let prepared = self.prepare(&mut action);
        self.actions.insert(number, action);
        self.running.insert(number);
        self.emit_action_event(number, false);
        match prepared {
            Err(message) => self.fail_action(now, number, "ConfigurationError", message),
            Ok(()) => match self.runner(&pipeline.stages[stage].name, declaration) {
                Runner::Copy => self.start_source(number),
                Runner::Approver => self.ask_for_approval(number),
                Runner::Provider => self.run_action(now, number),
                // The service invokes functions itself, so the job need not wait for the event.
                Runner::Function => self.queue_job(number, now, None),
                Runner::Worker => self.queue_job(number, now.after(self.settings.event_lead), None),
            },
        }
        number
    }

    fn timeout(&self, declaration: &ActionDeclaration) -> Duration {
        match declaration.timeout_in_minutes {
            Some(minutes) => Duration::from_secs(minutes * 60),
            None if declaration.action_type_id.category == "Approval" => APPROVAL_TIMEOUT,
            None => self.settings.action_timeout,
        }
    }

    fn prepare(&self, action: &mut ActionExecution) -> Result<(), String> {
        let declaration = &action.declaration;
        let action_type = self.available_action_type(&declaration.action_type_id);
        let skipped = self.settings.provided.skips(&action.stage, &declaration.name);
        if action_type.is_none() && !skipped {
            let id = &declaration.action_type_id;
            let advice =
                if id.owner == "Custom" { String::new() } else { format!(". {}", provided::advice(declaration)) };
            return Err(format!("{} is no longer available{advice}", id.describe()));
        }
        let Some(execution) = self.executions.get(&action.execution) else {
            return Err("The pipeline execution no longer exists".to_owned());
        };
        action.configuration = match variables::resolve(&declaration.configuration, &execution.namespaces) {
            // It runs nothing, and the action that makes the variable may be skipped, too.
            Err(_) if skipped => declaration.configuration.clone(),
            resolved => resolved?,
        };
        if let Some(asked) = execution.sources.get(&declaration.name).filter(|_| declaration.is_source()) {
            asked.clone().apply(action);
        }
        let declaration = &action.declaration;
        if let Some(property) = action_type.and_then(ActionType::queryable)
            && !skipped
            && !action.configuration.get(property).is_some_and(|value| is_queryable_value(value))
        {
            return Err(queryable_rule(property));
        }
        for input in &declaration.input_artifacts {
            let artifact = execution.artifacts.get(&input.name);
            action.inputs.push(
                artifact.ok_or_else(|| format!("No earlier action produced the artifact '{}'", input.name))?.clone(),
            );
        }
        Ok(())
    }

    pub(super) fn succeed_action(&mut self, now: Timestamp, number: ActionNumber, variables: BTreeMap<String, String>) {
        let Some(action) = self.actions.get_mut(&number) else { return };
        action.status = ActionStatus::Succeeded;
        action.updated = now;
        action.timeline.note(now, StepKind::Succeeded);
        action.variables = variables;
        let revision = action.revision.as_ref().map(|revision| revision.id.clone());
        for output in &mut action.outputs {
            output.revision.clone_from(&revision);
        }
        if let Some(execution) = self.executions.get_mut(&action.execution) {
            for output in &action.outputs {
                execution.artifacts.insert(output.name.clone(), output.clone());
            }
            if let Some(namespace) = &action.declaration.namespace {
                execution.namespaces.insert(namespace.clone(), action.variables.clone());
            }
        }
        self.running.remove(&number);
        self.emit_action_event(number, false);
    }

    pub(super) fn fail_action(&mut self, now: Timestamp, number: ActionNumber, code: &str, message: String) {
        if let Some(action) = self.actions.get_mut(&number) {
            action.status = ActionStatus::Failed;
            action.updated = now;
            action.timeline.note(now, StepKind::Failed);
            action.error = Some(ActionError { code: code.to_owned(), message });
        }
        self.running.remove(&number);
        self.emit_action_event(number, false);
    }

    /// Fails an action after its deadline, and ends its job.
    pub(super) fn time_out_action(&mut self, now: Timestamp, number: ActionNumber) {
        self.end_jobs(now, number, JobState::TimedOut);
        self.end_run(number);
        self.note_step(number, StepKind::TimedOut);
        let Some(action) = self.actions.get(&number) else { return };
        let limit = Duration::from_millis(action.deadline.0.saturating_sub(action.started.0));
        self.fail_action(now, number, "JobFailed", format!("The action did not finish within {limit:?}"));
    }

    /// The pipeline's action executions with their numbers, newest first.
    pub(crate) fn actions_of<'a>(
        &'a self,
        pipeline: &'a str,
    ) -> impl Iterator<Item = (ActionNumber, &'a Execution, &'a ActionExecution)> {
        self.actions.iter().rev().filter_map(move |(number, action)| {
            let execution = self.executions.get(&action.execution)?;
            (execution.pipeline == pipeline).then_some((*number, execution, action))
        })
    }

    /// The execution's source actions that have reported a revision.
    pub(crate) fn sources_of(&self, execution: ExecutionNumber) -> impl Iterator<Item = (&ActionExecution, &Revision)> {
        self.actions
            .values()
            .filter(move |action| action.execution == execution)
            .filter(|action| action.declaration.is_source())
            .filter_map(|action| action.revision.as_ref().map(|revision| (action, revision)))
    }

    /// The URL of the run in the external system. `None` until the worker reports an external execution id, or a provider the URL.
    pub(crate) fn external_url(&self, action: &ActionExecution) -> Option<String> {
        if action.external_url.is_some() {
            return action.external_url.clone();
        }
        let id = action.external_id.as_deref()?;
        let action_type = self.known_action_type(&action.declaration.action_type_id)?;
        let template = action_type.settings.as_ref()?.execution_url_template.as_ref()?;
        urls::fill(template, &action.configuration, Ids { external_execution: Some(id), ..Ids::default() })
    }
}
