//! Random generators for ids, nonces and credentials. The same seed and requests give the same ones.

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

/// A generator, as the database keeps it.
#[derive(Clone, Copy, PartialEq, Eq, Deserialize, Serialize)]
#[serde(untagged)]
pub(crate) enum Random {
    /// SplitMix64 from a seed of 64 bits. One of its ids shows all later ones, so they protect nothing.
    Seeded(u64),
    /// SHA-256 of a secret of 256 bits and a counter. Its ids show nothing of the others.
    Secret { secret: [u8; 32], drawn: u64 },
}

impl Random {
    pub(crate) fn new(seed: u64) -> Self {
        Self::Seeded(seed)
    }

    pub(crate) fn secret(secret: [u8; 32]) -> Self {
        Self::Secret { secret, drawn: 0 }
    }

    fn next(&mut self) -> u64 {
        match self {
            Self::Seeded(state) => split_mix(state),
            Self::Secret { secret, drawn } => {
                *drawn = drawn.wrapping_add(1);
                let [a, b, c, d, e, f, g, h, ..] =
                    <[u8; 32]>::from(Sha256::new().chain_update(*secret).chain_update(drawn.to_be_bytes()).finalize());
                u64::from_be_bytes([a, b, c, d, e, f, g, h])
            }
        }
    }

    /// A version 4 UUID in lower case.
    pub(crate) fn uuid(&mut self) -> String {
        let (high, low) = (self.next(), self.next());
        format!(
            "{:08x}-{:04x}-4{:03x}-{:x}{:03x}-{:012x}",
            high >> 32,
            (high >> 16) & 0xffff,
            high & 0xfff,
            8 + ((low >> 60) & 3),
            (low >> 48) & 0xfff,
            low & 0xffff_ffff_ffff
        )
    }

    /// `length` characters of `alphabet`, which must be ASCII and not empty.
    pub(crate) fn text(&mut self, length: usize, alphabet: &[u8]) -> String {
        (0..length).map(|_| char::from(alphabet[(self.next() % alphabet.len() as u64) as usize])).collect()
    }

    /// `length` letters and digits.
    pub(crate) fn alphanumeric(&mut self, length: usize) -> String {
        self.text(length, b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789")
    }
}

fn split_mix(state: &mut u64) -> u64 {
    *state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let mut mixed = *state;
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ (mixed >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ids(mut random: Random) -> (String, String, String) {
        (random.uuid(), random.uuid(), random.alphanumeric(7))
    }

    #[test]
    fn ids_depend_on_the_seed_alone() {
        for [random, same, other] in [
            [Random::new(1), Random::new(1), Random::new(2)],
            [Random::secret([1; 32]), Random::secret([1; 32]), Random::secret([2; 32])],
        ] {
            assert!(ids(random) == ids(same) && ids(random) != ids(other));
            assert_ne!(ids(random).0, ids(random).1);
            assert_eq!(ids(random).0.len(), 36);
        }
    }

    #[test]
    fn seeded_generator_is_kept_as_its_number() {
        let text = serde_json::to_string(&Random::new(7)).unwrap();
        assert_eq!(text, "7");
        assert!(serde_json::from_str::<Random>(&text).unwrap() == Random::new(7));
    }
}
