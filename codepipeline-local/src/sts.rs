//! Two operations of STS. Terraform calls `GetCallerIdentity` for the account before it builds an ARN, and people call it to see whether
//! their endpoint and credentials work. A worker calls `AssumeRole` for the role of a command.

use std::collections::BTreeMap;

use http::{HeaderMap, HeaderValue, Method, Request, Response, StatusCode, Uri, header};
use http_body_util::{BodyExt, Limited};
use s3s::Body;

use crate::access_keys::AccessKeys;
use crate::ids::random_uuid;
use crate::s3::query_values;
use crate::types::Timestamp;

mod assume_role;

const GET_CALLER_IDENTITY: &str = "GetCallerIdentity";
const ASSUME_ROLE: &str = "AssumeRole";

const FORM: &str = "application/x-www-form-urlencoded";
const NAMESPACE: &str = "https://sts.amazonaws.com/doc/2011-06-15/";
/// The longest request. One with every tag of the longest length has some 60,000 bytes, most of them escapes.
const MAX_BODY: usize = 64 * 1024 - 16;

/// Whether the request uses STS's protocol: a form that names an action. CodePipeline and S3 have no such requests.
pub(crate) fn is_for(method: &Method, uri: &Uri, headers: &HeaderMap) -> bool {
    if uri.path() != "/" {
        return false;
    }
    let kind = headers.get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    match *method {
        // With a target, the form belongs to a service that speaks JSON: `curl -d` sends this type unasked.
        Method::POST => kind.starts_with(FORM) && !headers.contains_key("x-amz-target"),
        Method::GET => query_values(uri).contains_key("Action"),
        _ => false,
    }
}

/// Answers as the account's root user. `keys` are the only ones that the emulator accepts, if there are any. Made-up credentials may do
/// everything, as that user may. Returns the operation's name, if the emulator has it.
pub(crate) async fn answer(
    account: &str,
    keys: Option<&AccessKeys>,
    now: Timestamp,
    request: Request<Body>,
) -> (Option<&'static str>, Response<Body>) {
    let form = match form(request).await {
        Ok(form) => form,
        Err(refusal) => return (None, refusal),
    };
    match form.get("Action").map(String::as_str) {
        Some(GET_CALLER_IDENTITY) => (Some(GET_CALLER_IDENTITY), success(GET_CALLER_IDENTITY, &identity(account))),
        Some(ASSUME_ROLE) => {
            let assumed = assume_role::answer(account, keys, now, &form);
            let reply = assumed
                .map_or_else(|message| refusal("ValidationError", &message), |result| success(ASSUME_ROLE, &result));
            (Some(ASSUME_ROLE), reply)
        }
        Some(name) if !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric()) => {
            let message = format!(
                "codepipeline-local has no {name}; of the services that take forms it has STS's {GET_CALLER_IDENTITY} and \
                 {ASSUME_ROLE} alone. Start it with --endpoint SERVICE=http://HOST:PORT to forward another service's requests"
            );
            (None, refusal("InvalidAction", &message))
        }
        _ => (None, refusal("MissingAction", "The form has no Action")),
    }
}

/// The members of the request.
async fn form(request: Request<Body>) -> Result<BTreeMap<String, String>, Response<Body>> {
    let (parts, body) = request.into_parts();
    if parts.method == Method::GET {
        return Ok(query_values(&parts.uri));
    }
    let unreadable =
        |error: &dyn std::fmt::Display| refusal("MalformedInput", &format!("The request can not be read: {error}"));
    let body = Limited::new(body, MAX_BODY).collect().await.map_err(|error| unreadable(&error))?;
    // A form has the syntax of a query.
    let uri = Uri::try_from([b"/?", &*body.to_bytes()].concat()).map_err(|error| unreadable(&error))?;
    Ok(query_values(&uri))
}

fn identity(account: &str) -> String {
    format!(
        "<GetCallerIdentityResult><Arn>arn:aws:iam::{account}:root</Arn><UserId>{account}</UserId>\
         <Account>{account}</Account></GetCallerIdentityResult>"
    )
}

