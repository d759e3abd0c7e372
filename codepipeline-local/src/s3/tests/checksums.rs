//! Checksums of objects and parts.

use aws_sdk_s3::types::{ChecksumAlgorithm, ChecksumMode, ChecksumType};

use super::*;

const ALGORITHMS: [ChecksumAlgorithm; 5] = [
    ChecksumAlgorithm::Crc32,
    ChecksumAlgorithm::Crc32C,
    ChecksumAlgorithm::Crc64Nvme,
    ChecksumAlgorithm::Sha1,
    ChecksumAlgorithm::Sha256,
];
/// The checksums of "hello" with these algorithms.
const HELLO: [&str; 5] = [
    "NhCmhg==",
    "mnG7TA==",
    "M3eFcAZSQlc=",
    "qvTGHdzF6KLavt4PO0gs2a6pQ00=",
    "LPJNul+wow4m6DsqxbninhsWHlwfp0JecwQzYpOLmCQ=",
];

/// The one checksum among an output's members.
macro_rules! sum {
    ($output:expr) => {
        [
            $output.checksum_crc32(),
            $output.checksum_crc32_c(),
            $output.checksum_crc64_nvme(),
            $output.checksum_sha1(),
            $output.checksum_sha256(),
        ]
        .into_iter()
        .flatten()
        .map(str::to_owned)
        .collect::<Vec<_>>()
        .join(" ")
    };
}

#[tokio::test]
async fn objects_return_their_sent_checksum() {
    let server = Server::start().await;
    let client = server.anyone();
    for (algorithm, expected) in ALGORITHMS.into_iter().zip(HELLO) {
        let put = client.put_object().bucket("bucket").key("sum").body(body("hello"));
        let put = put.checksum_algorithm(algorithm.clone()).send().await.unwrap();
        assert_eq!((sum!(put).as_str(), put.checksum_type()), (expected, Some(&ChecksumType::FullObject)));
        let head = || client.head_object().bucket("bucket").key("sum");
        let asked = head().checksum_mode(ChecksumMode::Enabled).send().await.unwrap();
        assert_eq!(sum!(asked), expected);
        let unasked = head().send().await.unwrap();
        assert_eq!(sum!(unasked), "");
        let listed = client.list_objects_v2().bucket("bucket").send().await.unwrap();
        assert_eq!(listed.contents()[0].checksum_algorithm(), [algorithm]);
    }
    let get = client.get_object().bucket("bucket").key("sum").range("bytes=0-1");
    let got = get.checksum_mode(ChecksumMode::Enabled).send().await.unwrap();
    assert_eq!(sum!(got), "");
}

#[tokio::test]
async fn object_without_checksum_gets_crc64nvme() {
    let server = Server::start().await;
    let head = "PUT /bucket/plain HTTP/1.1\r\nHost: host\r\nContent-Length: 5\r\nConnection: close\r\nDate: now\r\n\
                Authorization: AWS me:signature\r\n\r\n";
    let reply = send_raw(&server, head, b"hello").await;
    assert!(reply.contains("x-amz-checksum-crc64nvme: M3eFcAZSQlc="), "{reply}");
    assert!(reply.contains("x-amz-checksum-type: FULL_OBJECT"), "{reply}");
}

#[tokio::test]
async fn body_that_contradicts_its_headers_is_refused() {
    let server = Server::start().await;
    let put = async |headers: &str| {
        let head = format!(
            "PUT /bucket/key HTTP/1.1\r\nHost: host\r\nContent-Length: 5\r\nConnection: close\r\nDate: now\r\n\
             Authorization: AWS me:signature\r\n{headers}\r\n"
        );
        let reply = send_raw(&server, &head, b"hello").await;
        let code = reply.split_once("<Code>").and_then(|(_, rest)| rest.split_once("</Code>"));
        let message = reply.split_once("<Message>").and_then(|(_, rest)| rest.split_once("</Message>"));
        code.zip(message).map(|((code, _), (message, _))| format!("{code}: {message}")).unwrap_or(reply)
    };
    assert!(put("x-amz-checksum-sha1: qvTGHdzF6KLavt4PO0gs2a6pQ00=\r\n").await.contains("200 OK"));
    assert!(put("Content-MD5: XUFAKrxLKna5cZ2REBfFkg==\r\n").await.contains("200 OK"));
    let wrong = [
        ("x-amz-checksum-crc32: AAAAAA==", "BadDigest: The CRC32 you specified did not match the calculated checksum."),
        ("x-amz-checksum-crc32: AAAA", "InvalidRequest: Value for x-amz-checksum-crc32 header is invalid."),
        (
            "x-amz-checksum-crc32: NhCmhg==\r\nx-amz-checksum-crc32c: mnG7TA==",
            "InvalidRequest: Expecting a single x-amz-checksum- header. Multiple checksum Types are not allowed.",
        ),
        (
            "x-amz-sdk-checksum-algorithm: CRC32\r\nx-amz-checksum-crc32c: mnG7TA==",
            "InvalidRequest: Value for x-amz-sdk-checksum-algorithm header is invalid.",
        ),
        (
            "x-amz-sdk-checksum-algorithm: CRC32",
            "InvalidRequest: x-amz-sdk-checksum-algorithm specified, but no corresponding x-amz-checksum-* or x-amz-trailer \
             headers were found.",
        ),
        (
            "Content-MD5: AAAAAAAAAAAAAAAAAAAAAA==",
            "BadDigest: The Content-MD5 you specified did not match what we received.",
        ),
        ("Content-MD5: hello", "InvalidDigest: The Content-MD5 you specified was invalid."),
    ];
    for (header, expected) in wrong {
        assert_eq!(put(&format!("{header}\r\n")).await, expected);
    }
}

