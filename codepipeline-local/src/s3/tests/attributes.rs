//! GetObjectAttributes.

use aws_sdk_s3::operation::get_object_attributes::GetObjectAttributesOutput;
use aws_sdk_s3::types::{ChecksumAlgorithm, ChecksumType, ObjectAttributes, StorageClass};

use super::versions::{delete, put, versioned};
use super::*;

const ALL: [ObjectAttributes; 5] = [
    ObjectAttributes::Etag,
    ObjectAttributes::Checksum,
    ObjectAttributes::ObjectParts,
    ObjectAttributes::ObjectSize,
    ObjectAttributes::StorageClass,
];

async fn all(client: &Client, key: &str, version: Option<&str>) -> GetObjectAttributesOutput {
    let get = client.get_object_attributes().bucket("bucket").key(key).set_object_attributes(Some(ALL.to_vec()));
    get.set_version_id(version.map(str::to_owned)).send().await.unwrap()
}

#[tokio::test]
async fn attributes_belong_to_the_requested_version() {
    let (_server, client) = versioned().await;
    let first = client.put_object().bucket("bucket").key("key").body(body("first"));
    let first = first.checksum_algorithm(ChecksumAlgorithm::Sha256).storage_class(StorageClass::StandardIa);
    let first = first.send().await.unwrap();
    put(&client, "key", "the second").await;

    let of_first = all(&client, "key", first.version_id()).await;
    assert_eq!(of_first.version_id(), first.version_id());
    assert_eq!(of_first.e_tag(), first.e_tag().map(|e_tag| e_tag.trim_matches('"')), "without quotes");
    assert_eq!((of_first.object_size(), of_first.storage_class()), (Some(5), Some(&StorageClass::StandardIa)));
    let checksum = of_first.checksum().unwrap();
    assert_eq!(checksum.checksum_sha256(), first.checksum_sha256());
    assert_eq!(checksum.checksum_type(), Some(&ChecksumType::FullObject));
    assert!(of_first.object_parts().is_none());
    assert_eq!(of_first.last_modified().unwrap().secs(), 1_800_000_000);
    let latest = all(&client, "key", None).await;
    assert_eq!((latest.object_size(), latest.storage_class()), (Some(10), Some(&StorageClass::Standard)));

    // boto3 names several attributes in one header.
    let both = client.get_object_attributes().bucket("bucket").key("key");
    let both = both.object_attributes(ObjectAttributes::Etag).customize().mutate_request(|request| {
        request.headers_mut().insert("x-amz-object-attributes", "ETag, ObjectSize");
    });
    let both = both.send().await.unwrap();
    assert_eq!((both.object_size(), both.e_tag()), (Some(10), latest.e_tag()));
    let size = client.get_object_attributes().bucket("bucket").key("key");
    let size = size.object_attributes(ObjectAttributes::ObjectSize).send().await.unwrap();
    assert_eq!((size.object_size(), size.e_tag(), size.storage_class()), (Some(10), None, None));
    assert!(size.checksum().is_none());
}

#[tokio::test]
async fn parts_with_checksums_are_listed_in_pages() {
    let (_server, client) = versioned().await;
    let begun = client.create_multipart_upload().bucket("bucket").key("big");
    let begun = begun.checksum_algorithm(ChecksumAlgorithm::Crc32).send().await.unwrap();
    let id = begun.upload_id().unwrap();
    let mut completed = CompletedMultipartUpload::builder();
    for (number, size) in [(2, 5 << 20), (3, 5 << 20), (7, 3)] {
        let part = client.upload_part().bucket("bucket").key("big").upload_id(id).part_number(number);
        let part = part.checksum_algorithm(ChecksumAlgorithm::Crc32).body(ByteStream::from(vec![b'a'; size]));
        let part = part.send().await.unwrap();
        let named = CompletedPart::builder().part_number(number).set_e_tag(part.e_tag().map(str::to_owned));
        completed = completed.parts(named.set_checksum_crc32(part.checksum_crc32().map(str::to_owned)).build());
    }
    let complete = client.complete_multipart_upload().bucket("bucket").key("big").upload_id(id);
    let done = complete.multipart_upload(completed.build()).send().await.unwrap();

    let mut seen = Vec::new();
    let mut marker = None;
    loop {
        let get = client.get_object_attributes().bucket("bucket").key("big");
        let get = get.object_attributes(ObjectAttributes::ObjectParts).max_parts(2).set_part_number_marker(marker);
        let page = get.send().await.unwrap();
        let parts = page.object_parts().unwrap();
        assert_eq!((parts.total_parts_count(), parts.max_parts()), (Some(3), Some(2)));
        seen.extend(parts.parts().iter().map(|part| (part.part_number().unwrap(), part.size().unwrap())));
        assert!(parts.parts().iter().all(|part| part.checksum_crc32().is_some()));
        marker = parts.next_part_number_marker().map(str::to_owned);
        if parts.is_truncated() != Some(true) {
            break;
        }
    }
    assert_eq!(seen, [(2, 5 << 20), (3, 5 << 20), (7, 3)]);
    let attributes = all(&client, "big", None).await;
    assert_eq!(attributes.checksum().unwrap().checksum_crc32(), done.checksum_crc32());
    assert_eq!(attributes.checksum().unwrap().checksum_type(), Some(&ChecksumType::Composite));
}

#[tokio::test]
async fn attributes_of_missing_objects_are_refused() {
    let (_server, client) = versioned().await;
    put(&client, "key", "content").await;
    let get = |key: &str, version: Option<&str>| {
        let get = client.get_object_attributes().bucket("bucket").key(key).set_version_id(version.map(str::to_owned));
        get.object_attributes(ObjectAttributes::Etag).send()
    };
    assert_eq!(code(get("other", None).await), "NoSuchKey");
    assert_eq!(code(get("key", Some("abcdef")).await), "InvalidArgument");
    assert_eq!(code(get("key", Some("null")).await), "NoSuchVersion");
    let (_, marker) = delete(&client, "key", None).await;
    assert_eq!(code(get("key", None).await), "NoSuchKey");
    assert_eq!(code(get("key", marker.as_deref()).await), "MethodNotAllowed");
    let unknown = client.get_object_attributes().bucket("bucket").key("key");
    let unknown = unknown.object_attributes(ObjectAttributes::from("Owner")).send().await;
    assert_eq!(code(unknown), "InvalidArgument");
}
