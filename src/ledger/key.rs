//! The keys of entries in the bucket.

use std::fmt::Write;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use sha2::{Digest, Sha256};

/// The prefix of all keys.
pub(super) const FOLDER: &str = "jobs/";

/// The prefix of the keys of Lambda Invoke jobs. No other job's key has it, because an encoded id has no slash.
const INVOKED: &str = "jobs/invoked/";

/// Characters that are encoded in a key. The dot is one of them: clients and proxies take the parts `.` and `..` for
/// steps in a path.
const ENCODED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_');

/// Longer ids are cut and get a hash. S3's keys have at most 1024 bytes (S3 User Guide, "Naming Amazon S3 objects").
/// The id of a third-party job has at most 512 characters (API model, `ThirdPartyJobId`), which take up to 6144 bytes
/// when encoded.
const LONGEST: usize = 800;
const KEPT: usize = 600;

/// The key of a job's entry: `jobs/<id>`, or `jobs/invoked/<id>` for a Lambda Invoke job, with the id percent-encoded.
///
/// The mark of a finished Lambda Invoke job is kept longer. The mark is empty, so its key must show the kind of job.
/// One listing of `jobs/` has both.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Key(String);

impl Key {
    /// The key of a polled job, custom or third-party.
    pub fn polled(job: &str) -> Self {
        Self(format!("{FOLDER}{}", encoded(job)))
    }

    /// The key of a job that came in an event.
    pub fn invoked(job: &str) -> Self {
        Self(format!("{INVOKED}{}", encoded(job)))
    }

    /// The key of an object in a listing; `None` if the object can't be an entry, such as a console's folder marker.
    pub(super) fn listed(key: String) -> Option<Self> {
        let rest = key.strip_prefix(INVOKED).or_else(|| key.strip_prefix(FOLDER))?;
        (!rest.is_empty() && !rest.contains('/')).then_some(Self(key))
    }

    /// Whether it is the key of a Lambda Invoke job.
    pub fn is_invoked(&self) -> bool {
        self.0.starts_with(INVOKED)
    }

    /// The S3 object's key. It holds the job's id and nothing secret.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// The id, encoded for a key. Different ids stay different: the encoding can be undone, only a cut id has a `~`, and an
/// empty id is a lone `%`.
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
    fn ordinary_id_is_readable_in_its_key() {
        let id = "dc735ec5-4cdf-41e5-ae2e-d5ed7b1bcbaf";
        assert_eq!(Key::polled(id).as_str(), format!("jobs/{id}"));
        assert_eq!(Key::invoked(id).as_str(), format!("jobs/invoked/{id}"));
        assert!(Key::invoked(id).is_invoked() && !Key::polled(id).is_invoked());
    }

    #[test]
    fn ids_that_look_like_paths_are_encoded() {
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
    fn long_ids_have_short_keys_that_differ() {
        let long = "\u{10348}".repeat(511);
        let (one, other) = (Key::invoked(&format!("{long}1")), Key::invoked(&format!("{long}2")));
        assert_ne!(one, other);
        assert!(one.as_str().len() < 1024);
    }

    #[test]
    fn listing_leaves_out_keys_of_other_objects() {
        for key in ["jobs/", "jobs/invoked/", "jobs/a/b", "jobs/invoked/a/b", "else"] {
            assert_eq!(Key::listed(key.into()), None, "{key}");
        }
    }

    proptest! {
        #[test]
        fn every_id_has_a_valid_key_of_its_own(id in ".{0,512}") {
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
