//! ListObjectVersions in pages.

use aws_sdk_s3::types::EncodingType;

use super::versions::{delete, put, versioned};
use super::*;

/// Lists everything in pages of this size, and calls `after` with each page's versions. Returns the keys, `-` before a marker's.
async fn pages(
    client: &Client,
    size: i32,
    delimiter: Option<&str>,
    mut after: impl AsyncFnMut(&[(String, String)]),
) -> Vec<Vec<String>> {
    let mut pages = Vec::new();
    let (mut key, mut version) = (None, None);
    loop {
        let list = client.list_object_versions().bucket("bucket").max_keys(size).set_key_marker(key);
        let list = list.set_version_id_marker(version).set_delimiter(delimiter.map(str::to_owned));
        let page = list.send().await.unwrap();
        let mut found = Vec::new();
        let mut ids = Vec::new();
        for it in page.versions() {
            found.push(it.key().unwrap().to_owned());
            ids.push((it.key().unwrap().to_owned(), it.version_id().unwrap().to_owned()));
        }
        for it in page.delete_markers() {
            found.push(format!("-{}", it.key().unwrap()));
            ids.push((it.key().unwrap().to_owned(), it.version_id().unwrap().to_owned()));
        }
        found.extend(page.common_prefixes().iter().map(|it| it.prefix().unwrap().to_owned()));
        pages.push(found);
        after(&ids).await;
        key = page.next_key_marker().map(str::to_owned);
        version = page.next_version_id_marker().map(str::to_owned);
        if page.is_truncated() != Some(true) {
            assert_eq!((key, version), (None, None));
            return pages;
        }
    }
}

/// A bucket with several versions of some keys.
async fn filled() -> (Server, Client) {
    let (server, client) = versioned().await;
    for key in ["a", "d/1", "a", "d/2", "d/", "e", "a", "d/1"] {
        put(&client, key, key).await;
    }
    delete(&client, "e", None).await;
    (server, client)
}

#[tokio::test]
async fn pages_hold_every_version_once() {
    let (_server, client) = filled().await;
    for size in 1..=10 {
        let pages = pages(&client, size, None, async |_| {}).await;
        let mut all = pages.concat();
        assert!(pages[..pages.len() - 1].iter().all(|page| page.len() == size as usize), "{pages:?}");
        all.sort();
        assert_eq!(all, ["-e", "a", "a", "a", "d/", "d/1", "d/1", "d/2", "e"], "{size}");
    }
}

#[tokio::test]
async fn common_prefix_covers_all_versions_below_it() {
    let (_server, client) = filled().await;
    for size in 1..=6 {
        let pages = pages(&client, size, Some("/"), async |_| {}).await.concat();
        let mut all = pages;
        all.sort();
        assert_eq!(all, ["-e", "a", "a", "a", "d/", "e"], "{size}");
    }
    let under = client.list_object_versions().bucket("bucket").prefix("d/").delimiter("/").send().await.unwrap();
    let keys: Vec<_> = under.versions().iter().filter_map(|it| it.key()).collect();
    assert_eq!((keys, under.common_prefixes().len()), (vec!["d/", "d/1", "d/1", "d/2"], 0));
}

#[tokio::test]
async fn page_by_page_deletion_finds_all_versions() {
    let (_server, client) = filled().await;
    for key in ["a", "e"] {
        delete(&client, key, None).await;
    }
    let delete_page = async |ids: &[(String, String)]| {
        for (key, id) in ids {
            delete(&client, key, Some(id)).await;
        }
    };
    pages(&client, 2, None, delete_page).await;
    client.delete_bucket().bucket("bucket").send().await.unwrap();
}

#[tokio::test]
async fn deleted_null_version_hides_no_other() {
    let server = Server::start().await;
    let client = server.anyone();
    put(&client, "key", "null").await;
    let configuration = aws_sdk_s3::types::VersioningConfiguration::builder();
    let configuration = configuration.status(aws_sdk_s3::types::BucketVersioningStatus::Enabled).build();
    client.put_bucket_versioning().bucket("bucket").versioning_configuration(configuration).send().await.unwrap();
    put(&client, "key", "newer").await;
    let list = |version: &str| {
        let list = client.list_object_versions().bucket("bucket").key_marker("key").version_id_marker(version);
        async move { list.send().await.unwrap().versions().len() }
    };
    assert_eq!(list("null").await, 0, "it is the oldest");
    delete(&client, "key", Some("null")).await;
    assert_eq!(list("null").await, 1);
}

#[tokio::test]
async fn listing_markers_and_parameters_are_checked() {
    let (_server, client) = filled().await;
    let list = || client.list_object_versions().bucket("bucket");
    assert_eq!(code(list().version_id_marker("null").send().await), "InvalidArgument");
    assert_eq!(code(list().key_marker("a").version_id_marker("").send().await), "InvalidArgument");
    assert_eq!(code(list().key_marker("a").version_id_marker("abcdef").send().await), "InvalidArgument");
    assert_eq!(code(list().max_keys(-1).send().await), "InvalidArgument");
    assert_eq!(code(list().encoding_type(EncodingType::from("base64")).send().await), "InvalidArgument");
    assert_eq!(code(client.list_object_versions().bucket("no-bucket").send().await), "NoSuchBucket");
    let none = list().max_keys(0).send().await.unwrap();
    assert_eq!((none.versions().len(), none.is_truncated(), none.max_keys()), (0, Some(false), Some(0)));
    let after = list().key_marker("d/1").send().await.unwrap();
    let keys: Vec<_> = after.versions().iter().filter_map(|it| it.key()).collect();
    assert_eq!(keys, ["d/2", "e"], "a key marker alone passes all versions of the key");
}

#[tokio::test]
async fn keys_are_encoded_on_request() {
    let (_server, client) = versioned().await;
    put(&client, "a b/ü", "content").await;
    delete(&client, "c d", None).await;
    let list = client.list_object_versions().bucket("bucket").encoding_type(EncodingType::Url);
    let listed = list.clone().send().await.unwrap();
    assert_eq!(listed.versions()[0].key(), Some("a%20b/%C3%BC"));
    assert_eq!(listed.delete_markers()[0].key(), Some("c%20d"));
    let grouped = list.delimiter("/").send().await.unwrap();
    assert_eq!(grouped.common_prefixes()[0].prefix(), Some("a%20b/"));
}

#[tokio::test]
async fn listings_name_the_owner_where_s3_does() {
    let (_server, client) = filled().await;
    let buckets = client.list_buckets().send().await.unwrap();
    let owner = buckets.owner().unwrap();
    let versions = client.list_object_versions().bucket("bucket").send().await.unwrap();
    assert!(versions.versions().iter().all(|it| it.owner() == Some(owner)));
    assert!(versions.delete_markers().iter().all(|it| it.owner() == Some(owner)));
    let first = client.list_objects().bucket("bucket").send().await.unwrap();
    assert!(first.contents().iter().all(|it| it.owner() == Some(owner)));
    let second = client.list_objects_v2().bucket("bucket");
    assert!(second.clone().send().await.unwrap().contents().iter().all(|it| it.owner().is_none()));
    let second = second.fetch_owner(true).send().await.unwrap();
    assert!(second.contents().iter().all(|it| it.owner() == Some(owner)));
}
