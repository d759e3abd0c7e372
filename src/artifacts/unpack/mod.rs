//! An object becomes a folder.

use std::io::{self, BufReader};
use std::path::Path;

use rawzip::RangeReader;

use super::content::{self, Content};
use super::error::Problem;
use super::jail::{Attributes, Jail, Nearby};
use super::lane::{Object, RANGES_AHEAD, Source};
use super::{Staged, UnpackLimits};
use gzip::Members;

pub(super) mod gzip;
pub(super) mod tar;
mod zip;

/// Unpacks an object into the folder `into`, or puts it there as the one file `name` if it is no archive.
///
/// Blocks until done. After an error nothing writes any more, but what was written is still there.
pub(super) fn unpack<O: Object>(
    source: &Source<O>,
    name: &str,
    into: &Path,
    limits: UnpackLimits,
) -> Result<Staged, Problem> {
    let jail = Jail::new(into, limits, &source.stop)?;
    match content::of(&source.head, source.object.size()) {
        Content::Zip => zip::unpack(source, &jail)?,
        Content::Tar => tar::unpack(from_the_start(source), &jail)?,
        Content::TarGz => {
            let mut inflated = Members::new(BufReader::new(from_the_start(source)));
            tar::unpack(&mut inflated, &jail)?;
            // The gzip checks its checksums only if it is read to its end.
            io::copy(&mut inflated, &mut io::sink()).map_err(|error| tar::broken(&error))?;
        }
        Content::EmptyTar => {}
        Content::OneFile => {
            let mut nearby = Nearby::default();
            let attributes = Attributes { mode: 0o644, modified: None };
            jail.file(name.as_bytes(), attributes, &mut nearby, &mut from_the_start(source), |_| Problem::Interrupted)?;
        }
    }
    jail.finish()
}

fn from_the_start<O: Object>(source: &Source<O>) -> impl io::Read {
    let size = source.object.size();
    RangeReader::new(source.lane(size, RANGES_AHEAD), 0..size)
}

#[cfg(test)]
mod tests;
