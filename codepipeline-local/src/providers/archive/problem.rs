//! Problems of archives.

use std::io;

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
    pub(super) fn io(what: impl Into<String>) -> impl FnOnce(io::Error) -> Self {
        let what = what.into();
        move |error| Self::Io { what, error }
    }

    #[expect(clippy::needless_pass_by_value, reason = "it is what `map_err` is given")]
    pub(super) fn broken(what: impl Into<String>, why: impl ToString) -> Self {
        Self::Broken { what: what.into(), why: why.to_string() }
    }
}
