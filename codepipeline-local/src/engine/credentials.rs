//! Temporary credentials of a job, scoped to its own objects.

use super::random::Random;
use crate::types::{Grant, ObjectRef, Timestamp};

/// Credentials just made: the id that they are known by, and what they allow.
pub(crate) struct Issued {
    pub(crate) access_key_id: String,
    pub(crate) grant: Grant,
}

pub(crate) fn issue(
    random: &mut Random,
    expires: Timestamp,
    readable: Vec<ObjectRef>,
    writable: Vec<ObjectRef>,
    encryption_key: Option<String>,
) -> Issued {
    Issued {
        // The prefix that STS gives to session credentials.
        access_key_id: format!("ASIA{}", random.text(16, b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567")),
        grant: Grant {
            secret_access_key: random.alphanumeric(40),
            session_token: random.alphanumeric(200),
            expires,
            readable,
            writable,
            encryption_key,
        },
    }
}
