//! Looks for a file of a source's artifact before the source runs.

use std::path::{Component, Path, PathBuf};

use super::files;
use super::git::{Git, GitProblem};

/// The folder that stands for a source.
#[derive(Clone, Copy)]
pub(crate) struct SourceFolder<'a> {
    pub(crate) folder: &'a Path,
    /// Whether the artifact is a full clone (`CODEBUILD_CLONE_REF`).
    pub(crate) is_clone: bool,
}

/// The content of a source's artifact at a path.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Look {
    /// This file of the folder, if it exists.
    Folder(PathBuf),
    /// The text of the current commit.
    Committed(String),
    /// Nothing, although the folder has the file: git ignores it.
    Ignored,
    /// Nothing, because the current commit does not have it.
    NotCommitted,
    /// It is not known before the run.
    Unknown,
}

impl SourceFolder<'_> {
    /// Looks for the file. The path is relative to the root of the artifact.
    pub(crate) async fn look(&self, path: &str) -> Look {
        let git = Git::at(self.folder);
        let file = self.folder.join(path);
        match (names(path), self.is_clone) {
            (Some(names), true) => committed(&git, &names).await.unwrap_or(Look::Unknown),
            (None, true) => Look::Unknown,
            (Some(names), false) if file.exists() && is_left_out(&git, &names.join("/")).await.unwrap_or(false) => {
                Look::Ignored
            }
            (_, false) => Look::Folder(file),
        }
    }
}

/// The names in a path that stays in its folder.
fn names(path: &str) -> Option<Vec<&str>> {
    let components = Path::new(path).components().filter(|component| *component != Component::CurDir);
    let names = components.map(|component| match component {
        Component::Normal(name) => name.to_str(),
        _ => None,
    });
    names.collect::<Option<Vec<_>>>().filter(|names| !names.is_empty())
}

/// Whether a source leaves out the file because git ignores it. A source whose whole folder is ignored has all files.
async fn is_left_out(git: &Git, path: &str) -> Result<bool, GitProblem> {
    let is_ignored = git.is_work_tree().await? && git.look(&["check-ignore", "--quiet", "--", path]).await?.is_some();
    Ok(is_ignored && files::listed(git).await?.is_some())
}

/// The file in the current commit.
async fn committed(git: &Git, names: &[&str]) -> Result<Look, GitProblem> {
    let paths: Vec<String> = (1..=names.len()).map(|count| names[..count].join("/")).collect();
    let mut question = vec!["ls-tree", "-z", "--full-tree", "HEAD", "--"];
    question.extend(paths.iter().map(String::as_str));
    let listed = git.ask(&question).await?;
    let listed = String::from_utf8_lossy(&listed);
    // Each entry is `MODE TYPE OBJECT<tab>PATH`.
    let entries = || listed.split('\0').filter_map(|entry| entry.split_once('\t'));
    // A link may lead to the file, and a submodule may hold it.
    if entries().any(|(entry, _)| entry.starts_with("120000 ") || entry.starts_with("160000 ")) {
        return Ok(Look::Unknown);
    }
    let file = entries().find(|(_, path)| Some(*path) == paths.last().map(String::as_str));
    let Some((entry, _)) = file else { return Ok(Look::NotCommitted) };
    let mut words = entry.split(' ').skip(1);
    let (Some("blob"), Some(object)) = (words.next(), words.next()) else { return Ok(Look::Unknown) };
    let text = String::from_utf8(git.ask(&["cat-file", "blob", object]).await?);
    Ok(text.map_or(Look::Unknown, Look::Committed))
}
