//! Listings of uploads: pages, prefixes and delimiters (S3 API Reference, ListMultipartUploads).

use std::sync::Arc;

use s3s::dto::{ChecksumAlgorithm, ListMultipartUploadsInput, ListMultipartUploadsOutput, MultipartUpload};
use s3s::{S3Request, S3Response, S3Result, s3_error};

use super::super::date::date;
use super::super::listing::{Encoding, group};
use super::super::storage::Storage;
use super::folder::Upload;

/// The maximum number of uploads and common prefixes per page.
const PAGE: i32 = 1000;

#[derive(Default)]
struct Page {
    uploads: Vec<(String, Arc<Upload>)>,
    prefixes: Vec<String>,
    truncated: bool,
    /// The last key or common prefix of the page, and the upload's id.
    last: Option<(String, Option<String>)>,
}

impl Storage {
    pub(in super::super) fn list_uploads(
        &self,
        request: S3Request<ListMultipartUploadsInput>,
    ) -> S3Result<S3Response<ListMultipartUploadsOutput>> {
        let input = request.input;
        self.catalog.check_bucket(&input.bucket)?;
        let encode = Encoding::of(input.encoding_type.as_ref())?;
        let limit = match input.max_uploads {
            Some(limit) if limit < 0 => {
                return Err(s3_error!(
                    InvalidArgument,
                    "Argument max-uploads must be an integer between 0 and 2147483647"
                ));
            }
            limit => limit.unwrap_or(PAGE).min(PAGE),
        };
        let page = page(self.uploads.of_bucket(&input.bucket), &input, usize::try_from(limit).unwrap_or(0));
        let text = |text: String| encode.text(&text);
        let uploads = page.uploads.into_iter().map(|(id, upload)| listed(id, encode.text(&upload.plan.key), &upload));
        let (next_key, next_id) = page.last.filter(|_| page.truncated).unzip();
        Ok(S3Response::new(ListMultipartUploadsOutput {
            uploads: Some(uploads.collect()),
            common_prefixes: Some(encode.prefixes(&page.prefixes)),
            is_truncated: Some(page.truncated),
            next_key_marker: next_key.map(text),
            next_upload_id_marker: next_id.flatten(),
            max_uploads: Some(limit),
            bucket: Some(input.bucket),
            prefix: input.prefix.map(text),
            delimiter: input.delimiter.map(text),
            key_marker: Some(text(input.key_marker.unwrap_or_default())),
            upload_id_marker: Some(input.upload_id_marker.unwrap_or_default()),
            encoding_type: input.encoding_type,
            ..Default::default()
        }))
    }
}

/// A page of uploads, which are sorted by key and id.
fn page(uploads: Vec<(String, Arc<Upload>)>, input: &ListMultipartUploadsInput, limit: usize) -> Page {
    let prefix = input.prefix.as_deref().unwrap_or_default();
    let key_marker = input.key_marker.as_deref().filter(|it| !it.is_empty());
    // An upload id marker needs a key marker.
    let id_marker = key_marker.and(input.upload_id_marker.as_deref()).filter(|it| !it.is_empty());
    let mut page = Page::default();
    for (id, upload) in uploads {
        let key = &upload.plan.key;
        if !key.starts_with(prefix) {
            continue;
        }
        let group = group(key, prefix, input.delimiter.as_deref());
        let listed = group.unwrap_or(key);
        let past = key_marker.is_none_or(|marker| {
            let later = group.is_none() && id_marker.is_some_and(|marker| id.as_str() > marker);
            listed > marker || (listed == marker && later)
        });
        if !past || page.prefixes.last().map(String::as_str) == group && group.is_some() {
            continue;
        }
        if page.uploads.len() + page.prefixes.len() >= limit {
            page.truncated = limit > 0;
            break;
        }
        page.last = Some((listed.to_owned(), group.is_none().then(|| id.clone())));
        match group {
            Some(group) => page.prefixes.push(group.to_owned()),
            None => page.uploads.push((id, upload)),
        }
    }
    page
}

fn listed(id: String, key: String, upload: &Upload) -> MultipartUpload {
    let plan = &upload.plan;
    MultipartUpload {
        key: Some(key),
        upload_id: Some(id),
        initiated: Some(date(plan.begun())),
        storage_class: Some(plan.storage_class.always_answered()),
        checksum_algorithm: plan.checksum.map(|(it, _)| ChecksumAlgorithm::from_static(it.name())),
        checksum_type: plan.checksum.map(|(_, kind)| kind.answered()),
        ..Default::default()
    }
}
