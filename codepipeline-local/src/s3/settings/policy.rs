//! Bucket policies. The emulator checks their form and stores them; it does not enforce them.

use s3s::{S3Error, S3ErrorCode, S3Result};
use serde_json::Value;

use super::input::SettingInput;
use super::read::XMLNS;

/// The largest policy (S3 User Guide, "Policies and permissions in Amazon S3").
const LARGEST: usize = 20 * 1024;

pub(super) fn read(input: &SettingInput<'_>) -> S3Result<String> {
    let text = std::str::from_utf8(input.body).map_err(|_| malformed("Policies must be valid UTF-8"))?;
    if text.len() > LARGEST {
        return Err(malformed("Policies must not have more than 20480 bytes"));
    }
    let policy: Value = serde_json::from_str(text)
        .map_err(|_| malformed("Policies must be valid JSON and the first byte must be '{'"))?;
    let Value::Object(members) = &policy else {
        return Err(malformed("Policies must be valid JSON and the first byte must be '{'"));
    };
    match members.get("Version").map(Value::as_str) {
        None | Some(Some("2012-10-17" | "2008-10-17")) => {}
        Some(_) => return Err(malformed("The policy must contain a valid version string")),
    }
    let statements = match members.get("Statement") {
        Some(Value::Array(statements)) => statements.as_slice(),
        Some(statement @ Value::Object(_)) => std::slice::from_ref(statement),
        _ => return Err(malformed("Missing required field Statement")),
    };
    statements.iter().try_for_each(check_statement)?;
    Ok(text.to_owned())
}

fn check_statement(statement: &Value) -> S3Result<()> {
    match statement.get("Effect").map(Value::as_str) {
        None => return Err(malformed("Missing required field Effect")),
        Some(Some("Allow" | "Deny")) => {}
        Some(_) => return Err(malformed("Invalid effect: it must be Allow or Deny")),
    }
    for (name, otherwise) in [("Principal", "NotPrincipal"), ("Action", "NotAction"), ("Resource", "NotResource")] {
        if statement.get(name).is_none() && statement.get(otherwise).is_none() {
            return Err(malformed(&format!("Missing required field {name}")));
        }
    }
    Ok(())
}

/// The response of GetBucketPolicyStatus: whether the policy is public (S3 User Guide, "The meaning of public").
pub(super) fn status(policy: &str) -> String {
    let policy: Value = serde_json::from_str(policy).unwrap_or_default();
    let statements = match policy.get("Statement") {
        Some(Value::Array(statements)) => statements.as_slice(),
        Some(statement) => std::slice::from_ref(statement),
        None => &[],
    };
    let public = statements.iter().any(|statement| {
        let allows = statement.get("Effect").and_then(Value::as_str) == Some("Allow");
        let principal = statement.get("Principal");
        let everyone = principal.is_some_and(|it| is_everyone(it) || it.get("AWS").is_some_and(is_everyone));
        allows && everyone && statement.get("Condition").is_none()
    });
    format!("<PolicyStatus xmlns=\"{XMLNS}\"><IsPublic>{public}</IsPublic></PolicyStatus>")
}

fn is_everyone(principal: &Value) -> bool {
    match principal {
        Value::String(text) => text == "*",
        Value::Array(items) => items.iter().any(is_everyone),
        _ => false,
    }
}

fn malformed(message: &str) -> S3Error {
    S3Error::with_message(S3ErrorCode::MalformedPolicy, message.to_owned())
}

#[cfg(test)]
mod tests {
    use http::HeaderMap;

    use super::*;

    fn put(text: &str) -> Result<String, String> {
        let input = SettingInput { headers: &HeaderMap::new(), body: text.as_bytes(), acls_off: false };
        read(&input).map_err(|error| error.message().unwrap_or_default().to_owned())
    }

    #[test]
    fn policy_form_is_checked() {
        let statement = r#"{"Effect":"Deny","Principal":"*","Action":"s3:PutObject","Resource":"arn:aws:s3:::b/*"}"#;
        for good in [
            r#"{"Version":"2012-10-17","Statement":[]}"#.to_owned(),
            format!(r#"{{"Version":"2012-10-17","Id":"x","Statement":[{statement}]}}"#),
            format!(r#"{{"Statement":{statement}}}"#),
        ] {
            assert_eq!(put(&good), Ok(good.clone()));
        }
        for (bad, message) in [
            ("", "valid JSON"),
            ("[]", "valid JSON"),
            (r#"{"Version":"2012-10-17"}"#, "Statement"),
            (r#"{"Version":"1","Statement":[]}"#, "version"),
            (r#"{"Statement":[{"Principal":"*","Action":"*","Resource":"*"}]}"#, "Effect"),
            (r#"{"Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}"#, "Principal"),
            (r#"{"Statement":[{"Effect":"Maybe"}]}"#, "Invalid effect"),
        ] {
            let refused = put(bad).unwrap_err();
            assert!(refused.contains(message), "{bad}: {refused}");
        }
    }

    #[test]
    fn policy_that_allows_everyone_is_public() {
        let public = |principal: &str, more: &str| {
            let statement =
                format!(r#"{{"Effect":"Allow","Principal":{principal},"Action":"*","Resource":"*"{more}}}"#);
            status(&format!(r#"{{"Statement":[{statement}]}}"#)).contains("<IsPublic>true")
        };
        assert!(public("\"*\"", "") && public(r#"{"AWS":"*"}"#, "") && public(r#"{"AWS":["a","*"]}"#, ""));
        assert!(!public(r#"{"AWS":"arn:aws:iam::123456789012:root"}"#, ""));
        assert!(!public("\"*\"", r#","Condition":{"Bool":{"aws:SecureTransport":"true"}}"#));
    }
}
