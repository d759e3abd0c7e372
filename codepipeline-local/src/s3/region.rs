//! Checks of the signature's scope: the service, and the region of the bucket (S3 User Guide, "Troubleshooting",
//! `AuthorizationHeaderMalformed`).

use bytes::Bytes;
use http::header::CONTENT_TYPE;
use http::request::Parts;
use http::{HeaderValue, Method, Response, StatusCode};
use s3s::Body;
use s3s::region::Region;

use super::messages::escaped;
use super::operation::operation;
use super::place::Place;
use super::signature::Signed;
use super::storage::Storage;

/// Operations that any region answers. Clients use the last one to find a bucket's region.
const ANYWHERE: [&str; 3] = ["ListBuckets", "CreateBucket", "GetBucketLocation"];

impl Storage {
    /// The response to a request with a wrong service or region in its scope. `None` if the scope is right.
    pub(super) fn refuse_scope(&self, signed: &Signed, parts: &Parts, place: &Place) -> Option<Response<Body>> {
        let &[_, region, service, "aws4_request"] = signed.scope().split('/').collect::<Vec<_>>().as_slice() else {
            let why = "the Credential is mal-formed; expecting \"<YOUR-AKID>/YYYYMMDD/REGION/SERVICE/aws4_request\".";
            return Some(refusal(signed, parts, why, None));
        };
        if service != "s3" {
            let why = format!("incorrect service \"{service}\". This endpoint belongs to \"s3\".");
            return Some(refusal(signed, parts, &why, None));
        }
        let bucket = place.bucket.as_deref().filter(|bucket| self.catalog.check_bucket(bucket).is_ok());
        let right = bucket.map_or_else(|| self.region.clone(), |bucket| self.region_of(bucket));
        let anywhere = operation(parts).is_some_and(|operation| ANYWHERE.contains(&operation));
        // s3cmd signs for `US`, and signs again for the region in the refusal.
        if Region::new(region.into()).is_ok() && (bucket.is_none() || anywhere) {
            return None;
        }
        let why = format!("the region '{region}' is wrong; expecting '{right}'");
        (region != right).then(|| refusal(signed, parts, &why, Some(&right)))
    }
}

/// `s3s` writes only the code and message of an error.
fn refusal(signed: &Signed, parts: &Parts, why: &str, region: Option<&str>) -> Response<Body> {
    let (code, start) = if signed.is_presigned() {
        ("AuthorizationQueryParametersError", "Error parsing the X-Amz-Credential parameter")
    } else {
        ("AuthorizationHeaderMalformed", "The authorization header is malformed")
    };
    let message = escaped(&format!("{start}; {why}"));
    let right = region.map(|region| format!("<Region>{}</Region>", escaped(region))).unwrap_or_default();
    let text = format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?><Error><Code>{code}</Code><Message>{message}</Message>{right}</Error>"
    );
    let body = if parts.method == Method::HEAD { Bytes::new() } else { Bytes::from(text) };
    let mut reply = Response::new(Body::from(body));
    *reply.status_mut() = StatusCode::BAD_REQUEST;
    reply.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/xml"));
    if let Some(region) = region.and_then(|region| HeaderValue::from_str(region).ok()) {
        reply.headers_mut().insert("x-amz-bucket-region", region);
    }
    reply
}
