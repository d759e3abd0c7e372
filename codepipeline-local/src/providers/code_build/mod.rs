//! AWS's CodeBuild action: runs a project's build specification in a shell of this machine (CodePipeline User Guide,
//! "action-reference-CodeBuild").

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use async_trait::async_trait;
use secrecy::ExposeSecret;

use super::build_folder::{self, Sources};
use super::build_variables::{BuildId, of_aws, of_emulator, secrets};
use super::buildspec::environment::{self, Resolved};
use super::buildspec::run::{self, Built, Place};
use super::buildspec::{self, Artifacts, FileSet};
use super::notice::Notice;
use super::shell::{Limits, ShellError};
use super::{Done, Failed, Provider, Task, TaskArtifact, Workplace};
use crate::client_environment::with_variables;
use crate::clock::Clock;
use crate::counted::counted;

mod check;
mod configuration;
mod environment_variables;
mod file_sets;
mod project;
#[cfg(test)]
mod tests;

pub(crate) use check::{Checked, Declared};
use file_sets::{set_of, several_lack};
pub use project::Project;

/// Runs the builds of CodeBuild actions, of the categories Build and Test.
pub struct CodeBuild {
    /// By name.
    projects: BTreeMap<String, Project>,
    notice: Notice,
    clock: Clock,
    /// How many builds each project had.
    builds: Mutex<BTreeMap<String, u64>>,
}

impl CodeBuild {
    /// Creates the provider with the projects by their names. Other projects have the `buildspec.yml` of their source, and no variables. The
    /// clock gives the start of builds.
    pub fn new(projects: BTreeMap<String, Project>, notice: Notice, clock: Clock) -> Self {
        Self { projects, notice, clock, builds: Mutex::default() }
    }

    fn next_build(&self, project: &str) -> BuildId {
        let mut builds = self.builds.lock().unwrap_or_else(PoisonError::into_inner);
        let number = builds.entry(project.to_owned()).or_default();
        *number += 1;
        BuildId::new(project, *number, self.clock.now().0)
    }

    /// The project with this name. Shows a line if nothing is known about it.
    fn project(&self, name: &str, work: &Workplace) -> Project {
        self.projects.get(name).cloned().unwrap_or_else(|| {
            work.line(&format!("the project {name} is unknown here, so its buildspec is buildspec.yml in the source"));
            Project::default()
        })
    }
}

#[async_trait]
impl Provider for CodeBuild {
    async fn run(&self, task: Task, work: &Workplace) -> Result<Done, Failed> {
        let configuration = configuration::read(&task)?;
        self.notice.show(work);
        let project = self.project(&configuration.project, work);
        let sources = Sources::stage(&task, work, &configuration.primary_source).await?;
        let (text, file) = project.buildspec(&sources.folder).await?;
        let spec = buildspec::read(&text, &file).map_err(|mistake| Failed::job(yaml_error(&mistake.to_string())))?;
        for note in &spec.notes {
            work.line(note);
        }
        let buildspec = spec.buildspec;
        let wanted = wanted(&task.outputs, buildspec.artifacts.as_ref(), work)?;
        let build = self.next_build(&configuration.project);
        let of_build = of_aws(&task, &build, &sources, project.image());
        let of_buildspec = buildspec.environment.variables.clone();
        let layers = [of_emulator(work), of_buildspec, project.variables(), configuration.variables, of_build];
        let environment = resolve(layers, work)?;

        let secrets = secrets(&environment);
        let show = |line: &str| work.line(&secrets.mask(line));
        let scratch = build_folder::scratch(work).await?;
        let limits = Limits::of(project.time().min(task.timeout));
        let place =
            Place { folder: &sources.folder, scratch: &scratch, environment: &environment, limits, show: &show };
        let built = run::run(&buildspec, &place, &wanted).await;
        let built = built.map_err(|error| Failed::job(terminated(&error)))?;
        let problem = upload(&built, &task.outputs, &sources, work).await;
        match built.failure.or(problem) {
            Some(failure) => Err(Failed::job(secrets.mask(&failure).into_owned())),
            None => Ok(Done { variables: built.exported, external_id: Some(build.full()), ..Done::default() }),
        }
    }
}

/// The values of all variables, or the flags to type for those that are missing. Secrets are masked in all later output, because an action
/// may pass them to another one.
pub(super) fn resolve(
    layers: impl IntoIterator<Item = BTreeMap<String, environment::Value>>,
    work: &Workplace,
) -> Result<Resolved, Failed> {
    let find = |key: &str| work.secret(key).map(|secret| secret.expose_secret().to_owned());
    let mut resolved = environment::resolve(layers, find).map_err(|missing| {
        let missing: Vec<_> = missing.iter().map(ToString::to_string).collect();
        Failed::configuration(missing.join("; "))
    })?;
    resolved.variables = with_variables(work.environment().clone(), resolved.variables);
    resolved.secret.iter().filter_map(|name| resolved.variables.get(name)).for_each(|value| work.hide(value));
    Ok(resolved)
}

/// The file set of each output artifact, in their order. One output may be the primary artifact; several are secondary artifacts of the same
/// names (User Guide, "action-reference-CodeBuild", output artifacts).
fn wanted(outputs: &[TaskArtifact], artifacts: Option<&Artifacts>, work: &Workplace) -> Result<Vec<FileSet>, Failed> {
    let Some(artifacts) = artifacts else {
        for output in outputs {
            work.line(&format!(
                "the output artifact {} is not stored, because the buildspec has no artifacts",
                output.name
            ));
        }
        return Ok(Vec::new());
    };
    let set = |output: &TaskArtifact| {
        let set = set_of(&output.name, outputs.len(), artifacts).cloned();
        set.ok_or_else(|| Failed::configuration(several_lack(&output.name)))
    };
    outputs.iter().map(set).collect()
}

/// Stores the artifacts of a build that reached its upload. Returns CodeBuild's message about the first one that can't be stored.
async fn upload(built: &Built, outputs: &[TaskArtifact], sources: &Sources, work: &Workplace) -> Option<String> {
    let mut problem = None;
    for (output, set) in outputs.iter().zip(&built.file_sets) {
        match build_folder::upload(work, &sources.folder, set, output).await {
            Ok(count) => {
                let named = set
                    .name
                    .as_deref()
                    .map(|name| format!("; CodePipeline ignores its name {name}"))
                    .unwrap_or_default();
                work.line(&format!("stored {} as the artifact {}{named}", counted(count, "file"), output.name));
            }
            Err(message) => {
                work.line(&format!("could not store the artifact {}: {message}", output.name));
                problem = problem.or(Some(message));
            }
        }
    }
    problem.map(|message| {
        format!("Build terminated with state: FAILED. Phase: UPLOAD_ARTIFACTS, Code: CLIENT_ERROR, Message: {message}")
    })
}

/// The message of a build that the shell could not run to its end.
fn terminated(error: &ShellError) -> String {
    let state = if matches!(error, ShellError::TimedOut(_)) { "TIMED_OUT" } else { "FAILED" };
    format!("Build terminated with state: {state}. Message: {error}")
}

fn yaml_error(message: &str) -> String {
    format!("Build terminated with state: FAILED. Phase: DOWNLOAD_SOURCE, Code: YAML_FILE_ERROR, Message: {message}")
}
