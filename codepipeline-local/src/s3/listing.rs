//! Listings of buckets and objects: pages, prefixes and delimiters.

use std::sync::Arc;

use s3s::dto::{
    Bucket, ChecksumAlgorithm, CommonPrefix, ETag, EncodingType, ListBucketsInput, ListBucketsOutput, ListObjectsInput,
    ListObjectsOutput, ListObjectsV2Input, ListObjectsV2Output, Object as Listed, Owner,
};
use s3s::{S3Result, s3_error};

use super::catalog::{Object, internal};
use super::date::date;
use super::settings::OWNER;
use super::signature::hex;
use super::storage::Storage;

/// The maximum number of entries per page, even if a request asks for more (S3 API Reference, ListObjectsV2).
const PAGE: i32 = 1000;

struct Page {
    objects: Vec<Arc<Object>>,
    prefixes: Vec<String>,
    /// The start of the next page: after this key or common prefix.
    next: Option<String>,
}

impl Storage {
    pub(super) fn list_buckets(&self, input: ListBucketsInput) -> S3Result<ListBucketsOutput> {
        let limit = input.max_buckets.map_or(Ok(usize::MAX), usize::try_from).unwrap_or(0);
        if !(1..=10_000).contains(&limit) && input.max_buckets.is_some() {
            return Err(s3_error!(InvalidArgument, "max-buckets is between 1 and 10000"));
        }
        let prefix = input.prefix.as_deref().unwrap_or_default();
        let after = input.continuation_token.as_deref().unwrap_or_default();
        let mut buckets = Vec::new();
        for (name, made) in self.catalog.buckets().map_err(internal)? {
            let region = self.region_of(&name);
            let wanted = input.bucket_region.as_ref().is_none_or(|wanted| *wanted == region);
            if wanted && name.starts_with(prefix) && name.as_str() > after {
                let (name, bucket_region) = (Some(name), Some(region));
                buckets.push(Bucket { name, bucket_region, creation_date: Some(made.into()) });
            }
        }
        let more = buckets.len() > limit;
        buckets.truncate(limit);
        let continuation_token = buckets.last().filter(|_| more).and_then(|bucket| bucket.name.clone());
        let owner = Some(owner());
        Ok(ListBucketsOutput { buckets: Some(buckets), continuation_token, owner, prefix: input.prefix })
    }

    pub(super) fn list_v2(&self, input: ListObjectsV2Input) -> S3Result<ListObjectsV2Output> {
        // A continuation token holds the last key of the previous page. It overrides `start-after`.
        let continued = input.continuation_token.as_deref().map(of_token).transpose()?;
        let after = continued.as_ref().or(input.start_after.as_ref());
        let limit = page_size(input.max_keys)?;
        let encode = Encoding::of(input.encoding_type.as_ref())?;
        let page = self.page(&input.bucket, input.prefix.as_deref(), input.delimiter.as_deref(), after, limit)?;
        let owner = input.fetch_owner.unwrap_or(false).then(owner);
        Ok(ListObjectsV2Output {
            key_count: i32::try_from(page.objects.len() + page.prefixes.len()).ok(),
            contents: Some(page.objects.iter().map(|object| encode.object(object, owner.clone())).collect()),
            common_prefixes: Some(encode.prefixes(&page.prefixes)),
            is_truncated: Some(page.next.is_some()),
            next_continuation_token: page.next.map(|last| hex(last.as_bytes())),
            max_keys: Some(limit),
            name: Some(input.bucket),
            continuation_token: input.continuation_token,
            start_after: input.start_after.map(|it| encode.text(&it)),
            prefix: Some(encode.text(input.prefix.as_deref().unwrap_or_default())),
            delimiter: input.delimiter.map(|it| encode.text(&it)),
            encoding_type: input.encoding_type,
            ..Default::default()
        })
    }

    pub(super) fn list_v1(&self, input: ListObjectsInput) -> S3Result<ListObjectsOutput> {
        let limit = page_size(input.max_keys)?;
        let encode = Encoding::of(input.encoding_type.as_ref())?;
        let (prefix, delimiter) = (input.prefix.as_deref(), input.delimiter.as_deref());
        let page = self.page(&input.bucket, prefix, delimiter, input.marker.as_ref(), limit)?;
        Ok(ListObjectsOutput {
            contents: Some(page.objects.iter().map(|object| encode.object(object, Some(owner()))).collect()),
            common_prefixes: Some(encode.prefixes(&page.prefixes)),
            is_truncated: Some(page.next.is_some()),
            next_marker: page.next.map(|it| encode.text(&it)),
            max_keys: Some(limit),
            name: Some(input.bucket),
            marker: Some(encode.text(input.marker.as_deref().unwrap_or_default())),
            prefix: Some(encode.text(input.prefix.as_deref().unwrap_or_default())),
            delimiter: input.delimiter.map(|it| encode.text(&it)),
            encoding_type: input.encoding_type,
            ..Default::default()
        })
    }

