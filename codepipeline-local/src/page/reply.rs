//! Replies of the page.

use bytes::Bytes;
use http::{HeaderName, HeaderValue, Response, StatusCode, header};
use s3s::Body;
use serde_json::{Value, json};

/// The headers of every reply. The page loads only its own files, runs no script in HTML, and is shown in no frame.
const HEADERS: [(HeaderName, &str); 6] = [
    (
        header::CONTENT_SECURITY_POLICY,
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; base-uri 'none'; \
         form-action 'none'; frame-ancestors 'none'",
    ),
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (header::REFERRER_POLICY, "no-referrer"),
    (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
    (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
    (header::CACHE_CONTROL, "no-store"),
];

/// Adds the headers that every reply has.
pub(super) fn with_headers(mut reply: Response<Body>) -> Response<Body> {
    for (name, value) in HEADERS {
        reply.headers_mut().insert(name, HeaderValue::from_static(value));
    }
    reply
}

/// A reply with content of this type.
pub(super) fn content(kind: &'static str, body: Body) -> Response<Body> {
    let mut reply = Response::new(body);
    reply.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
    reply
}

/// A reply with JSON text.
pub(super) fn json_text(status: StatusCode, text: Bytes) -> Response<Body> {
    let mut reply = content("application/json", Body::from(text));
    *reply.status_mut() = status;
    reply
}

/// A reply with a JSON value.
pub(super) fn json_value(value: &Value) -> Response<Body> {
    json_text(StatusCode::OK, value.to_string().into())
}

/// A refusal.
pub(super) fn refusal(status: StatusCode, message: &str) -> Response<Body> {
    json_text(status, json!({"message": message}).to_string().into())
}
