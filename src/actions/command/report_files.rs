//! The two files in which a command tells about itself: its output variables and its summary.
//!
//! The command writes them, so they are hostile: read without following links, without waiting, and never beyond a limit.

use std::collections::BTreeMap;
use std::io::{self, Read};
use std::os::fd::OwnedFd;
use std::path::PathBuf;

use rustix::fs::{FileType, Mode, OFlags, fstat, open, openat};
use rustix::io::Errno;

use super::variables;
use crate::job::{Failure, FailureKind};
use crate::redact::{Redactor, keep_start};

const VARIABLES: &str = "variables";
const SUMMARY: &str = "summary";
/// Far more than the 122 880 bytes that CodePipeline takes need in any notation.
const MAX_VARIABLES_FILE: usize = 1024 * 1024;
/// CodePipeline takes 2048 characters (API model, `ExecutionSummary`); the longest ones have four bytes.
const MAX_SUMMARY_CHARS: usize = 2048;
const SUMMARY_READ: usize = 4 * MAX_SUMMARY_CHARS;

/// The files, still empty when the command starts.
pub(super) struct ReportFiles {
    folder: PathBuf,
    /// The folder itself: the command may put another one, or a link, in its place.
    handle: OwnedFd,
}

impl ReportFiles {
    /// Makes both files in `folder`.
    pub(super) fn create(folder: PathBuf) -> io::Result<Self> {
        let handle = open(&folder, OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC, Mode::empty())?;
        for name in [VARIABLES, SUMMARY] {
            let flags = OFlags::CREATE | OFlags::WRONLY | OFlags::TRUNC | OFlags::NOFOLLOW | OFlags::CLOEXEC;
            openat(&handle, name, flags, Mode::RUSR | Mode::WUSR)?;
        }
        Ok(Self { folder, handle })
    }

    pub(super) fn variables_path(&self) -> PathBuf {
        self.folder.join(VARIABLES)
    }

    pub(super) fn summary_path(&self) -> PathBuf {
        self.folder.join(SUMMARY)
    }

    /// The output variables, redacted and within CodePipeline's limits.
    pub(super) fn read_variables(&self, redactor: &Redactor) -> Result<BTreeMap<String, String>, Failure> {
        let bytes = self.read(VARIABLES, "OUTPUT_VARIABLES", MAX_VARIABLES_FILE + 1)?;
        if bytes.len() > MAX_VARIABLES_FILE {
            let message =
                format!("the command wrote more than {MAX_VARIABLES_FILE} bytes to the file OUTPUT_VARIABLES");
            return Err(Failure::new(FailureKind::JobFailed, message));
        }
        variables::read(&bytes, redactor).map_err(|mistake| Failure::new(FailureKind::JobFailed, mistake.to_string()))
    }

    /// The summary, redacted and cut to what CodePipeline takes; `None` if there is none.
    pub(super) fn read_summary(&self, redactor: &Redactor) -> Result<Option<String>, Failure> {
        // So much more than is shown that a secret at the cut is still recognised.
        let bytes = self.read(SUMMARY, "SUMMARY", SUMMARY_READ + redactor.longest_form())?;
        let text = redactor.redact_part(&bytes, 0..bytes.len().min(SUMMARY_READ));
        Ok(Some(keep_start(text.trim(), MAX_SUMMARY_CHARS).into_owned()).filter(|summary| !summary.is_empty()))
    }

