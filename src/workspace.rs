//! A job's own folder. It holds the artifacts, and the action runs in it.

mod disk;
mod leftovers;
mod listing;
mod lock;
mod mounts;
mod removal;
mod worker_folder;

use std::fs::{File, OpenOptions};
use std::io;
use std::os::fd::AsRawFd;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::job::Job;
use leftovers::Leftovers;
use removal::remove_tree;
use rustix::fs::{Mode, OFlags, fchmod};

#[doc(hidden)]
pub use disk::{Shortage, free_bytes, shortage};
#[doc(hidden)]
pub use worker_folder::WorkerFolder;

/// The folder of one job. Dropping it removes the folder and its content.
///
/// ```text
/// <work folder>/<job id, made safe for a path>/in/<artifact>    one folder for each input artifact
/// <work folder>/<job id, made safe for a path>/out/<artifact>   one folder for each output artifact
/// <work folder>/<job id, made safe for a path>/home             the action's HOME
/// <work folder>/<job id, made safe for a path>/report           the action's report files
/// ```
///
/// If this folder exists already, the job's folder is `<job id>.2`.
pub struct Workspace {
    root: PathBuf,
    /// The parent of `root`, open. A command may move it and leave a link in its place.
    parent: File,
    /// The files that a command adds outside this folder. `None` if they stay.
    leftovers: Option<Leftovers>,
}

/// The worker could not create a job's folder.
#[derive(Debug, thiserror::Error)]
pub enum WorkspaceError {
    /// The disk is full.
    #[error(
        "could not create the job's folder {}: the disk is full; raise the function's ephemeral storage (EphemeralStorageSize), \
         set WORK_FOLDER to a larger disk, or set CLEAN_TMP=true to remove what commands leave in /tmp",
        .0.display()
    )]
    Full(PathBuf),
    /// The folder could not be created for another reason.
    #[error("could not create the job's folder {}: {error}; the function's user needs write access to WORK_FOLDER", .folder.display())]
    Folder {
        /// The folder.
        folder: PathBuf,
        /// The system's error.
        error: io::Error,
    },
    /// An artifact's name is not a single path component.
    #[error("an artifact of the job has an invalid name; names have 1 to 100 characters of [a-zA-Z0-9_-]")]
    ArtifactName,
}

impl WorkspaceError {
    fn of(folder: &Path) -> impl FnOnce(io::Error) -> Self {
        move |error| match error.kind() {
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => Self::Full(folder.to_owned()),
            _ => Self::Folder { folder: folder.to_owned(), error },
        }
    }
}

impl Workspace {
    /// Creates the folders for `job` in `work_folder`. CodePipeline allows only `[a-zA-Z0-9_-]` in artifact names. This checks
    /// them again, because they become path components.
    ///
    /// # Errors
    /// If a folder can't be created or an artifact's name is invalid.
    pub fn create(work_folder: &Path, job: &Job) -> Result<Self, WorkspaceError> {
        let name = safe_component(&job.id);
        // The real path: the command may later replace a part of the path by a link.
        let root = new_folder(work_folder, &name).and_then(std::fs::canonicalize);
        let root = root.map_err(WorkspaceError::of(&work_folder.join(&name)))?;
        let parent = open_folder(root.parent().unwrap_or(&root)).map_err(WorkspaceError::of(&root))?;
        let workspace = Self { root, parent, leftovers: None };
        let create = |folder: &Path| std::fs::create_dir_all(folder).map_err(WorkspaceError::of(folder));
        create(&workspace.home())?;
        create(&workspace.report_folder())?;
        for artifact in &job.inputs {
            create(&workspace.input(checked_name(&artifact.name)?))?;
        }
        for artifact in &job.outputs {
            create(&workspace.output(checked_name(&artifact.name)?))?;
        }
        Ok(workspace)
    }

