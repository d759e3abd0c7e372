//! The keys of an emulator that belongs to one run.

use std::io;

use secrecy::{ExposeSecret, SecretString};
use sha2::{Digest, Sha256};

/// Letters and digits without look-alikes, as in the key ids of AWS.
const ALPHABET: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

/// The random characters of an access key id: 140 bits. AWS allows 128 characters (IAM API Reference, "AccessKey").
const ID_LENGTH: usize = 28;
/// The random characters of a secret access key: 200 bits. Keys of AWS have 40 characters.
const SECRET_LENGTH: usize = 40;

/// Why an emulator with keys refuses a request, and how a client gets the keys.
pub(crate) const REFUSED: &str = "This emulator belongs to one run of codepipeline-local and accepts only the keys of that run. \
     Its workers, functions and builds have them in AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY. \
     For other clients, start an emulator with codepipeline-local serve";

/// An access key id and its secret, which change with every run. It holds a secret, so it has no `Debug`.
#[derive(Clone)]
pub struct AccessKeys {
    access_key_id: String,
    secret_access_key: SecretString,
}

impl AccessKeys {
    /// New keys from the system's randomness. Returns an error if the system gives none.
    pub fn random() -> io::Result<Self> {
        // A permanent key of AWS begins with AKIA (IAM User Guide, "IAM identifiers").
        let access_key_id = format!("AKIA{}", text(ID_LENGTH)?);
        Ok(Self { access_key_id, secret_access_key: SecretString::from(text(SECRET_LENGTH)?) })
    }

    /// The access key id, which requests name.
    pub fn access_key_id(&self) -> &str {
        &self.access_key_id
    }

    /// The secret, which signs requests.
    pub fn secret_access_key(&self) -> &SecretString {
        &self.secret_access_key
    }

    /// A secret of the same strength for the engine's ids and tokens. It does not reveal the keys.
    pub(crate) fn for_ids(&self) -> [u8; 32] {
        Sha256::digest(format!("ids {}", self.secret_access_key.expose_secret())).into()
    }
}

/// Random characters of [`ALPHABET`], 5 bits each.
fn text(length: usize) -> io::Result<String> {
    let mut bytes = vec![0; length];
    getrandom::fill(&mut bytes).map_err(|error| io::Error::other(format!("the system has no randomness: {error}")))?;
    Ok(bytes.iter().map(|byte| char::from(ALPHABET[usize::from(byte % 32)])).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_differ_and_have_the_form_of_aws() {
        let keys = [AccessKeys::random().unwrap(), AccessKeys::random().unwrap()];
        let [one, other] = keys.each_ref().map(AccessKeys::access_key_id);
        assert_ne!(one, other);
        assert!(one.starts_with("AKIA") && one.len() == 32, "{one}");
        assert!(one.bytes().all(|byte| ALPHABET.contains(&byte)), "{one}");
        let [one, other] = keys.each_ref().map(|keys| keys.secret_access_key().expose_secret());
        assert!(one != other && one.len() == 40);
        assert_ne!(keys[0].for_ids(), keys[1].for_ids());
    }
}
