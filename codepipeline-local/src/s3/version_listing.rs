//! ListObjectVersions: listings of versions and delete markers.

use std::sync::Arc;

use s3s::dto::{
    ChecksumAlgorithm, DeleteMarkerEntry, ETag, ListObjectVersionsInput, ListObjectVersionsOutput, ObjectVersion,
};
use s3s::{S3Result, s3_error};

use super::catalog::{Object, VersionId};
use super::date::date;
use super::listing::{Encoding, group, owner, page_size};
use super::storage::Storage;

/// The end of the previous page.
struct Start<'a> {
    /// The last key or common prefix.
    key: &'a str,
    listed: Listed,
}

/// The versions of the last key on the previous page.
enum Listed {
    All,
    /// The version with this commit number, and all newer ones.
    DownTo(u64),
    Nothing,
}

#[derive(Default)]
struct Page {
    versions: Vec<ObjectVersion>,
    markers: Vec<DeleteMarkerEntry>,
    prefixes: Vec<String>,
    /// The last key or common prefix, and the version of a key. `None` on the last page.
    next: Option<(String, Option<String>)>,
}

impl Storage {
    pub(super) fn list_versions(&self, input: ListObjectVersionsInput) -> S3Result<ListObjectVersionsOutput> {
        let limit = page_size(input.max_keys)?;
        let prefix = input.prefix.as_deref().unwrap_or_default();
        let found = self.catalog.list_versions(&input.bucket, prefix)?;
        let start = Start::of(input.key_marker.as_deref(), input.version_id_marker.as_deref(), &found)?;
        let encode = Encoding::of(input.encoding_type.as_ref())?;
        let page = page(&found, (prefix, input.delimiter.as_deref()), start.as_ref(), limit, &encode);
        let (next_key_marker, next_version_id_marker) = page.next.clone().unzip();
        Ok(ListObjectVersionsOutput {
            common_prefixes: Some(encode.prefixes(&page.prefixes)),
            delete_markers: Some(page.markers),
            versions: Some(page.versions),
            is_truncated: Some(page.next.is_some()),
            next_key_marker: next_key_marker.map(|it| encode.text(&it)),
            next_version_id_marker: next_version_id_marker.flatten(),
            max_keys: Some(limit),
            name: Some(input.bucket),
            prefix: Some(encode.text(prefix)),
            key_marker: Some(encode.text(input.key_marker.as_deref().unwrap_or_default())),
            version_id_marker: Some(input.version_id_marker.unwrap_or_default()),
            delimiter: input.delimiter.map(|it| encode.text(&it)),
            encoding_type: input.encoding_type,
            ..Default::default()
        })
    }
}

/// The page after the start. `found` is in key order, newest version first.
fn page(
    found: &[Arc<Object>],
    (prefix, delimiter): (&str, Option<&str>),
    start: Option<&Start<'_>>,
    limit: i32,
    encode: &Encoding,
) -> Page {
    let limit = usize::try_from(limit).unwrap_or(0);
    let mut page = Page::default();
    let mut listed = 0;
    // A common prefix has no version.
    let mut last: Option<(&str, Option<&Object>)> = None;
    let mut latest_of = None;
    for object in found {
        let key = object.record.key.as_str();
        let latest = latest_of.replace(key) != Some(key);
        let group = group(key, prefix, delimiter);
        let name = group.unwrap_or(key);
        let single = group.is_none().then_some(&**object);
        let repeated = group.is_some() && last.is_some_and(|(last, _)| last == name);
        if repeated || start.is_some_and(|start| start.has(name, single)) {
            continue;
        }
        if listed == limit {
            let id = |version: &Object| version.commit.version.as_str().to_owned();
            page.next = last.map(|(name, version)| (name.to_owned(), version.map(id)));
            break;
        }
        listed += 1;
        last = Some((name, single));
        match group {
            Some(group) => page.prefixes.push(group.to_owned()),
            None if object.record.delete_marker => page.markers.push(marker(object, latest, encode)),
            None => page.versions.push(version(object, latest, encode)),
        }
    }
    page
}

impl Start<'_> {
    /// Reads the markers of a request.
    fn of<'a>(key: Option<&'a str>, version: Option<&str>, found: &[Arc<Object>]) -> S3Result<Option<Start<'a>>> {
        let key = key.filter(|key| !key.is_empty());
        match (key, version) {
            (None, Some(_)) => {
                Err(s3_error!(InvalidArgument, "A version-id marker cannot be specified without a key marker."))
            }
            (_, Some("")) => Err(s3_error!(InvalidArgument, "A version-id marker cannot be empty.")),
            (None, None) => Ok(None),
            (Some(key), None) => Ok(Some(Start { key, listed: Listed::All })),
            (Some(key), Some(version)) => {
                let version = VersionId::parse(version)?;
                let same = |object: &&Arc<Object>| object.record.key == key && object.commit.version == version;
                // The position of a version that was deleted meanwhile is in its id. The position of a deleted `null`
                // version is unknown.
                let place = found.iter().find(same).map(|object| object.commit.place).or_else(|| version.place());
                Ok(Some(Start { key, listed: place.map_or(Listed::Nothing, Listed::DownTo) }))
            }
        }
    }

    /// Whether the previous page has this key or common prefix, and the version of a key.
    fn has(&self, name: &str, version: Option<&Object>) -> bool {
        let same_key = || match (&self.listed, version) {
            (Listed::DownTo(place), Some(version)) => version.commit.place >= *place,
            (Listed::Nothing, Some(_)) => false,
            (Listed::All, _) | (_, None) => true,
        };
        name < self.key || name == self.key && same_key()
    }
}

fn version(object: &Object, latest: bool, encode: &Encoding) -> ObjectVersion {
    let record = &object.record;
    let checksum = record.details.checksum.as_ref();
    ObjectVersion {
        key: Some(encode.text(&record.key)),
        version_id: Some(object.commit.version.as_str().to_owned()),
        is_latest: Some(latest),
        owner: Some(owner()),
        e_tag: Some(ETag::Strong(record.e_tag.clone())),
        size: i64::try_from(record.size).ok(),
        last_modified: Some(date(record.modified())),
        storage_class: Some(record.details.storage_class.listed_version()),
        checksum_algorithm: checksum.map(|it| vec![ChecksumAlgorithm::from_static(it.sum.algorithm.name())]),
        checksum_type: checksum.map(|it| it.kind.answered()),
        ..Default::default()
    }
}

fn marker(object: &Object, latest: bool, encode: &Encoding) -> DeleteMarkerEntry {
    DeleteMarkerEntry {
        key: Some(encode.text(&object.record.key)),
        version_id: Some(object.commit.version.as_str().to_owned()),
        is_latest: Some(latest),
        owner: Some(owner()),
        last_modified: Some(date(object.record.modified())),
    }
}
