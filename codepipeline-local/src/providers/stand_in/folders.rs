//! The folders of a stand-in.

use std::path::{Path, PathBuf};

use super::super::{Failed, Task, TaskArtifact};

/// The folders of a run.
pub(super) struct Folders {
    /// The folders of the input artifacts, in the action's order.
    pub(super) inputs: Vec<PathBuf>,
    /// The folders of the output artifacts.
    pub(super) outputs: Vec<PathBuf>,
    /// The folder of the files that the command writes for the emulator.
    pub(super) results: PathBuf,
    /// The shell's own files.
    pub(super) scratch: PathBuf,
    /// Where the command begins.
    pub(super) start: PathBuf,
}

impl Folders {
    pub(super) async fn create(task: &Task, root: &Path) -> Result<Self, Failed> {
        // Folders have the names of their artifacts, which have only letters, digits, `-` and `_` (API reference, "ArtifactName").
        let of = |kind: &str, artifacts: &[TaskArtifact]| -> Vec<PathBuf> {
            artifacts.iter().map(|artifact| root.join(kind).join(&artifact.name)).collect()
        };
        let (inputs, outputs) = (of("inputs", &task.inputs), of("outputs", &task.outputs));
        let start = inputs.first().cloned().unwrap_or_else(|| root.join("empty"));
        let folders = Self { inputs, outputs, results: root.join("results"), scratch: root.join("shell"), start };
        let single = [&folders.results, &folders.scratch, &folders.start];
        for folder in folders.inputs.iter().chain(&folders.outputs).chain(single) {
            let created = tokio::fs::create_dir_all(folder).await;
            created.map_err(|error| Failed::job(format!("could not create {}: {error}", folder.display())))?;
        }
        Ok(folders)
    }
}
