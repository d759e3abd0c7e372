//! Makes the artifact of a source from a folder.

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};
use std::time::UNIX_EPOCH;

use sha2::{Digest, Sha256};

use super::commit::{self, Commit};
use super::files::{self, Files, Listed};
use super::git::{Git, GitProblem};
use crate::providers::archive::{ArchiveProblem, Stop, files_of, in_background, pack};
use crate::types::Timestamp;

/// The name of the bundle in the artifact of a full clone.
pub(crate) const BUNDLE: &str = "codepipeline-local.bundle";

/// Which artifact a source makes: its configuration's `OutputArtifactFormat`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Format {
    /// The files (`CODE_ZIP`).
    Files,
    /// A zip with a git bundle (`CODEBUILD_CLONE_REF`).
    Clone,
}

/// Why a source has no artifact.
#[derive(Debug, thiserror::Error)]
pub(super) enum NoArtifact {
    /// The value of `--source` is not a folder.
    #[error("the folder {0}, which --source names, does not exist or is not a folder")]
    NoFolder(String),
    /// A full clone of files that are not in git.
    #[error(
        "{0} is not in a git work tree, so it can't be cloned: leave out OutputArtifactFormat, or run `git init` and commit"
    )]
    NoWorkTree(String),
    /// A full clone before the first commit.
    #[error("the git repository of {0} has no commit, so it can't be cloned: commit first")]
    NoCommit(String),
    /// A full clone of a shallow one.
    #[error("the git repository of {0} is a shallow clone, so it can't be cloned: run `git fetch --unshallow`")]
    Shallow(String),
    /// A zip holds names as text.
    #[error("the name of the file {0:?} is not UTF-8, which a zip needs: rename it or let git ignore it")]
    Name(String),
    /// Git failed.
    #[error(transparent)]
    Git(#[from] GitProblem),
    /// The zip failed.
    #[error("could not zip {folder}: {problem}")]
    Zip {
        /// The source's folder.
        folder: String,
        /// Why.
        problem: ArchiveProblem,
    },
}

/// The artifact, and where it is from.
pub(super) struct Gathered {
    pub(super) zip: PathBuf,
    /// The current commit; `None` outside of git or before the first commit.
    pub(super) commit: Option<Commit>,
    /// The branch that is checked out.
    pub(super) branch: Option<String>,
    /// The zip's hash: 40 hexadecimal digits as a commit's.
    pub(super) hash: String,
    /// When the newest file was changed.
    pub(super) newest: Timestamp,
    /// Notes for the user about the files.
    pub(super) notes: Vec<String>,
}

/// Packs the folder's files, or its repository, into a zip in the folder `work`.
pub(super) async fn gather(folder: &Path, format: Format, work: &Path) -> Result<Gathered, NoArtifact> {
    let shown = || folder.display().to_string();
    if !folder.is_dir() {
        return Err(NoArtifact::NoFolder(shown()));
    }
    let git = Git::at(folder);
    let is_work_tree = git.is_work_tree().await?;
    let (commit, branch) = match is_work_tree {
        true => (commit::current(&git).await?, commit::branch(&git).await?),
        false => (None, None),
    };
    let (files, mut notes) = match format {
        Format::Clone => {
            if !is_work_tree {
                return Err(NoArtifact::NoWorkTree(shown()));
            }
            if commit.is_none() {
                return Err(NoArtifact::NoCommit(shown()));
            }
            if commit::is_shallow(&git).await? {
                return Err(NoArtifact::Shallow(shown()));
            }
            let bundle = work.join(BUNDLE);
            git.bundle(&bundle).await?;
            let note = "the clone holds what is committed; changes that are not committed are left out";
            (Some(vec![(BUNDLE.to_owned(), bundle)]), vec![note.to_owned()])
        }
        Format::Files if is_work_tree => match files::listed(&git).await? {
            Some(Listed { mut tracked, others }) => {
                let outputs = files::outputs(tracked.iter().chain(&others).map(Vec::as_slice));
                tracked.extend(others.into_iter().filter(|name| !files::is_below(name, &outputs)));
                let Files { packed, repositories } = files::found(folder, tracked).map_err(NoArtifact::Name)?;
                let note = |name| format!("left out {name}: a source does not hold submodules and other repositories");
                (
                    Some(packed),
                    repositories.into_iter().map(note).chain(outputs.iter().map(|folder| left_out(folder))).collect(),
                )
            }
            None => (None, Vec::new()),
        },
        Format::Files => (None, Vec::new()),
    };
    let zip = work.join("source.zip");
    let (from, into) = (folder.to_owned(), zip.clone());
    let packed = in_background(move |stop| zipped(files, &from, &into, &stop)).await;
    let Packed { count, newest, hash, outputs } =
        packed.map_err(|problem| NoArtifact::Zip { folder: shown(), problem })?;
    notes.extend(outputs.iter().map(|folder| left_out(folder)));
    if count == 0 {
        notes.push(format!("{} holds no files", folder.display()));
    }
    Ok(Gathered { zip, commit, branch, hash, newest, notes })
}

/// The note about a folder of `--output`, whose name ends with a slash.
fn left_out(folder: &[u8]) -> String {
    let shown = String::from_utf8_lossy(folder);
    format!("left out {}: --output of an earlier run wrote it", shown.trim_end_matches('/'))
}

struct Packed {
    count: usize,
    newest: Timestamp,
    hash: String,
    /// The folders of `--output` that are left out.
    outputs: Vec<Vec<u8>>,
}

/// Packs the files, or everything in the folder but folders of `--output`.
fn zipped(
    files: Option<Vec<(String, PathBuf)>>,
    folder: &Path,
    into: &Path,
    stop: &Stop,
) -> Result<Packed, ArchiveProblem> {
    let mut outputs = Vec::new();
    let files = match files {
        Some(files) => files,
        None => {
            let mut files = files_of(folder, stop)?;
            outputs = files::outputs(files.iter().map(|(name, _)| name.as_bytes()));
            files.retain(|(name, _)| !files::is_below(name.as_bytes(), &outputs));
            files
        }
    };
    pack(&files, into, stop)?;
    let hash = hash(into).map_err(|error| ArchiveProblem::Io { what: "read the zip".to_owned(), error })?;
    let newest = files.iter().filter_map(|(_, path)| changed(path)).max().unwrap_or(Timestamp(0));
    Ok(Packed { count: files.len(), newest, hash, outputs })
}

fn hash(file: &Path) -> io::Result<String> {
    let mut hasher = Sha256::new();
    io::copy(&mut File::open(file)?, &mut HashWriter(&mut hasher))?;
    Ok(hasher.finalize().iter().take(20).map(|byte| format!("{byte:02x}")).collect())
}

struct HashWriter<'a>(&'a mut Sha256);

impl io::Write for HashWriter<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.update(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn changed(path: &Path) -> Option<Timestamp> {
    let since = path.symlink_metadata().ok()?.modified().ok()?.duration_since(UNIX_EPOCH).ok()?;
    Some(Timestamp(0).after(since))
}
