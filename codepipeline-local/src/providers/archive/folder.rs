//! The folder that an archive is unpacked into.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::io::{ErrorKind, Read, Write};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use cap_std::ambient_authority;
use cap_std::fs::{Dir, OpenOptions, OpenOptionsExt, Permissions, PermissionsExt};

use super::limits::Limits;
use super::name::EntryName;
use super::problem::ArchiveProblem;

/// The bytes that are copied at a time.
const CHUNK: usize = 64 * 1024;
/// The mode of files whose archive gives no mode.
pub(super) const FILE_MODE: u32 = 0o644;
/// The mode of such folders.
pub(super) const FOLDER_MODE: u32 = 0o755;
/// The longest target of a link, in bytes: Linux's `PATH_MAX`.
pub(super) const MAX_TARGET: u64 = 4096;

/// The kind of an entry.
#[derive(Clone, Copy, PartialEq)]
enum Kind {
    Folder,
    File,
    Link,
}

/// A folder that an archive is being unpacked into.
pub(super) struct Unpacking<'a> {
    folder: Dir,
    limits: &'a Limits,
    /// All names of the archive, also of folders that other names imply.
    tree: BTreeMap<EntryName, Kind>,
    /// The modes that the archive gives to folders. They are set last, because a folder may be read-only.
    modes: BTreeMap<EntryName, u32>,
    /// The links with their targets. They are created last, so that no entry is written through one.
    links: Vec<(EntryName, Vec<u8>)>,
    entries: usize,
    bytes: u64,
}

impl<'a> Unpacking<'a> {
    pub(super) fn into(folder: &Path, limits: &'a Limits) -> Result<Self, ArchiveProblem> {
        std::fs::create_dir_all(folder).map_err(ArchiveProblem::io("create the folder"))?;
        let folder = Dir::open_ambient_dir(folder, ambient_authority());
        let folder = folder.map_err(ArchiveProblem::io("open the folder"))?;
        let (tree, modes) = (BTreeMap::new(), BTreeMap::new());
        Ok(Self { folder, limits, tree, modes, links: Vec::new(), entries: 0, bytes: 0 })
    }

    /// Counts an entry. Returns an error if there are too many.
    pub(super) fn count(&mut self) -> Result<(), ArchiveProblem> {
        self.limits.stop.check()?;
        self.entries += 1;
        if self.entries > self.limits.entries {
            return Err(ArchiveProblem::Entries { limit: self.limits.entries });
        }
        Ok(())
    }

    /// Creates a folder.
    pub(super) fn add_folder(&mut self, name: EntryName, mode: Option<u32>) -> Result<(), ArchiveProblem> {
        if self.claim(&name, Kind::Folder)? {
            self.create_folder(&name)?;
        }
        if let Some(mode) = mode {
            self.modes.insert(name, mode);
        }
        Ok(())
    }

    /// Creates a file and returns its size. The reader's errors are the archive's.
    pub(super) fn add_file(
        &mut self,
        name: &EntryName,
        mode: Option<u32>,
        content: &mut impl Read,
    ) -> Result<u64, ArchiveProblem> {
        self.claim(name, Kind::File)?;
        let mut options = OpenOptions::new();
        options.write(true).create_new(true).mode(0o600);
        let file = self.folder.open_with(name.path(), &options);
        let mut file = file.map_err(ArchiveProblem::io(format!("create {name}")))?;
        let size = self.copy(name, content, &mut file)?;
        let mode = Permissions::from_mode(mode.unwrap_or(FILE_MODE) & 0o777 | 0o400);
        file.set_permissions(mode).map_err(ArchiveProblem::io(format!("set the mode of {name}")))?;
        Ok(size)
    }

    /// Remembers a symbolic link, which [`finish`](Self::finish) creates.
    pub(super) fn add_link(&mut self, name: EntryName, target: &[u8]) -> Result<(), ArchiveProblem> {
        if target.is_empty() || target.contains(&0) || target.len() as u64 > MAX_TARGET {
            return Err(ArchiveProblem::broken(
                format!("the link {name}"),
                "its target is empty, too long, or has a NUL",
            ));
        }
        self.claim(&name, Kind::Link)?;
        self.links.push((name, target.to_vec()));
        Ok(())
    }

