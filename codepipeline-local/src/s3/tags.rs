//! Tags of buckets and objects (S3 User Guide, "Categorizing your objects using tags").

use std::collections::BTreeSet;

use http::StatusCode;
use s3s::dto::Tag;
use s3s::{S3Result, s3_error};

use super::messages::error;
use super::signature::decode;

/// The maximum number of tags of a bucket (S3 API Reference, PutBucketTagging).
pub(super) const MOST_OF_BUCKET: usize = 50;
/// The maximum number of tags of an object (S3 API Reference, PutObjectTagging).
pub(super) const MOST_OF_OBJECT: usize = 10;

/// Returns an error if S3 refuses these tags.
pub(super) fn check(tags: &[Tag], most: usize) -> S3Result<()> {
    if tags.len() > most {
        let what = if most == MOST_OF_OBJECT { "Object" } else { "Bucket" };
        let message = format!("{what} tags cannot be greater than {most}");
        return Err(error("BadRequest", StatusCode::BAD_REQUEST, message));
    }
    let mut keys = BTreeSet::new();
    for tag in tags {
        let (key, value) = (tag.key.as_deref().unwrap_or_default(), tag.value.as_deref().unwrap_or_default());
        if key.is_empty() || key.chars().count() > 128 {
            return Err(s3_error!(InvalidTag, "The TagKey you have provided is invalid"));
        }
        if value.chars().count() > 256 {
            return Err(s3_error!(InvalidTag, "The TagValue you have provided is invalid"));
        }
        if key.starts_with("aws:") {
            return Err(s3_error!(InvalidTag, "System tags cannot be added/updated by requester"));
        }
        if !keys.insert(key) {
            return Err(s3_error!(InvalidTag, "Cannot provide multiple Tags with the same key"));
        }
    }
    Ok(())
}

/// Parses the header `x-amz-tagging`, which has the form of a query: `a=1&b=2`.
pub(super) fn of_header(text: &str) -> S3Result<Vec<Tag>> {
    let pairs = text.split('&').filter(|pair| !pair.is_empty());
    let tag = |pair: &str| {
        let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
        Tag { key: Some(decode(key, true)), value: Some(decode(value, true)) }
    };
    let tags: Vec<_> = pairs.map(tag).collect();
    match check(&tags, MOST_OF_OBJECT) {
        Ok(()) => Ok(tags),
        Err(error) if error.code().as_str() == "BadRequest" => Err(error),
        Err(_) => Err(s3_error!(
            InvalidArgument,
            "The header 'x-amz-tagging' shall be encoded as UTF-8 then URLEncoded URL query parameters without tag name duplicates."
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(text: &str) -> Result<String, String> {
        let written = |tag: Tag| format!("{}={}", tag.key.unwrap(), tag.value.unwrap());
        let read = of_header(text).map_err(|error| error.code().as_str().to_owned())?;
        Ok(read.into_iter().map(written).collect::<Vec<_>>().join("|"))
    }

    #[test]
    fn header_is_parsed_as_a_query() {
        assert_eq!(of("a=1&b%20c=x+y&d"), Ok("a=1|b c=x y|d=".into()));
        assert_eq!(of(""), Ok(String::new()));
    }

    #[test]
    fn bad_tags_are_refused() {
        assert_eq!(of("a=1&a=2"), Err("InvalidArgument".into()));
        assert_eq!(of("aws:x=1"), Err("InvalidArgument".into()));
        assert_eq!(of(&format!("{}=1", "k".repeat(129))), Err("InvalidArgument".into()));
        let many: Vec<_> = (0..11).map(|number| format!("k{number}=v")).collect();
        assert_eq!(of(&many.join("&")), Err("BadRequest".into()));
    }
}
