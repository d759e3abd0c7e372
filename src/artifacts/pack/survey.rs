//! Lists an output folder.

use cap_std::fs::{Dir, MetadataExt};

use super::super::error::{Problem, shown};
use super::super::jail::List;
use super::super::limits::{Counted, Tally, UnpackLimits};
use super::super::names::DEEPEST;
use super::super::stop::Stop;
use super::cannot;

pub(super) struct Entry {
    pub(super) path: String,
    pub(super) kind: Kind,
    /// The type and the permission bits.
    pub(super) mode: u32,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    File,
    Folder,
    Link,
}

impl Kind {
    fn bits(self) -> u32 {
        match self {
            Self::File => 0o100_000,
            Self::Folder => 0o040_000,
            Self::Link => 0o120_000,
        }
    }
}

/// The tree of a folder.
#[derive(Default)]
pub(super) struct Survey {
    /// Every folder before what is in it, sorted by name.
    pub(super) entries: Vec<Entry>,
    /// Sockets, named pipes and devices, which an archive can't hold.
    pub(super) special: List,
}

/// Lists the tree. No link is followed.
pub(super) fn survey(root: &Dir, limits: UnpackLimits, stop: &Stop) -> Result<Survey, Problem> {
    let mut survey = Survey::default();
    let tally = Tally::new(limits);
    let mut folders = vec![String::new()];
    while let Some(folder) = folders.pop() {
        stop.check()?;
        let unreadable = |error: &std::io::Error| cannot(&folder, "be listed", error);
        let open = if folder.is_empty() { root.try_clone() } else { root.open_dir(&folder) };
        let open = open.map_err(|error| unreadable(&error))?;
        for found in open.entries().map_err(|error| unreadable(&error))? {
            stop.check()?;
            let name = found.map_err(|error| unreadable(&error))?.file_name();
            let path = path(&folder, &name)?;
            let metadata = open.symlink_metadata(&name).map_err(|error| cannot(&path, "be read", &error))?;
            let kind = metadata.file_type();
            let kind = if kind.is_dir() {
                folders.push(path.clone());
                Kind::Folder
            } else if kind.is_symlink() {
                Kind::Link
            } else if kind.is_file() {
                Kind::File
            } else {
                survey.special.add(|| format!("`{}`", shown(&path)));
                continue;
            };
            tally.add(if kind == Kind::File { Counted::Files } else { Counted::FoldersAndLinks })?;
            // A link's own mode means nothing on Linux.
            let permissions = if kind == Kind::Link { 0o777 } else { metadata.mode() & 0o777 };
            survey.entries.push(Entry { path, kind, mode: kind.bits() | permissions });
        }
    }
    survey.entries.sort_unstable_by(|one, other| one.path.cmp(&other.path));
    Ok(survey)
}

/// The path of `name` in `folder`. A name that is not UTF-8 is an error, because Java refuses a whole archive that has one.
fn path(folder: &str, name: &std::ffi::OsStr) -> Result<String, Problem> {
    let Some(name) = name.to_str() else {
        let text =
            format!("the name `{}` in the output folder is not UTF-8; rename it", shown(name.as_encoded_bytes()));
        return Err(Problem::Output(text));
    };
    let path = if folder.is_empty() { name.to_owned() } else { format!("{folder}/{name}") };
    if path.split('/').count() > DEEPEST {
        let text = format!("`{}` in the output folder is more than {DEEPEST} folders deep", shown(&path));
        return Err(Problem::Output(format!("{text}; make the tree flatter")));
    }
    Ok(path)
}
