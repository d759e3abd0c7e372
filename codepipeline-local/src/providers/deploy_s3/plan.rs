//! The configuration of an S3 deploy action.

use std::collections::BTreeMap;

use super::super::{Failed, ObjectRef, StoredAs};
use crate::dates::iso_seconds;
use crate::types::Timestamp;

/// The longest key of an object, in bytes (S3 User Guide, "Naming Amazon S3 objects").
const MAX_KEY: usize = 1024;

/// A UUID for the length of a key.
const NO_UUID: &str = "00000000-0000-0000-0000-000000000000";

/// The deployment that the configuration describes.
pub(super) struct Plan {
    pub(super) bucket: String,
    pub(super) extract: bool,
    /// The object's key, or what comes before the names of extracted files.
    pub(super) key: String,
    settings: StoredAs,
}

impl Plan {
    /// Reads the configuration of the action with this name. Names wrong keys, never their values.
    ///
    /// `{datetime}` in the key becomes `YYYY-MM-DD_hh-mm-ss` in UTC, and `{uuid}` a random UUID. AWS's tutorial shows `{datetime}` and
    /// documents no form of it (User Guide, "tutorials-s3deploy").
    pub(super) fn of(
        action: &str,
        configuration: &BTreeMap<String, String>,
        now: Timestamp,
        uuid: &str,
    ) -> Result<Self, Failed> {
        let given = |key: &str| configuration.get(key).filter(|value| !value.is_empty()).cloned();
        let wrong = |what: &str| Failed::configuration(format!("{what} of the S3 deploy action {action}"));
        let bucket = given("BucketName").ok_or_else(|| wrong("Add BucketName to the configuration"))?;
        let extract = match given("Extract").as_deref().map(str::to_ascii_lowercase).as_deref() {
            Some("true") => true,
            Some("false") => false,
            _ => return Err(wrong("Extract must be true or false in the configuration")),
        };
        let key = given("ObjectKey");
        if key.is_none() && !extract {
            return Err(wrong("With Extract=false, add ObjectKey to the configuration"));
        }
        let datetime = iso_seconds(now).replace('T', "_").replace(':', "-").replace('Z', "");
        let key = key.unwrap_or_default().replace("{datetime}", &datetime).replace("{uuid}", uuid);
        let settings = StoredAs {
            content_type: String::new(),
            cache_control: given("CacheControl"),
            acl: given("CannedACL"),
            kms_key: given("KMSEncryptionKeyARN"),
        };
        Ok(Self { bucket, extract, key, settings })
    }

    /// Checks the configuration as the pipeline declares it. Returns the mistake that no variable of the pipeline cures.
    pub(super) fn mistake(action: &str, declared: &BTreeMap<String, String>) -> Option<String> {
        let is_open = |key: &str| declared.get(key).is_some_and(|value| value.contains("#{"));
        let mut known = declared.clone();
        if is_open("Extract") {
            // Files need no key, so this is right with and without one.
            known.insert("Extract".to_owned(), "true".to_owned());
        }
        let checked = Self::of(action, &known, Timestamp(0), NO_UUID).and_then(|plan| match plan.extract {
            false if !is_open("ObjectKey") => plan.place(&plan.key).map(drop),
            _ => Ok(()),
        });
        checked.err().map(|failed| failed.message)
    }

    /// The key of an extracted file.
    pub(super) fn key_of(&self, name: &str) -> String {
        match self.key.trim_matches('/') {
            "" => name.to_owned(),
            folder => format!("{folder}/{name}"),
        }
    }

    pub(super) fn place(&self, key: &str) -> Result<ObjectRef, Failed> {
        if key.len() > MAX_KEY {
            let begin: String = key.chars().take(40).collect();
            return Err(Failed::configuration(format!(
                "The key {begin}… has more than {MAX_KEY} bytes, which S3 refuses"
            )));
        }
        Ok(ObjectRef { bucket: self.bucket.clone(), key: key.to_owned() })
    }

    pub(super) fn stored_as(&self, content_type: &str) -> StoredAs {
        StoredAs { content_type: content_type.to_owned(), ..self.settings.clone() }
    }

