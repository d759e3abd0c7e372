//! The folders of a build: its inputs, unpacked, and its outputs, packed.

use std::path::{Path, PathBuf};

use super::archive::{self, ArchiveProblem, in_background};
use super::buildspec::{FileSet, artifacts};
use super::source;
use super::{Failed, Task, TaskArtifact, Workplace};

/// The unpacked input artifacts of an action.
pub(super) struct Sources {
    /// The artifact in whose folder the commands run.
    pub(super) primary: TaskArtifact,
    pub(super) folder: PathBuf,
    /// The other artifacts with their folders.
    pub(super) others: Vec<(TaskArtifact, PathBuf)>,
}

impl Sources {
    /// Unpacks the inputs, each into a folder of its own. `primary` is the name of one of them.
    pub(super) async fn stage(task: &Task, work: &Workplace, primary: &str) -> Result<Self, Failed> {
        let mut found = None;
        let mut others = Vec::new();
        for input in &task.inputs {
            let folder = stage(work, input).await?;
            if input.name == primary {
                found = Some((input.clone(), folder));
            } else {
                others.push((input.clone(), folder));
            }
        }
        match found {
            Some((primary, folder)) => Ok(Self { primary, folder, others }),
            None => Err(Failed::configuration(format!(
                "PrimarySource is {primary}, which is not an input artifact of the action; its input artifacts are {}",
                names(task)
            ))),
        }
    }
}

/// The names of the action's input artifacts.
pub(super) fn names(task: &Task) -> String {
    task.inputs.iter().map(|input| input.name.as_str()).collect::<Vec<_>>().join(", ")
}

/// Makes an empty folder for the files of a shell.
pub(super) async fn scratch(work: &Workplace) -> Result<PathBuf, Failed> {
    folder(work, "shell").await
}

/// Packs the files of a set and stores them as an artifact. Shows a line for each pattern that matches no file. Returns the number of
/// files, or CodeBuild's message.
pub(super) async fn upload(
    work: &Workplace,
    base: &Path,
    set: &FileSet,
    output: &TaskArtifact,
) -> Result<usize, String> {
    let zip = folder(work, "out").await.map_err(|failed| failed.message)?.join(format!("{}.zip", output.name));
    let (base, set, into) = (base.to_owned(), set.clone(), zip.clone());
    let packed = in_background(move |stop| match artifacts::find(&base, &set) {
        Ok(found) => archive::pack(&found.files, &into, &stop).map(|()| Ok(found)),
        Err(none) => Ok(Err(none)),
    });
    let found = packed.await.map_err(|problem| problem.to_string())?.map_err(|none| none.to_string())?;
    for unmatched in found.unmatched.chunks(1) {
        work.line(&format!("artifact {}: {}", output.name, artifacts::described(unmatched)));
    }
    work.store(&zip, &output.place, "application/zip").await.map_err(|failed| failed.message)?;
    Ok(found.files.len())
}

async fn unpack(work: &Workplace, input: &TaskArtifact, folder: &Path) -> Result<(), Failed> {
    let zip = work.read_input(input).await?;
    let into = folder.to_owned();
    let unpacked = in_background(move |stop| {
        archive::unpack(&zip, &into, &archive::Limits { stop, ..archive::Limits::default() })
    })
    .await;
    let described = |problem: ArchiveProblem| {
        let name = &input.name;
        Failed::job(format!("could not unpack the input artifact {name}: {problem}"))
    };
    unpacked.map_err(described)
}

/// Unpacks an input. Returns the folder with the files, which for a full clone (`CODEBUILD_CLONE_REF`) is its work tree.
async fn stage(work: &Workplace, input: &TaskArtifact) -> Result<PathBuf, Failed> {
    let folder = work.folder().join("src").join(&input.name);
    unpack(work, input, &folder).await?;
    let clone = work.folder().join("clone").join(&input.name);
    if let Some(parent) = clone.parent() {
        create(parent).await?;
    }
    Ok(if source::check_out(&folder, &clone).await? { clone } else { folder })
}

async fn folder(work: &Workplace, name: &str) -> Result<PathBuf, Failed> {
    let folder = work.folder().join(name);
    create(&folder).await?;
    Ok(folder)
}

async fn create(folder: &Path) -> Result<(), Failed> {
    let created = tokio::fs::create_dir_all(folder).await;
    created
        .map_err(|error| Failed::job(format!("could not create a folder for the build: {error}; free some disk space")))
}
