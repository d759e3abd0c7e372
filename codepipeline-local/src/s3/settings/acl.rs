//! Access control lists: canned, in headers, or as XML (S3 User Guide, "Access control list (ACL) overview"). The
//! emulator stores them and does not enforce them.

use http::HeaderMap;
use s3s::dto::{AccessControlPolicy, Grant, Grantee, Owner, Permission, Type};
use s3s::{S3Result, s3_error};

use super::input::SettingInput;
use super::read::{malformed, parsed, written};

pub(super) const ROOT: &str = "AccessControlPolicy";
/// The canonical user that owns every bucket and object.
pub(in crate::s3) const OWNER: &str = "75aa57f09aa0c8caeab4f8c24e99d10f8e7faeebf76c078efc7c6caea54ba06a";
/// The content of a bucket's default ACL.
pub(super) const PRIVATE: &str = concat!(
    "<AccessControlList><Grant><Grantee xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\" xsi:type=\"CanonicalUser\">",
    "<ID>75aa57f09aa0c8caeab4f8c24e99d10f8e7faeebf76c078efc7c6caea54ba06a</ID></Grantee>",
    "<Permission>FULL_CONTROL</Permission></Grant></AccessControlList>",
    "<Owner><ID>75aa57f09aa0c8caeab4f8c24e99d10f8e7faeebf76c078efc7c6caea54ba06a</ID></Owner>"
);

const EVERYONE: &str = "http://acs.amazonaws.com/groups/global/AllUsers";
const AUTHENTICATED: &str = "http://acs.amazonaws.com/groups/global/AuthenticatedUsers";
const LOG_DELIVERY: &str = "http://acs.amazonaws.com/groups/s3/LogDelivery";
const PERMISSIONS: [&str; 5] = ["FULL_CONTROL", "READ", "READ_ACP", "WRITE", "WRITE_ACP"];
const HEADERS: [(&str, &str); 5] = [
    ("x-amz-grant-full-control", "FULL_CONTROL"),
    ("x-amz-grant-read", "READ"),
    ("x-amz-grant-read-acp", "READ_ACP"),
    ("x-amz-grant-write", "WRITE"),
    ("x-amz-grant-write-acp", "WRITE_ACP"),
];

/// The ACL of a PUT, from its headers or its body.
pub(super) fn read(input: &SettingInput<'_>) -> S3Result<String> {
    let policy = (!input.body.is_empty()).then(|| parsed(input.body).map_err(|_| malformed_acl())).transpose()?;
    replaced(input.headers, policy, input.acls_off)
}

/// The ACL of a request as XML, from its headers or a policy.
pub(in crate::s3) fn replaced(
    headers: &HeaderMap,
    policy: Option<AccessControlPolicy>,
    acls_off: bool,
) -> S3Result<String> {
    if let Some(acl) = of_headers(headers, acls_off)? {
        return Ok(acl);
    }
    let Some(policy) = policy else {
        return Err(s3_error!(MissingSecurityHeader, "Your request was missing a required header"));
    };
    let grants = policy.grants.unwrap_or_default();
    let known = |grant: &Grant| {
        let permission = grant.permission.as_ref().map(Permission::as_str);
        grant.grantee.is_some() && permission.is_some_and(|it| PERMISSIONS.contains(&it))
    };
    if !grants.iter().all(known) {
        return Err(malformed_acl());
    }
    list(grants, acls_off)
}

/// The ACL in the headers of a request as XML; `None` without ACL headers.
pub(in crate::s3) fn of_headers(headers: &HeaderMap, acls_off: bool) -> S3Result<Option<String>> {
    let text = |name: &str| headers.get(name).map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned());
    let mut granted = Vec::new();
    for (header, permission) in HEADERS {
        if let Some(grantees) = text(header) {
            for grantee in grantees.split(',') {
                granted.push(grant(read_grantee(grantee.trim())?, permission));
            }
        }
    }
    match (text("x-amz-acl"), granted.is_empty()) {
        (None, true) => Ok(None),
        (None, false) => list(granted, acls_off).map(Some),
        (Some(_), false) => {
            Err(s3_error!(InvalidRequest, "Specifying both Canned ACLs and Header Grants is not allowed"))
        }
        (Some(name), true) => list(canned(&name)?, acls_off).map(Some),
    }
}

fn list(grants: Vec<Grant>, acls_off: bool) -> S3Result<String> {
    let of_owner = |grant: &Grant| grant.grantee.as_ref().and_then(|it| it.id.as_deref()) == Some(OWNER);
    if acls_off && !grants.iter().all(of_owner) {
        return Err(s3_error!(AccessControlListNotSupported, "The bucket does not allow ACLs"));
    }
    let owner = Owner { display_name: None, id: Some(OWNER.to_owned()) };
    written(ROOT, &AccessControlPolicy { grants: Some(grants), owner: Some(owner) })
}

