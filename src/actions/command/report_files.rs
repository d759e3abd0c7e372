//! The report files of a command: its output variables, its summary, its revision and its external execution id.
//!
//! The command writes them, so they may be hostile. The worker follows no link, does not block, and reads up to a limit.

use std::collections::BTreeMap;
use std::fmt::Display;
use std::io::{self, Read};
use std::os::fd::OwnedFd;
use std::path::PathBuf;

use rustix::fs::{FileType, Mode, OFlags, fstat, open, openat};
use rustix::io::Errno;

use super::{notation, revision, variables};
use crate::job::{Failure, FailureCode, FailureKind, Revision, limits};
use crate::redact::{Piece, Redactor};
use crate::text::keep_start;

const REPORT_FILE_INVALID: FailureCode = FailureCode::new("ReportFileInvalid");

/// A report file.
#[derive(Clone, Copy)]
pub(super) struct ReportFile {
    /// The environment variable with its path.
    pub(super) variable: &'static str,
    /// Its purpose, for messages.
    pub(super) purpose: &'static str,
    name: &'static str,
    /// The limit in bytes. It is far more than CodePipeline accepts, in any encoding.
    limit: usize,
}

const VARIABLES: ReportFile = ReportFile {
    variable: "OUTPUT_VARIABLES",
    purpose: "the file for output variables",
    name: "variables",
    limit: 1024 * 1024,
};
const SUMMARY: ReportFile =
    ReportFile { variable: "SUMMARY", purpose: "the file for the summary", name: "summary", limit: 64 * 1024 };
const REVISION: ReportFile =
    ReportFile { variable: "REVISION", purpose: "the file for the revision", name: "revision", limit: 64 * 1024 };
const EXTERNAL_ID: ReportFile = ReportFile {
    variable: "EXTERNAL_EXECUTION_ID",
    purpose: "the file for the external execution id",
    name: "external-execution-id",
    limit: 16 * 1024,
};
pub(super) const ALL: [ReportFile; 4] = [VARIABLES, SUMMARY, REVISION, EXTERNAL_ID];

/// The files, empty when the command starts.
pub(super) struct ReportFiles {
    folder: PathBuf,
    /// The open folder, because the command may replace its path.
    handle: OwnedFd,
}

impl ReportFiles {
    /// Creates the files in `folder`.
    pub(super) fn create(folder: PathBuf) -> io::Result<Self> {
        let handle = open(&folder, OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC, Mode::empty())?;
        for file in ALL {
            let flags = OFlags::CREATE | OFlags::WRONLY | OFlags::TRUNC | OFlags::NOFOLLOW | OFlags::CLOEXEC;
            openat(&handle, file.name, flags, Mode::RUSR | Mode::WUSR)?;
        }
        Ok(Self { folder, handle })
    }

    pub(super) fn path(&self, file: ReportFile) -> PathBuf {
        self.folder.join(file.name)
    }

    /// The output variables, within CodePipeline's limits.
    pub(super) fn read_variables(&self) -> Result<BTreeMap<String, String>, Failure> {
        variables::read(&self.read_whole(VARIABLES)?).map_err(mistake)
    }

    /// The revision, within CodePipeline's limits, if the command wrote one.
    pub(super) fn read_revision(&self) -> Result<Option<Revision>, Failure> {
        revision::read(&self.read_whole(REVISION)?).map_err(mistake)
    }

    /// The external execution id, if the command wrote one.
    pub(super) fn read_external_id(&self) -> Result<Option<String>, Failure> {
        revision::read_id(&self.read_whole(EXTERNAL_ID)?).map_err(mistake)
    }

    /// The summary, redacted and cut to CodePipeline's limit, if the command wrote one.
    pub(super) fn read_summary(&self, redactor: &Redactor) -> Result<Option<String>, Failure> {
        // At a cut, the redactor hides as many bytes as the longest secret has.
        let limit = SUMMARY.limit + 2 * redactor.longest_form();
        let bytes = self.read(SUMMARY, limit)?;
        let cut_after = bytes.len() == limit;
        let text = redactor.excerpt(Piece { cut_after, ..Piece::whole(&notation::prose(&bytes)) });
        Ok(Some(keep_start(text.trim(), limits::SUMMARY).into_owned()).filter(|summary| !summary.is_empty()))
    }

    fn read_whole(&self, file: ReportFile) -> Result<Vec<u8>, Failure> {
        let ReportFile { variable, limit, .. } = file;
        let bytes = self.read(file, limit + 1)?;
        if bytes.len() > limit {
            return Err(mistake(format_args!("the file {variable} has more than {limit} bytes; write less to it")));
        }
        Ok(bytes)
    }

    /// Reads at most `limit` bytes of a file. A missing file counts as empty.
    fn read(&self, file: ReportFile, limit: usize) -> Result<Vec<u8>, Failure> {
        let ReportFile { name, variable, .. } = file;
        // Without NONBLOCK, opening a named pipe waits for a writer.
        let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::CLOEXEC;
        let read = || -> io::Result<Option<Vec<u8>>> {
            let file = match openat(&self.handle, name, flags, Mode::empty()) {
                Err(Errno::NOENT) => return Ok(Some(Vec::new())),
                // A link (LOOP) or a socket (NXIO).
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
        match read() {
            Ok(Some(bytes)) => Ok(bytes),
            Ok(None) => Err(mistake(format_args!(
                "the command replaced the file {variable} by something that is not a regular file"
            ))),
            Err(error) => Err(mistake(format_args!("could not read the file {variable}: {error}"))),
        }
    }
}

fn mistake(what: impl Display) -> Failure {
    Failure::new(FailureKind::JobFailed, REPORT_FILE_INVALID, what.to_string())
}

#[cfg(test)]
mod tests;
