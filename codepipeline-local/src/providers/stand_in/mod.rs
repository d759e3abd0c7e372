//! Commands of the user that stand in for providers.
//!
//! The command runs in `/bin/sh`, in the folder of the first input artifact. It finds folders and facts in its environment, by the same
//! names as a command of the worker: `environment` has the list. `results` reads the files that it writes.

use std::path::Path;
use std::sync::Arc;

use async_trait::async_trait;

use super::archive::{ArchiveProblem, Limits as ArchiveLimits, in_background, pack_folder, unpack};
use super::shell::{Limits, Session, Settings, Shell};
use super::{Done, Failed, Provider, Task, TaskArtifact, Workplace};
use environment::environment;
use folders::Folders;

mod environment;
mod folders;
mod results;
#[cfg(test)]
mod tests;

/// Runs a command in the place of a provider.
pub struct StandIn {
    command: Arc<str>,
}

impl StandIn {
    /// A stand-in that runs this command in a shell.
    pub fn new(command: &str) -> Self {
        Self { command: command.into() }
    }
}

#[async_trait]
impl Provider for StandIn {
    async fn run(&self, task: Task, work: &Workplace) -> Result<Done, Failed> {
        work.line(&format!("stand-in for {}: a command runs, not the provider", task.action_type.name()));
        let folders = Folders::create(&task, work.folder()).await?;
        for (artifact, folder) in task.inputs.iter().zip(&folders.inputs) {
            stage_in(artifact, folder, work).await?;
        }
        let environment = environment(&task, &folders, work)?;
        let show = |line: &str| work.line(line);
        let settings = Settings {
            shell: Shell::Sh,
            folder: &folders.start,
            scratch: &folders.scratch,
            environment: &environment,
            limits: Limits::of(task.timeout),
            show: &show,
        };
        let mut session = Session::new(settings);
        let ended = session.run(&self.command).await;
        session.end().await;
        let ended = ended.map_err(|error| Failed::job(format!("The stand-in failed: {error}")))?;
        if !ended.is_success() {
            return Err(Failed::job(format!("The stand-in ended with {ended}")));
        }
        let done = results::read(&folders.results).await?;
        for (artifact, folder) in task.outputs.iter().zip(&folders.outputs) {
            stage_out(artifact, folder, work).await?;
        }
        Ok(done)
    }
}

/// Unpacks an input artifact. Other content than an archive becomes one file with the artifact's name.
async fn stage_in(artifact: &TaskArtifact, folder: &Path, work: &Workplace) -> Result<(), Failed> {
    let file = work.read_input(artifact).await?;
    let (archive, into) = (file.clone(), folder.to_owned());
    let unpacked =
        in_background(move |stop| unpack(&archive, &into, &ArchiveLimits { stop, ..ArchiveLimits::default() })).await;
    match unpacked {
        Err(ArchiveProblem::Kind | ArchiveProblem::GzipWithoutTar) => {
            let moved = tokio::fs::rename(&file, folder.join(&artifact.name)).await;
            moved.map_err(|error| failed("unpack the input", artifact, &error))
        }
        unpacked => unpacked.map_err(|error| failed("unpack the input", artifact, &error)),
    }
}

async fn stage_out(artifact: &TaskArtifact, folder: &Path, work: &Workplace) -> Result<(), Failed> {
    let zip = folder.with_extension("zip");
    let (from, into) = (folder.to_owned(), zip.clone());
    let packed = in_background(move |stop| pack_folder(&from, &into, &stop)).await;
    packed.map_err(|error| failed("pack the output", artifact, &error))?;
    work.store(&zip, &artifact.place, "application/zip").await
}

fn failed(what: &str, artifact: &TaskArtifact, error: &dyn std::error::Error) -> Failed {
    Failed::job(format!("could not {what} artifact '{}': {error}", artifact.name))
}
