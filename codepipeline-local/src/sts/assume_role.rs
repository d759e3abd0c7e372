//! `AssumeRole`: checks the request and returns credentials of an ordinary user. The emulator has no roles, so it denies none.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use regex_lite::Regex;
use secrecy::ExposeSecret;

use crate::access_keys::AccessKeys;
use crate::dates::iso_seconds;
use crate::ids::random_uuid;
use crate::types::Timestamp;

/// The limits of a session in seconds, and its default (STS API Reference, "AssumeRole").
const SECONDS: std::ops::RangeInclusive<u64> = 900..=43_200;
const DEFAULT_SECONDS: u64 = 3600;
/// The most tags, and the longest key and value of one in characters (STS API Reference, "AssumeRole" and "Tag").
const TAGS: usize = 50;
const KEY: std::ops::RangeInclusive<usize> = 1..=128;
const VALUE: std::ops::RangeInclusive<usize> = 0..=256;

/// A mistake in a request, in STS's words as far as they are known.
fn broken(member: &str, constraint: &str) -> String {
    format!("1 validation error detected: Value at '{member}' failed to satisfy constraint: {constraint}")
}

/// The result of the operation, or the message of a `ValidationError`. `form` has the members of the request. If the emulator accepts only
/// certain keys, the credentials have these.
pub(super) fn answer(
    account: &str,
    keys: Option<&AccessKeys>,
    now: Timestamp,
    form: &BTreeMap<String, String>,
) -> Result<String, String> {
    let (role, arn) = role(form)?;
    let session = form.get("RoleSessionName").ok_or_else(|| broken("roleSessionName", "Member must not be null"))?;
    if !(2..=64).contains(&session.len()) || !matches(r"^[\w+=,.@-]*$", session) {
        let constraint = r"Member must have a length of 2 to 64 and satisfy regular expression pattern: [\w+=,.@-]*";
        return Err(broken("roleSessionName", constraint));
    }
    let seconds = match form.get("DurationSeconds") {
        None => DEFAULT_SECONDS,
        Some(text) => text
            .parse()
            .ok()
            .filter(|seconds| SECONDS.contains(seconds))
            .ok_or_else(|| broken("durationSeconds", "Member must have value of at least 900 and at most 43200"))?,
    };
    check_tags(form)?;
    let expiration = iso_seconds(now.after(Duration::from_secs(seconds)));
    let random = || random_uuid().replace('-', "").to_uppercase();
    // A temporary key of AWS begins with ASIA. In the emulator such a key belongs to a job and reaches that job's artifacts alone.
    let (key, secret) = match keys {
        Some(keys) => (keys.access_key_id().to_owned(), keys.secret_access_key().expose_secret().to_owned()),
        None => (format!("LOCL{}", &random()[..16]), (random() + &random())[..40].to_owned()),
    };
    let (id, token) = (format!("AROA{}", &random()[..16]), random().repeat(2) + &random());
    Ok(format!(
        "<AssumeRoleResult><AssumedRoleUser><AssumedRoleId>{id}:{session}</AssumedRoleId>\
         <Arn>arn:aws:sts::{account}:assumed-role/{role}/{session}</Arn></AssumedRoleUser>\
         <Credentials><AccessKeyId>{key}</AccessKeyId><SecretAccessKey>{secret}</SecretAccessKey>\
         <SessionToken>{token}</SessionToken><Expiration>{expiration}</Expiration></Credentials></AssumeRoleResult>",
        account = arn.unwrap_or(account),
    ))
}

/// The role's name, and the account in its ARN.
fn role(form: &BTreeMap<String, String>) -> Result<(&str, Option<&str>), String> {
    let arn = form.get("RoleArn").ok_or_else(|| broken("roleArn", "Member must not be null"))?;
    let is_arn =
        (20..=2048).contains(&arn.len()) && matches(r"^arn:[a-z-]+:iam::\d{12}:role/([!-~]+/)?[\w+=,.@-]{1,64}$", arn);
    if !is_arn {
        return Err(broken("roleArn", "Member must be the ARN of a role"));
    }
    Ok((arn.rsplit('/').next().unwrap_or_default(), arn.split(':').nth(4)))
}

