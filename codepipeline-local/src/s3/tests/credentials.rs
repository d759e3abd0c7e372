//! Access with each kind of signature.

use super::*;

#[tokio::test]
async fn job_reaches_only_its_artifacts() {
    let server = Server::start().await;
    let anyone = server.anyone();
    let kms = || ServerSideEncryption::AwsKms;
    for key in ["in", "other"] {
        let put = anyone.put_object().bucket("artifacts").key(key).server_side_encryption(kms());
        put.body(body("content")).send().await.unwrap();
    }
    let job = server.job("ASIAJOB");
    job.get_object().bucket("artifacts").key("in").send().await.unwrap();
    job.head_object().bucket("artifacts").key("in").send().await.unwrap();
    let put =
        |key: &str| job.put_object().bucket("artifacts").key(key).server_side_encryption(kms()).body(body("made"));
    put("out").send().await.unwrap();
    assert_eq!(code(put("in").send().await), "AccessDenied");
    assert_eq!(code(job.get_object().bucket("artifacts").key("other").send().await), "AccessDenied");
    assert_eq!(code(job.get_object().bucket("artifacts").key("out").send().await), "AccessDenied");
    assert_eq!(code(job.get_object().bucket("bucket").key("in").send().await), "AccessDenied");
    assert_eq!(code(job.delete_object().bucket("artifacts").key("out").send().await), "AccessDenied");
    assert_eq!(code(job.list_objects_v2().bucket("artifacts").send().await), "AccessDenied");
    assert_eq!(code(job.list_buckets().send().await), "AccessDenied");
    let copy =
        job.copy_object().bucket("artifacts").key("out").copy_source("artifacts/in").server_side_encryption(kms());
    assert_eq!(code(copy.send().await), "AccessDenied");
}

#[tokio::test]
async fn job_credentials_work_until_they_expire() {
    let server = Server::start().await;
    let put = server.anyone().put_object().bucket("artifacts").key("in");
    put.server_side_encryption(ServerSideEncryption::AwsKms).body(body("content")).send().await.unwrap();
    let job = server.job("ASIAJOB");
    let get = |client: Client| async move { client.get_object().bucket("artifacts").key("in").send().await };
    let with = |key: &str, secret: &str, token: Option<&str>| {
        server.client(Credentials::new(key, secret, token.map(str::to_owned), None, "test"))
    };
    assert_eq!(code(get(with("ASIAJOB", "a guess", Some("token of ASIAJOB"))).await), "SignatureDoesNotMatch");
    assert_eq!(code(get(with("ASIAJOB", "the secret", Some("another"))).await), "InvalidToken");
    assert_eq!(code(get(with("ASIAJOB", "the secret", None)).await), "InvalidToken");
    assert_eq!(code(get(with("ASIANOBODY", "the secret", Some("token"))).await), "InvalidAccessKeyId");
    server.time.advance(Duration::from_secs(59));
    get(job.clone()).await.unwrap();
    server.time.advance(Duration::from_secs(1));
    let expired = get(job).await;
    let status = expired.as_ref().err().unwrap().raw_response().unwrap().status().as_u16();
    assert_eq!((status, code(expired).as_str()), (400, "ExpiredToken"));
}

#[tokio::test]
async fn artifact_store_refuses_upload_without_kms() {
    let server = Server::start().await;
    let anyone = server.anyone();
    let plain = anyone.put_object().bucket("artifacts").key("x").body(body("x")).send().await;
    let message = plain.as_ref().err().unwrap().as_service_error().unwrap().message().unwrap_or_default().to_owned();
    assert!(message.contains("x-amz-server-side-encryption: aws:kms"), "{message}");
    assert_eq!(code(plain), "AccessDenied");
    let aes = ServerSideEncryption::Aes256;
    let upload =
        server.job("ASIAJOB").create_multipart_upload().bucket("artifacts").key("out").server_side_encryption(aes);
    assert_eq!(code(upload.send().await), "AccessDenied");

    let put = anyone.put_object().bucket("artifacts").key("x").body(body("x"));
    let put = put.server_side_encryption(ServerSideEncryption::AwsKms).ssekms_key_id("key/1").send().await.unwrap();
    assert_eq!(put.ssekms_key_id(), Some("key/1"));
    let head = anyone.head_object().bucket("artifacts").key("x").send().await.unwrap();
    assert_eq!(head.server_side_encryption(), Some(&ServerSideEncryption::AwsKms));
    let get = anyone.get_object().bucket("artifacts").key("x").send().await.unwrap();
    assert_eq!(
        (get.server_side_encryption(), get.ssekms_key_id()),
        (Some(&ServerSideEncryption::AwsKms), Some("key/1"))
    );
}

