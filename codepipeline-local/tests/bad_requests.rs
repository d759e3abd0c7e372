//! Malformed requests. Each gets S3's error and never a 500.
#![allow(clippy::unwrap_used, reason = "a test whose set-up fails has failed")]

use codepipeline_local::{Emulator, Options};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

const HELLO: &str = "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824";
const EMPTY: &str = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

async fn send(emulator: &Emulator, text: &str) -> String {
    let endpoint = emulator.endpoint();
    let mut stream = tokio::net::TcpStream::connect(endpoint.trim_start_matches("http://")).await.unwrap();
    stream.write_all(text.as_bytes()).await.unwrap();
    let mut reply = Vec::new();
    stream.read_to_end(&mut reply).await.unwrap();
    String::from_utf8_lossy(&reply).into_owned()
}

/// A request of an ordinary user whose secret the emulator does not know.
fn signed(line: &str, headers: &str, body: &str) -> String {
    format!(
        "{line} HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\nx-amz-date: 20270101T000000Z\r\nAuthorization: \
         AWS4-HMAC-SHA256 Credential=me/20270101/us-east-1/s3/aws4_request,SignedHeaders=host;x-amz-date,Signature=0\r\n\
         {headers}\r\n{body}"
    )
}

async fn with_bucket() -> Emulator {
    let emulator = Emulator::start(Options::default()).await.unwrap();
    let made = send(&emulator, &signed("PUT /bucket", &format!("x-amz-content-sha256: {EMPTY}\r\n"), "")).await;
    assert!(made.starts_with("HTTP/1.1 200"), "{made}");
    emulator
}

#[tokio::test]
async fn body_must_match_its_hash() {
    let emulator = with_bucket().await;
    for (said, body, wanted) in [
        (HELLO, "hello", "200"),
        (HELLO, "hallo", "400 XAmzContentSHA256Mismatch"),
        (HELLO, "", "400 XAmzContentSHA256Mismatch"),
        (EMPTY, "", "200"),
        (EMPTY, "hello", "400 XAmzContentSHA256Mismatch"),
        ("UNSIGNED-PAYLOAD", "hello", "200"),
        ("nonsense", "hello", "400 InvalidArgument"),
        ("STREAMING-NOTHING", "hello", "400 InvalidArgument"),
        ("STREAMING-UNSIGNED-PAYLOAD-TRAILER", "hello", "411 MissingContentLength"),
    ] {
        for line in ["PUT /bucket/key", "PUT /bucket?policy"] {
            let length = format!("Content-Length: {}\r\nx-amz-content-sha256: {said}\r\n", body.len());
            let reply = send(&emulator, &signed(line, &length, body)).await;
            let (status, code) = wanted.split_once(' ').unwrap_or((wanted, ""));
            if line.ends_with("key") || status != "200" {
                assert!(reply.starts_with(&format!("HTTP/1.1 {status}")), "{said} {body}: {reply}");
                assert!(reply.contains(code), "{said} {body}: {reply}");
            }
        }
    }
}

#[tokio::test]
async fn broken_chunks_are_refused() {
    let emulator = with_bucket().await;
    let signature = "0".repeat(64);
    for (body, length, wanted) in [
        ("2\r\nhi\r\n0\r\n\r\n".to_owned(), 2, "200"),
        ("2\r\nhi\r\n0\r\n\r\n".to_owned(), 5, "400 IncompleteBody"),
        ("2\r\nhi\r\n".to_owned(), 2, "400 IncompleteBody"),
        ("hi".to_owned(), 2, "400 IncompleteBody"),
        ("nonsense\r\nhi\r\n0\r\n\r\n".to_owned(), 2, "400 InvalidRequest"),
        (format!("2;chunk-signature={signature}\r\nhi\r\n0;chunk-signature={signature}\r\n\r\n"), 2, "200"),
    ] {
        let kind = if body.contains("signature") { "AWS4-HMAC-SHA256-PAYLOAD" } else { "UNSIGNED-PAYLOAD-TRAILER" };
        let headers = format!(
            "Content-Length: {}\r\nx-amz-content-sha256: STREAMING-{kind}\r\nx-amz-decoded-content-length: {length}\r\n\
             x-amz-trailer: x-amz-meta-none\r\nContent-Encoding: aws-chunked\r\n",
            body.len()
        );
        let reply = send(&emulator, &signed("PUT /bucket/key", &headers, &body)).await;
        let (status, code) = wanted.split_once(' ').unwrap_or((wanted, ""));
        assert!(reply.starts_with(&format!("HTTP/1.1 {status}")) && reply.contains(code), "{body:?}: {reply}");
    }
}

