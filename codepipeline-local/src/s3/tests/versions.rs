//! Versions of objects.

use aws_sdk_s3::error::SdkError;
use aws_sdk_s3::types::{
    BucketVersioningStatus, Delete, MfaDelete, ObjectIdentifier, VersioningConfiguration, builders::DeleteBuilder,
};

use super::*;

const UNKNOWN: &str = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";

async fn set_versioning(client: &Client, status: BucketVersioningStatus) {
    let configuration = VersioningConfiguration::builder().status(status).build();
    client.put_bucket_versioning().bucket("bucket").versioning_configuration(configuration).send().await.unwrap();
}

/// A server whose bucket `bucket` has versioning enabled.
pub(super) async fn versioned() -> (Server, Client) {
    let server = Server::start().await;
    let client = server.anyone();
    set_versioning(&client, BucketVersioningStatus::Enabled).await;
    (server, client)
}

/// Puts an object, and returns its version id.
pub(super) async fn put(client: &Client, key: &str, text: &str) -> Option<String> {
    let put = client.put_object().bucket("bucket").key(key).body(body(text)).send().await.unwrap();
    put.version_id().map(str::to_owned)
}

/// The object's bytes and version id.
async fn read(client: &Client, key: &str, version: Option<&str>) -> (String, Option<String>) {
    let got = client.get_object().bucket("bucket").key(key).set_version_id(version.map(str::to_owned));
    let got = got.send().await.unwrap();
    let id = got.version_id().map(str::to_owned);
    (String::from_utf8(got.body.collect().await.unwrap().to_vec()).unwrap(), id)
}

pub(super) async fn delete(client: &Client, key: &str, version: Option<&str>) -> (Option<bool>, Option<String>) {
    let deleted = client.delete_object().bucket("bucket").key(key).set_version_id(version.map(str::to_owned));
    let deleted = deleted.send().await.unwrap();
    (deleted.delete_marker(), deleted.version_id().map(str::to_owned))
}

/// Each version as `key content-length-or-marker id`, in listing order; a star marks the latest version.
async fn listed(client: &Client) -> Vec<String> {
    let listed = client.list_object_versions().bucket("bucket").send().await.unwrap();
    let star = |latest: Option<bool>| if latest == Some(true) { "*" } else { "" };
    let versions = listed
        .versions()
        .iter()
        .map(|it| format!("{}{} {}", it.key().unwrap(), star(it.is_latest()), it.version_id().unwrap()));
    let markers = listed
        .delete_markers()
        .iter()
        .map(|it| format!("{}{} marker {}", it.key().unwrap(), star(it.is_latest()), it.version_id().unwrap()));
    versions.chain(markers).collect()
}

