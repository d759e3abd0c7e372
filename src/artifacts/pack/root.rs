//! Opens the output folder.

use std::ffi::OsStr;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::{Component, Path};

use cap_std::fs::Dir;
use rustix::fs::{CWD, Mode, OFlags, openat};
use rustix::io::Errno;

use super::super::error::Problem;

/// Opens the folder itself, and no link in its place or in the place of one of its parents. The command can replace each of
/// them, for example by a link to `/proc/self`, where the worker can read files that the command can't.
pub(super) fn open_root(from: &Path) -> Result<Dir, Problem> {
    match open_without_links(from) {
        Ok(folder) => Ok(Dir::from_std_file(folder.into())),
        Err(Errno::NOTDIR | Errno::LOOP) => {
            let text = "the command replaced the output folder, or one of its parents, by a file or a link; write the output into \
                        the folder itself";
            Err(Problem::Output(text.to_owned()))
        }
        Err(error) => Err(Problem::Output(format!("could not open the output folder: {error}"))),
    }
}

/// Opens a folder by its real path, name by name.
fn open_without_links(path: &Path) -> rustix::io::Result<OwnedFd> {
    let flags = OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let enter = |folder: BorrowedFd<'_>, name: &OsStr, more: OFlags| openat(folder, name, flags | more, Mode::empty());
    let mut names: Vec<_> = path.components().map(Component::as_os_str).collect();
    let last = names.pop().ok_or(Errno::NOENT)?;
    let mut reached: Option<OwnedFd> = None;
    for name in names {
        reached = Some(enter(reached.as_ref().map_or(CWD, AsFd::as_fd), name, OFlags::PATH)?);
    }
    enter(reached.as_ref().map_or(CWD, AsFd::as_fd), last, OFlags::RDONLY)
}
