//! Executions of pipelines: what they are, how they start, how they move from stage to stage.

use std::{collections::BTreeMap, sync::Arc};

use super::{
    Engine,
    actions::ActionStatus,
    artifacts::Artifact,
    declaration::{ExecutionMode, PipelineDeclaration},
    error::ApiError,
    variables::{EXECUTION_NAMESPACE, Namespaces, PIPELINE_NAMESPACE},
};
use crate::types::Timestamp;

pub(crate) struct Execution {
    pub(crate) id: String,
    pub(crate) pipeline: String,
    /// The version that it began with.
    pub(crate) declaration: Arc<PipelineDeclaration>,
    pub(crate) status: ExecutionStatus,
    pub(crate) started: Timestamp,
    pub(crate) updated: Timestamp,
    /// The API's name of what started it.
    pub(crate) trigger: &'static str,
    pub(super) place: Place,
    /// The stages that it has entered.
    pub(crate) stages: Vec<StageStatus>,
    pub(super) artifacts: BTreeMap<String, Artifact>,
    pub(super) namespaces: Namespaces,
}

pub(super) enum Place {
    /// Before the stage of this index.
    Waiting {
        stage: usize,
    },
    /// In a stage, with all actions of one run order.
    Running {
        stage: usize,
        run_order: u32,
        actions: Vec<u64>,
    },
    Over,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum ExecutionStatus {
    InProgress,
    Succeeded,
    Superseded,
    Failed,
}

impl ExecutionStatus {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::InProgress => "InProgress",
            Self::Succeeded => "Succeeded",
            Self::Superseded => "Superseded",
            Self::Failed => "Failed",
        }
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum StageStatus {
    InProgress,
    Succeeded,
    Failed,
}

impl StageStatus {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::InProgress => "InProgress",
            Self::Succeeded => "Succeeded",
            Self::Failed => "Failed",
        }
    }
}

impl Execution {
    /// The index of the stage that it waits for.
    pub(crate) fn waits_for(&self) -> Option<usize> {
        match self.place {
            Place::Waiting { stage } => Some(stage),
            _ => None,
        }
    }

    /// The pipeline's variables as this execution has them.
    pub(crate) fn variables(&self) -> impl Iterator<Item = (&String, &String)> {
        self.namespaces.get(PIPELINE_NAMESPACE).into_iter().flatten()
    }

    fn runs_in(&self) -> Option<&str> {
        match self.place {
            Place::Running { stage, .. } => Some(&self.declaration.stages[stage].name),
            _ => None,
        }
    }
}

