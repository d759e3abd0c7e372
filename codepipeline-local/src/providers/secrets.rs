//! Secrets of the user, which stand for those in Secrets Manager and Parameter Store.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::{Arc, PoisonError, RwLock};

use secrecy::{ExposeSecret, SecretString};

use crate::secret_forms::{forms, is_long};

/// The text in the place of a secret.
const MASK: &str = "***";

/// Secret values by key. Clones share what is masked.
#[derive(Clone, Default)]
pub struct Secrets {
    by_key: BTreeMap<String, SecretString>,
    /// The masked texts, longest first, so that a secret within another one leaves no rest.
    masked: Arc<RwLock<Vec<SecretString>>>,
}

impl Secrets {
    /// The secrets with these keys and values.
    pub fn new(secrets: impl IntoIterator<Item = (String, SecretString)>) -> Self {
        let by_key: BTreeMap<_, _> = secrets.into_iter().collect();
        let masked: Vec<_> = by_key.values().flat_map(|secret| forms(secret.expose_secret())).collect();
        let masked = in_order(masked.into_iter().map(SecretString::from).collect());
        Self { by_key, masked: Arc::new(RwLock::new(masked)) }
    }

    /// Masks a value from now on, if it has at least 4 characters: shorter ones are in any text. It may be a part of a secret, such as a
    /// member of its JSON.
    pub fn hide(&self, value: &str) {
        if !is_long(value) {
            return;
        }
        let mut masked = self.masked.write().unwrap_or_else(PoisonError::into_inner);
        let known = std::mem::take(&mut *masked);
        *masked = in_order(known.into_iter().chain(forms(value).map(SecretString::from)).collect());
    }

    /// The value with this key.
    pub fn get(&self, key: &str) -> Option<&SecretString> {
        self.by_key.get(key)
    }

    /// Replaces each secret in the text, also in JSON, and each line of a secret of several lines that has at least 8 bytes.
    pub fn mask<'a>(&self, text: &'a str) -> Cow<'a, str> {
        let mut text = Cow::Borrowed(text);
        for secret in self.masked.read().unwrap_or_else(PoisonError::into_inner).iter() {
            if text.contains(secret.expose_secret()) {
                text = Cow::Owned(text.replace(secret.expose_secret(), MASK));
            }
        }
        text
    }
}

/// The texts without repetitions, the longest first.
fn in_order(mut texts: Vec<SecretString>) -> Vec<SecretString> {
    texts.sort_by(|one, other| {
        let [one, other] = [one, other].map(ExposeSecret::expose_secret);
        other.len().cmp(&one.len()).then_with(|| one.cmp(other))
    });
    texts.dedup_by(|one, other| one.expose_secret() == other.expose_secret());
    texts
}

#[cfg(test)]
mod tests {
    use super::*;

    fn secrets(values: &[&str]) -> Secrets {
        Secrets::new(values.iter().map(|value| ((*value).to_owned(), SecretString::from(*value))))
    }

    #[test]
    fn secret_within_a_secret_leaves_no_rest() {
        let secrets = secrets(&["monk", "monkey-7"]);
        assert_eq!(secrets.mask("a monkey-7 and a monk"), "a *** and a ***");
        assert_eq!(secrets.mask("nothing"), "nothing");
    }

    #[test]
    fn lines_of_a_long_secret_are_masked() {
        let secrets = secrets(&["-----BEGIN KEY-----\nabcdefgh\n}\n"]);
        assert_eq!(secrets.mask("  abcdefgh }"), "  *** }");
        assert_eq!(secrets.mask("-----BEGIN KEY-----\nabcdefgh\n}"), MASK);
    }

    #[test]
    fn hidden_value_is_masked_in_every_clone() {
        let secrets = secrets(&["{\"a\": \"monkey\", \"b\": \"1\"}"]);
        let clone = secrets.clone();
        for value in ["monkey", "1", "the monkey"] {
            secrets.hide(value);
        }
        assert_eq!(clone.mask("the monkey, monkey 1"), "***, *** 1");
    }

    #[test]
    fn secret_in_json_is_masked() {
        let secrets = secrets(&["quo\"te\\S3 é"]);
        assert_eq!(secrets.mask(r#"{"a":"quo\"te\\S3 é","b":"quo\"te\\S3 \u00e9"}"#), r#"{"a":"***","b":"***"}"#);
    }

    #[test]
    fn only_an_empty_secret_masks_nothing() {
        let secrets = secrets(&["", " ", "xyz"]);
        secrets.hide("e");
        assert_eq!(secrets.mask("abc de xyz"), "abc de ***");
        assert_eq!(secrets.get("").map(ExposeSecret::expose_secret), Some(""));
    }
}
