//! Starts of executions: by a request, with a new pipeline, or for a changed source.

use std::{collections::BTreeMap, sync::Arc};

use super::{
    Engine,
    error::ApiError,
    overrides::{RevisionOverride, requested_revisions},
    state::{
        Execution, ExecutionMode, ExecutionNumber, ExecutionStatus, PipelineDeclaration, Place, RequestedRevisions,
        Trigger, TriggerType,
    },
    variables::{EXECUTION_NAMESPACE, Namespaces, PIPELINE_NAMESPACE},
};
use crate::types::Timestamp;

/// The limit of executions in progress of one pipeline, in QUEUED and PARALLEL mode (User Guide, "limits").
const MOST_IN_PROGRESS: usize = 50;

/// The parameters of a start.
pub(super) struct Start {
    pub(super) trigger: Trigger,
    /// The values of the pipeline's variables.
    pub(super) variables: BTreeMap<String, String>,
    pub(super) sources: RequestedRevisions,
}

impl Engine {
    /// Starts an execution of the pipeline's latest version. A client request token starts only one execution.
    pub(crate) fn start_execution(
        &mut self,
        now: Timestamp,
        name: &str,
        given: &BTreeMap<String, String>,
        overrides: Vec<RevisionOverride>,
        client_request_token: Option<String>,
    ) -> Result<String, ApiError> {
        let pipeline = self.pipeline(name)?;
        let declaration = pipeline.latest().clone();
        let token = client_request_token.map(|token| (name.to_owned(), token));
        if let Some(id) = token.as_ref().and_then(|token| self.started.get(token)) {
            return Ok(id.clone());
        }
        let variables = variable_values(&declaration, given)?;
        let sources = requested_revisions(&declaration, overrides)?;
        self.check_limit(name, &declaration)?;
        let trigger = self.user_trigger(TriggerType::StartPipelineExecution);
        let id = self.start(now, name, &declaration, Start { trigger, variables, sources });
        if let Some(token) = token {
            self.started.insert(token, id.clone());
        }
        Ok(id)
    }

    /// Checks the limit of executions in progress (User Guide, "limits"). In SUPERSEDED mode there is no limit,
    /// because a newer execution replaces a waiting one.
    pub(super) fn check_limit(&self, name: &str, declaration: &PipelineDeclaration) -> Result<(), ApiError> {
        let mode = declaration.execution_mode;
        let in_progress = || self.executions_of(name).filter(|(number, _)| self.active.contains(number)).count();
        if mode == ExecutionMode::Superseded || in_progress() < MOST_IN_PROGRESS {
            return Ok(());
        }
        Err(ApiError::new(
            "ConcurrentPipelineExecutionsLimitExceededException",
            format!(
                "Pipeline '{name}' has {MOST_IN_PROGRESS} executions in progress, the limit in the mode {}",
                mode.name()
            ),
        ))
    }

    /// The trigger of a user's request.
    pub(super) fn user_trigger(&self, kind: TriggerType) -> Trigger {
        Trigger { kind, detail: self.user_arn() }
    }

    /// The ARN of the user who sends every request.
    pub(crate) fn user_arn(&self) -> String {
        format!("arn:aws:iam::{}:root", self.settings.account_id)
    }

    pub(super) fn start(
        &mut self,
        now: Timestamp,
        name: &str,
        declaration: &Arc<PipelineDeclaration>,
        start: Start,
    ) -> String {
        let Start { trigger, variables, sources } = start;
        let id = self.random.uuid();
        let number: ExecutionNumber = self.number();
        let own = BTreeMap::from([("PipelineExecutionId".to_owned(), id.clone())]);
        self.executions.insert(
            number,
            Execution {
                id: id.clone(),
                pipeline: name.to_owned(),
                declaration: declaration.clone(),
                status: ExecutionStatus::InProgress,
                started: now,
                updated: now,
                trigger,
                sources,
                stop_reason: None,
                attempt: 1,
                retries: BTreeMap::new(),
                place: Place::Waiting { stage: 0 },
                stages: Vec::new(),
                artifacts: BTreeMap::new(),
                namespaces: Namespaces::from([
                    (EXECUTION_NAMESPACE.to_owned(), own),
                    (PIPELINE_NAMESPACE.to_owned(), variables),
                ]),
            },
        );
        self.active.insert(number);
        self.emit_pipeline_event(number, ExecutionStatus::InProgress.event_state());
        self.settle(now);
        id
    }
}

/// The values of the pipeline's variables: the given ones, or the defaults.
pub(super) fn variable_values(
    declaration: &PipelineDeclaration,
    given: &BTreeMap<String, String>,
) -> Result<BTreeMap<String, String>, ApiError> {
    for variable in given.keys() {
        if !declaration.variables.iter().any(|declared| declared.name == *variable) {
            let name = &declaration.name;
            return Err(ApiError::validation(format!("Pipeline '{name}' declares no variable '{variable}'")));
        }
    }
    let mut values = BTreeMap::new();
    for declared in &declaration.variables {
        let value = given.get(&declared.name).or(declared.default_value.as_ref()).ok_or_else(|| {
            ApiError::validation(format!("The variable '{}' has no default value; give it one", declared.name))
        })?;
        values.insert(declared.name.clone(), value.clone());
    }
    Ok(values)
}
