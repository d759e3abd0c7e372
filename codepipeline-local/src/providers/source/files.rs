//! The files of a source.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use super::git::{Git, GitProblem};

/// The names of the files that git knows or does not ignore, relative to the folder; `None` if git ignores the folder itself.
pub(super) async fn listed(git: &Git) -> Result<Option<Vec<Vec<u8>>>, GitProblem> {
    let output = git.ask(&["ls-files", "-z", "--cached", "--others", "--exclude-standard"]).await?;
    let names: BTreeSet<Vec<u8>> =
        output.split(|byte| *byte == 0).filter(|name| !name.is_empty()).map(<[u8]>::to_vec).collect();
    if names.is_empty() && git.look(&["check-ignore", "--quiet", "--", "."]).await?.is_some() {
        return Ok(None);
    }
    Ok(Some(names.into_iter().collect()))
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
pub(super) fn found(folder: &Path, names: Vec<Vec<u8>>) -> Result<Files, String> {
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