fn canned(name: &str) -> S3Result<Vec<Grant>> {
    let mut grants = vec![grant(user(OWNER), "FULL_CONTROL")];
    let more: &[(&str, &str)] = match name {
        // One account owns every bucket and object.
        "private" | "aws-exec-read" | "bucket-owner-read" | "bucket-owner-full-control" => &[],
        "public-read" => &[(EVERYONE, "READ")],
        "public-read-write" => &[(EVERYONE, "READ"), (EVERYONE, "WRITE")],
        "authenticated-read" => &[(AUTHENTICATED, "READ")],
        "log-delivery-write" => &[(LOG_DELIVERY, "WRITE"), (LOG_DELIVERY, "READ_ACP")],
        _ => return Err(s3_error!(InvalidArgument, "x-amz-acl {:?} is not a canned ACL", name)),
    };
    grants.extend(more.iter().map(|(uri, permission)| grant(group(uri), permission)));
    Ok(grants)
}

/// Reads `id="ID"`, `uri="URI"` or `emailAddress="ADDRESS"`.
fn read_grantee(text: &str) -> S3Result<Grantee> {
    let (kind, value) = text.split_once('=').unwrap_or((text, ""));
    let value = value.trim().trim_matches('"');
    match kind.trim() {
        _ if value.is_empty() => Err(s3_error!(InvalidArgument, "Argument format not recognized: {}", text)),
        "id" => Ok(user(value)),
        "uri" => Ok(group(value)),
        "emailAddress" => Ok(Grantee {
            type_: Type::from_static("AmazonCustomerByEmail"),
            email_address: Some(value.to_owned()),
            display_name: None,
            id: None,
            uri: None,
        }),
        _ => Err(s3_error!(InvalidArgument, "Argument format not recognized: {}", text)),
    }
}

fn user(id: &str) -> Grantee {
    let type_ = Type::from_static("CanonicalUser");
    Grantee { type_, id: Some(id.to_owned()), display_name: None, email_address: None, uri: None }
}

fn group(uri: &str) -> Grantee {
    let type_ = Type::from_static("Group");
    Grantee { type_, uri: Some(uri.to_owned()), display_name: None, email_address: None, id: None }
}

fn grant(grantee: Grantee, permission: &str) -> Grant {
    Grant { grantee: Some(grantee), permission: Some(Permission::from(permission.to_owned())) }
}

fn malformed_acl() -> s3s::S3Error {
    let message = malformed().message().unwrap_or_default().to_owned();
    s3s::S3Error::with_message(s3s::S3ErrorCode::MalformedACLError, message)
}

/// The stored ACL, or the private one.
pub(in crate::s3) fn kept(xml: Option<&str>) -> S3Result<AccessControlPolicy> {
    match xml {
        Some(xml) => parsed(xml.as_bytes()),
        None => parsed(list(canned("private")?, false)?.as_bytes()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn put(headers: &[(&'static str, &str)], acls_off: bool) -> Result<String, String> {
        let headers = headers.iter().map(|(name, value)| (http::HeaderName::from_static(name), value.parse().unwrap()));
        let headers: HeaderMap = headers.collect();
        replaced(&headers, None, acls_off).map_err(|error| error.code().as_str().to_owned())
    }

    #[test]
    fn the_private_acl_is_the_default() {
        let private = put(&[("x-amz-acl", "private")], true).unwrap();
        assert!(private.ends_with(&format!(">{PRIVATE}</{ROOT}>")), "{private}");
        assert!(PRIVATE.contains(OWNER));
    }

    #[test]
    fn grants_in_headers_are_kept() {
        let grants = put(&[("x-amz-grant-read", "uri=\"http://x/y\", id=\"abc\"")], false).unwrap();
        assert!(grants.contains("<URI>http://x/y</URI>") && grants.contains("<ID>abc</ID>"), "{grants}");
        assert_eq!(grants.matches("<Permission>READ</Permission>").count(), 2, "{grants}");
    }

    #[test]
    fn bad_acls_are_refused() {
        assert_eq!(put(&[], false), Err("MissingSecurityHeader".into()));
        assert_eq!(put(&[("x-amz-acl", "publik")], false), Err("InvalidArgument".into()));
        assert_eq!(put(&[("x-amz-grant-read", "me")], false), Err("InvalidArgument".into()));
        let both = [("x-amz-acl", "private"), ("x-amz-grant-read", "id=\"a\"")];
        assert_eq!(put(&both, false), Err("InvalidRequest".into()));
        assert_eq!(put(&[("x-amz-acl", "public-read")], true), Err("AccessControlListNotSupported".into()));
    }
}