#[tokio::test]
async fn job_uploads_only_with_the_stores_key() {
    let server = Server::start().await;
    let arn = "arn:aws:kms:us-east-1:123456789012:key/1234abcd";
    let job = server.job_with_key("ASIAJOB", Some(arn));
    let put = |key: Option<&str>| {
        let put = job.put_object().bucket("artifacts").key("out").body(body("x"));
        put.server_side_encryption(ServerSideEncryption::AwsKms).set_ssekms_key_id(key.map(str::to_owned)).send()
    };
    for key in [None, Some("alias/other")] {
        let refused = put(key).await;
        let message = refused.as_ref().err().unwrap().as_service_error().unwrap().message().unwrap_or_default();
        assert!(message.contains(arn) && message.contains(key.unwrap_or("missing")), "{message}");
        assert_eq!(code(refused), "AccessDenied");
    }
    for key in [arn, "1234abcd"] {
        put(Some(key)).await.unwrap();
    }
    let begin = |key: &str| {
        let begin = job.create_multipart_upload().bucket("artifacts").key("out").ssekms_key_id(key);
        begin.server_side_encryption(ServerSideEncryption::AwsKms).send()
    };
    assert_eq!(code(begin("alias/other").await), "AccessDenied");
    begin(arn).await.unwrap();

    let without = server.job("ASIAOTHER");
    for key in [None, Some("alias/any")] {
        let put = without
            .put_object()
            .bucket("artifacts")
            .key("out")
            .body(body("x"))
            .set_ssekms_key_id(key.map(str::to_owned));
        put.server_side_encryption(ServerSideEncryption::AwsKms).send().await.unwrap();
    }
}

#[tokio::test]
async fn setting_allows_unencrypted_uploads() {
    let settings = StoreSettings { accept_unencrypted_uploads: true, ..StoreSettings::default() };
    let server = Server::with(settings).await;
    for client in [server.anyone(), server.job("ASIAJOB"), server.job_with_key("ASIAKEY", Some("alias/key"))] {
        client.put_object().bucket("artifacts").key("out").body(body("x")).send().await.unwrap();
        client.create_multipart_upload().bucket("artifacts").key("out").send().await.unwrap();
    }
}

/// Clients that sign each chunk (the Java SDK over plain HTTP) use a secret that the emulator does not know.
#[tokio::test]
async fn ordinary_user_can_send_signed_chunks() {
    let server = Server::start().await;
    let mut now = Vec::new();
    date::date(Clock::machine().now()).format(s3s::dto::TimestampFormat::DateTime, &mut now).unwrap();
    let now: String = now.into_iter().map(char::from).filter(char::is_ascii_alphanumeric).collect();
    let (day, time) = (&now[..8], format!("{}Z", &now[..15]));
    let guess = "0".repeat(64);
    let chunk = |text: &str| format!("{:x};chunk-signature={guess}\r\n{text}\r\n", text.len());
    for (kind, end) in [
        ("STREAMING-AWS4-HMAC-SHA256-PAYLOAD", format!("0;chunk-signature={guess}\r\n\r\n")),
        (
            "STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER",
            format!(
                "0;chunk-signature={guess}\r\nx-amz-checksum-crc32:gYFK6A==\r\nx-amz-trailer-signature:{guess}\r\n\r\n"
            ),
        ),
    ] {
        let body = [chunk("hello "), chunk("wor\nld"), end].concat();
        let address = server.listener.address();
        let trailer = if kind.ends_with("TRAILER") { "x-amz-trailer: x-amz-checksum-crc32\r\n" } else { "" };
        let head = format!(
            "PUT /bucket/chunked HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\nContent-Length: {}\r\n\
             x-amz-date: {time}\r\nx-amz-content-sha256: {kind}\r\nx-amz-decoded-content-length: 12\r\n\
             {trailer}Content-Encoding: aws-chunked\r\nAuthorization: AWS4-HMAC-SHA256 \
             Credential=me/{day}/us-east-1/s3/aws4_request,SignedHeaders=host;x-amz-content-sha256;x-amz-date,Signature={guess}\r\n\r\n",
            body.len()
        );
        let reply = send_raw(&server, &head, body.as_bytes()).await;
        assert!(reply.starts_with("HTTP/1.1 200"), "{kind}: {reply}");
        let got = server.anyone().get_object().bucket("bucket").key("chunked").send().await.unwrap();
        assert_eq!(&got.body.collect().await.unwrap().to_vec(), b"hello wor\nld");
    }
}

