//! Handling of a request, before and after `s3s` calls its operation.

use http::header::{CONTENT_LENGTH, CONTENT_RANGE, RANGE, TRANSFER_ENCODING};
use http::request::Parts;
use http::{HeaderMap, Method, Request, Response, StatusCode};
use s3s::dto::Range;
use s3s::{Body, HttpError, S3Error, s3_error};
use secrecy::ExposeSecret;

use super::access::{self, Caller};
use super::messages::{ErrorContext, error};
use super::pace::S3Pace;
use super::payload::{self, BodyError};
use super::place::Place;
use super::settings::Cors;
use super::signature::{ORDINARY_SECRET, Signed, query_values};
use super::store::Store;
use super::{attributes, body, form, query_headers, version_2};
use crate::clock::Clock;

impl Store {
    /// Answers a request. Returns an error if the connection must be dropped.
    pub(crate) async fn answer(&self, request: Request<Body>) -> Result<Response<Body>, HttpError> {
        if !form::is_form(request.method(), request.headers()) {
            if lacks_length(&request) {
                return refuse(s3_error!(MissingContentLength, "You must provide the Content-Length HTTP header."));
            }
            return self.answer_request(request).await;
        }
        let check = |access_key_id: &str| access::caller(&*self.permissions, access_key_id).map(drop);
        match form::to_upload(request, check, Clock::machine().now()).await {
            Ok((upload, form)) => form.answer(self.answer_request(upload).await?).or_else(refuse),
            Err(error) => refuse(error),
        }
    }

    /// Answers a request that is not a form.
    async fn answer_request(&self, request: Request<Body>) -> Result<Response<Body>, HttpError> {
        let (mut parts, body) = request.into_parts();
        let place = Place::of(&parts.uri, &parts.headers);
        let error_context = ErrorContext::of(&place);
        let cors = Cors::of(&parts.method, &parts.headers);
        if parts.method == Method::OPTIONS {
            return self.preflight(cors.as_ref(), &place);
        }
        let mut body = body::read_to_its_end(&parts.headers, body);
        query_headers::add_to_headers(&mut parts);
        if let Err(error) = self.storage.check_present(&parts, &place) {
            return refuse(error);
        }
        let mut pace = S3Pace::default();
        let mut body_error = BodyError::default();
        if let Some(signed) = Signed::of(&parts) {
            if let Some(refused) = self.storage.refuse_scope(&signed, &parts, &place) {
                return Ok(refused);
            }
            match access::caller(&*self.permissions, signed.access_key_id()) {
                // `s3s` verifies the signatures of jobs and of known users unchanged.
                Ok(Caller::Job(grant)) => {
                    pace = self.pace;
                    let signer = signed.chunk_signer(&grant.secret_access_key);
                    match payload::compared(&parts, pace.slow(&self.clock, body), Some(signer)) {
                        Ok(compared) => (body, body_error) = compared,
                        Err(error) => return refuse(error),
                    }
                }
                Ok(Caller::Known(secret)) => {
                    let signer = signed.chunk_signer(secret.expose_secret());
                    match payload::compared(&parts, body, Some(signer)) {
                        Ok(compared) => (body, body_error) = compared,
                        Err(error) => return refuse(error),
                    }
                }
                Ok(Caller::Ordinary) => {
                    match payload::compared(&parts, body, None) {
                        Ok(compared) => (body, body_error) = compared,
                        Err(error) => return refuse(error),
                    }
                    ignore_unreadable_range(&mut parts.headers);
                    body = body::without_chunk_signatures(&mut parts.headers, body);
                    signed.replace(&mut parts, ORDINARY_SECRET);
                }
                Err(error) => return refuse(error),
            }
        } else if let Some(access_key_id) = version_2::access_key_id(&parts) {
            let replaced = match access::caller(&*self.permissions, &access_key_id) {
                // S3 accepts it only for buckets from before June 24, 2020 (S3 User Guide, "Authenticating
                // requests").
                Ok(Caller::Job(_)) => Err(s3_error!(
                    InvalidRequest,
                    "The authorization mechanism you have provided is not supported. Please use AWS4-HMAC-SHA256."
                )),
                Ok(Caller::Known(secret)) => {
                    let keys = (access_key_id.as_str(), secret.expose_secret());
                    version_2::replace(&mut parts, keys, &self.storage.region, Clock::machine().now())
                }
                Ok(Caller::Ordinary) => {
                    let keys = (access_key_id.as_str(), ORDINARY_SECRET);
                    version_2::replace(&mut parts, keys, &self.storage.region, Clock::machine().now())
                }
                Err(error) => Err(error),
            };
            if let Err(error) = replaced {
                return refuse(error);
            }
        }
        let mut reply = attributes::with_bare_e_tag(self.service.call(Request::from_parts(parts, body)).await?);
        if let Some(error) = body_error.take() {
            reply = refuse(error)?;
        }
        reply = error_context.explain(reply);
        if let (Some(cors), Some(bucket)) = (cors, &place.bucket) {
            cors.allow(&self.storage.settings, bucket, reply.headers_mut());
        }
        if reply.status() == StatusCode::OK && reply.headers().contains_key(CONTENT_RANGE) {
            // `s3s` does not set this status for a HEAD.
            *reply.status_mut() = StatusCode::PARTIAL_CONTENT;
        }
        pace.wait(&self.clock).await;
        Ok(reply.map(|body| pace.slow(&self.clock, body)))
    }

