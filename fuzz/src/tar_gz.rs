//! Tar archives compressed with gzip.

use std::io::Write;

use arbitrary::Arbitrary;
use flate2::Compression;
use flate2::write::GzEncoder;

use crate::damage::Damage;
use crate::tars::Tar;

/// A tar archive in a gzip.
#[derive(Arbitrary, Debug)]
pub struct TarGz<'a> {
    tar: Tar<'a>,
    /// The end of the first member.
    split: Option<u16>,
    level: u8,
    zeros_between: u8,
    damage: Damage,
    trailer: &'a [u8],
}

impl TarGz<'_> {
    pub fn bytes(&self) -> Vec<u8> {
        let tar = self.tar.bytes();
        let (front, back) = tar.split_at(self.split.map_or(tar.len(), |at| tar.len().min(usize::from(at))));
        let mut archive = self.gzip(front);
        if !back.is_empty() {
            archive.resize(archive.len() + usize::from(self.zeros_between), 0);
            archive.extend(self.gzip(back));
        }
        self.damage.apply(&mut archive);
        archive.extend(&self.trailer[..self.trailer.len().min(64)]);
        archive
    }

    fn gzip(&self, content: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::new(u32::from(self.level % 3)));
        encoder.write_all(content).expect("writing to memory succeeds");
        encoder.finish().expect("writing to memory succeeds")
    }
}