#[tokio::test]
async fn presigned_urls_work_until_they_expire() {
    let server = Server::start().await;
    let put = server.anyone().put_object().bucket("artifacts").key("in");
    put.server_side_encryption(ServerSideEncryption::AwsKms).body(body("content")).send().await.unwrap();
    for client in [server.anyone(), server.job("ASIAJOB")] {
        let signed_at = |time: std::time::SystemTime| {
            let config = aws_sdk_s3::presigning::PresigningConfig::builder();
            let config = config.start_time(time).expires_in(Duration::from_secs(60)).build().unwrap();
            client.get_object().bucket("artifacts").key("in").presigned(config)
        };
        let now = std::time::UNIX_EPOCH + Duration::from_millis(Clock::machine().now().0);
        let url = signed_at(now).await.unwrap().uri().to_owned();
        assert!(get_url(&server, &url).await.ends_with("\r\n\r\ncontent"));
        let old = signed_at(now - Duration::from_secs(120)).await.unwrap().uri().to_owned();
        let reply = get_url(&server, &old).await;
        assert!(reply.starts_with("HTTP/1.1 403") && reply.contains("Request has expired"), "{reply}");
    }
    let job = server.job("ASIAJOB").get_object().bucket("artifacts").key("in");
    let config = aws_sdk_s3::presigning::PresigningConfig::expires_in(Duration::from_secs(60)).unwrap();
    let url = job.presigned(config).await.unwrap().uri().replace("/in?", "/other?");
    assert!(get_url(&server, &url).await.contains("SignatureDoesNotMatch"));
}

#[tokio::test]
async fn unexpected_bucket_owner_is_denied() {
    let server = Server::start().await;
    let client = server.anyone();
    client.put_object().bucket("bucket").key("key").body(body("content")).send().await.unwrap();
    let get = |owner: &str| client.get_object().bucket("bucket").key("key").expected_bucket_owner(owner).send();
    get("123456789012").await.unwrap();
    assert_eq!(code(get("999999999999").await), "AccessDenied");
    let acl = client.get_bucket_acl().bucket("bucket").expected_bucket_owner("999999999999");
    assert_eq!(code(acl.send().await), "AccessDenied");
    let copy = client.copy_object().bucket("bucket").key("copy").copy_source("bucket/key");
    assert_eq!(code(copy.expected_source_bucket_owner("999999999999").send().await), "AccessDenied");
}

#[tokio::test]
async fn version_2_signature_is_for_ordinary_users_only() {
    let server = Server::start().await;
    server.anyone().put_object().bucket("bucket").key("a b").body(body("content")).send().await.unwrap();
    server.job("ASIAJOB");
    let url = |key: &str, expires: u64| {
        format!("http://host/bucket/a%20b?AWSAccessKeyId={key}&Signature=a%2Bguess%3D&Expires={expires}")
    };
    let now = Clock::machine().now().0 / 1000;
    assert!(get_url(&server, &url("me", now + 60)).await.ends_with("\r\n\r\ncontent"));
    assert!(get_url(&server, &url("me", now - 60)).await.contains("Request has expired"));
    assert!(get_url(&server, &url("ASIAJOB", now + 60)).await.contains("Please use AWS4-HMAC-SHA256"));
    assert!(get_url(&server, &url("ASIANOBODY", now + 60)).await.contains("InvalidAccessKeyId"));
    assert!(get_url(&server, "http://host/bucket/a%20b").await.contains("s3://bucket/a b is not signed"));
}

async fn get_url(server: &Server, url: &str) -> String {
    let path = url.splitn(4, '/').nth(3).unwrap();
    let address = server.listener.address();
    send_raw(server, &format!("GET /{path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n"), b"").await
}

/// Written by hand, because the SDK waits for `100 Continue` before it sends a large body.
#[tokio::test]
async fn refused_large_upload_gets_its_response() {
    let server = Server::start().await;
    let (address, content) = (server.listener.address(), vec![0; 20 << 20]);
    for key in ["ASIANOBODY", "me"] {
        let head = format!(
            "PUT /no-bucket/key HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\nContent-Length: {}\r\n\
             x-amz-date: 20270101T000000Z\r\nx-amz-content-sha256: UNSIGNED-PAYLOAD\r\nAuthorization: AWS4-HMAC-SHA256 \
             Credential={key}/20270101/us-east-1/s3/aws4_request,SignedHeaders=host;x-amz-date,Signature=guess\r\n\r\n",
            content.len()
        );
        let reply = send_raw(&server, &head, &content).await;
        let expected = if key == "me" { "NoSuchBucket" } else { "InvalidAccessKeyId" };
        assert!(reply.contains(expected), "{reply}");
    }
}
