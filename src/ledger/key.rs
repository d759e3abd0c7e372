//! Where in the bucket a job's entry is.

use std::fmt::Write;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use sha2::{Digest, Sha256};

/// What all keys begin with.
pub(super) const FOLDER: &str = "jobs/";

/// What the keys of Lambda Invoke jobs begin with. No other job's key does: an encoded id has no slash.
const INVOKED: &str = "jobs/invoked/";

/// What can't stand in the key for itself. A dot can't, so that no part of a key is `.` or `..`, which clients and proxies
/// take for steps in a path.
const ENCODED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_');

/// Longer ids are cut, and told apart by a hash. S3's keys have at most 1024 bytes (S3 User Guide, "Naming Amazon S3
/// objects"), the ids of third-party jobs at most 512 characters (API model, `ThirdPartyJobId`), which can take 6144 bytes
/// when encoded.
const LONGEST: usize = 800;
const KEPT: usize = 600;

/// The key of a job's entry: `jobs/<id>`, or `jobs/invoked/<id>` for a Lambda Invoke job, with the id percent-encoded.
///
/// The two are apart since the mark of a Lambda Invoke job that is done is kept longer, and the mark itself says nothing. One
/// listing of `jobs/` has both.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Key(String);

impl Key {
    /// Of a job that was polled, custom or third-party.
    pub fn polled(job: &str) -> Self {
        Self(format!("{FOLDER}{}", encoded(job)))
    }

    /// Of a job that was delivered in an event.
    pub fn invoked(job: &str) -> Self {
        Self(format!("{INVOKED}{}", encoded(job)))
    }

    /// Of an object in a listing; `None` for one that can be no entry, such as the marker of a folder that a console makes.
    pub(super) fn listed(key: String) -> Option<Self> {
        let rest = key.strip_prefix(INVOKED).or_else(|| key.strip_prefix(FOLDER))?;
        (!rest.is_empty() && !rest.contains('/')).then_some(Self(key))
    }

    /// Whether it is a Lambda Invoke job's.
    pub fn is_invoked(&self) -> bool {
        self.0.starts_with(INVOKED)
    }

    /// The S3 object's key. It holds the job's id and nothing secret.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// The id as it stands in the key. No two ids have the same: encoding can be undone, only a cut id has a `~`, and an empty
/// one is a lone `%`.
fn encoded(id: &str) -> String {
    let mut encoded = utf8_percent_encode(id, ENCODED).to_string();
    if encoded.is_empty() {
        return "%".into();
    }
    if encoded.len() > LONGEST {
        encoded.truncate(KEPT);
        encoded.push('~');
        for byte in Sha256::digest(id.as_bytes()) {
            let _ = write!(encoded, "{byte:02x}");
        }
    }
    encoded
}

#[cfg(test)]
mod tests {
    use percent_encoding::percent_decode_str;
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn an_ordinary_id_is_readable_in_the_key() {
        let id = "dc735ec5-4cdf-41e5-ae2e-d5ed7b1bcbaf";
        assert_eq!(Key::polled(id).as_str(), format!("jobs/{id}"));
        assert_eq!(Key::invoked(id).as_str(), format!("jobs/invoked/{id}"));
        assert!(Key::invoked(id).is_invoked() && !Key::polled(id).is_invoked());
    }

    #[test]
    fn ids_that_look_like_paths_do_not_act_like_paths() {
        for (id, key) in [
            ("", "jobs/%"),
            ("%", "jobs/%25"),
            (".", "jobs/%2E"),
            ("..", "jobs/%2E%2E"),
            ("a/../b", "jobs/a%2F%2E%2E%2Fb"),
            ("invoked/x", "jobs/invoked%2Fx"),
            ("invoked", "jobs/invoked"),
            ("ü ~\0", "jobs/%C3%BC%20%7E%00"),
        ] {
            assert_eq!(Key::polled(id).as_str(), key);
            assert!(!Key::polled(id).is_invoked());
        }
    }

    #[test]
    fn long_ids_that_differ_at_their_ends_have_keys_that_s3_takes_and_that_differ() {
        let long = "\u{10348}".repeat(511);
        let (one, other) = (Key::invoked(&format!("{long}1")), Key::invoked(&format!("{long}2")));
        assert_ne!(one, other);
        assert!(one.as_str().len() < 1024);
    }

    #[test]
    fn what_can_be_no_entry_is_left_out_of_a_listing() {
        for key in ["jobs/", "jobs/invoked/", "jobs/a/b", "jobs/invoked/a/b", "else"] {
            assert_eq!(Key::listed(key.into()), None, "{key}");
        }
    }

    proptest! {
        #[test]
        fn every_id_has_a_key_of_its_own_that_s3_takes(id in ".{0,512}") {
            for key in [Key::polled(&id), Key::invoked(&id)] {
                prop_assert!(key.as_str().len() <= 1024);
                prop_assert!(key.as_str().bytes().all(|b| b.is_ascii_alphanumeric() || b"/-_%~".contains(&b)));
                prop_assert_eq!(Key::listed(key.as_str().into()), Some(key.clone()));
                let name = key.as_str().rsplit('/').next().unwrap();
                if name != "%" && !name.contains('~') {
                    prop_assert_eq!(percent_decode_str(name).decode_utf8().unwrap(), id.as_str());
                }
            }
        }
    }
}