    /// Also removes the files that a command creates in the folder `top` outside the job's folder. The worker's own folder must
    /// be in `top`, and no other worker may run a command there at the same time.
    #[doc(hidden)]
    #[must_use]
    pub fn cleaning(mut self, top: &Path) -> Self {
        let own = self.root.parent().unwrap_or(&self.root);
        self.leftovers = Some(Leftovers::of_job(top, own, &self.root));
        self
    }

    /// Lists the files outside the job's folder. Call it immediately before a command starts. Does nothing without
    /// [`Workspace::cleaning`].
    pub(crate) async fn list_surroundings(self: &Arc<Self>) {
        if self.leftovers.is_some() {
            let workspace = Arc::clone(self);
            let list = move || workspace.leftovers.iter().for_each(Leftovers::list_files);
            let span = tracing::Span::current();
            let _ = tokio::task::spawn_blocking(move || span.in_scope(list)).await;
        }
    }

    /// The folder of this job.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// The folder of the input artifact `name`.
    pub fn input(&self, name: &str) -> PathBuf {
        self.root.join("in").join(name)
    }

    /// The folder of the output artifact `name`.
    pub fn output(&self, name: &str) -> PathBuf {
        self.root.join("out").join(name)
    }

    /// The action's `HOME`, empty at first.
    pub fn home(&self) -> PathBuf {
        self.root.join("home")
    }

    /// The folder for the action's report files, such as output variables and a summary.
    #[doc(hidden)]
    pub fn report_folder(&self) -> PathBuf {
        self.root.join("report")
    }
}

impl Drop for Workspace {
    fn drop(&mut self) {
        self.remove();
    }
}

impl Workspace {
    /// Removes the folder now, even if an action still uses it. Also removes the files that a command left outside it. /tmp outlives
    /// the invocation, and the next job may belong to another pipeline. So no file of a finished job may stay.
    pub(crate) fn remove(&self) {
        // A path through the open folder follows no link that the command created.
        let open = PathBuf::from(format!("/proc/self/fd/{}", self.parent.as_raw_fd()));
        let root = open.join(self.root.file_name().unwrap_or_default());
        let removed = remove_tree(&root).or_else(|_| {
            // Commands run as the same user, so a command may have locked the parent.
            fchmod(&self.parent, Mode::RWXU)?;
            remove_tree(&root)
        });
        if let Err(error) = removed {
            tracing::error!(error = %error, "could not remove the job's folder");
        }
        if let Some(leftovers) = &self.leftovers {
            leftovers.remove();
        }
    }
}

/// Opens a folder. Fails if a link is in its place.
fn open_folder(folder: &Path) -> io::Result<File> {
    let flags = (OFlags::DIRECTORY | OFlags::NOFOLLOW).bits().cast_signed();
    OpenOptions::new().read(true).custom_flags(flags).open(folder)
}

/// Creates a new folder. A job may run twice in one process. The second turn must not find files of the first.
fn new_folder(parent: &Path, name: &str) -> io::Result<PathBuf> {
    std::fs::create_dir_all(parent)?;
    let mut folder = parent.join(name);
    for again in 2_u32.. {
        match std::fs::create_dir(&folder) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                folder = parent.join(format!("{name}.{again}"));
            }
            created => return created.map(|()| folder),
        }
    }
    Err(io::ErrorKind::AlreadyExists.into())
}

fn checked_name(name: &str) -> Result<&str, WorkspaceError> {
    let is_allowed = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
    if !name.is_empty() && name.len() <= 100 && name.chars().all(is_allowed) {
        return Ok(name);
    }
    Err(WorkspaceError::ArtifactName)
}

/// Replaces every unsafe character by its hexadecimal code. The ids of third-party jobs may contain any character.
fn safe_component(id: &str) -> String {
    let mut safe = String::with_capacity(id.len());
    for byte in id.bytes() {
        if byte.is_ascii_alphanumeric() || byte == b'-' {
            safe.push(char::from(byte));
        } else {
            safe.push_str(&format!("_{byte:02x}"));
        }
        // A path component has at most 255 bytes, an id at most 512 characters.
        if safe.len() > 200 {
            break;
        }
    }
    safe
}

#[cfg(test)]
mod tests;
