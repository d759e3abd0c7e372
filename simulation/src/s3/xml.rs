//! The few XML documents, dates and texts that S3 needs.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};

const UNRESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~').remove(b'/');

pub(super) fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

fn unescaped(text: &str) -> String {
    text.replace("&lt;", "<").replace("&gt;", ">").replace("&quot;", "\"").replace("&amp;", "&")
}

pub(super) fn percent_encoded(text: &str) -> String {
    utf8_percent_encode(text, UNRESERVED).to_string()
}

pub(super) fn percent_decoded(text: &str) -> String {
    percent_decode_str(text).decode_utf8_lossy().into_owned()
}

/// The keys of a `DeleteObjects` request, with the entity tags that they must have.
pub(super) fn objects_to_delete(body: &str) -> Vec<(String, Option<String>)> {
    let element = |text: &str, name: &str| {
        let (_, rest) = text.split_once(&format!("<{name}>"))?;
        Some(unescaped(rest.split_once(&format!("</{name}>"))?.0))
    };
    let objects = body.split("<Object>").skip(1);
    let one =
        |object| Some((element(object, "Key")?, element(object, "ETag").map(|it| it.trim_matches('"').to_owned())));
    objects.filter_map(one).collect()
}

/// `Thu, 15 Jan 2026 09:00:00 GMT`
pub(super) fn http_date(milliseconds: u64) -> String {
    date(milliseconds, aws_smithy_types::date_time::Format::HttpDate)
}

/// `2026-01-15T09:00:00Z`
pub(super) fn iso_date(milliseconds: u64) -> String {
    date(milliseconds, aws_smithy_types::date_time::Format::DateTime)
}

fn date(milliseconds: u64, format: aws_smithy_types::date_time::Format) -> String {
    let seconds = i64::try_from(milliseconds / 1000).unwrap_or(i64::MAX);
    aws_smithy_types::DateTime::from_secs(seconds).fmt(format).unwrap_or_default()
}
