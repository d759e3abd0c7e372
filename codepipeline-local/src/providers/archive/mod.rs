//! Archives of artifacts: unpacks zip, tar and tar.gz, and packs zips.
//!
//! An archive may come from anywhere. No archive can write outside its folder: the folder is a `cap-std`
//! handle, names with `..` are refused, and links are created last and never followed. Entries and bytes have limits, which count
//! what is written and not what the archive claims.
//!
//! The functions block. Call them by [`in_background`].

mod background;
mod folder;
mod limits;
mod name;
mod pack;
mod problem;
mod tar;
#[cfg(test)]
mod tests;
mod visit;
mod visitor;
mod zip;

use std::fs::File;
use std::io::{BufReader, Cursor, Read, Seek, SeekFrom};
use std::path::Path;

use flate2::read::MultiGzDecoder;

pub(crate) use background::{Stop, in_background};
pub(crate) use limits::Limits;
pub(crate) use pack::{files_of, pack, pack_folder};
pub(crate) use problem::ArchiveProblem;
pub(crate) use visit::{ArchiveKind, visit};
pub(crate) use visitor::{Choice, Visitor};

use folder::Unpacking;
use tar::BLOCK;

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