    /// At most the first `limit` bytes of a file; one that is gone counts as empty. `variable` names it for people.
    fn read(&self, name: &str, variable: &str, limit: usize) -> Result<Vec<u8>, Failure> {
        // Opening a named pipe waits for a writer unless told not to.
        let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::CLOEXEC;
        let read = || -> io::Result<Option<Vec<u8>>> {
            let file = match openat(&self.handle, name, flags, Mode::empty()) {
                Err(Errno::NOENT) => return Ok(Some(Vec::new())),
                // What links (LOOP) and sockets (NXIO) answer.
                Err(Errno::LOOP | Errno::NXIO) => return Ok(None),
                result => result?,
            };
            if FileType::from_raw_mode(fstat(&file)?.st_mode) != FileType::RegularFile {
                return Ok(None);
            }
            let mut bytes = Vec::new();
            std::fs::File::from(file).take(limit as u64).read_to_end(&mut bytes)?;
            Ok(Some(bytes))
        };
        let message = match read() {
            Ok(Some(bytes)) => return Ok(bytes),
            Ok(None) => {
                format!("the command put something in the place of the file {variable} that is not a regular file")
            }
            Err(error) => format!("the file {variable} that the command wrote can't be read: {error}"),
        };
        Err(Failure::new(FailureKind::JobFailed, message))
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;
    use std::path::Path;

    use super::*;

    struct Folder {
        files: ReportFiles,
        _parent: tempfile::TempDir,
    }

    fn folder() -> Folder {
        let parent = tempfile::tempdir().unwrap();
        std::fs::create_dir(parent.path().join("report")).unwrap();
        Folder { files: ReportFiles::create(parent.path().join("report")).unwrap(), _parent: parent }
    }

    impl Folder {
        fn summary(&self) -> Result<Option<String>, String> {
            self.files.read_summary(&Redactor::new(["correct-horse-battery"])).map_err(|failure| failure.message)
        }

        fn variables(&self) -> Result<BTreeMap<String, String>, String> {
            self.files.read_variables(&Redactor::new(["correct-horse-battery"])).map_err(|failure| failure.message)
        }
    }

    #[test]
    fn files_that_are_empty_or_gone_say_nothing() {
        let folder = folder();
        assert_eq!((folder.summary(), folder.variables()), (Ok(None), Ok(BTreeMap::new())));
        std::fs::remove_file(folder.files.summary_path()).unwrap();
        std::fs::remove_file(folder.files.variables_path()).unwrap();
        assert_eq!((folder.summary(), folder.variables()), (Ok(None), Ok(BTreeMap::new())));
    }

    #[test]
    fn links_pipes_and_folders_are_not_read() {
        let refused = "the command put something in the place of the file SUMMARY that is not a regular file";
        let replace: [fn(&Path); 3] = [
            |path| symlink("/etc/passwd", path).unwrap(),
            |path| rustix::fs::mkfifoat(rustix::fs::CWD, path, Mode::RWXU).unwrap(),
            |path| std::fs::create_dir(path).unwrap(),
        ];
        for make in replace {
            let folder = folder();
            std::fs::remove_file(folder.files.summary_path()).unwrap();
            make(&folder.files.summary_path());
            assert_eq!(folder.summary(), Err(refused.to_owned()));
        }
    }

    #[test]
    fn another_folder_in_the_place_of_ours_is_not_read() {
        let folder = folder();
        let elsewhere = tempfile::tempdir().unwrap();
        std::fs::write(elsewhere.path().join(SUMMARY), "elsewhere").unwrap();
        std::fs::rename(&folder.files.folder, folder.files.folder.with_extension("away")).unwrap();
        symlink(elsewhere.path(), &folder.files.folder).unwrap();
        assert_eq!(folder.summary(), Ok(None));
    }

    #[test]
    fn a_huge_summary_is_cut_and_a_secret_at_the_cut_is_masked() {
        let folder = folder();
        let huge = std::fs::File::create(folder.files.summary_path()).unwrap();
        huge.set_len(1 << 40).unwrap();
        assert_eq!(folder.summary().unwrap().unwrap().chars().count(), MAX_SUMMARY_CHARS);

        let at_the_cut = format!("{}correct-horse-battery", " ".repeat(SUMMARY_READ - 5));
        std::fs::write(folder.files.summary_path(), at_the_cut).unwrap();
        assert_eq!(folder.summary().unwrap().unwrap(), "****");
    }

    #[test]
    fn huge_variables_are_refused() {
        let folder = folder();
        let huge = std::fs::File::create(folder.files.variables_path()).unwrap();
        huge.set_len(1 << 40).unwrap();
        let message = folder.variables().unwrap_err();
        assert_eq!(message, "the command wrote more than 1048576 bytes to the file OUTPUT_VARIABLES");
    }
}