/// The status of a refusal, and these headers of it.
fn refusal<T, E>(result: Result<T, SdkError<E>>, headers: &[&'static str]) -> (u16, Vec<Option<String>>) {
    let error = result.err().expect("the request was to be refused");
    let response = error.raw_response().unwrap();
    let header = |name: &&'static str| response.headers().get(*name).map(str::to_owned);
    (response.status().as_u16(), headers.iter().map(header).collect())
}

#[tokio::test]
async fn each_put_creates_a_readable_version() {
    let (_server, client) = versioned().await;
    let (first, second) = (put(&client, "key", "first").await.unwrap(), put(&client, "key", "second").await.unwrap());
    assert_ne!(first, second);
    assert_eq!(read(&client, "key", None).await, ("second".into(), Some(second.clone())));
    assert_eq!(read(&client, "key", Some(&first)).await, ("first".into(), Some(first.clone())));
    let head = client.head_object().bucket("bucket").key("key").version_id(&first).send().await.unwrap();
    assert_eq!((head.content_length(), head.version_id()), (Some(5), Some(first.as_str())));
    let tags = client.get_object_tagging().bucket("bucket").key("key").version_id(&first).send().await.unwrap();
    assert_eq!(tags.version_id(), Some(first.as_str()));
    assert_eq!(listed(&client).await, [format!("key* {second}"), format!("key {first}")]);
}

#[tokio::test]
async fn delete_creates_a_marker_that_hides_the_object() {
    let (_server, client) = versioned().await;
    let version = put(&client, "key", "content").await.unwrap();
    let (made, marker) = delete(&client, "key", None).await;
    let marker = marker.unwrap();
    assert_eq!(made, Some(true));

    let headers = ["x-amz-delete-marker", "x-amz-version-id"];
    let hidden = (404, vec![Some("true".to_owned()), Some(marker.clone())]);
    assert_eq!(refusal(client.get_object().bucket("bucket").key("key").send().await, &headers), hidden);
    assert_eq!(refusal(client.head_object().bucket("bucket").key("key").send().await, &headers), hidden);
    assert_eq!(code(client.get_object().bucket("bucket").key("key").send().await), "NoSuchKey");
    assert_eq!(client.list_objects_v2().bucket("bucket").send().await.unwrap().contents().len(), 0);
    assert_eq!(listed(&client).await, [format!("key {version}"), format!("key* marker {marker}")]);

    let headers = ["x-amz-delete-marker", "x-amz-version-id", "allow", "last-modified"];
    let get = || client.get_object().bucket("bucket").key("key").version_id(&marker).send();
    let (status, values) = refusal(get().await, &headers);
    let modified = Some("Fri, 15 Jan 2027 08:00:00 GMT".to_owned());
    let expected = [Some("true".to_owned()), Some(marker.clone()), Some("DELETE".to_owned()), modified];
    assert_eq!((status, values.as_slice()), (405, expected.as_slice()));
    assert_eq!(code(get().await), "MethodNotAllowed");
    assert_eq!(refusal(client.head_object().bucket("bucket").key("key").version_id(&marker).send().await, &[]).0, 405);

    // Deleting the marker brings the object back.
    assert_eq!(delete(&client, "key", Some(&marker)).await, (Some(true), Some(marker)));
    assert_eq!(read(&client, "key", None).await, ("content".into(), Some(version)));
}

#[tokio::test]
async fn missing_version_changes_nothing() {
    let server = Server::start().await;
    let client = server.anyone();
    for round in ["unversioned", "versioned"] {
        put(&client, "key", round).await;
        let get = |version: &str| client.get_object().bucket("bucket").key("key").version_id(version).send();
        assert_eq!(code(get("abcdef").await), "InvalidArgument", "{round}");
        assert_eq!(code(get(UNKNOWN).await), "NoSuchVersion", "{round}");
        let head = |version: &str| client.head_object().bucket("bucket").key("key").version_id(version).send();
        assert_eq!(refusal(head("abcdef").await, &[]).0, 400, "{round}");
        assert_eq!(refusal(head(UNKNOWN).await, &[]).0, 404, "{round}");
        let delete_invalid = client.delete_object().bucket("bucket").key("key").version_id("abcdef").send().await;
        assert_eq!(code(delete_invalid), "InvalidArgument", "{round}");
        assert_eq!(delete(&client, "key", Some(UNKNOWN)).await, (None, Some(UNKNOWN.into())), "{round}");
        assert_eq!(delete(&client, "other", Some(UNKNOWN)).await, (None, Some(UNKNOWN.into())), "{round}");
        let one = |id: &str| ObjectIdentifier::builder().key("key").version_id(id).build().unwrap();
        let many = Delete::builder().objects(one("abcdef")).objects(one(UNKNOWN)).build().unwrap();
        let many = client.delete_objects().bucket("bucket").delete(many).send().await.unwrap();
        assert_eq!((many.errors()[0].code(), many.errors()[0].version_id()), (Some("NoSuchVersion"), Some("abcdef")));
        assert_eq!((many.deleted().len(), many.deleted()[0].version_id()), (1, Some(UNKNOWN)));
        for source in ["bucket/key?versionId=abcdef", "bucket/key?versionId=AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"] {
            let copy = client.copy_object().bucket("bucket").key("copy").copy_source(source).send().await;
            let expected = if source.ends_with("abcdef") { "InvalidArgument" } else { "NoSuchVersion" };
            assert_eq!(code(copy), expected, "{round}");
        }
        assert_eq!(read(&client, "key", None).await.0, round);
        set_versioning(&client, BucketVersioningStatus::Enabled).await;
    }
}

#[tokio::test]
async fn without_versioning_only_null_names_the_object() {
    let server = Server::start().await;
    let client = server.anyone();
    assert_eq!(put(&client, "key", "content").await, None);
    assert_eq!(read(&client, "key", Some("null")).await, ("content".into(), None));
    assert_eq!(listed(&client).await, ["key* null"]);
    assert_eq!(delete(&client, "key", Some("null")).await, (None, Some("null".into())));
    assert_eq!(code(client.get_object().bucket("bucket").key("key").send().await), "NoSuchKey");
    put(&client, "key", "again").await;
    assert_eq!(delete(&client, "key", None).await, (None, None));
    assert!(listed(&client).await.is_empty());
}

#[tokio::test]
async fn objects_before_versioning_are_version_null() {
    let server = Server::start().await;
    let client = server.anyone();
    put(&client, "key", "before").await;
    set_versioning(&client, BucketVersioningStatus::Enabled).await;
    assert_eq!(read(&client, "key", None).await, ("before".into(), Some("null".into())));
    let after = put(&client, "key", "after").await.unwrap();
    assert_eq!(read(&client, "key", Some("null")).await, ("before".into(), Some("null".into())));
    assert_eq!(listed(&client).await, [format!("key* {after}"), "key null".to_owned()]);
}

#[tokio::test]
async fn suspended_versioning_replaces_only_null() {
    let (_server, client) = versioned().await;
    let kept = put(&client, "key", "kept").await.unwrap();
    set_versioning(&client, BucketVersioningStatus::Suspended).await;
    assert_eq!(put(&client, "key", "first").await, Some("null".into()));
    assert_eq!(put(&client, "key", "second").await, Some("null".into()));
    assert_eq!(listed(&client).await, ["key* null".to_owned(), format!("key {kept}")]);
    assert_eq!(delete(&client, "key", None).await, (Some(true), Some("null".into())));
    assert_eq!(listed(&client).await, [format!("key {kept}"), "key* marker null".to_owned()]);
    assert_eq!(read(&client, "key", Some(&kept)).await, ("kept".into(), Some(kept.clone())));

    // A null version in the middle goes to the top when it is replaced.
    set_versioning(&client, BucketVersioningStatus::Enabled).await;
    let newer = put(&client, "key", "newer").await.unwrap();
    set_versioning(&client, BucketVersioningStatus::Suspended).await;
    put(&client, "key", "null again").await;
    assert_eq!(listed(&client).await, ["key* null".to_owned(), format!("key {newer}"), format!("key {kept}")]);
    assert_eq!(delete(&client, "key", Some("null")).await, (None, Some("null".into())));
    assert_eq!(read(&client, "key", None).await, ("newer".into(), Some(newer)));
}

#[tokio::test]
async fn versioning_is_set_and_read_back() {
    let server = Server::start().await;
    let client = server.anyone();
    let status = || async {
        client.get_bucket_versioning().bucket("bucket").send().await.unwrap().status().map(|it| it.as_str().to_owned())
    };
    assert_eq!(status().await, None);
    for set in [BucketVersioningStatus::Enabled, BucketVersioningStatus::Suspended, BucketVersioningStatus::Enabled] {
        set_versioning(&client, set.clone()).await;
        assert_eq!(status().await.as_deref(), Some(set.as_str()));
    }
    let put = |configuration| client.put_bucket_versioning().bucket("bucket").versioning_configuration(configuration);
    let empty = VersioningConfiguration::builder();
    assert_eq!(code(put(empty.clone().build()).send().await), "IllegalVersioningConfigurationException");
    let wrong = empty.clone().status(BucketVersioningStatus::from("enabled"));
    assert_eq!(code(put(wrong.build()).send().await), "MalformedXML");
    let mfa = empty.clone().status(BucketVersioningStatus::Suspended).mfa_delete(MfaDelete::Enabled);
    let refused = put(mfa.build()).send().await;
    assert!(refused.as_ref().unwrap_err().as_service_error().unwrap().message().unwrap().contains("MfaDelete"));
    assert_eq!(code(refused), "NotImplemented");
    assert_eq!(status().await.as_deref(), Some("Enabled"));
    put(empty.status(BucketVersioningStatus::Enabled).mfa_delete(MfaDelete::Disabled).build()).send().await.unwrap();
    let other = client.get_bucket_versioning().bucket("no-bucket").send().await;
    assert_eq!(code(other), "NoSuchBucket");
}

#[tokio::test]
async fn bucket_with_versions_is_not_deleted() {
    let (_server, client) = versioned().await;
    let version = put(&client, "key", "content").await.unwrap();
    let (_, marker) = delete(&client, "key", None).await;
    let delete_bucket = || client.delete_bucket().bucket("bucket").send();
    assert_eq!(code(delete_bucket().await), "BucketNotEmpty");
    delete(&client, "key", Some(&version)).await;
    assert_eq!(code(delete_bucket().await), "BucketNotEmpty");
    delete(&client, "key", marker.as_deref()).await;
    delete_bucket().await.unwrap();
    client.create_bucket().bucket("bucket").send().await.unwrap();
    let versioning = client.get_bucket_versioning().bucket("bucket").send().await.unwrap();
    assert_eq!(versioning.status(), None);
}

#[tokio::test]
async fn version_is_copied_whole_or_in_parts() {
    let (_server, client) = versioned().await;
    let first = put(&client, "key", "first").await.unwrap();
    put(&client, "key", "second").await;
    let source = format!("bucket/key?versionId={first}");
    let copied = client.copy_object().bucket("bucket").key("copy").copy_source(&source).send().await.unwrap();
    assert_eq!(copied.copy_source_version_id(), Some(first.as_str()));
    assert_eq!(read(&client, "copy", None).await, ("first".into(), copied.version_id().map(str::to_owned)));

    let begun = client.create_multipart_upload().bucket("bucket").key("parts").send().await.unwrap();
    let id = begun.upload_id().unwrap();
    let part = client.upload_part_copy().bucket("bucket").key("parts").upload_id(id).part_number(1);
    let part = part.copy_source(&source).send().await.unwrap();
    assert_eq!(part.copy_source_version_id(), Some(first.as_str()));
    let e_tag = part.copy_part_result().unwrap().e_tag().unwrap();
    let parts = CompletedPart::builder().part_number(1).e_tag(e_tag).build();
    let done = client.complete_multipart_upload().bucket("bucket").key("parts").upload_id(id);
    let done = done.multipart_upload(CompletedMultipartUpload::builder().parts(parts).build()).send().await.unwrap();
    assert_eq!(read(&client, "parts", done.version_id()).await, ("first".into(), done.version_id().map(str::to_owned)));

    let (_, marker) = delete(&client, "key", None).await;
    let copy = |source: String| client.copy_object().bucket("bucket").key("copy").copy_source(source).send();
    assert_eq!(code(copy("bucket/key".into()).await), "NoSuchKey");
    assert_eq!(code(copy(format!("bucket/key?versionId={}", marker.unwrap())).await), "InvalidRequest");
}

#[tokio::test]
async fn bulk_delete_names_versions_and_markers() {
    let (_server, client) = versioned().await;
    let first = put(&client, "a", "first").await.unwrap();
    put(&client, "b", "second").await;
    let object = |key: &str, version: Option<&str>| {
        ObjectIdentifier::builder().key(key).set_version_id(version.map(str::to_owned)).build().unwrap()
    };
    let delete =
        |delete: DeleteBuilder| client.delete_objects().bucket("bucket").delete(delete.build().unwrap()).send();
    let many = Delete::builder().objects(object("a", Some(&first))).objects(object("b", None));
    let done = delete(many).await.unwrap();
    let [version, made] = done.deleted() else { panic!("{done:?}") };
    assert_eq!((version.version_id(), version.delete_marker()), (Some(first.as_str()), None));
    assert_eq!((made.version_id(), made.delete_marker()), (None, Some(true)));
    let marker = made.delete_marker_version_id().unwrap();
    let done = delete(Delete::builder().objects(object("b", Some(marker)))).await.unwrap();
    let removed = &done.deleted()[0];
    assert_eq!((removed.version_id(), removed.delete_marker()), (Some(marker), Some(true)));
    assert_eq!(removed.delete_marker_version_id(), Some(marker));
    assert_eq!(read(&client, "b", None).await.0, "second");
}

#[tokio::test]
async fn delete_marker_counts_as_missing_in_conditions() {
    let (_server, client) = versioned().await;
    let first = client.put_object().bucket("bucket").key("key").body(body("first")).send().await.unwrap();
    delete(&client, "key", None).await;
    let put = || client.put_object().bucket("bucket").key("key").body(body("second"));
    assert_eq!(code(put().if_match(first.e_tag().unwrap()).send().await), "NoSuchKey");
    put().if_none_match("*").send().await.unwrap();
    assert_eq!(code(put().if_none_match("*").send().await), "PreconditionFailed");
    assert_eq!(code(put().if_match(first.e_tag().unwrap()).send().await), "PreconditionFailed");
    let delete = || client.delete_object().bucket("bucket").key("key").if_match(first.e_tag().unwrap());
    assert_eq!(code(delete().send().await), "PreconditionFailed");
    // The condition applies to the latest version, even if a delete names another one (S3 User Guide, "Conditional
    // deletes").
    let named = delete().set_version_id(first.version_id().map(str::to_owned)).send().await;
    assert_eq!(code(named), "PreconditionFailed");
}

#[tokio::test]
async fn one_of_racing_creates_wins_in_each_round() {
    let (_server, client) = versioned().await;
    for _ in 0..3 {
        let outcomes = race(20, |number| {
            let put = client.put_object().bucket("bucket").key("entry").if_none_match("*");
            put.body(body(&format!("writer {number}"))).send()
        })
        .await;
        let won: Vec<_> = outcomes.iter().filter_map(|put| put.as_ref().ok()?.version_id()).collect();
        assert_eq!(won.len(), 1);
        assert_eq!(read(&client, "entry", None).await.1.as_deref(), Some(won[0]));
        delete(&client, "entry", None).await;
    }
    assert_eq!(listed(&client).await.len(), 6);
}

#[tokio::test]
async fn job_reads_only_versions_of_its_inputs() {
    let server = Server::start().await;
    let anyone = server.anyone();
    let configuration = VersioningConfiguration::builder().status(BucketVersioningStatus::Enabled).build();
    let enable = anyone.put_bucket_versioning().bucket("artifacts").versioning_configuration(configuration);
    enable.send().await.unwrap();
    let mut versions = Vec::new();
    for key in ["in", "in", "other"] {
        let put = anyone.put_object().bucket("artifacts").key(key).body(body("content"));
        let put = put.server_side_encryption(ServerSideEncryption::AwsKms).send().await.unwrap();
        versions.push(put.version_id().unwrap().to_owned());
    }
    let job = server.job("ASIAJOB");
    let get = |key: &str, version: &str| job.get_object().bucket("artifacts").key(key).version_id(version).send();
    assert_eq!(get("in", &versions[0]).await.unwrap().version_id(), Some(versions[0].as_str()));
    assert_eq!(code(get("other", &versions[2]).await), "AccessDenied");
    let delete = job.delete_object().bucket("artifacts").key("out").version_id(&versions[0]).send().await;
    assert_eq!(code(delete), "AccessDenied");
    assert_eq!(code(job.list_object_versions().bucket("artifacts").send().await), "AccessDenied");
}

#[tokio::test]
async fn source_copy_names_the_version() {
    let (server, client) = versioned().await;
    let at = |bucket: &str, key: &str| ObjectRef { bucket: bucket.into(), key: key.into() };
    let (from, to) = (at("bucket", "source.zip"), at("artifacts", "p/S/1"));
    let copy = || server.store.copy((&from, None), &to, None);
    let version = put(&client, "source.zip", "zip").await;
    assert_eq!(copy().await.unwrap().version_id, version);
    assert_eq!(server.store.revision(&from), version);
    set_versioning(&client, BucketVersioningStatus::Suspended).await;
    put(&client, "source.zip", "zip").await;
    let copied = copy().await.unwrap();
    assert_eq!(copied.version_id, None);
    assert_eq!(server.store.revision(&from), Some(copied.e_tag));
    delete(&client, "source.zip", None).await;
    assert_eq!(server.store.revision(&from), None);
    assert!(matches!(copy().await, Err(CopyError::NotFound(_))));
}

#[tokio::test]
async fn write_that_names_a_version_is_refused() {
    let (_server, client) = versioned().await;
    let version = put(&client, "key", "content").await.unwrap();
    let named = |request: &mut aws_sdk_s3::config::http::HttpRequest| {
        let uri = request.uri().to_owned();
        request.set_uri(format!("{uri}{}versionId=null", if uri.contains('?') { '&' } else { '?' })).unwrap();
    };
    let put = client.put_object().bucket("bucket").key("key").body(body("other"));
    assert_eq!(code(put.customize().mutate_request(named).send().await), "InvalidArgument");
    let copy = client.copy_object().bucket("bucket").key("key").copy_source("bucket/key");
    assert_eq!(code(copy.customize().mutate_request(named).send().await), "InvalidArgument");
    let begin = client.create_multipart_upload().bucket("bucket").key("key");
    assert_eq!(code(begin.customize().mutate_request(named).send().await), "InvalidArgument");
    assert_eq!(listed(&client).await, [format!("key* {version}")]);
}
