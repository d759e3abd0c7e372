//! GetObjectAttributes: facts about an object, without its bytes.

use bytes::Bytes;
use http::Response;
use http::header::CONTENT_LENGTH;
use s3s::dto::{
    ETag, GetObjectAttributesInput, GetObjectAttributesOutput, GetObjectAttributesParts, ObjectAttributes, ObjectPart,
};
use s3s::{Body, S3Response, S3Result, s3_error};

use super::checksum::give_sums;
use super::date::date;
use super::details::Details;
use super::storage::Storage;

/// The maximum number of parts in one response (S3 API Reference, GetObjectAttributes).
const PAGE: i32 = 1000;
const KNOWN: [&str; 5] = [
    ObjectAttributes::CHECKSUM,
    ObjectAttributes::ETAG,
    ObjectAttributes::OBJECT_PARTS,
    ObjectAttributes::OBJECT_SIZE,
    ObjectAttributes::STORAGE_CLASS,
];

/// Marks a response whose entity tag has no quotes, unlike those of other operations (S3 API Reference,
/// GetObjectAttributes).
#[derive(Clone)]
struct BareETag;

impl Storage {
    pub(super) fn object_attributes(
        &self,
        input: &GetObjectAttributesInput,
    ) -> S3Result<S3Response<GetObjectAttributesOutput>> {
        // Some clients send all names in one header, others one header per name.
        let asked = input.object_attributes.iter().flat_map(|header| header.as_str().split(','));
        let asked: Vec<_> = asked.map(str::trim).collect();
        if asked.iter().all(|name| name.is_empty()) {
            let message = "The x-amz-object-attributes header specifying the attributes to be retrieved is either missing or empty";
            return Err(s3_error!(InvalidRequest, "{}", message));
        }
        if let Some(unknown) = asked.iter().find(|name| !KNOWN.contains(name)) {
            let known = KNOWN.join(", ");
            return Err(s3_error!(
                InvalidArgument,
                "Invalid attribute name specified: {}. The names are {}",
                unknown,
                known
            ));
        }
        let object = self.catalog.get_version(&input.bucket, &input.key, input.version_id.as_deref())?;
        let record = &object.record;
        let asks = |name: &str| asked.contains(&name);
        let parts = asks(ObjectAttributes::OBJECT_PARTS).then(|| parts(input, &record.details)).transpose()?;
        let mut response = S3Response::new(GetObjectAttributesOutput {
            checksum: asks(ObjectAttributes::CHECKSUM).then(|| record.details.sums()),
            e_tag: asks(ObjectAttributes::ETAG).then(|| ETag::Strong(record.e_tag.clone())),
            object_parts: parts.flatten(),
            object_size: i64::try_from(record.size).ok().filter(|_| asks(ObjectAttributes::OBJECT_SIZE)),
            storage_class: asks(ObjectAttributes::STORAGE_CLASS)
                .then(|| record.details.storage_class.always_answered()),
            last_modified: Some(date(record.modified())),
            version_id: self.catalog.shown_version(&object),
            ..Default::default()
        });
        response.extensions.insert(BareETag);
        Ok(response)
    }
}

/// The parts of a multipart object. Without checksums of the parts, S3 returns only their number (S3 API Reference,
/// GetObjectAttributes).
fn parts(input: &GetObjectAttributesInput, details: &Details) -> S3Result<Option<GetObjectAttributesParts>> {
    let (after, limit) = (input.part_number_marker.unwrap_or(0), input.max_parts.unwrap_or(PAGE));
    if after < 0 || limit < 0 {
        return Err(s3_error!(InvalidArgument, "x-amz-max-parts and x-amz-part-number-marker must not be negative"));
    }
    if details.parts.is_empty() {
        return Ok(None);
    }
    let total_parts_count = i32::try_from(details.parts.len()).ok();
    if details.parts.iter().all(|part| part.sum.is_none()) {
        return Ok(Some(GetObjectAttributesParts { total_parts_count, ..Default::default() }));
    }
    let limit = limit.min(PAGE);
    let mut left = details.parts.iter().filter(|part| part.number > after);
    let page: Vec<_> = left.by_ref().take(usize::try_from(limit).unwrap_or(0)).collect();
    let listed = page.iter().map(|part| {
        let mut listed =
            ObjectPart { part_number: Some(part.number), size: i64::try_from(part.size).ok(), ..Default::default() };
        give_sums!(listed, part.sum.as_ref().map(super::checksum::Sum::members).unwrap_or_default());
        listed
    });
    Ok(Some(GetObjectAttributesParts {
        is_truncated: Some(left.next().is_some()),
        max_parts: Some(limit),
        next_part_number_marker: Some(page.last().map_or(0, |part| part.number)),
        part_number_marker: Some(after),
        parts: Some(listed.collect()),
        total_parts_count,
    }))
}

/// Removes the quotes of the entity tag in a response of GetObjectAttributes. `s3s` writes every entity tag with
/// quotes.
pub(super) fn with_bare_e_tag(mut reply: Response<Body>) -> Response<Body> {
    if reply.extensions().get::<BareETag>().is_none() {
        return reply;
    }
    let body = reply.body().bytes().and_then(|body| String::from_utf8(body.to_vec()).ok());
    let Some((before, rest)) = body.as_deref().and_then(|body| body.split_once("<ETag>")) else { return reply };
    let Some((e_tag, after)) = rest.split_once("</ETag>") else { return reply };
    let e_tag = e_tag.replace("&quot;", "").replace('"', "");
    let bare = Bytes::from(format!("{before}<ETag>{e_tag}</ETag>{after}"));
    reply.headers_mut().remove(CONTENT_LENGTH);
    *reply.body_mut() = Body::from(bare);
    reply
}