fn check_tags(form: &BTreeMap<String, String>) -> Result<(), String> {
    let mut keys = BTreeSet::new();
    for index in 1.. {
        let member = |part: &str| form.get(&format!("Tags.member.{index}.{part}"));
        let (key, value) = match (member("Key"), member("Value")) {
            (None, None) => break,
            (Some(key), Some(value)) => (key, value),
            _ => return Err(broken(&format!("tags.{index}.member"), "Member must have a key and a value")),
        };
        let is_sound = |text: &str, length: &std::ops::RangeInclusive<usize>| {
            let allowed = |c: char| c.is_alphanumeric() || c.is_whitespace() || "_.:/=+-@".contains(c);
            length.contains(&text.chars().count()) && text.chars().all(allowed)
        };
        if !is_sound(key, &KEY) || !is_sound(value, &VALUE) {
            let constraint = r"Member must satisfy regular expression pattern: [\p{L}\p{Z}\p{N}_.:/=+\-@]*, with a key of 1 to 128 \
                               characters and a value of at most 256";
            return Err(broken(&format!("tags.{index}.member"), constraint));
        }
        if !keys.insert(key.to_lowercase()) {
            return Err("Duplicate tag keys found. Please note that Tag keys are case insensitive.".to_owned());
        }
    }
    if keys.len() > TAGS {
        return Err(broken("tags", "Member must have length less than or equal to 50"));
    }
    Ok(())
}

fn matches(pattern: &str, text: &str) -> bool {
    Regex::new(pattern).is_ok_and(|pattern| pattern.is_match(text))
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp(1_800_000_000_000);

    /// The answer to a request with these members. An empty value leaves out a member of a complete request.
    fn asked(members: &[(&str, &str)]) -> Result<String, String> {
        let complete =
            [("RoleArn", "arn:aws:iam::111122223333:role/teams/web/deploy"), ("RoleSessionName", "session-1")];
        let form = complete.iter().chain(members).map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        let mut form: BTreeMap<_, _> = form.collect();
        form.retain(|_, value| !value.is_empty());
        answer("123456789012", None, NOW, &form)
    }

    #[test]
    fn only_keys_of_the_emulator_are_those_of_the_session() {
        let keys = AccessKeys::random().unwrap();
        let form = [("RoleArn", "arn:aws:iam::111122223333:role/deploy"), ("RoleSessionName", "session-1")];
        let form = form.map(|(name, value)| (name.to_owned(), value.to_owned())).into();
        let result = answer("123456789012", Some(&keys), NOW, &form).unwrap();
        assert!(result.contains(keys.access_key_id()) && result.contains(keys.secret_access_key().expose_secret()));
    }

    #[test]
    fn session_has_an_arn_and_new_credentials_until_its_end() {
        let tags = [("Tags.member.1.Key", "Pipeline"), ("Tags.member.1.Value", "web")];
        let result = asked(&tags).unwrap();
        assert!(result.contains("<Arn>arn:aws:sts::111122223333:assumed-role/deploy/session-1</Arn>"), "{result}");
        assert!(result.contains("<Expiration>2027-01-15T09:00:00Z</Expiration>"), "{result}");
        let longer = asked(&[("DurationSeconds", "7200")]).unwrap();
        assert!(longer.contains("<Expiration>2027-01-15T10:00:00Z</Expiration>"), "{longer}");
        let value =
            |xml: &str, tag: &str| xml.split(&format!("<{tag}>")).nth(1).unwrap().split('<').next().unwrap().to_owned();
        for tag in ["AccessKeyId", "SecretAccessKey", "SessionToken"] {
            assert_ne!(value(&result, tag), value(&longer, tag));
        }
    }

    #[test]
    fn request_outside_the_limits_is_refused_by_member() {
        let long = "x".repeat(65);
        for (members, named) in [
            ([("RoleArn", "")].as_slice(), "'roleArn'"),
            (&[("RoleArn", "arn:aws:iam::111122223333:user/deploy")], "'roleArn'"),
            (&[("RoleSessionName", "")], "'roleSessionName'"),
            (&[("RoleSessionName", "a")], "'roleSessionName'"),
            (&[("RoleSessionName", "a/b")], "'roleSessionName'"),
            (&[("RoleSessionName", &long)], "'roleSessionName'"),
            (&[("DurationSeconds", "899")], "'durationSeconds'"),
            (&[("DurationSeconds", "43201")], "'durationSeconds'"),
            (&[("DurationSeconds", "soon")], "'durationSeconds'"),
            (&[("Tags.member.1.Key", "Pipeline")], "'tags.1.member'"),
            (&[("Tags.member.1.Key", "Pipeline"), ("Tags.member.1.Value", "a;b")], "'tags.1.member'"),
            (&[("Tags.member.1.Key", &"x".repeat(129)), ("Tags.member.1.Value", "a")], "'tags.1.member'"),
            (&[("Tags.member.1.Key", "a"), ("Tags.member.1.Value", &"x".repeat(257))], "'tags.1.member'"),
            (
                &[
                    ("Tags.member.1.Key", "Stage"),
                    ("Tags.member.1.Value", "a"),
                    ("Tags.member.2.Key", "stage"),
                    ("Tags.member.2.Value", "b"),
                ],
                "Duplicate tag keys",
            ),
        ] {
            let message = asked(members).unwrap_err();
            assert!(message.contains(named), "{members:?}: {message}");
        }
    }
}
