//! Request ids, which only need to be unique.

use std::hash::{BuildHasher, RandomState};

/// A random UUID (version 4).
pub(crate) fn random_uuid() -> String {
    let (high, low) = (random_seed(), random_seed());
    let (a, b, c) = (high >> 32, (high >> 16) & 0xffff, high & 0xfff);
    let (d, e) = (0x8000 | (low >> 48) & 0x3fff, low & 0xffff_ffff_ffff);
    format!("{a:08x}-{b:04x}-4{c:03x}-{d:04x}-{e:012x}")
}

/// A random number.
pub(crate) fn random_seed() -> u64 {
    // The standard library seeds `RandomState` from the system's randomness.
    RandomState::new().hash_one(0_u8)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_uuids_and_differ() {
        let (first, second) = (random_uuid(), random_uuid());
        assert_ne!(first, second);
        assert_eq!(first.split('-').map(str::len).collect::<Vec<_>>(), [8, 4, 4, 4, 12]);
    }
}
