//! `GetCallerIdentity` of STS. Terraform asks it for the account before it builds an ARN. People call it to see whether their endpoint
//! and credentials work.

use http::{HeaderValue, Method, Request, Response, StatusCode, header};
use http_body_util::{BodyExt, Limited};
use s3s::Body;

use crate::ids::random_uuid;

/// The one operation of STS that the emulator has.
pub(crate) const OPERATION: &str = "GetCallerIdentity";

const FORM: &str = "application/x-www-form-urlencoded";
const NAMESPACE: &str = "https://sts.amazonaws.com/doc/2011-06-15/";
/// The longest request. A call of this operation has about 50 bytes.
const MAX_BODY: usize = 64 * 1024;

/// Whether the request uses STS's protocol: a form that names an action. CodePipeline and S3 have no such requests.
pub(crate) fn is_for(request: &Request<Body>) -> bool {
    if request.uri().path() != "/" {
        return false;
    }
    let kind = request.headers().get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    match *request.method() {
        // With a target, the form belongs to a service that speaks JSON: `curl -d` sends this type by itself.
        Method::POST => kind.starts_with(FORM) && !request.headers().contains_key("x-amz-target"),
        Method::GET => action(request.uri().query().unwrap_or_default()).is_some(),
        _ => false,
    }
}

/// Answers as the account's root user. Made-up credentials may do everything, as that user may.
pub(crate) async fn answer(account: &str, request: Request<Body>) -> Response<Body> {
    let (parts, body) = request.into_parts();
    let form = match parts.uri.query() {
        Some(query) if parts.method == Method::GET => query.to_owned(),
        _ => match Limited::new(body, MAX_BODY).collect().await {
            Ok(body) => String::from_utf8_lossy(&body.to_bytes()).into_owned(),
            Err(error) => return refusal("MalformedInput", &format!("The request can not be read: {error}")),
        },
    };
    match action(&form) {
        Some(OPERATION) => identity(account),
        Some(name) if name.chars().all(|c| c.is_ascii_alphanumeric()) => refusal(
            "InvalidAction",
            &format!(
                "codepipeline-local has no {name}; of the services that take forms it has STS's {OPERATION} alone. Start it with \
                 --endpoint SERVICE=http://HOST:PORT to forward another service's requests"
            ),
        ),
        _ => refusal("MissingAction", "The form has no Action"),
    }
}

fn action(form: &str) -> Option<&str> {
    form.split('&').find_map(|pair| pair.strip_prefix("Action="))
}

fn identity(account: &str) -> Response<Body> {
    let id = random_uuid();
    let body = format!(
        "<GetCallerIdentityResponse xmlns=\"{NAMESPACE}\"><GetCallerIdentityResult><Arn>arn:aws:iam::{account}:root</Arn>\
         <UserId>{account}</UserId><Account>{account}</Account></GetCallerIdentityResult>\
         <ResponseMetadata><RequestId>{id}</RequestId></ResponseMetadata></GetCallerIdentityResponse>"
    );
    xml(StatusCode::OK, body)
}

fn refusal(code: &str, message: &str) -> Response<Body> {
    let id = random_uuid();
    let body = format!(
        "<ErrorResponse xmlns=\"{NAMESPACE}\"><Error><Type>Sender</Type><Code>{code}</Code><Message>{message}</Message></Error>\
         <RequestId>{id}</RequestId></ErrorResponse>"
    );
    xml(StatusCode::BAD_REQUEST, body)
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
        let reply = answer("123456789012", request).await;
        let status = reply.status().as_u16();
        let body = reply.into_body().collect().await.unwrap().to_bytes();
        (status, String::from_utf8(body.to_vec()).unwrap())
    }

    #[tokio::test]
    async fn caller_is_the_accounts_root_user() {
        let posted = request("POST", "/", FORM, "Action=GetCallerIdentity&Version=2011-06-15");
        let got = request("GET", "/?Version=2011-06-15&Action=GetCallerIdentity&X-Amz-Signature=0", "", "");
        for request in [posted, got] {
            assert!(is_for(&request));
            let (status, body) = text(request).await;
            assert_eq!(status, 200);
            assert!(body.contains("<Account>123456789012</Account>"), "{body}");
            assert!(body.contains("<Arn>arn:aws:iam::123456789012:root</Arn>"), "{body}");
        }
    }

    #[tokio::test]
    async fn other_actions_are_refused_by_name() {
        for (form, code, named) in [
            ("Action=AssumeRole&Version=2011-06-15", "InvalidAction", "AssumeRole"),
            ("Action=<script>", "MissingAction", "Action"),
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
        assert!(!is_for(&request));
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
            assert!(!is_for(&request(method, uri, kind, "")), "{method} {uri}");
        }
    }
}