impl Engine {
    /// Starts an execution of the pipeline's latest version. The same client request token starts one only once.
    pub(crate) fn start_execution(
        &mut self,
        now: Timestamp,
        name: &str,
        given: &BTreeMap<String, String>,
        client_request_token: Option<String>,
    ) -> Result<String, ApiError> {
        let pipeline = self.pipeline(name)?;
        let started = client_request_token.as_ref().and_then(|token| pipeline.started.get(token));
        if let Some(id) = started {
            return Ok(id.clone());
        }
        let declaration = pipeline.latest().clone();
        for variable in given.keys() {
            if !declaration.variables.iter().any(|declared| declared.name == *variable) {
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
        let id = self.start(now, name, &declaration, "StartPipelineExecution", values)?;
        if let (Some(token), Some(pipeline)) = (client_request_token, self.pipelines.get_mut(name)) {
            pipeline.started.insert(token, id.clone());
        }
        Ok(id)
    }

    pub(super) fn start(
        &mut self,
        now: Timestamp,
        name: &str,
        declaration: &Arc<PipelineDeclaration>,
        trigger: &'static str,
        variables: BTreeMap<String, String>,
    ) -> Result<String, ApiError> {
        let id = self.random.uuid();
        let number = self.number();
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
        self.settle(now);
        Ok(id)
    }

    /// The pipeline's executions, the newest first.
    pub(crate) fn executions_of<'a>(&'a self, pipeline: &'a str) -> impl Iterator<Item = (u64, &'a Execution)> {
        self.executions
            .iter()
            .rev()
            .filter(move |(_, execution)| execution.pipeline == pipeline)
            .map(|(number, execution)| (*number, execution))
    }

    pub(crate) fn execution(&self, pipeline: &str, id: &str) -> Result<(u64, &Execution), ApiError> {
        self.pipeline(pipeline)?;
        let found = self.executions.iter().find(|(_, execution)| execution.pipeline == pipeline && execution.id == id);
        found.map(|(number, execution)| (*number, execution)).ok_or_else(|| {
            ApiError::new(
                "PipelineExecutionNotFoundException",
                format!("Pipeline '{pipeline}' has no execution with the id '{id}'"),
            )
        })
    }

    /// Moves every execution as far as it can go. Called after whatever may have freed one.
    pub(super) fn settle(&mut self, now: Timestamp) {
        loop {
            let numbers: Vec<u64> = self.active.iter().copied().collect();
            let mut moved = false;
            for number in numbers {
                moved |= self.step(now, number);
            }
            if !moved {
                return;
            }
        }
    }

    /// One move of one execution; whether there was one.
    fn step(&mut self, now: Timestamp, number: u64) -> bool {
        let Some(execution) = self.executions.get(&number) else { return false };
        match &execution.place {
            Place::Over => false,
            Place::Waiting { stage } => {
                let stage = *stage;
                if self.is_superseded(execution, number, stage) {
                    self.end(now, number, ExecutionStatus::Superseded);
                    return true;
                }
                if !self.may_enter(execution, number, stage) {
                    return false;
                }
                if let Some(execution) = self.executions.get_mut(&number) {
                    execution.stages.push(StageStatus::InProgress);
                }
                self.run_next_group(now, number, stage, 0)
            }
            Place::Running { stage, run_order, actions } => {
                let (stage, run_order) = (*stage, *run_order);
                let statuses = || actions.iter().filter_map(|action| self.actions.get(action)).map(|a| a.status);
                if statuses().any(|status| status == ActionStatus::InProgress) {
                    return false;
                }
                if statuses().any(|status| status == ActionStatus::Failed) {
                    self.leave_stage(number, StageStatus::Failed);
                    self.end(now, number, ExecutionStatus::Failed);
                    return true;
                }
                self.run_next_group(now, number, stage, run_order)
            }
        }
    }

    /// In the mode SUPERSEDED only the newest execution waits for a stage.
    fn is_superseded(&self, execution: &Execution, number: u64, stage: usize) -> bool {
        execution.declaration.execution_mode == ExecutionMode::Superseded
            && self.same_pipeline(execution).any(|(other, newer)| other > number && newer.waits_for() == Some(stage))
    }

    /// But in the mode PARALLEL, a stage has one execution at a time, and those that wait for it enter in their order.
    fn may_enter(&self, execution: &Execution, number: u64, stage: usize) -> bool {
        let name = execution.declaration.stages[stage].name.as_str();
        execution.declaration.execution_mode == ExecutionMode::Parallel
            || !self.same_pipeline(execution).any(|(other, peer)| {
                peer.runs_in() == Some(name) || (other < number && peer.waits_for() == Some(stage))
            })
    }

    fn same_pipeline<'a>(&'a self, execution: &'a Execution) -> impl Iterator<Item = (u64, &'a Execution)> {
        self.active
            .iter()
            .filter_map(|number| self.executions.get(number).map(|peer| (*number, peer)))
            .filter(|(_, peer)| peer.pipeline == execution.pipeline)
    }

    /// Starts the stage's actions of the next run order, or goes on to the next stage, or ends.
    fn run_next_group(&mut self, now: Timestamp, number: u64, stage: usize, after: u32) -> bool {
        let Some(declaration) = self.executions.get(&number).map(|execution| execution.declaration.clone()) else {
            return false;
        };
        let actions = &declaration.stages[stage].actions;
        let Some(run_order) = actions.iter().map(|action| action.run_order).filter(|order| *order > after).min() else {
            self.leave_stage(number, StageStatus::Succeeded);
            if stage + 1 == declaration.stages.len() {
                self.end(now, number, ExecutionStatus::Succeeded);
            } else {
                self.put(now, number, Place::Waiting { stage: stage + 1 });
            }
            return true;
        };
        let started = actions
            .iter()
            .filter(|action| action.run_order == run_order)
            .map(|action| self.start_action(now, number, &declaration, stage, action))
            .collect();
        self.put(now, number, Place::Running { stage, run_order, actions: started });
        true
    }

    fn leave_stage(&mut self, number: u64, status: StageStatus) {
        if let Some(last) = self.executions.get_mut(&number).and_then(|execution| execution.stages.last_mut()) {
            *last = status;
        }
    }

    fn put(&mut self, now: Timestamp, number: u64, place: Place) {
        if let Some(execution) = self.executions.get_mut(&number) {
            execution.place = place;
            execution.updated = now;
        }
    }

    fn end(&mut self, now: Timestamp, number: u64, status: ExecutionStatus) {
        self.put(now, number, Place::Over);
        if let Some(execution) = self.executions.get_mut(&number) {
            execution.status = status;
        }
        self.active.remove(&number);
    }
}