#[tokio::test]
async fn parts_are_checked_and_answer_their_checksums() {
    let server = Server::start().await;
    let client = server.anyone();
    for (algorithm, expected) in ALGORITHMS.into_iter().zip(HELLO) {
        let begun =
            client.create_multipart_upload().bucket("bucket").key("parts").checksum_algorithm(algorithm.clone());
        let begun = begun.send().await.unwrap();
        let id = begun.upload_id().unwrap();
        let part = || client.upload_part().bucket("bucket").key("parts").upload_id(id).part_number(1);
        let sent = part().body(body("hello")).checksum_algorithm(algorithm.clone()).send().await.unwrap();
        assert_eq!(sum!(sent), expected);
        let listed = client.list_parts().bucket("bucket").key("parts").upload_id(id).send().await.unwrap();
        assert_eq!(listed.checksum_algorithm(), Some(&algorithm));
        assert_eq!(sum!(listed.parts()[0]), expected);
        let wrong = part().body(body("other"));
        let wrong = match algorithm {
            ChecksumAlgorithm::Crc32 => wrong.checksum_crc32(expected),
            ChecksumAlgorithm::Crc32C => wrong.checksum_crc32_c(expected),
            ChecksumAlgorithm::Crc64Nvme => wrong.checksum_crc64_nvme(expected),
            ChecksumAlgorithm::Sha1 => wrong.checksum_sha1(expected),
            _ => wrong.checksum_sha256(expected),
        };
        assert_eq!(code(wrong.send().await), "BadDigest");
        let md5 = part().checksum_algorithm(algorithm).body(body("other")).content_md5("AAAAAAAAAAAAAAAAAAAAAA==");
        assert_eq!(code(md5.send().await), "BadDigest");
        let kept = client.list_parts().bucket("bucket").key("parts").upload_id(id).send().await.unwrap();
        assert_eq!(kept.parts()[0].e_tag(), sent.e_tag());
    }
}

#[tokio::test]
async fn part_with_another_algorithm_is_refused() {
    let server = Server::start().await;
    let client = server.anyone();
    let begun = client.create_multipart_upload().bucket("bucket").key("parts");
    let begun = begun.checksum_algorithm(ChecksumAlgorithm::Sha256).send().await.unwrap();
    let part = client.upload_part().bucket("bucket").key("parts").upload_id(begun.upload_id().unwrap());
    let part = part.part_number(1).body(body("hello")).checksum_algorithm(ChecksumAlgorithm::Crc32).send().await;
    let message = part.as_ref().unwrap_err().as_service_error().unwrap().message().unwrap();
    assert_eq!(message, "Checksum Type mismatch occurred, expected checksum Type: sha256, actual checksum Type: crc32");
    assert_eq!(code(part), "InvalidRequest");
}

