//! Multipart uploads after a restart, and their listing.

use super::*;

/// Opens a store in a folder, as the emulator does at its start.
async fn open(folder: &Path) -> (Listener, Client) {
    let store = {
        let permissions: Arc<dyn Permissions> = Arc::new(Table::default());
        let folder = Folder::Given(folder.into());
        Store::open(folder, Clock::machine(), permissions, RequestLog::default(), StoreSettings::default()).unwrap()
    };
    store.create_bucket("bucket").unwrap();
    let answer = move |request: Request<hyper::body::Incoming>| {
        let store = store.clone();
        async move { store.answer(request.map(Body::from)).await }
    };
    let listener = Bound::to(FREE_PORT).await.unwrap().serve(answer);
    let config = aws_sdk_s3::Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new("us-east-1"))
        .endpoint_url(format!("http://{}", listener.address()))
        .force_path_style(true)
        .credentials_provider(Credentials::new("x", "any secret will do", None, None, "test"));
    (listener, Client::from_conf(config.build()))
}

async fn begin(client: &Client, key: &str) -> String {
    let begun = client.create_multipart_upload().bucket("bucket").key(key).send().await.unwrap();
    begun.upload_id().unwrap().to_owned()
}

#[tokio::test]
async fn upload_continues_after_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let (mut listener, client) = open(folder.path()).await;
    let begun = client.create_multipart_upload().bucket("bucket").key("kept").metadata("color", "red").tagging("a=b");
    let begun = begun.content_type("text/x").server_side_encryption(ServerSideEncryption::AwsKms).send().await.unwrap();
    let id = begun.upload_id().unwrap().to_owned();
    let put = |client: &Client, number: i32, bytes: Vec<u8>| {
        client.upload_part().bucket("bucket").key("kept").upload_id(&id).part_number(number).body(bytes.into()).send()
    };
    put(&client, 1, vec![b'x'; 10]).await.unwrap();
    put(&client, 1, vec![b'a'; 5 << 20]).await.unwrap();
    let aborted = begin(&client, "aborted").await;
    client.abort_multipart_upload().bucket("bucket").key("aborted").upload_id(&aborted).send().await.unwrap();
    listener.stop().await;
    drop(listener);

    let uploads = folder.path().join("uploads").join(&id);
    std::fs::write(uploads.join("bytes-9"), "what a killed run did not finish").unwrap();
    let (_listener, client) = open(folder.path()).await;
    let listed = client.list_multipart_uploads().bucket("bucket").send().await.unwrap();
    assert_eq!(listed.uploads().iter().map(|it| it.upload_id().unwrap()).collect::<Vec<_>>(), [&id]);
    assert!(!uploads.join("bytes-9").exists());
    put(&client, 2, b"end".to_vec()).await.unwrap();
    let parts = client.list_parts().bucket("bucket").key("kept").upload_id(&id).send().await.unwrap();
    let named = parts.parts().iter().map(|part| {
        CompletedPart::builder().set_part_number(part.part_number()).set_e_tag(part.e_tag().map(str::to_owned)).build()
    });
    let completed = CompletedMultipartUpload::builder().set_parts(Some(named.collect())).build();
    let complete = client.complete_multipart_upload().bucket("bucket").key("kept").upload_id(&id);
    complete.multipart_upload(completed).send().await.unwrap();
    let got = client.get_object().bucket("bucket").key("kept").send().await.unwrap();
    assert_eq!((got.content_type(), got.metadata().unwrap()["color"].as_str()), (Some("text/x"), "red"));
    assert_eq!(got.server_side_encryption(), Some(&ServerSideEncryption::AwsKms));
    assert_eq!((got.content_length(), got.tag_count()), (Some((5 << 20) + 3), Some(1)));
    assert_eq!(std::fs::read_dir(folder.path().join("uploads")).unwrap().count(), 0, "no part is left");
}

#[tokio::test]
async fn completed_upload_is_gone_after_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let (mut listener, client) = open(folder.path()).await;
    let id = begin(&client, "made").await;
    let part = client.upload_part().bucket("bucket").key("made").upload_id(&id).part_number(1).body(body("x"));
    let e_tag = part.send().await.unwrap().e_tag().unwrap().to_owned();
    // A run that is killed between the commit of the object and the end of the upload leaves both.
    let plan = folder.path().join("uploads").join(&id).join("upload.json");
    let left = std::fs::read(&plan).unwrap();
    let completed = CompletedPart::builder().part_number(1).e_tag(e_tag).build();
    let completed = CompletedMultipartUpload::builder().parts(completed).build();
    let complete = client.complete_multipart_upload().bucket("bucket").key("made").upload_id(&id);
    complete.multipart_upload(completed).send().await.unwrap();
    listener.stop().await;
    drop(listener);
    std::fs::create_dir_all(plan.parent().unwrap()).unwrap();
    std::fs::write(&plan, left).unwrap();

    let (_listener, client) = open(folder.path()).await;
    assert!(client.list_multipart_uploads().bucket("bucket").send().await.unwrap().uploads().is_empty());
    assert!(client.head_object().bucket("bucket").key("made").send().await.is_ok());
    assert!(!plan.exists());
}

