//! The texts that workers report, without secrets.

use serde_json::Value;

use crate::engine::SecretValues;
use crate::providers::Secrets;

/// Masks secret configuration values, and the secrets of the user.
pub(super) struct Masked<'a> {
    pub(super) values: SecretValues,
    pub(super) secrets: &'a Secrets,
}

impl Masked<'_> {
    pub(super) fn text(&self, text: &str) -> String {
        self.secrets.mask(&self.values.mask(text)).into_owned()
    }

    /// Masks these members of an object. Each is a text, or an object whose members are texts.
    pub(super) fn members(&self, item: &mut Value, names: &[&str]) {
        for name in names {
            if let Some(value) = item.get_mut(name) {
                *value = self.value(value.take());
            }
        }
    }

    fn value(&self, value: Value) -> Value {
        match value {
            Value::String(text) => self.text(&text).into(),
            Value::Object(members) => members.into_iter().map(|(name, member)| (name, self.value(member))).collect(),
            other => other,
        }
    }
}
