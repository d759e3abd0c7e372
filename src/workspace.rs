//! A job's own folder: where its artifacts are staged and its action works.

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

pub use disk::{Shortage, shortage};
pub use worker_folder::WorkerFolder;

/// The folder of one job, removed with everything in it when this is dropped.
///
/// ```text
/// <work folder>/<job id, made safe for a path>/in/<artifact>    one folder for each input artifact
/// <work folder>/<job id, made safe for a path>/out/<artifact>   one folder for each output artifact
/// <work folder>/<job id, made safe for a path>/home             the action's HOME
/// <work folder>/<job id, made safe for a path>/report           files that an action writes to tell about itself
/// ```
///
/// Where that folder is there already, the job has another: `<job id>.2`.
pub struct Workspace {
    root: PathBuf,
    /// The folder around `root`. A command may move it, and leave a link in its place.
    around: File,
    /// Files that a command adds around this folder. `None` if they stay.
    leftovers: Option<Leftovers>,
}

/// Why a job has no folder to work in.
#[derive(Debug, thiserror::Error)]
pub enum WorkspaceError {
    /// Nothing more fits onto the disk.
    #[error(
        "the job's folder {} could not be made, because its disk is full: raise the function's ephemeral storage \
         (EphemeralStorageSize), or name a folder with more room (WORK_FOLDER); what commands leave elsewhere in /tmp counts, too \
         (CLEAN_TMP=true removes that)",
        .0.display()
    )]
    Full(PathBuf),
    /// A folder can't be made for another reason.
    #[error("the job's folder {} could not be made: {error}; the function's user must be able to write there (WORK_FOLDER)", .folder.display())]
    Folder {
        /// Which one.
        folder: PathBuf,
        /// What the system says.
        error: io::Error,
    },
    /// A name would not be one component of a path.
    #[error("an artifact's name is 1 to 100 characters of [a-zA-Z0-9_-]; the job names one that is not")]
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
    /// Makes the folders for `job` below `work_folder`. Artifact names are CodePipeline's (`[a-zA-Z0-9_-]`), which is
    /// checked here once more: a name is a path component.
    ///
    /// # Errors
    /// When a folder can't be made, or an artifact's name is not of that form.
    pub fn create(work_folder: &Path, job: &Job) -> Result<Self, WorkspaceError> {
        let name = safe_component(&job.id);
        // Its real path: whatever is a link later was not one before the command.
        let root = new_folder(work_folder, &name).and_then(std::fs::canonicalize);
        let root = root.map_err(WorkspaceError::of(&work_folder.join(&name)))?;
        let around = open_folder(root.parent().unwrap_or(&root)).map_err(WorkspaceError::of(&root))?;
        let workspace = Self { root, around, leftovers: None };
        let make = |folder: &Path| std::fs::create_dir_all(folder).map_err(WorkspaceError::of(folder));
        make(&workspace.home())?;
        make(&workspace.report_folder())?;
        for artifact in &job.inputs {
            make(&workspace.input(checked_name(&artifact.name)?))?;
        }
        for artifact in &job.outputs {
            make(&workspace.output(checked_name(&artifact.name)?))?;
        }
        Ok(workspace)
    }

    /// Also removes, together with the job's folder, what a command creates in the folder `top` outside the job's folder. The
    /// worker's own folder must be in `top`, and no other worker may run a command there meanwhile.
    #[must_use]
    pub fn cleaning(mut self, top: &Path) -> Self {
        let own = self.root.parent().unwrap_or(&self.root);
        self.leftovers = Some(Leftovers::of_job(top, own, &self.root));
        self
    }

    /// Notes what is around the job's folder, immediately before a command starts. Does nothing without
    /// [`Workspace::cleaning`].
    pub(crate) async fn list_surroundings(self: &Arc<Self>) {
        if self.leftovers.is_some() {
            let workspace = Arc::clone(self);
            let noting = move || workspace.leftovers.iter().for_each(Leftovers::list_files);
            let span = tracing::Span::current();
            let _ = tokio::task::spawn_blocking(move || span.in_scope(noting)).await;
        }
    }

    /// The folder that holds everything of this job.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// Where the input artifact `name` is staged in.
    pub fn input(&self, name: &str) -> PathBuf {
        self.root.join("in").join(name)
    }

    /// Where the action leaves what becomes the output artifact `name`.
    pub fn output(&self, name: &str) -> PathBuf {
        self.root.join("out").join(name)
    }

    /// An empty folder to be the action's `HOME`.
    pub fn home(&self) -> PathBuf {
        self.root.join("home")
    }

    /// Where an action may write files that tell about itself (output variables, a summary).
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
    /// Removes the folder now, and the files that a command has left around it. It does so even while an action that ignored
    /// its end still has this. /tmp holds nothing of a finished job: it outlives the invocation, and the next job may be of
    /// another pipeline.
    pub(crate) fn remove(&self) {
        // By way of the open folder no link is followed that the command has put into the path.
        let open = PathBuf::from(format!("/proc/self/fd/{}", self.around.as_raw_fd()));
        let root = open.join(self.root.file_name().unwrap_or_default());
        let removed = remove_tree(&root).or_else(|_| {
            // The folder around it is the worker's, but belongs to the user that commands run as, who may have locked it.
            fchmod(&self.around, Mode::RWXU)?;
            remove_tree(&root)
        });
        if let Err(error) = removed {
            tracing::error!(error = %error, "the job's folder could not be removed");
        }
        if let Some(leftovers) = &self.leftovers {
            leftovers.remove();
        }
    }
}

/// Opens a folder, and never what a link in its place points to.
fn open_folder(folder: &Path) -> io::Result<File> {
    let flags = (OFlags::DIRECTORY | OFlags::NOFOLLOW).bits().cast_signed();
    OpenOptions::new().read(true).custom_flags(flags).open(folder)
}

/// A folder that was not there: a job may be run again in the process that was stopped while it ran it, and what is left of the
/// first time must not mix with it.
fn new_folder(parent: &Path, name: &str) -> io::Result<PathBuf> {
    std::fs::create_dir_all(parent)?;
    let mut folder = parent.join(name);
    for again in 2_u32.. {
        match std::fs::create_dir(&folder) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                folder = parent.join(format!("{name}.{again}"));
            }
            made => return made.map(|()| folder),
        }
    }
    Err(io::ErrorKind::AlreadyExists.into())
}

fn checked_name(name: &str) -> Result<&str, WorkspaceError> {
    let harmless = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
    if !name.is_empty() && name.len() <= 100 && name.chars().all(harmless) {
        return Ok(name);
    }
    Err(WorkspaceError::ArtifactName)
}

/// Third-party job ids may hold any character: all but harmless ones become their hexadecimal code.
fn safe_component(id: &str) -> String {
    let mut safe = String::with_capacity(id.len());
    for byte in id.bytes() {
        if byte.is_ascii_alphanumeric() || byte == b'-' {
            safe.push(char::from(byte));
        } else {
            safe.push_str(&format!("_{byte:02x}"));
        }
        // A path component has at most 255 bytes; ids have at most 512 characters.
        if safe.len() > 200 {
            break;
        }
    }
    safe
}

#[cfg(test)]
mod tests;
