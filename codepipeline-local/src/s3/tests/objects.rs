//! Objects, listings and the data folder.

use super::*;

#[tokio::test]
async fn put_object_is_read_whole_and_in_ranges() {
    let server = Server::start().await;
    let client = server.anyone();
    let put = client.put_object().bucket("bucket").key("a b/ü+%.txt").body(body("0123456789")).send().await.unwrap();
    assert_eq!(put.e_tag(), Some("\"781e5e245d69b566979b86e28d23f2c7\""));
    let got = client.get_object().bucket("bucket").key("a b/ü+%.txt").range("bytes=2-4").send().await.unwrap();
    assert_eq!((got.content_length(), got.content_range()), (Some(3), Some("bytes 2-4/10")));
    assert_eq!(&got.body.collect().await.unwrap().to_vec(), b"234");
    let head = client.head_object().bucket("bucket").key("a b/ü+%.txt").send().await.unwrap();
    assert_eq!((head.content_length(), head.e_tag()), (Some(10), put.e_tag()));
    assert_eq!(head.last_modified().unwrap().secs(), 1_800_000_000);
    let listed = client.list_objects_v2().bucket("bucket").prefix("a").send().await.unwrap();
    assert_eq!(listed.contents()[0].key(), Some("a b/ü+%.txt"));
}

#[tokio::test]
async fn buckets_are_listed_with_creation_times() {
    let server = Server::start().await;
    let listed = server.anyone().list_buckets().send().await.unwrap();
    let now = i64::try_from(Clock::machine().now().0 / 1000).unwrap();
    assert_eq!(listed.buckets().len(), 2);
    for bucket in listed.buckets() {
        let made = bucket.creation_date().unwrap().secs();
        assert!((now - 3600..=now + 1).contains(&made), "{made}");
    }
}

#[tokio::test]
async fn unreadable_range_is_ignored() {
    let server = Server::start().await;
    let client = server.anyone();
    client.put_object().bucket("bucket").key("ten").body(body("0123456789")).send().await.unwrap();
    for range in ["bytes=x-y", "lines=1-2", "bytes=5-2"] {
        let got = client.get_object().bucket("bucket").key("ten").range(range).send().await.unwrap();
        assert_eq!((got.content_length(), got.content_range()), (Some(10), None), "{range}");
    }
}

#[tokio::test]
async fn errors_name_the_bucket_the_key_or_the_limit() {
    fn message<T, E: ProvideErrorMetadata>(result: Result<T, aws_sdk_s3::error::SdkError<E>>) -> String {
        let error = result.err().expect("the request was to be refused");
        error.as_service_error().and_then(|error| error.message()).unwrap_or_default().to_owned()
    }
    let server = Server::start().await;
    let client = server.anyone();
    client.put_object().bucket("bucket").key("ten").body(body("0123456789")).send().await.unwrap();
    let get = |bucket: &str, key: &str| client.get_object().bucket(bucket).key(key);
    assert!(message(get("nobucket", "x").send().await).contains("\"nobucket\""));
    assert!(message(client.list_objects_v2().bucket("nobucket").send().await).contains("\"nobucket\""));
    let missing = message(get("bucket", "missing").send().await);
    assert!(missing.contains("\"missing\"") && missing.contains("\"bucket\""), "{missing}");
    let outside = message(get("bucket", "ten").range("bytes=10-").send().await);
    assert!(outside.contains("bytes=10-") && outside.contains("10 bytes"), "{outside}");
    let long = message(get("bucket", &"k".repeat(1025)).send().await);
    assert!(long.contains("1025") && long.contains("1024"), "{long}");
    assert!(message(get("No_Bucket", "x").send().await).contains("\"No_Bucket\""));
    server.job("ASIAJOB");
    let token = Some("token of ASIAJOB".to_owned());
    let wrong = server.client(Credentials::new("ASIAJOB", "another secret", token, None, "test"));
    let wrong = message(wrong.get_object().bucket("artifacts").key("in").send().await);
    assert!(wrong.contains("secret access key"), "{wrong}");
}

#[tokio::test]
async fn wrong_checksum_leaves_the_object_unchanged() {
    let server = Server::start().await;
    let client = server.anyone();
    client.put_object().bucket("bucket").key("kept").body(body("old")).send().await.unwrap();
    let wrong =
        client.put_object().bucket("bucket").key("kept").checksum_crc32("AAAAAA==").body(body("new")).send().await;
    assert_eq!(code(wrong), "BadDigest");
    let got = client.get_object().bucket("bucket").key("kept").send().await.unwrap();
    assert_eq!(&got.body.collect().await.unwrap().to_vec(), b"old");
}

#[tokio::test]
async fn listings_have_pages_and_groups() {
    let server = Server::start().await;
    let client = server.anyone();
    for key in ["a", "d/1", "d/2", "d/x/3", "e"] {
        client.put_object().bucket("bucket").key(key).body(body(key)).send().await.unwrap();
    }
    let mut seen = Vec::new();
    let mut token = None;
    loop {
        let list = client.list_objects_v2().bucket("bucket").delimiter("/").max_keys(1).set_continuation_token(token);
        let page = list.send().await.unwrap();
        seen.extend(page.contents().iter().filter_map(|object| object.key().map(str::to_owned)));
        seen.extend(page.common_prefixes().iter().filter_map(|prefix| prefix.prefix().map(str::to_owned)));
        token = page.next_continuation_token().map(str::to_owned);
        if token.is_none() {
            break;
        }
    }
    assert_eq!(seen, ["a", "d/", "e"]);
    let under = client.list_objects_v2().bucket("bucket").prefix("d/").delimiter("/").send().await.unwrap();
    let keys: Vec<_> = under.contents().iter().filter_map(|object| object.key()).collect();
    assert_eq!((keys, under.common_prefixes()[0].prefix()), (vec!["d/1", "d/2"], Some("d/x/")));
}

