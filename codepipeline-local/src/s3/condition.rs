//! Conditional requests.

use http::header::{IF_MATCH, IF_NONE_MATCH};
use http::{HeaderMap, HeaderName};
use s3s::dto::{ETagCondition, Timestamp as Date};
use s3s::{S3Result, s3_error};

use super::catalog::Record;
use super::date::date;
use crate::types::Timestamp;

/// The conditions of a write: `If-Match` and `If-None-Match`.
#[derive(Default)]
pub(super) struct Condition {
    if_match: Option<ETagCondition>,
    if_none_match: Option<ETagCondition>,
}

impl Condition {
    /// The conditions of a write. Here S3 supports `If-None-Match` only with `*` (S3 User Guide, "Conditional
    /// writes").
    pub(super) fn of_write(if_match: Option<ETagCondition>, if_none_match: Option<ETagCondition>) -> S3Result<Self> {
        if if_none_match.as_ref().is_some_and(|condition| !condition.is_any()) {
            return Err(s3_error!(NotImplemented, "If-None-Match of a write must be *"));
        }
        Ok(Self { if_match, if_none_match })
    }

    /// The conditions of a copy on its destination, which `s3s` does not parse.
    pub(super) fn of_headers(headers: &HeaderMap) -> S3Result<Self> {
        let condition = |name: HeaderName| {
            let Some(value) = headers.get(&name) else { return Ok(None) };
            let parsed = ETagCondition::parse_http_header(value.as_bytes());
            parsed.map(Some).map_err(|_| s3_error!(InvalidArgument, "{} must be an entity tag or *", name))
        };
        Self::of_write(condition(IF_MATCH)?, condition(IF_NONE_MATCH)?)
    }

    /// The condition of a delete, which has no `If-None-Match`.
    pub(super) fn of_delete(if_match: Option<ETagCondition>) -> Self {
        Self { if_match, if_none_match: None }
    }

    /// Checks the condition against the entity tag of the object; `None` if there is no object.
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

/// The conditions of a read, or of a copy on its source.
pub(super) struct ReadCondition<'a> {
    pub(super) if_match: Option<&'a ETagCondition>,
    pub(super) if_none_match: Option<&'a ETagCondition>,
    pub(super) if_modified_since: Option<&'a Date>,
    pub(super) if_unmodified_since: Option<&'a Date>,
}

impl ReadCondition<'_> {
    /// Checks a read. Conditions on the entity tag override those on the time (RFC 9110, 13.2.2).
    pub(super) fn check(&self, record: &Record) -> S3Result<()> {
        let current = record.e_tag.as_str();
        // Headers have whole seconds.
        let modified = date(Timestamp(record.modified().0 / 1000 * 1000));
        match (self.if_match, self.if_unmodified_since) {
            (Some(demanded), _) if !holds(demanded, current) => return Err(failed("If-Match")),
            (None, Some(since)) if modified > *since => return Err(failed("If-Unmodified-Since")),
            _ => {}
        }
        match (self.if_none_match, self.if_modified_since) {
            (Some(refused), _) if holds(refused, current) => Err(s3_error!(NotModified)),
            (None, Some(since)) if modified <= *since => Err(s3_error!(NotModified)),
            _ => Ok(()),
        }
    }

    /// Checks the source of a copy. Here S3 never returns `NotModified` (S3 API Reference, CopyObject).
    pub(super) fn check_source(&self, record: &Record) -> S3Result<()> {
        let refused = |_| s3_error!(PreconditionFailed, "The source does not meet the request's conditions");
        self.check(record).map_err(refused)
    }
}

/// The conditions of a request that reads or copies.
macro_rules! read_condition {
    ($input:expr) => {
        crate::s3::condition::ReadCondition {
            if_match: $input.if_match.as_ref(),
            if_none_match: $input.if_none_match.as_ref(),
            if_modified_since: $input.if_modified_since.as_ref(),
            if_unmodified_since: $input.if_unmodified_since.as_ref(),
        }
    };
    (source of $input:expr) => {
        crate::s3::condition::ReadCondition {
            if_match: $input.copy_source_if_match.as_ref(),
            if_none_match: $input.copy_source_if_none_match.as_ref(),
            if_modified_since: $input.copy_source_if_modified_since.as_ref(),
            if_unmodified_since: $input.copy_source_if_unmodified_since.as_ref(),
        }
    };
}

pub(super) use read_condition;

fn holds(demanded: &ETagCondition, current: &str) -> bool {
    demanded.as_etag().is_none_or(|e_tag| e_tag.value() == current)
}

fn failed(condition: &str) -> s3s::S3Error {
    let message = format!("At least one of the pre-conditions you specified did not hold: {condition}");
    s3s::S3Error::with_message(s3s::S3ErrorCode::PreconditionFailed, message)
}
