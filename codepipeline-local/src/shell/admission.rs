//! Which clients the emulator answers: those with its keys, if it has any.

use std::sync::Arc;

use http::request::Parts;
use http::{HeaderValue, Response, StatusCode};
use s3s::{Body, HttpError};

use crate::access_keys::{AccessKeys, REFUSED};
use crate::reply::failure;
use crate::services::{self, Service};
use crate::types::Grant;
use crate::{s3, sts};

/// The service's code for an unknown access key ("Common Errors" in the services' API references).
const UNKNOWN: &str = "UnrecognizedClientException";

/// The rules for requests over the port.
pub(crate) struct Admission {
    pub(crate) keys: Option<Arc<AccessKeys>>,
}

impl Admission {
    /// The refusal of a request whose keys the emulator does not know. `grant` finds the credentials of jobs, which are for S3.
    pub(super) fn refuse_stranger(
        &self,
        service: &Service,
        parts: &Parts,
        grant: impl Fn(&str) -> Option<Grant>,
    ) -> Option<Result<Response<Body>, HttpError>> {
        let own = self.keys.as_ref()?.access_key_id();
        let is_form_of_sts = sts::is_for(&parts.method, &parts.uri, &parts.headers);
        if *service == Service::S3 && !is_form_of_sts {
            if s3::is_form(&parts.method, &parts.headers) {
                // S3 checks the key in the form.
                return None;
            }
            return match s3::claimed_key(parts) {
                Some(key) if key == own || grant(&key).is_some() => None,
                Some(_) => Some(s3::refusal("InvalidAccessKeyId", REFUSED)),
                None => Some(s3::refusal("AccessDenied", &format!("This request is not signed. {REFUSED}"))),
            };
        }
        if services::claimed_key(parts).is_some_and(|key| key == own) {
            return None;
        }
        Some(Ok(refusal(is_form_of_sts, UNKNOWN, REFUSED)))
    }
}

/// A refusal in the protocol of the service. Services with forms have XML, and the others JSON.
fn refusal(has_forms: bool, code: &'static str, message: &str) -> Response<Body> {
    if has_forms {
        return sts::error(StatusCode::FORBIDDEN, code, message);
    }
    let mut reply = failure(StatusCode::FORBIDDEN, code, message);
    // Services without targets name an error here (Smithy, "AWS restJson1 protocol").
    reply.headers_mut().insert("x-amzn-errortype", HeaderValue::from_static(code));
    reply
}