/// Uploads "hello" as one part, and completes the upload.
async fn complete(
    client: &Client,
    algorithm: ChecksumAlgorithm,
    kind: Option<ChecksumType>,
    part: impl Fn(aws_sdk_s3::types::builders::CompletedPartBuilder) -> aws_sdk_s3::types::builders::CompletedPartBuilder,
    whole: Option<&str>,
) -> Result<String, String> {
    let begun = client.create_multipart_upload().bucket("bucket").key("whole").set_checksum_type(kind.clone());
    let begun = begun.checksum_algorithm(algorithm.clone()).send().await.unwrap();
    let id = begun.upload_id().unwrap();
    let sent = client.upload_part().bucket("bucket").key("whole").upload_id(id).part_number(1);
    let sent = sent.checksum_algorithm(algorithm).body(body("hello")).send().await.unwrap();
    let named = part(CompletedPart::builder().part_number(1).e_tag(sent.e_tag().unwrap())).build();
    let completed = CompletedMultipartUpload::builder().parts(named).build();
    let request = client.complete_multipart_upload().bucket("bucket").key("whole").upload_id(id);
    let request = request.multipart_upload(completed).set_checksum_crc32(whole.map(str::to_owned));
    match request.set_checksum_type(kind).send().await {
        Ok(done) => Ok(sum!(done)),
        Err(error) => Err(error.as_service_error().unwrap().code().unwrap().to_owned()),
    }
}

#[tokio::test]
async fn upload_completes_with_either_checksum_type() {
    let server = Server::start().await;
    let client = server.anyone();
    let crc32 = ChecksumAlgorithm::Crc32;
    let right = |part: aws_sdk_s3::types::builders::CompletedPartBuilder| part.checksum_crc32("NhCmhg==");
    let wrong = |part: aws_sdk_s3::types::builders::CompletedPartBuilder| part.checksum_crc32("AAAAAA==");
    let none = |part| part;
    // The CRC32 of the four bytes that are the part's CRC32.
    let composite = "FKTmaw==-1";
    assert_eq!(complete(&client, crc32.clone(), None, right, None).await.as_deref(), Ok(composite));
    assert_eq!(complete(&client, crc32.clone(), None, right, Some(composite)).await.as_deref(), Ok(composite));
    assert_eq!(complete(&client, crc32.clone(), None, right, Some("AAAAAA==-1")).await.unwrap_err(), "BadDigest");
    assert_eq!(complete(&client, crc32.clone(), None, none, None).await.unwrap_err(), "InvalidRequest");
    assert_eq!(complete(&client, crc32.clone(), None, wrong, None).await.unwrap_err(), "InvalidPart");
    let full = Some(ChecksumType::FullObject);
    assert_eq!(complete(&client, crc32.clone(), full.clone(), none, None).await.as_deref(), Ok("NhCmhg=="));
    assert_eq!(complete(&client, crc32.clone(), full.clone(), none, Some("NhCmhg==")).await.as_deref(), Ok("NhCmhg=="));
    assert_eq!(complete(&client, crc32.clone(), full.clone(), none, Some("AAAAAA==")).await.unwrap_err(), "BadDigest");
    let head = client.head_object().bucket("bucket").key("whole").checksum_mode(ChecksumMode::Enabled);
    let head = head.send().await.unwrap();
    assert_eq!((sum!(head).as_str(), head.checksum_type()), ("NhCmhg==", full.as_ref()));
}

#[tokio::test]
async fn copy_gets_the_requested_checksum() {
    let server = Server::start().await;
    let client = server.anyone();
    let right = |part: aws_sdk_s3::types::builders::CompletedPartBuilder| part.checksum_crc32("NhCmhg==");
    complete(&client, ChecksumAlgorithm::Crc32, None, right, None).await.unwrap();
    let copy = |key: &str| client.copy_object().bucket("bucket").key(key).copy_source("bucket/whole");
    let same = copy("same").send().await.unwrap();
    let result = same.copy_object_result().unwrap();
    assert_eq!((sum!(result).as_str(), result.checksum_type()), ("NhCmhg==", Some(&ChecksumType::FullObject)));
    assert_eq!(result.e_tag(), Some("\"5d41402abc4b2a76b9719d911017c592\""), "a copy is uploaded at once");
    for (algorithm, expected) in ALGORITHMS.into_iter().zip(HELLO) {
        let copied = copy("other").checksum_algorithm(algorithm.clone()).send().await.unwrap();
        assert_eq!(sum!(copied.copy_object_result().unwrap()), expected);
        let begun = client.create_multipart_upload().bucket("bucket").key("parts").checksum_algorithm(algorithm);
        let begun = begun.send().await.unwrap();
        let part = client.upload_part_copy().bucket("bucket").key("parts").upload_id(begun.upload_id().unwrap());
        let part = part.part_number(1).copy_source("bucket/whole").send().await.unwrap();
        assert_eq!(sum!(part.copy_part_result().unwrap()), expected);
    }
}
