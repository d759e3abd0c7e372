//! The files of a source.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use super::git::{Git, GitProblem};

/// The file that marks a folder of `run --output`. It names the artifacts there.
pub(crate) const OUTPUT_MARK: &str = ".codepipeline-local";

/// The names of the files in a work tree, relative to the folder.
#[derive(Default)]
pub(super) struct Listed {
    pub(super) tracked: BTreeSet<Vec<u8>>,
    /// Not tracked, and not ignored.
    pub(super) others: BTreeSet<Vec<u8>>,
}

/// The names of the files that git knows or does not ignore; `None` if git ignores the folder itself.
pub(super) async fn listed(git: &Git) -> Result<Option<Listed>, GitProblem> {
    let tracked = names(&git.ask(&["ls-files", "-z", "--cached"]).await?);
    let others = names(&git.ask(&["ls-files", "-z", "--others", "--exclude-standard"]).await?);
    let is_empty = tracked.is_empty() && others.is_empty();
    if is_empty && git.look(&["check-ignore", "--quiet", "--", "."]).await?.is_some() {
        return Ok(None);
    }
    Ok(Some(Listed { tracked, others }))
}

fn names(output: &[u8]) -> BTreeSet<Vec<u8>> {
    output.split(|byte| *byte == 0).filter(|name| !name.is_empty()).map(<[u8]>::to_vec).collect()
}

/// The files to pack, and what is left out.
#[derive(Default)]
pub(super) struct Files {
    /// Each with its name in the archive.
    pub(super) packed: Vec<(String, PathBuf)>,
    /// Submodules and other repositories below the folder, whose files CodePipeline's sources lack, too.
    pub(super) repositories: Vec<String>,
}

/// Looks for the listed files in the folder. Tracked files may be deleted. Returns an error with the name that is not UTF-8.
pub(super) fn found(folder: &Path, names: BTreeSet<Vec<u8>>) -> Result<Files, String> {
    let mut files = Files::default();
    let mut links = BTreeSet::new();
    for name in names {
        let name = String::from_utf8(name).map_err(|error| String::from_utf8_lossy(error.as_bytes()).into_owned())?;
        // A tracked folder may have become a link. Its files are gone then, even if the link leads to some of the same name.
        if name.match_indices('/').any(|(at, _)| links.contains(&name[..at])) {
            continue;
        }
        let path = folder.join(&name);
        let Ok(metadata) = path.symlink_metadata() else { continue };
        if metadata.is_dir() {
            files.repositories.push(name.trim_end_matches('/').to_owned());
            continue;
        }
        if metadata.is_symlink() {
            links.insert(name.clone());
        }
        files.packed.push((name, path));
    }
    Ok(files)
}

/// The names of folders, each with a slash at its end, that an earlier `run --output` has marked as its own. A mark in the source's folder
/// itself does not count: the user has chosen this folder.
pub(super) fn outputs<'n>(names: impl Iterator<Item = &'n [u8]>) -> Vec<Vec<u8>> {
    let ending = format!("/{OUTPUT_MARK}").into_bytes();
    names.filter(|name| name.ends_with(&ending)).map(|name| name[..=name.len() - ending.len()].to_vec()).collect()
}

/// Whether the file is in one of these folders.
pub(super) fn is_below(name: &[u8], folders: &[Vec<u8>]) -> bool {
    folders.iter().any(|folder| name.starts_with(folder))
}
