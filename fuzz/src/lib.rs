//! Helpers of the fuzz targets: a folder whose surroundings are checked, and generators of archives. An archive is well formed except for
//! the fields that the input changes, so inputs get past checksums and signatures.

pub mod damage;
pub mod folder;
pub mod names;
mod sparse;
pub mod tar_gz;
pub mod tars;
pub mod zips;