#[tokio::test]
async fn pages_continue_after_any_key() {
    let server = Server::start().await;
    let client = server.anyone();
    let keys = ["a\u{1}b", "a\rb", "a b+%", "\u{fffe}", "\u{1f600}"];
    for key in keys {
        client.put_object().bucket("bucket").key(key).body(body("x")).send().await.unwrap();
    }
    let list = || client.list_objects_v2().bucket("bucket").encoding_type("url".into());
    let mut pages = 0;
    let mut token = None;
    loop {
        let page = list().max_keys(1).set_continuation_token(token).send().await.unwrap();
        pages += page.contents().len();
        token = page.next_continuation_token().map(str::to_owned);
        if token.is_none() {
            break;
        }
    }
    assert_eq!(pages, keys.len());
    for wrong in ["", "6", "key", "FF", "ff"] {
        assert_eq!(code(list().continuation_token(wrong).send().await), "InvalidArgument", "{wrong}");
    }
}

#[tokio::test]
async fn source_copy_names_kms_encryption() {
    let server = Server::start().await;
    let client = server.anyone();
    let put = client.put_object().bucket("bucket").key("source.zip").body(body("zip"));
    put.metadata("codepipeline-artifact-revision-summary", "first").send().await.unwrap();
    let at = |bucket: &str, key: &str| ObjectRef { bucket: bucket.into(), key: key.into() };
    let copied = server
        .store
        .copy((&at("bucket", "source.zip"), None), &at("artifacts", "p/S/1"), Some("alias/key".into()))
        .await
        .unwrap();
    assert_eq!(copied.revision_summary.as_deref(), Some("first"));
    client.delete_object().bucket("bucket").key("source.zip").send().await.unwrap();
    let got = client.get_object().bucket("artifacts").key("p/S/1").send().await.unwrap();
    assert_eq!(got.server_side_encryption(), Some(&ServerSideEncryption::AwsKms));
    assert_eq!(got.ssekms_key_id(), Some("alias/key"));
    assert_eq!(&got.body.collect().await.unwrap().to_vec(), b"zip");
    let missing = server.store.copy((&at("bucket", "source.zip"), None), &at("artifacts", "p/S/2"), None).await;
    assert!(matches!(missing, Err(CopyError::NotFound(_))));
}

#[tokio::test]
async fn reopened_folder_has_only_finished_objects() {
    let folder = tempfile::tempdir().unwrap();
    let open = || {
        let table: Arc<dyn Permissions> = Arc::new(Table::default());
        Catalog::open(folder.path()).map(|catalog| (catalog, table)).unwrap()
    };
    let (catalog, _table) = open();
    catalog.create_bucket("bucket").unwrap();
    let encryption = || catalog::Encryption { algorithm: "AES256".into(), key_id: None };
    for content in ["old", "new"] {
        let blob = Arc::new(catalog.new_blob().unwrap());
        std::fs::write(blob.file(), content).unwrap();
        let record = Record::new(("bucket", "key"), content.into(), 3, Timestamp(5), encryption());
        catalog.commit(record, blob, &condition::Condition::default()).unwrap();
    }
    std::mem::forget(catalog.new_blob().unwrap());
    drop(catalog);
    let (catalog, _table) = open();
    let object = catalog.get("bucket", "key").unwrap();
    assert_eq!(std::fs::read(object.blob.file()).unwrap(), b"new");
    assert_eq!(std::fs::read_dir(folder.path().join("objects")).unwrap().count(), 1);
}

#[tokio::test]
async fn last_request_removes_the_temporary_folder() {
    use tokio::io::AsyncWriteExt;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().to_owned();
    let table: Arc<dyn Permissions> = Arc::new(Table::default());
    let store = Store::open(
        Folder::Temporary(folder),
        Clock::machine(),
        table,
        RequestLog::default(),
        StoreSettings::default(),
    )
    .unwrap();
    store.create_bucket("bucket").unwrap();
    let answering = store.clone();
    let answer = move |request: Request<hyper::body::Incoming>| {
        let store = answering.clone();
        async move { store.answer(request.map(Body::from)).await }
    };
    let mut listener = Bound::to(FREE_PORT).await.unwrap().serve(answer);
    let mut upload = tokio::net::TcpStream::connect(listener.address()).await.unwrap();
    let head = "PUT /bucket/key HTTP/1.1\r\nHost: host\r\nContent-Length: 2\r\nx-amz-date: 20270101T000000Z\r\n\
                x-amz-content-sha256: UNSIGNED-PAYLOAD\r\nAuthorization: AWS4-HMAC-SHA256 Credential=me/20270101/us-east-1/s3/\
                aws4_request,SignedHeaders=host;x-amz-date,Signature=guess\r\n\r\n1";
    upload.write_all(head.as_bytes()).await.unwrap();
    while std::fs::read_dir(path.join("objects")).unwrap().count() == 0 {
        tokio::task::yield_now().await;
    }
    drop(store);
    assert!(path.exists(), "an upload is under way");
    listener.stop().await;
    assert!(!path.exists());
}
