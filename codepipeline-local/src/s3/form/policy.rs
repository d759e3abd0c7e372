//! Policies of forms: conditions on the fields (S3 API Reference, "POST Policy").

use s3s::post_policy::{PostPolicy, PostPolicyCondition as Condition};
use s3s::{S3Error, S3ErrorCode, S3Result};

use super::fields::Fields;
use crate::s3::date::date;
use crate::types::Timestamp;

/// Fields without conditions.
const FREE: [&str; 4] = ["policy", "signature", "x-amz-signature", "awsaccesskeyid"];
/// The prefix of further such fields.
const IGNORED: &str = "x-ignore-";

/// The allowed sizes of a file, in bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Sizes {
    pub(super) least: u64,
    pub(super) most: u64,
}

/// Checks the form against its policy, and returns the allowed sizes of the file. `now` is the machine's time.
pub(super) fn check(fields: &Fields, bucket: &str, now: Timestamp) -> S3Result<Sizes> {
    let policy = PostPolicy::from_base64(fields.required("policy")?);
    let policy = policy.map_err(|error| {
        S3Error::with_message(S3ErrorCode::InvalidPolicyDocument, format!("Invalid Policy: {error}"))
    })?;
    let fields: Vec<_> = fields.iter().collect();
    conform(&policy, &fields, bucket, now)
}

fn conform(policy: &PostPolicy, fields: &[(&str, &str)], bucket: &str, now: Timestamp) -> S3Result<Sizes> {
    if policy.expiration <= date(now) {
        return Err(denied("Policy expired."));
    }
    let mut sizes = Sizes { least: 0, most: u64::MAX };
    let value = |name: &str| {
        let in_form = fields.iter().find(|(it, _)| *it == name).map(|(_, value)| *value);
        if name == "bucket" { in_form.or(Some(bucket)) } else { in_form }
    };
    for condition in &policy.conditions {
        let holds = match condition {
            Condition::Eq { field, value: expected } => value(field) == Some(expected),
            // Each content type in a list must have the prefix.
            Condition::StartsWith { field, prefix } if field == "content-type" => {
                value(field).is_some_and(|value| value.split(',').all(|value| value.trim().starts_with(prefix)))
            }
            Condition::StartsWith { field, prefix } => value(field).is_some_and(|value| value.starts_with(prefix)),
            Condition::ContentLengthRange { min, max } => {
                sizes = Sizes { least: sizes.least.max(*min), most: sizes.most.min(*max) };
                true
            }
        };
        if !holds {
            return Err(denied(&format!("Policy Condition failed: {}", shown(condition))));
        }
    }
    let named = |name: &str| policy.conditions.iter().any(|condition| field_of(condition) == Some(name));
    let extra = |name: &str| !FREE.contains(&name) && !name.starts_with(IGNORED) && !named(name);
    match fields.iter().find(|(name, _)| extra(name)) {
        Some((name, _)) => Err(denied(&format!("Extra input fields: {name}"))),
        None => Ok(sizes),
    }
}

fn field_of(condition: &Condition) -> Option<&str> {
    match condition {
        Condition::Eq { field, .. } | Condition::StartsWith { field, .. } => Some(field),
        Condition::ContentLengthRange { .. } => None,
    }
}

/// A condition in the form of a policy.
fn shown(condition: &Condition) -> String {
    match condition {
        Condition::Eq { field, value } => format!("[\"eq\", \"${field}\", \"{value}\"]"),
        Condition::StartsWith { field, prefix } => format!("[\"starts-with\", \"${field}\", \"{prefix}\"]"),
        Condition::ContentLengthRange { min, max } => format!("[\"content-length-range\", {min}, {max}]"),
    }
}

fn denied(reason: &str) -> S3Error {
    S3Error::with_message(S3ErrorCode::AccessDenied, format!("Invalid according to Policy: {reason}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp(1_800_000_000_000);

    fn conforms(conditions: &str, fields: &[(&str, &str)]) -> Result<Sizes, String> {
        let text = format!(r#"{{"expiration": "2027-01-15T08:00:01Z", "conditions": {conditions}}}"#);
        let policy = PostPolicy::from_json(&text).unwrap();
        conform(&policy, fields, "box", NOW).map_err(|error| error.message().unwrap_or_default().to_owned())
    }

    #[test]
    fn fields_must_meet_their_conditions() {
        let conditions = r#"[{"bucket": "box"}, ["starts-with", "$key", "user/"], ["eq", "$acl", "private"]]"#;
        assert!(conforms(conditions, &[("key", "user/a"), ("acl", "private")]).is_ok());
        let wrong = "Invalid according to Policy: Policy Condition failed: [\"starts-with\", \"$key\", \"user/\"]";
        assert_eq!(conforms(conditions, &[("key", "other/a"), ("acl", "private")]).unwrap_err(), wrong);
        let missing = "Invalid according to Policy: Policy Condition failed: [\"eq\", \"$acl\", \"private\"]";
        assert_eq!(conforms(conditions, &[("key", "user/a")]).unwrap_err(), missing);
        assert!(conforms(r#"[{"bucket": "other"}, {"key": "a"}]"#, &[("key", "a")]).is_err());
    }

    #[test]
    fn every_field_needs_a_condition() {
        let conditions = r#"[{"key": "a"}]"#;
        let free = [("key", "a"), ("policy", "p"), ("x-amz-signature", "s"), ("x-ignore-this", "i")];
        assert!(conforms(conditions, &free).is_ok());
        let extra = "Invalid according to Policy: Extra input fields: x-amz-meta-color";
        assert_eq!(conforms(conditions, &[("key", "a"), ("x-amz-meta-color", "red")]).unwrap_err(), extra);
    }

    #[test]
    fn empty_prefix_allows_any_value() {
        let conditions = r#"[{"key": "a"}, ["starts-with", "$x-amz-meta-color", ""]]"#;
        assert!(conforms(conditions, &[("key", "a"), ("x-amz-meta-color", "red")]).is_ok());
        assert!(conforms(conditions, &[("key", "a")]).is_err());
    }

    #[test]
    fn each_listed_content_type_must_have_the_prefix() {
        let conditions = r#"[{"key": "a"}, ["starts-with", "$Content-Type", "image/"]]"#;
        assert!(conforms(conditions, &[("key", "a"), ("content-type", "image/png, image/jpeg")]).is_ok());
        assert!(conforms(conditions, &[("key", "a"), ("content-type", "image/png,text/plain")]).is_err());
    }

    #[test]
    fn size_ranges_are_intersected() {
        let conditions = r#"[{"key": "a"}, ["content-length-range", 1, 10], ["content-length-range", 0, 5]]"#;
        assert_eq!(conforms(conditions, &[("key", "a")]).unwrap(), Sizes { least: 1, most: 5 });
    }

    #[test]
    fn an_expired_policy_is_refused() {
        let policy = PostPolicy::from_json(r#"{"expiration": "2027-01-15T08:00:00Z", "conditions": []}"#).unwrap();
        let error = conform(&policy, &[], "box", NOW).unwrap_err();
        assert_eq!(error.message(), Some("Invalid according to Policy: Policy expired."));
    }
}