fn success(operation: &str, result: &str) -> Response<Body> {
    let id = random_uuid();
    let body = format!(
        "<{operation}Response xmlns=\"{NAMESPACE}\">{result}<ResponseMetadata><RequestId>{id}</RequestId></ResponseMetadata>\
         </{operation}Response>"
    );
    xml(StatusCode::OK, body)
}

fn refusal(code: &str, message: &str) -> Response<Body> {
    error(StatusCode::BAD_REQUEST, code, message)
}

/// An error reply of the query protocol. The message must have no markup.
pub(crate) fn error(status: StatusCode, code: &str, message: &str) -> Response<Body> {
    let id = random_uuid();
    let body = format!(
        "<ErrorResponse xmlns=\"{NAMESPACE}\"><Error><Type>Sender</Type><Code>{code}</Code><Message>{message}</Message></Error>\
         <RequestId>{id}</RequestId></ErrorResponse>"
    );
    xml(status, body)
}

fn xml(status: StatusCode, body: String) -> Response<Body> {
    let mut reply = Response::new(Body::from(body));
    *reply.status_mut() = status;
    reply.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("text/xml"));
    reply
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(method: &str, uri: &str, kind: &str, body: &str) -> Request<Body> {
        let builder = Request::builder().method(method).uri(uri).header(header::CONTENT_TYPE, kind);
        builder.body(Body::from(body.to_owned())).unwrap()
    }

    async fn text(request: Request<Body>) -> (u16, String) {
        let (_, reply) = answer("123456789012", None, Timestamp(0), request).await;
        let status = reply.status().as_u16();
        let body = reply.into_body().collect().await.unwrap().to_bytes();
        (status, String::from_utf8(body.to_vec()).unwrap())
    }

    #[tokio::test]
    async fn caller_is_the_accounts_root_user() {
        let posted = request("POST", "/", FORM, "Action=GetCallerIdentity&Version=2011-06-15");
        let got = request("GET", "/?Version=2011-06-15&Action=GetCallerIdentity&X-Amz-Signature=0", "", "");
        for request in [posted, got] {
            assert!(is_for(request.method(), request.uri(), request.headers()));
            let (status, body) = text(request).await;
            assert_eq!(status, 200);
            assert!(body.contains("<Account>123456789012</Account>"), "{body}");
            assert!(body.contains("<Arn>arn:aws:iam::123456789012:root</Arn>"), "{body}");
        }
    }

    #[tokio::test]
    async fn other_actions_are_refused_by_name() {
        for (form, code, named) in [
            ("Action=GetSessionToken&Version=2011-06-15", "InvalidAction", "GetSessionToken"),
            ("Action=AssumeRole&Version=2011-06-15", "ValidationError", "roleArn"),
            ("Action=%3Cscript%3E", "MissingAction", "Action"),
            ("Action=a b", "MalformedInput", "read"),
            ("", "MissingAction", "Action"),
        ] {
            let (status, body) = text(request("POST", "/", FORM, form)).await;
            assert_eq!(status, 400);
            assert!(body.contains(&format!("<Code>{code}</Code>")) && body.contains(named), "{body}");
            assert!(!body.contains("<script>"));
        }
    }

    #[test]
    fn form_with_a_target_belongs_to_another_service() {
        let mut request = request("POST", "/", FORM, "{}");
        request.headers_mut().insert("x-amz-target", HeaderValue::from_static("DynamoDB_20120810.ListTables"));
        assert!(!is_for(request.method(), request.uri(), request.headers()));
    }

    #[test]
    fn requests_to_s3_are_left_to_it() {
        for (method, uri, kind) in [
            ("GET", "/", ""),
            ("GET", "/bucket?Action=GetCallerIdentity", ""),
            ("POST", "/", "multipart/form-data; boundary=x"),
            ("POST", "/bucket?delete", FORM),
            ("PUT", "/", FORM),
        ] {
            let request = request(method, uri, kind, "");
            assert!(!is_for(request.method(), request.uri(), request.headers()), "{method} {uri}");
        }
    }
}
