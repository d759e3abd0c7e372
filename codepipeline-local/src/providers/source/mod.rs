//! Source actions of git repositories, which a folder of this machine stands in for: connections (`CodeStarSourceConnection`),
//! CodeCommit, and GitHub version 1.
//!
//! In a git work tree, the artifact holds the tracked files and those that git does not ignore, as they are in the folder. Elsewhere it
//! holds all files. The revision is the current commit, or else the hash of the artifact. Folders that `run --output` wrote are left out
//! unless git tracks their files, so a run does not change the next one's source.
//!
//! AWS documents a full clone (`OutputArtifactFormat` is `CODEBUILD_CLONE_REF`) as a JSON file with a reference to the repository, which
//! only CodeBuild can read. Here, it is a zip with one git bundle, of all branches and tags: see [`check_out`].

mod commit;
mod files;
mod gather;
mod git;
mod look;
#[cfg(test)]
mod tests;
mod variables;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use async_trait::async_trait;

use super::{Done, Failed, Provider as RunsActions, Task, TaskRevision, Workplace};
use crate::quoted::word;
pub(crate) use files::OUTPUT_MARK;
pub(super) use gather::BUNDLE;
use gather::{Format, Gathered, NoArtifact, gather};
use git::Git;
pub(crate) use look::{Look, SourceFolder};
pub(crate) use variables::variable_names;
use variables::{Found, Provider, variables};

/// The longest summary of a revision, in characters (API Reference, "ArtifactRevision").
const MAX_SUMMARY: usize = 2048;

/// Runs source actions from folders.
pub struct Source {
    /// By the names of actions.
    folders: BTreeMap<String, PathBuf>,
    /// Output variables that the user gives, by `STAGE/ACTION` and key.
    given: BTreeMap<String, BTreeMap<String, String>>,
}

impl Source {
    /// Sources of these folders, by the names of their actions: the values of `--source`.
    pub fn new(folders: BTreeMap<String, PathBuf>) -> Self {
        Self { folders, given: BTreeMap::new() }
    }

    /// Replaces output variables of actions, by `STAGE/ACTION` and key. A `CommitId` is the revision, too.
    #[must_use]
    pub fn with_variables(mut self, given: BTreeMap<String, BTreeMap<String, String>>) -> Self {
        self.given = given;
        self
    }
}

#[async_trait]
impl RunsActions for Source {
    async fn run(&self, task: Task, work: &Workplace) -> Result<Done, Failed> {
        let action = &task.action;
        let Some(provider) = Provider::of(&task.action_type.provider) else {
            return Err(Failed::configuration(format!(
                "the source action {action} has a provider that is not a git repository"
            )));
        };
        let missing = || {
            Failed::configuration(format!(
                "the source action {action} has no folder: add --source {}",
                word(&format!("{action}=DIR"))
            ))
        };
        let folder = self.folders.get(action).ok_or_else(missing)?;
        let Some(output) = task.outputs.first() else {
            return Err(Failed::configuration(format!(
                "the source action {action} has no output artifact: add one to the pipeline"
            )));
        };
        let gathered =
            gather(folder, format_of(&task.configuration)?, work.folder()).await.map_err(|why| failed(&why))?;
        for note in &gathered.notes {
            work.line(note);
        }
        work.store(&gathered.zip, &output.place, "application/zip").await?;
        let configured = task.configuration.get(provider.branch_key());
        if let (Some(configured), Some(branch)) = (configured, &gathered.branch)
            && configured != branch
        {
            work.line(&format!("the pipeline names the branch {configured}; {} has {branch}", folder.display()));
        }
        let found = found(provider, &task.configuration, folder, gathered);
        let given = self.given.get(&format!("{}/{action}", task.stage));
        done(provider, &task.configuration, found, given)
            .map_err(|why| Failed::configuration(format!("the source action {action} {why}")))
    }
}

/// The revision of the folder.
fn found(provider: Provider, configuration: &BTreeMap<String, String>, folder: &Path, gathered: Gathered) -> Found {
    let Gathered { commit, branch, hash, newest, .. } = gathered;
    let branch = configuration.get(provider.branch_key()).cloned().or(branch).unwrap_or_default();
    match commit {
        Some(commit) => Found {
            id: commit.id,
            message: commit.message,
            authored: commit.authored,
            committed: commit.committed,
            branch,
        },
        None => {
            let message = format!("files of {} without a commit", folder.display());
            Found { id: hash, message, authored: newest, committed: newest, branch }
        }
    }
}

/// The result of the action, with the variables that the user gives. Returns an error about one that the provider does not have.
fn done(
    provider: Provider,
    configuration: &BTreeMap<String, String>,
    mut found: Found,
    given: Option<&BTreeMap<String, String>>,
) -> Result<Done, String> {
    for (key, value) in given.into_iter().flatten() {
        match key.as_str() {
            "CommitId" => found.id.clone_from(value),
            "CommitMessage" => found.message.clone_from(value),
            _ => {}
        }
    }
    let mut variables = variables(provider, configuration, &found);
    for (key, value) in given.into_iter().flatten() {
        let Some(variable) = variables.get_mut(key) else {
            let known: Vec<&str> = variables.keys().map(String::as_str).collect();
            return Err(format!("has no variable {key}; use one of {} in --variable", known.join(", ")));
        };
        variable.clone_from(value);
    }
    let summary: String = found.message.chars().take(MAX_SUMMARY).collect();
    Ok(Done {
        variables,
        summary: Some(summary.clone()),
        external_id: Some(found.id.clone()),
        external_url: None,
        revision: Some(TaskRevision { id: found.id.clone(), change_id: found.id, summary: Some(summary) }),
    })
}

/// The format that the configuration names. Without one, it is the files (User Guide, "action-reference-CodeCommit").
fn format_of(configuration: &BTreeMap<String, String>) -> Result<Format, Failed> {
    match configuration.get("OutputArtifactFormat").map(String::as_str) {
        None | Some("" | "CODE_ZIP") => Ok(Format::Files),
        Some("CODEBUILD_CLONE_REF") => Ok(Format::Clone),
        Some(_) => Err(Failed::configuration("OutputArtifactFormat must be CODE_ZIP or CODEBUILD_CLONE_REF")),
    }
}

/// Checks out the bundle of a full clone into a folder that does not exist yet. `unpacked` is the folder of an unpacked artifact. Returns
/// whether the artifact is a full clone. Otherwise, use the unpacked files.
///
/// The commit is checked out without a branch. The remote `origin` is the bundle, so it works as long as `unpacked` exists.
pub(crate) async fn check_out(unpacked: &Path, into: &Path) -> Result<bool, Failed> {
    let bundle = unpacked.join(BUNDLE);
    if !bundle.is_file() {
        return Ok(false);
    }
    let cloned = Git::clone_bundle(&bundle, into).await;
    cloned.map(|()| true).map_err(|problem| failed(&problem.into()))
}

fn failed(why: &NoArtifact) -> Failed {
    match why {
        NoArtifact::Zip { .. } | NoArtifact::Git(_) => Failed::job(why.to_string()),
        _ => Failed::configuration(why.to_string()),
    }
}

/// Packs the folder's files into a zip in the folder `work`, as sources do. Returns the zip, and notes for the user.
pub(crate) async fn zip_of(folder: &Path, work: &Path) -> Result<(PathBuf, Vec<String>), String> {
    let gathered = gather(folder, Format::Files, work).await.map_err(|problem| problem.to_string())?;
    Ok((gathered.zip, gathered.notes))
}
