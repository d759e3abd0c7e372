//! What the fuzz targets share: a folder that is watched from outside, and archives that are well formed but for what they
//! lie about, so that inputs get beyond checksums and signatures.

pub mod folder;
pub mod lies;
pub mod names;
mod sparse;
pub mod tars;
pub mod zips;