    fn page(
        &self,
        bucket: &str,
        prefix: Option<&str>,
        delimiter: Option<&str>,
        after: Option<&String>,
        limit: i32,
    ) -> S3Result<Page> {
        let prefix = prefix.unwrap_or_default();
        let limit = usize::try_from(limit).unwrap_or(0);
        let mut page = Page { objects: Vec::new(), prefixes: Vec::new(), next: None };
        let mut last: Option<String> = None;
        for object in self.catalog.list(bucket, prefix)? {
            let key = &object.record.key;
            let group = group(key, prefix, delimiter);
            let listed = group.unwrap_or(key);
            // A group is before the start if its name is, even if its keys are greater.
            if after.is_some_and(|after| listed <= after.as_str()) || last.as_deref() == Some(listed) {
                continue;
            }
            if page.objects.len() + page.prefixes.len() == limit {
                page.next = last;
                break;
            }
            last = Some(listed.to_owned());
            match group {
                Some(group) => page.prefixes.push(group.to_owned()),
                None => page.objects.push(Arc::clone(&object)),
            }
        }
        Ok(page)
    }
}

/// The key in a continuation token. A token is hexadecimal, because XML can't hold every character of a key.
fn of_token(token: &str) -> S3Result<String> {
    let byte = |digits: &[u8]| u8::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok();
    let bytes: Option<Vec<u8>> = token.as_bytes().chunks(2).map(byte).collect();
    let key = bytes.filter(|bytes| !bytes.is_empty()).and_then(|bytes| String::from_utf8(bytes).ok());
    key.filter(|key| hex(key.as_bytes()) == token)
        .ok_or_else(|| s3_error!(InvalidArgument, "The continuation token provided is incorrect"))
}

/// The owner of every bucket and object.
pub(super) fn owner() -> Owner {
    Owner { display_name: None, id: Some(OWNER.to_owned()) }
}

/// The page size.
pub(super) fn page_size(asked: Option<i32>) -> S3Result<i32> {
    match asked {
        Some(asked) if asked < 0 => {
            Err(s3_error!(InvalidArgument, "Argument max-keys must be an integer between 0 and 2147483647"))
        }
        Some(asked) => Ok(asked.min(PAGE)),
        None => Ok(PAGE),
    }
}

/// The common prefix of a key: the key up to the first delimiter after the prefix.
pub(super) fn group<'a>(key: &'a str, prefix: &str, delimiter: Option<&str>) -> Option<&'a str> {
    let delimiter = delimiter.filter(|it| !it.is_empty())?;
    let end = key[prefix.len()..].find(delimiter)? + delimiter.len();
    Some(&key[..prefix.len() + end])
}

/// The encoding of keys: none, or URL encoding for clients whose XML parsers reject some characters.
pub(super) enum Encoding {
    Plain,
    Url,
}

impl Encoding {
    pub(super) fn of(asked: Option<&EncodingType>) -> S3Result<Self> {
        match asked.map(EncodingType::as_str) {
            None => Ok(Self::Plain),
            Some(EncodingType::URL) => Ok(Self::Url),
            Some(_) => Err(s3_error!(InvalidArgument, "Invalid Encoding Method specified in Request")),
        }
    }

    pub(super) fn text(&self, text: &str) -> String {
        match self {
            Self::Plain => text.to_owned(),
            Self::Url => super::signature::uri_encode(text, false),
        }
    }

    fn object(&self, object: &Object, owner: Option<Owner>) -> Listed {
        let record = &object.record;
        let checksum = record.details.checksum.as_ref();
        Listed {
            owner,
            key: Some(self.text(&record.key)),
            e_tag: Some(ETag::Strong(record.e_tag.clone())),
            size: i64::try_from(record.size).ok(),
            last_modified: Some(date(record.modified())),
            storage_class: Some(record.details.storage_class.listed()),
            checksum_algorithm: checksum.map(|it| vec![ChecksumAlgorithm::from_static(it.sum.algorithm.name())]),
            checksum_type: checksum.map(|it| it.kind.answered()),
            ..Default::default()
        }
    }

    pub(super) fn prefixes(&self, prefixes: &[String]) -> Vec<CommonPrefix> {
        prefixes.iter().map(|prefix| CommonPrefix { prefix: Some(self.text(prefix)) }).collect()
    }
}
