//! Listing of buckets: pages, prefixes and delimiters.

use std::sync::Arc;

use s3s::S3Result;
use s3s::dto::{
    CommonPrefix, ETag, EncodingType, ListObjectsInput, ListObjectsOutput, ListObjectsV2Input, ListObjectsV2Output,
    Object as Listed, ObjectStorageClass,
};

use super::catalog::Object;
use super::storage::{Storage, date};

/// The most that one page holds, whatever is asked for (S3 API Reference, ListObjectsV2).
const PAGE: i32 = 1000;

struct Page {
    objects: Vec<Arc<Object>>,
    prefixes: Vec<String>,
    /// Where the next page begins: after this key or common prefix.
    next: Option<String>,
}

impl Storage {
    pub(super) fn list_v2(&self, input: ListObjectsV2Input) -> S3Result<ListObjectsV2Output> {
        // A continuation token is the last key of the page before; it wins over the start.
        let after = input.continuation_token.as_ref().or(input.start_after.as_ref());
        let limit = input.max_keys.unwrap_or(PAGE).clamp(0, PAGE);
        let page = self.page(&input.bucket, input.prefix.as_deref(), input.delimiter.as_deref(), after, limit)?;
        let encode = Encoding::of(input.encoding_type.as_ref());
        Ok(ListObjectsV2Output {
            key_count: i32::try_from(page.objects.len() + page.prefixes.len()).ok(),
            contents: Some(page.objects.iter().map(|object| encode.object(object)).collect()),
            common_prefixes: Some(encode.prefixes(&page.prefixes)),
            is_truncated: Some(page.next.is_some()),
            next_continuation_token: page.next,
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
        let limit = input.max_keys.unwrap_or(PAGE).clamp(0, PAGE);
        let (prefix, delimiter) = (input.prefix.as_deref(), input.delimiter.as_deref());
        let page = self.page(&input.bucket, prefix, delimiter, input.marker.as_ref(), limit)?;
        let encode = Encoding::of(input.encoding_type.as_ref());
        Ok(ListObjectsOutput {
            contents: Some(page.objects.iter().map(|object| encode.object(object)).collect()),
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
        let delimiter = delimiter.filter(|it| !it.is_empty());
        let limit = usize::try_from(limit).unwrap_or(0);
        let mut page = Page { objects: Vec::new(), prefixes: Vec::new(), next: None };
        let mut last: Option<String> = None;
        for object in self.catalog.list(bucket, prefix)? {
            let key = &object.record.key;
            let rest = &key[prefix.len()..];
            let group = delimiter.and_then(|it| Some(&key[..prefix.len() + rest.find(it)? + it.len()]));
            let listed = group.unwrap_or(key);
            // A whole group lies at or before the start if its name does, though its keys are greater.
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

/// How keys are written: as they are, or URL-encoded for clients whose XML parsers can't take every character.
enum Encoding {
    Plain,
    Url,
}

impl Encoding {
    fn of(asked: Option<&EncodingType>) -> Self {
        if asked.is_some_and(|it| it.as_str() == EncodingType::URL) { Self::Url } else { Self::Plain }
    }

    fn text(&self, text: &str) -> String {
        match self {
            Self::Plain => text.to_owned(),
            Self::Url => super::signature::uri_encode(text, false),
        }
    }

    fn object(&self, object: &Object) -> Listed {
        let record = &object.record;
        Listed {
            key: Some(self.text(&record.key)),
            e_tag: Some(ETag::Strong(record.e_tag.clone())),
            size: i64::try_from(record.size).ok(),
            last_modified: Some(date(record.modified())),
            storage_class: Some(ObjectStorageClass::from_static(ObjectStorageClass::STANDARD)),
            ..Default::default()
        }
    }

    fn prefixes(&self, prefixes: &[String]) -> Vec<CommonPrefix> {
        prefixes.iter().map(|prefix| CommonPrefix { prefix: Some(self.text(prefix)) }).collect()
    }
}