#[tokio::test]
async fn no_bad_input_gives_a_500() {
    let emulator = with_bucket().await;
    let empty = format!("x-amz-content-sha256: {EMPTY}\r\nContent-Length: 0\r\n");
    let unsigned = |more: &str, body: &str| {
        format!("x-amz-content-sha256: UNSIGNED-PAYLOAD\r\nContent-Length: {}\r\n{more}", body.len())
    };
    let scoped =
        |scope: &str| signed("GET /bucket/key", &empty, "").replace("20270101/us-east-1/s3/aws4_request", scope);
    let long_key = format!("PUT /bucket/{}", "k".repeat(1025));
    for (request, wanted) in [
        (signed("PUT /bucket/key", "x-amz-content-sha256: UNSIGNED-PAYLOAD\r\n", ""), "411 MissingContentLength"),
        (signed("PUT /bucket/key", &unsigned("Content-MD5: nonsense\r\n", "x"), "x"), "400 InvalidDigest"),
        (signed("PUT /bucket/key", &unsigned("Content-MD5: AAAAAAAAAAAAAAAAAAAAAA==\r\n", "x"), "x"), "400 BadDigest"),
        (signed(&long_key, &unsigned("", "x"), "x"), "400 KeyTooLong"),
        (signed("PUT /Bad_Bucket/key", &unsigned("", "x"), "x"), "400 InvalidBucketName"),
        (signed("PUT /bucket/%ff%fe", &unsigned("", "x"), "x"), "400 InvalidURI"),
        (signed("PUT /bucket/key?partNumber=x&uploadId=u", &unsigned("", "x"), "x"), "400 InvalidArgument"),
        (signed("GET /bucket?list-type=2&max-keys=many", &empty, ""), "400 InvalidArgument"),
        (signed("POST /bucket?delete", &unsigned("", "<Delete>"), "<Delete>"), "400 MalformedXML"),
        (signed("GET /bucket/key", &format!("{empty}If-Modified-Since: some day\r\n"), ""), ""),
        (signed("GET /bucket/none", &format!("{empty}Range: bytes=nine-ten\r\n"), ""), "404 NoSuchKey"),
        (scoped("20270101/us-east-1/s3"), "400 AuthorizationHeaderMalformed"),
        (scoped("20270101/eu-west-1/s3/aws4_request"), "400 AuthorizationHeaderMalformed"),
        (scoped("20270101/US/s3/aws4_request"), "400 <Region>us-east-1</Region>"),
        (signed("PUT /other", &empty, "").replace("us-east-1", "US"), "400 <Region>us-east-1</Region>"),
        (signed("GET /bucket/key", &empty, "").replace("20270101T000000Z", "tomorrow"), ""),
        (signed("GET /bucket/key", &empty, "").replace("AWS4-HMAC-SHA256 Credential", "Bearer"), ""),
    ] {
        let reply = send(&emulator, &request).await;
        let (status, code) = wanted.split_once(' ').unwrap_or(("4", ""));
        assert!(reply.starts_with(&format!("HTTP/1.1 {status}")) && reply.contains(code), "{request}{reply}");
    }
}
