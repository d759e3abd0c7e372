//! Lists the tree of an output folder.

use cap_std::fs::{Dir, FileType, MetadataExt};

use super::super::error::{Problem, shown};
use super::super::limits::{EntryClass, Tally, UnpackLimits};
use super::super::name_list::NameList;
use super::super::names::MAX_DEPTH;
use super::super::stop::Stop;
use super::could_not;

pub(super) struct Entry {
    pub(super) path: String,
    pub(super) entry_type: EntryType,
    /// The file type and the permission bits.
    pub(super) mode: u32,
    /// The size of a file when it was listed, which may change.
    pub(super) size: u64,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum EntryType {
    File,
    Folder,
    Link,
}

impl EntryType {
    /// Returns `None` for a socket, a named pipe or a device.
    fn of(file_type: FileType) -> Option<Self> {
        if file_type.is_dir() {
            Some(Self::Folder)
        } else if file_type.is_symlink() {
            Some(Self::Link)
        } else {
            file_type.is_file().then_some(Self::File)
        }
    }

    fn bits(self) -> u32 {
        match self {
            Self::File => 0o100_000,
            Self::Folder => 0o040_000,
            Self::Link => 0o120_000,
        }
    }
}

/// The content of a folder.
#[derive(Default)]
pub(super) struct Tree {
    /// Sorted by path. A folder comes before its content.
    pub(super) entries: Vec<Entry>,
    /// Sockets, named pipes and devices, which an archive can't hold.
    pub(super) special: NameList,
}

impl Tree {
    /// Lists the tree. Follows no link.
    pub(super) fn list(root: &Dir, limits: UnpackLimits, stop: &Stop) -> Result<Self, Problem> {
        let mut tree = Self::default();
        let tally = Tally::new(limits);
        let mut folders = vec![String::new()];
        while let Some(folder) = folders.pop() {
            stop.check()?;
            let unreadable = |error: &std::io::Error| could_not("list", &folder, error);
            let open = if folder.is_empty() { root.try_clone() } else { root.open_dir(&folder) };
            let open = open.map_err(|error| unreadable(&error))?;
            for found in open.entries().map_err(|error| unreadable(&error))? {
                stop.check()?;
                let name = found.map_err(|error| unreadable(&error))?.file_name();
                let path = path(&folder, &name)?;
                let metadata = open.symlink_metadata(&name).map_err(|error| could_not("read", &path, &error))?;
                let Some(entry_type) = EntryType::of(metadata.file_type()) else {
                    tree.special.add(|| format!("`{}`", shown(&path)));
                    continue;
                };
                if entry_type == EntryType::Folder {
                    folders.push(path.clone());
                }
                tally.add(if entry_type == EntryType::File {
                    EntryClass::Files
                } else {
                    EntryClass::FoldersAndLinks
                })?;
                // Linux ignores the mode of a link.
                let permissions = if entry_type == EntryType::Link { 0o777 } else { metadata.mode() & 0o777 };
                let (mode, size) = (entry_type.bits() | permissions, metadata.len());
                tree.entries.push(Entry { path, entry_type, mode, size });
            }
        }
        tree.entries.sort_unstable_by(|one, other| one.path.cmp(&other.path));
        Ok(tree)
    }
}

/// The path of `name` in `folder`. Returns an error for a name that is not UTF-8, because Java refuses an archive with one.
fn path(folder: &str, name: &std::ffi::OsStr) -> Result<String, Problem> {
    let Some(name) = name.to_str() else {
        let text =
            format!("the name `{}` in the output folder is not UTF-8; rename it", shown(name.as_encoded_bytes()));
        return Err(Problem::Output(text));
    };
    let path = if folder.is_empty() { name.to_owned() } else { format!("{folder}/{name}") };
    if path.split('/').count() > MAX_DEPTH {
        let text = format!("`{}` in the output folder is nested more than {MAX_DEPTH} folders deep", shown(&path));
        return Err(Problem::Output(format!("{text}; use fewer nested folders")));
    }
    Ok(path)
}