    /// Answers a CORS preflight request.
    fn preflight(&self, cors: Option<&Cors>, place: &Place) -> Result<Response<Body>, HttpError> {
        let asked = cors.zip(place.bucket.as_deref());
        let answered = match asked {
            Some((cors, bucket)) => cors.preflight(&self.storage.settings, bucket),
            None => Err(error(
                "BadRequest",
                StatusCode::BAD_REQUEST,
                "Insufficient information. Origin request header needed.",
            )),
        };
        answered.or_else(refuse)
    }
}

/// Removes an unreadable range, which a server must ignore (RFC 9110, 14.2); `s3s` refuses it. A job's request keeps
/// it, because its headers are signed.
fn ignore_unreadable_range(headers: &mut HeaderMap) {
    let range = headers.get(RANGE).map(|range| range.to_str().is_ok_and(|range| Range::parse(range).is_ok()));
    if range == Some(false) {
        headers.remove(RANGE);
    }
}

/// Whether a request uploads a body without its length.
fn lacks_length(request: &Request<Body>) -> bool {
    let (method, uri, headers) = (request.method(), request.uri(), request.headers());
    let uploads = *method == Method::PUT && !headers.contains_key("x-amz-copy-source") && {
        let query = query_values(uri);
        let subresource = query.iter().any(|(name, value)| value.is_empty() && name != "versionId");
        Place::of(uri, headers).key.is_some() && !subresource
    };
    uploads && !headers.contains_key(CONTENT_LENGTH) && !headers.contains_key(TRANSFER_ENCODING)
}

/// The access key id that S3 would take from the request. `None` without one, or if the request is malformed. A form has it in its body,
/// so this returns nothing for a form: [`is_form`](form::is_form).
pub(crate) fn claimed_key(parts: &Parts) -> Option<String> {
    let version_4 = Signed::of(parts).map(|signed| signed.access_key_id().to_owned());
    version_4.or_else(|| version_2::access_key_id(parts))
}

/// S3's response with an error. Returns an error if it can't be written.
pub(crate) fn refusal(code: &str, message: &str) -> Result<Response<Body>, HttpError> {
    refuse(error(code, StatusCode::FORBIDDEN, message))
}

fn refuse(error: S3Error) -> Result<Response<Body>, HttpError> {
    error.to_http_response().map_err(|error| HttpError::new(Box::new(error)))
}
