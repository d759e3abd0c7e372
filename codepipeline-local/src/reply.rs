//! Replies of JSON services.

use bytes::Bytes;
use http::{HeaderValue, Response, StatusCode};
use s3s::Body;

/// An error reply of the JSON 1.1 protocol.
pub(crate) fn failure(status: StatusCode, name: &str, message: &str) -> Response<Body> {
    json_reply(status, serde_json::json!({"__type": name, "message": message}).to_string().into_bytes())
}

/// A reply with a JSON body.
pub(crate) fn json_reply(status: StatusCode, body: Vec<u8>) -> Response<Body> {
    let mut reply = Response::new(Body::from(Bytes::from(body)));
    *reply.status_mut() = status;
    let json = HeaderValue::from_static("application/x-amz-json-1.1");
    reply.headers_mut().insert(http::header::CONTENT_TYPE, json);
    reply
}
