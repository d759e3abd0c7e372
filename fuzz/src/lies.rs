//! What is done to an archive after it was made: bytes changed, and the end cut off.

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
            if let Some(place) = archive.get_mut(at) {
                *place = *byte;
            }
        }
        // From the end, since that is where most archives still make sense.
        if let Some(cut) = self.cut {
            archive.truncate(archive.len().saturating_sub(usize::from(cut)));
        }
    }
}

/// The content of an entry.
#[derive(Arbitrary, Debug)]
pub enum Content<'a> {
    Bytes(&'a [u8]),
    /// Up to 512 KiB that compress to nothing.
    Zeros(u16),
    /// The archive so far, as in archives within archives, as long as it is small: it doubles each time.
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

/// Sets a field of a header to something else than the truth.
pub fn overwrite(header: &mut [u8], lies: &[(u8, u32)]) {
    for (at, value) in lies.iter().take(4) {
        let at = usize::from(*at) % header.len();
        let end = header.len().min(at + 4);
        header[at..end].copy_from_slice(&value.to_le_bytes()[..end - at]);
    }
}
