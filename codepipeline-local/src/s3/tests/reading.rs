//! Reads of parts, and storage classes.

use aws_sdk_s3::types::StorageClass;

use super::*;

/// Uploads an object in two parts, of 5 MiB and of 3 bytes.
async fn upload(client: &Client, key: &str) {
    let begun = client.create_multipart_upload().bucket("bucket").key(key).storage_class(StorageClass::StandardIa);
    let begun = begun.metadata("color", "red").send().await.unwrap();
    let id = begun.upload_id().unwrap();
    let mut completed = CompletedMultipartUpload::builder();
    for (number, bytes) in [(1, vec![b'a'; 5 << 20]), (2, b"end".to_vec())] {
        let part = client.upload_part().bucket("bucket").key(key).upload_id(id).part_number(number);
        let e_tag = part.body(ByteStream::from(bytes)).send().await.unwrap().e_tag().unwrap().to_owned();
        completed = completed.parts(CompletedPart::builder().part_number(number).e_tag(e_tag).build());
    }
    let complete = client.complete_multipart_upload().bucket("bucket").key(key).upload_id(id);
    complete.multipart_upload(completed.build()).send().await.unwrap();
}

#[tokio::test]
async fn objects_are_read_by_the_number_of_a_part() {
    let server = Server::start().await;
    let client = server.anyone();
    upload(&client, "parts").await;
    client.put_object().bucket("bucket").key("whole").body(body("hello")).send().await.unwrap();
    let get = |key: &str, number: i32| client.get_object().bucket("bucket").key(key).part_number(number);
    let end = get("parts", 2).send().await.unwrap();
    assert_eq!((end.content_range(), end.parts_count()), (Some("bytes 5242880-5242882/5242883"), Some(2)));
    assert_eq!(&end.body.collect().await.unwrap().to_vec(), b"end");
    let head = client.head_object().bucket("bucket").key("parts").part_number(1).send().await.unwrap();
    assert_eq!((head.content_length(), head.parts_count()), (Some(5 << 20), Some(2)));
    let whole = get("whole", 1).send().await.unwrap();
    assert_eq!((whole.content_range(), whole.parts_count()), (Some("bytes 0-4/5"), None));

    for refused in [get("parts", 3), get("whole", 2)] {
        let refused = refused.send().await;
        let status = refused.as_ref().unwrap_err().raw_response().map(|reply| reply.status().as_u16());
        assert_eq!((status, code(refused).as_str()), (Some(416), "InvalidPartNumber"));
    }
    assert_eq!(code(get("parts", 0).send().await), "InvalidArgument");
    assert_eq!(code(get("parts", 1).range("bytes=0-1").send().await), "InvalidRequest");
}

#[tokio::test]
async fn head_of_a_part_or_range_has_status_206() {
    let server = Server::start().await;
    server.anyone().put_object().bucket("bucket").key("key").body(body("hello")).send().await.unwrap();
    let head = async |query: &str, header: &str| {
        let head = format!(
            "HEAD /bucket/key{query} HTTP/1.1\r\nHost: host\r\nConnection: close\r\nDate: now\r\n\
             Authorization: AWS me:signature\r\n{header}\r\n"
        );
        send_raw(&server, &head, b"").await.split(' ').nth(1).unwrap_or_default().to_owned()
    };
    assert_eq!(head("", "").await, "200");
    assert_eq!(head("?partNumber=1", "").await, "206");
    assert_eq!(head("", "Range: bytes=1-2\r\n").await, "206");
}

#[tokio::test]
async fn storage_classes_are_kept_and_given_back() {
    let server = Server::start().await;
    let client = server.anyone();
    upload(&client, "parts").await;
    let put = |key: &str, class: StorageClass| {
        client.put_object().bucket("bucket").key(key).body(body("x")).storage_class(class).send()
    };
    put("rare", StorageClass::OnezoneIa).await.unwrap();
    put("usual", StorageClass::Standard).await.unwrap();
    let copy = client.copy_object().bucket("bucket").key("copy").copy_source("bucket/rare");
    copy.storage_class(StorageClass::GlacierIr).send().await.unwrap();
    for (key, expected) in [
        ("parts", Some(StorageClass::StandardIa)),
        ("rare", Some(StorageClass::OnezoneIa)),
        ("usual", None),
        ("copy", Some(StorageClass::GlacierIr)),
    ] {
        let head = client.head_object().bucket("bucket").key(key).send().await.unwrap();
        assert_eq!(head.storage_class(), expected.as_ref(), "{key}");
        let got = client.get_object().bucket("bucket").key(key).send().await.unwrap();
        assert_eq!(got.storage_class(), expected.as_ref(), "{key}");
    }
    let listed = client.list_objects_v2().bucket("bucket").send().await.unwrap();
    let classes: Vec<_> = listed.contents().iter().map(|object| object.storage_class().unwrap().as_str()).collect();
    assert_eq!(classes, ["GLACIER_IR", "STANDARD_IA", "ONEZONE_IA", "STANDARD"]);
    assert_eq!(code(put("no", StorageClass::from("COLD")).await), "InvalidStorageClass");
    let begun = client.create_multipart_upload().bucket("bucket").key("no").storage_class(StorageClass::from("COLD"));
    assert_eq!(code(begun.send().await), "InvalidStorageClass");
}

#[tokio::test]
async fn archived_objects_are_listed_and_not_read() {
    let server = Server::start().await;
    let client = server.anyone();
    for class in [StorageClass::Glacier, StorageClass::DeepArchive] {
        let put = client.put_object().bucket("bucket").key("cold").body(body("x")).storage_class(class.clone());
        put.send().await.unwrap();
        let head = client.head_object().bucket("bucket").key("cold").send().await.unwrap();
        assert_eq!(head.storage_class(), Some(&class));
        let got = client.get_object().bucket("bucket").key("cold").send().await;
        assert_eq!(code(got), "InvalidObjectState");
        let copied = client.copy_object().bucket("bucket").key("copy").copy_source("bucket/cold").send().await;
        assert_eq!(code(copied), "InvalidObjectState");
    }
}