    /// Gives a file that the archive has unpacked another name.
    pub(super) fn add_hard_link(&mut self, name: &EntryName, target: &EntryName) -> Result<(), ArchiveProblem> {
        if self.tree.get(target) != Some(&Kind::File) {
            let why = format!("it leads to {target}, which is not an earlier file of the archive");
            return Err(ArchiveProblem::broken(format!("the hard link {name}"), why));
        }
        self.claim(name, Kind::File)?;
        let made = self.folder.hard_link(target.path(), &self.folder, name.path());
        made.map_err(ArchiveProblem::io(format!("create {name}")))
    }

    /// Reads content that leaves no file, within the limit of bytes.
    pub(super) fn skip(&mut self, name: &EntryName, content: &mut impl Read) -> Result<(), ArchiveProblem> {
        self.copy(name, content, &mut std::io::sink()).map(drop)
    }

    /// Creates the links, and sets the modes of folders.
    pub(super) fn finish(self) -> Result<(), ArchiveProblem> {
        for (name, target) in &self.links {
            self.limits.stop.check()?;
            let made = self.folder.symlink_contents(Path::new(OsStr::from_bytes(target)), name.path());
            made.map_err(ArchiveProblem::io(format!("create the link {name}")))?;
        }
        // A folder's name begins the names below it, so the inner folders come first.
        for (name, mode) in self.modes.iter().rev() {
            let mode = Permissions::from_mode(mode & 0o777 | 0o700);
            let set = self.folder.set_permissions(name.path(), mode);
            set.map_err(ArchiveProblem::io(format!("set the mode of {name}")))?;
        }
        Ok(())
    }

    /// Takes a name, and creates the folders above it. Returns whether the name is new.
    fn claim(&mut self, name: &EntryName, kind: Kind) -> Result<bool, ArchiveProblem> {
        let repeated = |name: &[u8]| ArchiveProblem::Repeated { name: String::from_utf8_lossy(name).into_owned() };
        for parent in name.parents() {
            match self.tree.get(parent) {
                Some(Kind::Folder) => {}
                Some(_) => return Err(repeated(parent)),
                None => {
                    let parent = EntryName::parent(parent);
                    self.count()?;
                    self.create_folder(&parent)?;
                    self.tree.insert(parent, Kind::Folder);
                }
            }
        }
        match self.tree.get(name) {
            None => {
                self.tree.insert(name.clone(), kind);
                Ok(true)
            }
            Some(Kind::Folder) if kind == Kind::Folder => Ok(false),
            Some(_) => Err(repeated(name.path().as_os_str().as_bytes())),
        }
    }

    fn create_folder(&self, name: &EntryName) -> Result<(), ArchiveProblem> {
        match self.folder.create_dir(name.path()) {
            Err(error) if error.kind() != ErrorKind::AlreadyExists => {
                Err(ArchiveProblem::io(format!("create the folder {name}"))(error))
            }
            _ => Ok(()),
        }
    }

    fn copy(
        &mut self,
        name: &EntryName,
        content: &mut impl Read,
        file: &mut impl Write,
    ) -> Result<u64, ArchiveProblem> {
        let mut buffer = vec![0; CHUNK];
        let mut size = 0;
        loop {
            self.limits.stop.check()?;
            let read = match content.read(&mut buffer) {
                Err(error) if error.kind() == ErrorKind::Interrupted => continue,
                read => read.map_err(|error| ArchiveProblem::broken(name.to_string(), error))?,
            };
            if read == 0 {
                return Ok(size);
            }
            size += read as u64;
            self.bytes += read as u64;
            if self.bytes > self.limits.bytes {
                return Err(ArchiveProblem::Bytes { limit: self.limits.bytes });
            }
            file.write_all(&buffer[..read]).map_err(ArchiveProblem::io(format!("write {name}")))?;
        }
    }
}
