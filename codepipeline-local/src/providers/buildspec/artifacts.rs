//! Finds the files of an artifact (`artifacts/files` and the members next to it in the reference).

use std::collections::BTreeMap;
use std::io;
use std::path::{Component, Path, PathBuf};

use fast_glob::{glob_match, validate};

use super::FileSet;

/// Why an artifact has no files. The first two messages are CodeBuild's own.
#[derive(Debug, thiserror::Error)]
pub(crate) enum NoFiles {
    #[error("no matching base directory path found for {0}")]
    BaseDirectory(String),
    #[error("no matching artifact paths found: {}", described(.0))]
    Paths(Vec<Unmatched>),
    #[error("the artifact has no files: write artifacts/files, as in `files: ['**/*']`")]
    Unset,
    #[error("the path {pattern} is not a pattern: {problem}")]
    Pattern { pattern: String, problem: String },
    #[error("could not list {}: {source}", folder.display())]
    Io { folder: PathBuf, source: io::Error },
}

/// A pattern that matches no file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Unmatched {
    pattern: String,
    /// A folder that it matches.
    folder: Option<String>,
}

/// Names the patterns, and how to get the files in the first folder that they match.
pub(crate) fn described(unmatched: &[Unmatched]) -> String {
    let patterns: Vec<&str> = unmatched.iter().map(|it| it.pattern.as_str()).collect();
    let hint = match unmatched.iter().find_map(|it| it.folder.as_ref()) {
        Some(folder) => format!(". {folder} is a folder: write {folder}/**/* for the files in it"),
        None => String::new(),
    };
    format!("no file matches {}{hint}", patterns.join(", "))
}

/// The files of an artifact.
#[derive(Debug)]
pub(crate) struct Found {
    /// Each with its name in the artifact.
    pub(crate) files: Vec<(String, PathBuf)>,
    /// The patterns that match none.
    pub(crate) unmatched: Vec<Unmatched>,
}

/// Finds the files of a set in the folder of the build. It blocks.
///
/// `*` matches within one name, and a name may begin with a dot. `**` matches any number of folders. A link to a file counts as the file,
/// and a link to a folder is left out, unless `enable-symlinks` keeps links as links. If `discard-paths` gives two files one name, the
/// last one in the order of their paths stays.
pub(crate) fn find(folder: &Path, set: &FileSet) -> Result<Found, NoFiles> {
    if set.files.is_empty() {
        return Err(NoFiles::Unset);
    }
    let mut found = BTreeMap::new();
    let mut matched = vec![Matched::default(); set.files.len()];
    for base in base_directories(folder, set.base_directory.as_deref())? {
        let patterns = patterns_of(&set.files, &base)?;
        let excluded = patterns_of(&set.exclude_paths, &base)?;
        for entry in entries(&base, set.enable_symlinks)? {
            let mut is_wanted = false;
            for (pattern, matched) in patterns.iter().zip(&mut matched) {
                if glob_match(pattern, &entry.name) {
                    matched.add(&entry);
                    is_wanted |= !entry.is_folder;
                }
            }
            if is_wanted && !excluded.iter().any(|pattern| glob_match(pattern, &entry.name)) {
                let name = match entry.name.rsplit_once('/') {
                    Some((_, file)) if set.discard_paths => file.to_owned(),
                    _ => entry.name.clone(),
                };
                found.insert(name, entry.path);
            }
        }
    }
    let unmatched = |(pattern, Matched { folder, .. }): (&String, _)| Unmatched { pattern: pattern.clone(), folder };
    let patterns = set.files.iter().zip(matched);
    if found.is_empty() {
        return Err(NoFiles::Paths(patterns.map(unmatched).collect()));
    }
    let unmatched = patterns.filter(|(_, matched)| !matched.has_files).map(unmatched).collect();
    Ok(Found { files: found.into_iter().collect(), unmatched })
}

/// The entries that a pattern matches.
#[derive(Clone, Default)]
struct Matched {
    has_files: bool,
    /// The first folder.
    folder: Option<String>,
}

impl Matched {
    fn add(&mut self, entry: &Entry) {
        if entry.is_folder {
            self.folder.get_or_insert_with(|| entry.name.clone());
        } else {
            self.has_files = true;
        }
    }
}

/// The folders that a base directory names: the build's folder without one.
fn base_directories(folder: &Path, base: Option<&str>) -> Result<Vec<PathBuf>, NoFiles> {
    let Some(base) = base else { return Ok(vec![folder.to_owned()]) };
    let mut folders = vec![folder.to_owned()];
    for component in Path::new(base).components() {
        match component {
            Component::Normal(name) if name.to_string_lossy().contains(['*', '?', '[', '{']) => {
                let pattern = valid(&name.to_string_lossy())?;
                let mut below = Vec::new();
                for folder in &folders {
                    below.extend(
                        names(folder)?
                            .into_iter()
                            .filter(|name| glob_match(&pattern, name))
                            .map(|name| folder.join(name)),
                    );
                }
                folders = below;
            }
            // An absolute path replaces the folder.
            other => folders = folders.iter().map(|folder| folder.join(other)).collect(),
        }
        folders.retain(|folder| folder.is_dir());
    }
    if folders.is_empty() { Err(NoFiles::BaseDirectory(base.to_owned())) } else { Ok(folders) }
}

/// The patterns relative to the base directory.
fn patterns_of(texts: &[String], base: &Path) -> Result<Vec<String>, NoFiles> {
    texts
        .iter()
        .map(|text| {
            let relative = Path::new(text).strip_prefix(base).ok().and_then(Path::to_str).unwrap_or(text);
            valid(relative.trim_start_matches("./").trim_end_matches('/'))
        })
        .collect()
}

fn valid(pattern: &str) -> Result<String, NoFiles> {
    validate(pattern).map_err(|error| NoFiles::Pattern { pattern: pattern.to_owned(), problem: error.to_string() })?;
    Ok(pattern.to_owned())
}

/// A file or folder below the base directory.
struct Entry {
    /// The path from the base directory, with slashes.
    name: String,
    path: PathBuf,
    is_folder: bool,
}

/// All entries below a folder, in the order of their names. With `links`, links stay links.
fn entries(base: &Path, links: bool) -> Result<Vec<Entry>, NoFiles> {
    let mut found = Vec::new();
    let mut waiting = vec![(String::new(), base.to_owned())];
    while let Some((prefix, folder)) = waiting.pop() {
        for name in names(&folder)? {
            let path = folder.join(&name);
            let name = format!("{prefix}{name}");
            let Ok(kind) = path.symlink_metadata().map(|data| data.file_type()) else { continue };
            if kind.is_dir() {
                waiting.push((format!("{name}/"), path.clone()));
                found.push(Entry { name, path, is_folder: true });
            } else if kind.is_file() || (kind.is_symlink() && links) {
                found.push(Entry { name, path, is_folder: false });
            } else if kind.is_symlink()
                && let Ok(target) = path.canonicalize()
                && target.is_file()
            {
                found.push(Entry { name, path: target, is_folder: false });
            }
        }
    }
    found.sort_by(|one, other| one.name.cmp(&other.name));
    Ok(found)
}

/// The names in a folder that are text.
fn names(folder: &Path) -> Result<Vec<String>, NoFiles> {
    let failed = |source| NoFiles::Io { folder: folder.to_owned(), source };
    let entries = folder.read_dir().map_err(failed)?.collect::<io::Result<Vec<_>>>().map_err(failed)?;
    let mut names: Vec<String> = entries.into_iter().filter_map(|entry| entry.file_name().into_string().ok()).collect();
    names.sort();
    Ok(names)
}
