//! Looks into an archive without unpacking it.

use std::fs::File;
use std::io::{self, BufReader, Cursor, Read, Seek, SeekFrom};

use flate2::read::MultiGzDecoder;

use super::problem::ArchiveProblem;
use super::tar::{self, BLOCK};
use super::visitor::Visitor;
use super::zip;

/// The kind of a file, as its content says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ArchiveKind {
    Zip,
    Tar,
    TarGz,
    /// No archive that an action unpacks.
    File,
}

impl ArchiveKind {
    /// The kind of a file. Returns an error if the file can't be read. A broken gzip is only a file.
    pub(crate) fn of(file: &File) -> io::Result<Self> {
        let begin = first_block(file)?;
        if [&b"PK\x03\x04"[..], b"PK\x05\x06", b"PK\x07\x08"].iter().any(|mark| begin.starts_with(mark)) {
            return Ok(Self::Zip);
        }
        if tar::is_tar(&begin) {
            return Ok(Self::Tar);
        }
        let is_gzip = begin.starts_with(&[0x1f, 0x8b]);
        rewind(file)?;
        let holds_tar = is_gzip && first_block(MultiGzDecoder::new(file)).is_ok_and(|begin| tar::is_tar(&begin));
        Ok(if holds_tar { Self::TarGz } else { Self::File })
    }

    /// The ending of a file name.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Zip => "zip",
            Self::Tar => "tar",
            Self::TarGz => "tar.gz",
            Self::File => "file",
        }
    }
}

/// Shows the files of an archive to a visitor, in their order, without folders and links. A file that is no archive shows nothing.
pub(crate) fn visit(file: File, kind: ArchiveKind, visitor: &mut impl Visitor) -> Result<(), ArchiveProblem> {
    rewind(&file).map_err(ArchiveProblem::io("read the archive"))?;
    let file = BufReader::new(file);
    match kind {
        ArchiveKind::Zip => zip::visit(file, visitor),
        ArchiveKind::Tar => tar::visit(file, visitor),
        ArchiveKind::TarGz => tar::visit(MultiGzDecoder::new(file), visitor),
        ArchiveKind::File => Ok(()),
    }
}

fn rewind(mut file: &File) -> io::Result<u64> {
    file.seek(SeekFrom::Start(0))
}

fn first_block(from: impl Read) -> io::Result<Vec<u8>> {
    let mut begin = Cursor::new(Vec::with_capacity(BLOCK));
    io::copy(&mut from.take(BLOCK as u64), &mut begin)?;
    Ok(begin.into_inner())
}
