//! Actions that providers of this machine run. The engine asks for a run as an effect, and takes its result.

use std::time::Duration;

use super::{
    Done, Effect, Engine, EnvironmentVariable, Failed, Maker, RunId, Task, TaskArtifact,
    results::{Progress, VARIABLES_LIMIT, variables_size},
    state::{ActionDeclaration, ActionExecution, ActionNumber, Artifact, PipelineDeclaration, Revision},
    variables::{self, Namespaces},
};
use crate::types::Timestamp;

/// The party that runs an action.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Runner {
    /// The copy of an S3 source's object.
    Copy,
    /// A person.
    Approver,
    /// A Lambda function.
    Function,
    /// A provider, a stand-in, or the provider that skips actions.
    Provider,
    /// A worker that polls.
    Worker,
}

impl Engine {
    pub(super) fn runner(&self, stage: &str, action: &ActionDeclaration) -> Runner {
        let (id, provided) = (&action.action_type_id, &self.settings.provided);
        match (id.owner.as_str(), id.category.as_str()) {
            _ if provided.skips(stage, &action.name) || provided.has(id) => Runner::Provider,
            ("AWS", "Source") => Runner::Copy,
            ("AWS", "Approval") => Runner::Approver,
            ("AWS", _) => Runner::Function,
            _ => Runner::Worker,
        }
    }

    /// Asks for the run of an action. Fails the action if a variable is missing.
    pub(super) fn run_action(&mut self, now: Timestamp, number: ActionNumber) {
        let Some((task, encryption_key)) = self.actions.get(&number).map(|action| {
            let task = self.task(now, action);
            (task, self.store_key(action.execution))
        }) else {
            return;
        };
        match task {
            Ok(task) => {
                self.runs.insert(number);
                self.effects.push(Effect::RunAction { id: RunId(number), task: Box::new(task), encryption_key });
            }
            Err(message) => self.fail_action(now, number, "ConfigurationError", message),
        }
    }

    fn task(&self, now: Timestamp, action: &ActionExecution) -> Result<Task, String> {
        let Some(execution) = self.executions.get(&action.execution) else {
            return Err("The pipeline execution no longer exists".to_owned());
        };
        let declared = &action.declaration;
        let (commands, environment) = match resolved(declared, &execution.namespaces) {
            Err(_) if self.settings.provided.skips(&action.stage, &declared.name) => Default::default(),
            resolved => resolved?,
        };
        let files = declared.output_artifacts.iter().map(|output| (output.name.clone(), output.files.clone()));
        Ok(Task {
            action_type: declared.action_type_id.clone(),
            pipeline: execution.pipeline.clone(),
            stage: action.stage.clone(),
            action: declared.name.clone(),
            pipeline_execution_id: execution.id.clone(),
            action_execution_id: action.id.clone(),
            region: self.settings.region.clone(),
            account_id: self.settings.account_id.clone(),
            configuration: action.configuration.clone(),
            variables: variables::used(&declared.configuration, &execution.namespaces),
            inputs: action.inputs.iter().map(|input| made(artifact(input), &execution.declaration)).collect(),
            outputs: action.outputs.iter().map(artifact).collect(),
            commands,
            output_variables: declared.output_variables.clone(),
            output_files: files.collect(),
            environment,
            timeout: Duration::from_millis(action.deadline.0.saturating_sub(now.0)),
        })
    }

    /// Takes the result of an [`Effect::RunAction`]. A late or repeated result has no effect.
    pub fn run_finished(&mut self, now: Timestamp, id: RunId, result: Result<Done, Failed>) {
        self.advance(now);
        let now = self.clock;
        let number = id.0;
        if !self.runs.remove(&number) {
            return;
        }
        match result.and_then(checked) {
            Ok(done) => {
                let mark = self.mark(number);
                let summary = match (mark, done.summary) {
                    (Some(mark), Some(summary)) => Some(format!("{mark}: {summary}")),
                    (mark, summary) => mark.map(str::to_owned).or(summary),
                };
                self.note_progress(number, Progress { summary, external_id: done.external_id, percent_complete: None });
                if let Some(action) = self.actions.get_mut(&number) {
                    action.external_url = done.external_url;
                    let revision = done.revision.map(|found| Revision {
                        id: found.id,
                        change_id: found.change_id,
                        created: now,
                        summary: found.summary,
                    });
                    action.revision = revision.or(action.revision.take());
                }
                self.succeed_or_check(now, number, done.variables);
            }
            Err(Failed { code, message }) => {
                let message = match self.mark(number) {
                    Some(mark) => format!("{mark}: {message}"),
                    None => message,
                };
                self.fail_action(now, number, &code, message);
            }
        }
        self.settle(now);
    }

    /// The word in the summary of an action that its real provider did not run.
    fn mark(&self, number: ActionNumber) -> Option<&'static str> {
        let action = self.actions.get(&number)?;
        let provided = &self.settings.provided;
        if provided.skips(&action.stage, &action.declaration.name) {
            Some("skipped")
        } else if provided.stand_ins.contains(&action.declaration.action_type_id) {
            Some("stand-in")
        } else {
            None
        }
    }

    /// Ends the action's run, if a provider runs it.
    pub(super) fn end_run(&mut self, number: ActionNumber) {
        if self.runs.remove(&number) {
            self.effects.push(Effect::EndRun { id: RunId(number) });
        }
    }
}

fn artifact(artifact: &Artifact) -> TaskArtifact {
    let Artifact { name, location, revision } = artifact;
    TaskArtifact { name: name.clone(), place: location.clone(), revision: revision.clone(), maker: None }
}

/// The artifact with the action that stores it.
fn made(artifact: TaskArtifact, pipeline: &PipelineDeclaration) -> TaskArtifact {
    let mut actions = pipeline.stages.iter().flat_map(|stage| &stage.actions);
    let stores = |action: &&ActionDeclaration| action.output_artifacts.iter().any(|it| it.name == artifact.name);
    let maker = actions
        .find(stores)
        .map(|action| Maker { action: action.name.clone(), action_type: action.action_type_id.clone() });
    TaskArtifact { maker, ..artifact }
}

/// The commands and the environment with their variables resolved (User Guide, "action-reference-Commands").
fn resolved(action: &ActionDeclaration, known: &Namespaces) -> Result<(Vec<String>, Vec<EnvironmentVariable>), String> {
    let commands = action
        .commands
        .iter()
        .enumerate()
        .map(|(index, command)| variables::resolve_text(&format!("command {}", index + 1), command, known));
    let environment = action.environment_variables.iter().map(|variable| {
        let value =
            variables::resolve_text(&format!("environment variable '{}'", variable.name), &variable.value, known)?;
        Ok(EnvironmentVariable { value, ..variable.clone() })
    });
    Ok((commands.collect::<Result<_, String>>()?, environment.collect::<Result<_, String>>()?))
}

/// Checks the size of the output variables.
fn checked(done: Done) -> Result<Done, Failed> {
    let size = variables_size(&done.variables);
    if size > VARIABLES_LIMIT {
        let message = format!("The output variables have {size} bytes; the limit is {VARIABLES_LIMIT}");
        return Err(Failed::job(message));
    }
    Ok(done)
}
