//! Unpacks an object into a folder.

use std::io::{self, BufReader};
use std::path::Path;

use rawzip::RangeReader;

use super::error::Problem;
use super::format::{self, Format};
use super::jail::{Attributes, FolderCache, Jail};
use super::lane::{Object, RANGES_AHEAD, Source};
use super::{Staged, UnpackLimits};
use gzip::Members;

pub(super) mod gzip;
pub(super) mod tar;
mod zip;

/// Unpacks an object into the folder `into`. An object that is not an archive becomes the one file `name`.
///
/// Blocks until done. After an error, no thread writes any more, and the folder may hold a part of the object.
pub(super) fn unpack<O: Object>(
    source: &Source<O>,
    name: &str,
    into: &Path,
    limits: UnpackLimits,
) -> Result<Staged, Problem> {
    let jail = Jail::new(into, limits, &source.stop)?;
    match format::detect(&source.head, source.object.size()) {
        Format::Zip => zip::unpack(source, &jail)?,
        Format::Tar => tar::unpack(from_start(source), &jail)?,
        Format::TarGz => {
            let mut inflated = Members::new(BufReader::new(from_start(source)));
            tar::unpack(&mut inflated, &jail)?;
            // Checksums are only checked when the gzip is read to its end.
            io::copy(&mut inflated, &mut io::sink()).map_err(|error| tar::unreadable(&error))?;
        }
        Format::EmptyTar => {}
        Format::OneFile => {
            let mut cache = FolderCache::default();
            let attributes = Attributes { mode: 0o644, modified: None };
            jail.file(name.as_bytes(), attributes, &mut cache, &mut from_start(source), |_| Problem::Interrupted)?;
        }
    }
    jail.finish()
}

fn from_start<O: Object>(source: &Source<O>) -> impl io::Read {
    let size = source.object.size();
    RangeReader::new(source.lane(size, RANGES_AHEAD), 0..size)
}

#[cfg(test)]
mod tests;
