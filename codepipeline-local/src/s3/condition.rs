//! Conditional requests: what the object must be for the request to be carried out.

use http::header::{IF_MATCH, IF_NONE_MATCH};
use http::{HeaderMap, HeaderName};
use s3s::dto::ETagCondition;
use s3s::{S3Result, s3_error};

/// The `If-Match` and `If-None-Match` of a write.
#[derive(Default)]
pub(super) struct Condition {
    if_match: Option<ETagCondition>,
    if_none_match: Option<ETagCondition>,
}

impl Condition {
    /// Of a write: S3 knows `If-None-Match` there with `*` only (S3 User Guide, "Conditional writes").
    pub(super) fn of_write(if_match: Option<ETagCondition>, if_none_match: Option<ETagCondition>) -> S3Result<Self> {
        if if_none_match.as_ref().is_some_and(|condition| !condition.is_any()) {
            return Err(s3_error!(NotImplemented, "If-None-Match of a write must be *"));
        }
        Ok(Self { if_match, if_none_match })
    }

    /// Of a write whose conditions `s3s` does not read: those of a copy on what it replaces.
    pub(super) fn of_headers(headers: &HeaderMap) -> S3Result<Self> {
        let condition = |name: HeaderName| {
            let Some(value) = headers.get(&name) else { return Ok(None) };
            let parsed = ETagCondition::parse_http_header(value.as_bytes());
            parsed.map(Some).map_err(|_| s3_error!(InvalidArgument, "{} must be an entity tag or *", name))
        };
        Self::of_write(condition(IF_MATCH)?, condition(IF_NONE_MATCH)?)
    }

    /// Of a delete, which has no `If-None-Match`.
    pub(super) fn of_delete(if_match: Option<ETagCondition>) -> Self {
        Self { if_match, if_none_match: None }
    }

    /// Whether it holds for the object with this entity tag, `None` for no object.
    pub(super) fn check(&self, current: Option<&str>) -> S3Result<()> {
        match (&self.if_match, current) {
            (Some(_), None) => return Err(s3_error!(NoSuchKey, "The specified key does not exist.")),
            (Some(demanded), Some(current)) if !holds(demanded, current) => return Err(failed("If-Match")),
            _ => {}
        }
        if self.if_none_match.is_some() && current.is_some() {
            return Err(failed("If-None-Match"));
        }
        Ok(())
    }
}

/// Checks a read's conditions (RFC 9110, 13.2.2, as far as entity tags go).
pub(super) fn check_read(
    if_match: Option<&ETagCondition>,
    if_none_match: Option<&ETagCondition>,
    current: &str,
) -> S3Result<()> {
    if if_match.is_some_and(|demanded| !holds(demanded, current)) {
        return Err(failed("If-Match"));
    }
    if if_none_match.is_some_and(|refused| holds(refused, current)) {
        return Err(s3_error!(NotModified));
    }
    Ok(())
}

fn holds(demanded: &ETagCondition, current: &str) -> bool {
    demanded.as_etag().is_none_or(|e_tag| e_tag.value() == current)
}

fn failed(condition: &str) -> s3s::S3Error {
    let message = format!("At least one of the pre-conditions you specified did not hold: {condition}");
    s3s::S3Error::with_message(s3s::S3ErrorCode::PreconditionFailed, message)
}