    /// Names the settings that are only recorded.
    pub(super) fn recorded(&self) -> String {
        let StoredAs { cache_control, acl, kms_key, .. } = &self.settings;
        let settings = [("KMSEncryptionKeyARN", kms_key), ("CannedACL", acl), ("CacheControl", cache_control)]
            .map(|(name, value)| value.is_some().then_some(name));
        let names: Vec<_> = settings.into_iter().flatten().collect();
        if names.is_empty() { String::new() } else { format!("; {} recorded with the objects", names.join(", ")) }
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::deploy;
    use super::*;

    fn plan(configuration: &[(&str, &str)]) -> Result<Plan, Failed> {
        Plan::of("Unit", &deploy(configuration).configuration, Timestamp(1_800_000_000_000), "a-uuid")
    }

    fn mistake(configuration: &[(&str, &str)]) -> Option<String> {
        Plan::mistake("Unit", &deploy(configuration).configuration)
    }

    #[test]
    fn keys_hold_the_time_and_a_uuid() {
        let configuration = [("BucketName", "b"), ("Extract", "false"), ("ObjectKey", "js/{datetime}-{uuid}.zip")];
        assert_eq!(plan(&configuration).unwrap().key, "js/2027-01-15_08-00-00-a-uuid.zip");
    }

    #[test]
    fn settings_are_stored_with_each_object() {
        let plan = plan(&[
            ("BucketName", "b"),
            ("Extract", "true"),
            ("CacheControl", "public, max-age=0"),
            ("CannedACL", "private"),
            ("KMSEncryptionKeyARN", "a-key"),
        ]);
        let stored = plan.unwrap().stored_as("text/html");
        assert_eq!(stored.content_type, "text/html");
        assert_eq!(stored.cache_control.as_deref(), Some("public, max-age=0"));
        assert_eq!((stored.acl.as_deref(), stored.kms_key.as_deref()), (Some("private"), Some("a-key")));
    }

    #[test]
    fn mistakes_name_the_key_and_no_value() {
        for (configuration, named) in [
            (vec![("Extract", "true")], "BucketName"),
            (vec![("BucketName", "b")], "Extract must be"),
            (vec![("BucketName", "b"), ("Extract", "MARKER")], "Extract must be"),
            (vec![("BucketName", "b"), ("Extract", "false")], "add ObjectKey"),
        ] {
            let failed = plan(&configuration).err().unwrap();
            assert_eq!(failed.code, "ConfigurationError");
            assert!(failed.message.contains(named) && !failed.message.contains("MARKER"), "{}", failed.message);
        }
        let long = "a".repeat(MAX_KEY + 1);
        let plan = plan(&[("BucketName", "b"), ("Extract", "false"), ("ObjectKey", &long)]).unwrap();
        assert!(plan.place(&plan.key).err().unwrap().message.contains("1024 bytes"));
    }

    #[test]
    fn declared_mistakes_are_found_unless_a_variable_may_cure_them() {
        let (bucket, long) = (("BucketName", "b"), "a".repeat(MAX_KEY - 5) + "{uuid}");
        for (configuration, named) in [
            (vec![bucket, ("Extract", "maybe")], "Extract must be true or false in the configuration of"),
            (vec![bucket, ("Extract", "false")], "With Extract=false, add ObjectKey"),
            (vec![("Extract", "#{V.Extract}")], "Add BucketName"),
            (vec![bucket, ("Extract", "false"), ("ObjectKey", &long)], "1024 bytes"),
        ] {
            let found = mistake(&configuration).unwrap();
            assert!(found.contains(named), "{found}");
        }
        let open = format!("#{{V.Key}}{long}");
        for configuration in [
            vec![bucket, ("Extract", "#{V.Extract}")],
            vec![bucket, ("Extract", "false"), ("ObjectKey", &open)],
            vec![("BucketName", "#{V.Bucket}"), ("Extract", "true"), ("ObjectKey", "v1")],
        ] {
            assert_eq!(mistake(&configuration), None, "{configuration:?}");
        }
    }
}
