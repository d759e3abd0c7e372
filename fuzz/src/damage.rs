//! Damage to an archive: changed bytes, and a truncated end.

use arbitrary::Arbitrary;

#[derive(Arbitrary, Debug)]
pub struct Damage {
    changes: Vec<(u16, u8)>,
    cut: Option<u16>,
}

impl Damage {
    pub fn apply(&self, archive: &mut Vec<u8>) {
        for (at, byte) in self.changes.iter().take(8) {
            let at = usize::from(*at);
            if let Some(target) = archive.get_mut(at) {
                *target = *byte;
            }
        }
        // Cuts at the end, because most of the archive is then still valid.
        if let Some(cut) = self.cut {
            archive.truncate(archive.len().saturating_sub(usize::from(cut)));
        }
    }
}

/// The limit for an archive. Longer ones take time and find nothing, because they exceed the worker's limits.
pub const MAX_ARCHIVE_BYTES: usize = 512 * 1024;

/// The content of an entry.
#[derive(Arbitrary, Debug)]
pub enum Content<'a> {
    Bytes(&'a [u8]),
    /// Up to 512 KiB of zeros, which compress well.
    Zeros(u16),
    /// The first 16 KiB of the archive so far, as in archives within archives.
    Archive,
}

impl Content<'_> {
    pub fn bytes(&self, so_far: &[u8]) -> Vec<u8> {
        match self {
            Self::Bytes(bytes) => bytes.to_vec(),
            Self::Zeros(count) => vec![0; usize::from(*count) * 8],
            Self::Archive => so_far[..so_far.len().min(16 * 1024)].to_vec(),
        }
    }
}

/// Overwrites fields of a header with other values.
pub fn overwrite(header: &mut [u8], values: &[(u8, u32)]) {
    for (at, value) in values.iter().take(4) {
        let at = usize::from(*at) % header.len();
        let end = header.len().min(at + 4);
        header[at..end].copy_from_slice(&value.to_le_bytes()[..end - at]);
    }
}