#[tokio::test]
async fn killed_bucket_removal_leaves_no_upload() {
    let folder = tempfile::tempdir().unwrap();
    let (mut listener, client) = open(folder.path()).await;
    let id = begin(&client, "left").await;
    let parts = |bucket: &str| client.list_parts().bucket(bucket).key("left").upload_id(&id).send();
    assert_eq!(code(parts("missing").await), "NoSuchBucket");
    parts("bucket").await.unwrap();
    listener.stop().await;
    drop(listener);

    // The bucket goes before its uploads.
    std::fs::remove_dir(folder.path().join("buckets").join("bucket")).unwrap();
    let (_listener, client) = open(folder.path()).await;
    let parts = client.list_parts().bucket("bucket").key("left").upload_id(&id).send();
    assert_eq!(code(parts.await), "NoSuchUpload");
    assert_eq!(std::fs::read_dir(folder.path().join("uploads")).unwrap().count(), 0, "no folder is left");
}

#[tokio::test]
async fn failed_condition_leaves_the_upload_unchanged() {
    let folder = tempfile::tempdir().unwrap();
    let (_listener, client) = open(folder.path()).await;
    client.put_object().bucket("bucket").key("there").body(body("x")).send().await.unwrap();
    let id = begin(&client, "there").await;
    let part = |number: i32| client.upload_part().bucket("bucket").key("there").upload_id(&id).part_number(number);
    let e_tag = part(1).body(body("new")).send().await.unwrap().e_tag().unwrap().to_owned();
    let complete = || {
        let completed = CompletedPart::builder().part_number(1).e_tag(&e_tag).build();
        let completed = CompletedMultipartUpload::builder().parts(completed).build();
        client.complete_multipart_upload().bucket("bucket").key("there").upload_id(&id).multipart_upload(completed)
    };
    assert_eq!(code(complete().if_none_match("*").send().await), "PreconditionFailed");
    assert_eq!(code(complete().mpu_object_size(4).send().await), "InvalidRequest");
    part(2).body(body("more")).send().await.unwrap();
    complete().mpu_object_size(3).send().await.unwrap();
    assert_eq!(code(part(3).body(body("late")).send().await), "NoSuchUpload");
    assert_eq!(code(complete().send().await), "NoSuchUpload");
}

#[tokio::test]
async fn uploads_are_listed_in_pages_and_groups() {
    let folder = tempfile::tempdir().unwrap();
    let (_listener, client) = open(folder.path()).await;
    let mut begun = Vec::new();
    for key in ["b", "b", "a/2", "c d", "a/1"] {
        begun.push((key.to_owned(), begin(&client, key).await));
    }
    // Sorted by key, then by start.
    let expected: Vec<_> = [4, 2, 0, 1, 3].into_iter().map(|index: usize| begun[index].clone()).collect();
    for size in 1..=5 {
        let (mut seen, mut key, mut id) = (Vec::new(), None, None);
        loop {
            let list = client.list_multipart_uploads().bucket("bucket").max_uploads(size);
            let page = list.set_key_marker(key).set_upload_id_marker(id).send().await.unwrap();
            let uploads = page.uploads().iter();
            seen.extend(uploads.map(|it| (it.key().unwrap().to_owned(), it.upload_id().unwrap().to_owned())));
            if page.is_truncated() != Some(true) {
                break;
            }
            key = page.next_key_marker().map(str::to_owned);
            id = page.next_upload_id_marker().map(str::to_owned);
        }
        assert_eq!(seen, expected, "{size} a page");
    }
    let list = || client.list_multipart_uploads().bucket("bucket");
    let grouped = list().delimiter("/").send().await.unwrap();
    assert_eq!(grouped.common_prefixes()[0].prefix(), Some("a/"));
    assert_eq!((grouped.common_prefixes().len(), grouped.uploads().len()), (1, 3));
    let after_group = list().delimiter("/").key_marker("a/").send().await.unwrap();
    assert!(after_group.common_prefixes().is_empty());
    let under = list().prefix("a/").send().await.unwrap();
    assert_eq!(under.uploads().iter().map(|it| it.key().unwrap()).collect::<Vec<_>>(), ["a/1", "a/2"]);
    let encoded = list().prefix("c").encoding_type(aws_sdk_s3::types::EncodingType::Url).send().await.unwrap();
    assert_eq!(encoded.uploads()[0].key(), Some("c%20d"));
    assert_eq!(code(list().max_uploads(-1).send().await), "InvalidArgument");
}
