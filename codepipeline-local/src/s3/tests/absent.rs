//! Unsupported features are refused, and change nothing.

use aws_sdk_s3::primitives::DateTime;
use aws_sdk_s3::types::{Delete, ObjectIdentifier, ObjectLockMode, StorageClass};

use super::*;

/// A request of an ordinary user with a signature of version 2, which may be any.
async fn ask(server: &Server, line: &str, body: &str) -> String {
    let length = body.len();
    let head = format!(
        "{line} HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\nContent-Length: {length}\r\n\
         Authorization: AWS x:y\r\n\r\n"
    );
    send_raw(server, &head, body.as_bytes()).await
}

async fn text(client: &Client, key: &str) -> String {
    let got = client.get_object().bucket("bucket").key(key).send().await.unwrap();
    String::from_utf8(got.body.collect().await.unwrap().to_vec()).unwrap()
}

#[tokio::test]
async fn unsupported_subresources_change_nothing() {
    let server = Server::start().await;
    let client = server.anyone();
    client.put_object().bucket("bucket").key("key").body(body("data")).send().await.unwrap();
    client.create_bucket().bucket("empty").send().await.unwrap();
    for name in ["encryption", "legal-hold", "renameObject", "restore", "retention", "select", "torrent"] {
        for method in ["GET", "PUT", "DELETE", "POST"] {
            let reply = ask(&server, &format!("{method} /bucket/key?{name}"), "<x/>").await;
            assert!(reply.starts_with("HTTP/1.1 501") && reply.contains(name), "{method} {name}: {reply}");
            assert_eq!(text(&client, "key").await, "data", "{method} {name}");
        }
    }
    for name in ["abac", "metadataConfiguration", "metadataTable", "metadataInventoryTable", "session"] {
        for method in ["GET", "PUT", "DELETE", "POST"] {
            let reply = ask(&server, &format!("{method} /empty?{name}"), "").await;
            assert!(reply.starts_with("HTTP/1.1 501") && reply.contains(name), "{method} {name}: {reply}");
            client.head_bucket().bucket("empty").send().await.unwrap();
        }
    }
}

#[tokio::test]
async fn half_of_a_parts_place_makes_no_object() {
    let server = Server::start().await;
    for query in ["uploadId=u", "partNumber=1"] {
        let reply = ask(&server, &format!("PUT /bucket/key?{query}"), "x").await;
        assert!(reply.starts_with("HTTP/1.1 400") && reply.contains("InvalidArgument"), "{reply}");
    }
    assert_eq!(code(server.anyone().get_object().bucket("bucket").key("key").send().await), "NoSuchKey");
}

#[tokio::test]
async fn locks_and_customers_keys_are_refused() {
    let server = Server::start().await;
    let client = server.anyone();
    client.create_bucket().bucket("locked").object_lock_enabled_for_bucket(true).send().await.unwrap();
    let put = |bucket: &str| client.put_object().bucket(bucket).key("key").body(body("data"));
    let lock = |bucket: &str| {
        let until = DateTime::from_secs(2_000_000_000);
        put(bucket).object_lock_mode(ObjectLockMode::Governance).object_lock_retain_until_date(until)
    };
    assert_eq!(code(lock("bucket").send().await), "InvalidRequest");
    assert_eq!(code(lock("locked").send().await), "NotImplemented");
    let own = put("bucket").sse_customer_algorithm("AES256").sse_customer_key("a2V5").sse_customer_key_md5("bWQ1");
    assert_eq!(code(own.send().await), "NotImplemented");
    assert_eq!(code(put("bucket").metadata("a", "x".repeat(2048)).send().await), "MetadataTooLarge");
    put("bucket").metadata("a", "x".repeat(2047)).send().await.unwrap();
}

#[tokio::test]
async fn bulk_delete_of_over_a_thousand_is_refused() {
    let server = Server::start().await;
    let client = server.anyone();
    let delete = |count: usize| {
        let object = |number: usize| ObjectIdentifier::builder().key(number.to_string()).build().unwrap();
        let delete = Delete::builder().set_objects(Some((0..count).map(object).collect())).build().unwrap();
        client.delete_objects().bucket("bucket").delete(delete).send()
    };
    assert_eq!(code(delete(1001).await), "MalformedXML");
    assert_eq!(delete(1000).await.unwrap().deleted().len(), 1000);
}

#[tokio::test]
async fn copy_onto_itself_must_change_the_object() {
    let server = Server::start().await;
    let client = server.anyone();
    client.put_object().bucket("bucket").key("key").body(body("data")).send().await.unwrap();
    let copy = || client.copy_object().bucket("bucket").key("key").copy_source("bucket/key");
    assert_eq!(code(copy().send().await), "InvalidRequest");
    copy().storage_class(StorageClass::StandardIa).send().await.unwrap();
    copy().metadata_directive("REPLACE".into()).metadata("a", "b").send().await.unwrap();
    let head = client.head_object().bucket("bucket").key("key").send().await.unwrap();
    assert_eq!(head.metadata().unwrap()["a"], "b");
}

#[tokio::test]
async fn presigned_query_is_read_as_headers() {
    let server = Server::start().await;
    let query = "AWSAccessKeyId=x&Signature=y&Expires=9999999999&x-amz-meta-a=b%20c&content-type=text%2Fcsv\
                 &x-amz-server-side-encryption=aws%3Akms";
    let head = format!(
        "PUT /artifacts/key?{query} HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\nContent-Length: 2\r\n\r\n"
    );
    let reply = send_raw(&server, &head, b"hi").await;
    assert!(reply.starts_with("HTTP/1.1 200"), "{reply}");
    let head = server.anyone().head_object().bucket("artifacts").key("key").send().await.unwrap();
    assert_eq!((head.metadata().unwrap()["a"].as_str(), head.content_type()), ("b c", Some("text/csv")));
    assert_eq!(head.server_side_encryption(), Some(&ServerSideEncryption::AwsKms));
}

#[tokio::test]
async fn recreated_bucket_has_no_old_uploads() {
    let server = Server::start().await;
    let client = server.anyone();
    client.create_bucket().bucket("again").send().await.unwrap();
    let upload = client.create_multipart_upload().bucket("again").key("key").send().await.unwrap();
    client.delete_bucket().bucket("again").send().await.unwrap();
    client.create_bucket().bucket("again").send().await.unwrap();
    let uploads = client.list_multipart_uploads().bucket("again").send().await.unwrap();
    assert!(uploads.uploads().is_empty());
    let parts = client.list_parts().bucket("again").key("key").upload_id(upload.upload_id().unwrap());
    assert_eq!(code(parts.send().await), "NoSuchUpload");
}
