//! Archives of artifacts: unpacks zip, tar and tar.gz, and packs zips.
//!
//! An archive may come from anywhere. No archive can write outside its folder: the folder is a `cap-std`
//! handle, names with `..` are refused, and links are created last and never followed. Entries and bytes have limits, which count
//! what is written and not what the archive claims.
//!
//! The functions block. Call them by [`in_background`].

mod background;
mod folder;
mod name;
mod pack;
mod tar;
#[cfg(test)]
mod tests;
mod zip;

use std::fs::File;
use std::io::{self, BufReader, Cursor, Read, Seek, SeekFrom};
use std::path::Path;

use flate2::read::MultiGzDecoder;

pub(crate) use background::{Stop, in_background};
pub(crate) use pack::{files_of, pack, pack_folder};

use folder::Unpacking;

/// The bytes of a block of a tar, which decide what a file is.
const BLOCK: usize = 512;

/// How much an archive may hold.
#[derive(Clone)]
pub(crate) struct Limits {
    /// Files, folders, links, and folders that names imply.
    pub(crate) entries: usize,
    /// The bytes of all files after unpacking.
    pub(crate) bytes: u64,
    /// Ends the work early.
    pub(crate) stop: Stop,
}

impl Default for Limits {
    /// Twice what CodePipeline's largest source may hold: 7 GB from S3 (User Guide, "Quotas").
    fn default() -> Self {
        Self { entries: 500_000, bytes: 14_000_000_000, stop: Stop::default() }
    }
}

/// Why an archive could not be unpacked or packed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ArchiveProblem {
    /// The content is of another kind.
    #[error("the file is not a zip, tar or tar.gz")]
    Kind,
    /// A gzip of something else than a tar.
    #[error("the gzip holds no tar")]
    GzipWithoutTar,
    /// The archive is damaged, cut short, or uses what is not supported.
    #[error("could not read {what}: {why}")]
    Broken {
        /// The entry, or the archive.
        what: String,
        /// The reader's message.
        why: String,
    },
    /// The name can't be the name of a file in a folder.
    #[error("the name {name:?} {why}")]
    Name {
        /// The entry's name.
        name: String,
        /// The mistake, and a way out if there is one.
        why: &'static str,
    },
    /// Two entries have the same name, or one is a file and another is below it.
    #[error("the archive has {name:?} twice, or has both a file and a folder with that name")]
    Repeated {
        /// The entry's name.
        name: String,
    },
    /// A device, a pipe, or another entry that is not data.
    #[error("{name:?} is {kind}; only files, folders and links can be in an artifact")]
    Special {
        /// The entry's name.
        name: String,
        /// The kind of entry.
        kind: String,
    },
    /// Too many entries.
    #[error("the archive holds more than {limit} files and folders, which is the limit")]
    Entries {
        /// The limit.
        limit: usize,
    },
    /// Too many bytes.
    #[error("the archive unpacks to more than {limit} bytes, which is the limit")]
    Bytes {
        /// The limit.
        limit: u64,
    },
    /// The file system failed.
    #[error("could not {what}: {error}")]
    Io {
        /// The operation, with the name.
        what: String,
        /// Why it failed.
        error: io::Error,
    },
    /// The caller ended the work.
    #[error("the work was stopped")]
    Stopped,
}

impl ArchiveProblem {
    fn io(what: impl Into<String>) -> impl FnOnce(io::Error) -> Self {
        let what = what.into();
        move |error| Self::Io { what, error }
    }

    #[expect(clippy::needless_pass_by_value, reason = "it is what `map_err` is given")]
    fn broken(what: impl Into<String>, why: impl ToString) -> Self {
        Self::Broken { what: what.into(), why: why.to_string() }
    }
}

/// Unpacks a zip, tar or tar.gz into a folder, which is created unless it exists. The content decides what the archive is.
///
/// Files keep their modes without set-user-id, set-group-id and sticky bits. Owners can always read files and use folders. After an
/// error, the folder may hold a part of the archive.
pub(crate) fn unpack(archive: &Path, into: &Path, limits: &Limits) -> Result<(), ArchiveProblem> {
    let mut file = File::open(archive).map_err(ArchiveProblem::io("open the archive"))?;
    let begin = first_block(&mut file)?;
    file.seek(SeekFrom::Start(0)).map_err(ArchiveProblem::io("read the archive"))?;
    let mut unpacking = Unpacking::into(into, limits)?;
    if begin.starts_with(b"PK") {
        zip::unpack(BufReader::new(file), &mut unpacking)?;
    } else if begin.starts_with(&[0x1f, 0x8b]) {
        let mut inflated = MultiGzDecoder::new(BufReader::new(file));
        let begin = first_block(&mut inflated)?;
        if !tar::is_tar(&begin) {
            return Err(ArchiveProblem::GzipWithoutTar);
        }
        tar::unpack(Cursor::new(begin).chain(inflated), &mut unpacking)?;
    } else if tar::is_tar(&begin) {
        tar::unpack(BufReader::new(file), &mut unpacking)?;
    } else {
        return Err(ArchiveProblem::Kind);
    }
    unpacking.finish()
}

/// The first bytes: a block, or all if there are fewer.
fn first_block(from: &mut impl Read) -> Result<Vec<u8>, ArchiveProblem> {
    let mut begin = Vec::with_capacity(BLOCK);
    from.take(BLOCK as u64).read_to_end(&mut begin).map_err(|error| ArchiveProblem::broken("the archive", error))?;
    Ok(begin)
}
