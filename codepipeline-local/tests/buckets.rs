//! Settings of buckets, regions, and hosts that name a bucket, as clients see them over a socket.
#![allow(clippy::unwrap_used, reason = "a test whose set-up fails has failed")]

use codepipeline_local::{Emulator, Options};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

/// Sends a request of an ordinary user with an old signature, which is not verified. Returns the whole reply.
async fn ask(emulator: &Emulator, line: &str, headers: &str, body: &str) -> String {
    let signed = format!("Authorization: AWS x:y\r\nDate: any\r\n{headers}");
    send(emulator, line, "127.0.0.1", &signed, body).await
}

async fn send(emulator: &Emulator, line: &str, host: &str, headers: &str, body: &str) -> String {
    let endpoint = emulator.endpoint();
    let mut stream = tokio::net::TcpStream::connect(endpoint.trim_start_matches("http://")).await.unwrap();
    let length = body.len();
    let text = format!(
        "{line} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\nContent-Length: {length}\r\n{headers}\r\n{body}"
    );
    stream.write_all(text.as_bytes()).await.unwrap();
    let mut reply = Vec::new();
    stream.read_to_end(&mut reply).await.unwrap();
    String::from_utf8(reply).unwrap()
}

fn status(reply: &str) -> &str {
    reply.get(9..12).unwrap_or_default()
}

/// A subresource, its input, a part of its output, and the error without an input.
const SETTINGS: [(&str, &str, &str, &str); 14] = [
    (
        "cors",
        "<CORSConfiguration><CORSRule><AllowedMethod>GET</AllowedMethod><AllowedOrigin>*</AllowedOrigin></CORSRule></CORSConfiguration>",
        "<AllowedMethod>GET<",
        "NoSuchCORSConfiguration",
    ),
    (
        "encryption",
        "<ServerSideEncryptionConfiguration><Rule><ApplyServerSideEncryptionByDefault><SSEAlgorithm>aws:kms</SSEAlgorithm></ApplyServerSideEncryptionByDefault></Rule></ServerSideEncryptionConfiguration>",
        "<SSEAlgorithm>aws:kms<",
        "",
    ),
    (
        "lifecycle",
        "<LifecycleConfiguration><Rule><ID>x</ID><Filter><Prefix>a</Prefix></Filter><Status>Enabled</Status><Expiration><Days>1</Days></Expiration></Rule></LifecycleConfiguration>",
        "<Days>1<",
        "NoSuchLifecycleConfiguration",
    ),
    (
        "tagging",
        "<Tagging><TagSet><Tag><Key>a</Key><Value>b</Value></Tag></TagSet></Tagging>",
        "<Key>a<",
        "NoSuchTagSet",
    ),
    (
        "website",
        "<WebsiteConfiguration><IndexDocument><Suffix>i.html</Suffix></IndexDocument></WebsiteConfiguration>",
        "i.html",
        "NoSuchWebsiteConfiguration",
    ),
    (
        "publicAccessBlock",
        "<PublicAccessBlockConfiguration><BlockPublicAcls>true</BlockPublicAcls></PublicAccessBlockConfiguration>",
        "<BlockPublicPolicy>false<",
        "NoSuchPublicAccessBlockConfiguration",
    ),
    (
        "ownershipControls",
        "<OwnershipControls><Rule><ObjectOwnership>ObjectWriter</ObjectOwnership></Rule></OwnershipControls>",
        "ObjectWriter",
        "OwnershipControlsNotFoundError",
    ),
    (
        "replication",
        "<ReplicationConfiguration><Role>r</Role><Rule><Status>Enabled</Status><Prefix/><Destination><Bucket>arn:aws:s3:::b</Bucket></Destination></Rule></ReplicationConfiguration>",
        "arn:aws:s3:::b",
        "ReplicationConfigurationNotFoundError",
    ),
    (
        "object-lock",
        "<ObjectLockConfiguration><ObjectLockEnabled>Enabled</ObjectLockEnabled></ObjectLockConfiguration>",
        "Enabled<",
        "ObjectLockConfigurationNotFoundError",
    ),
    (
        "notification",
        "<NotificationConfiguration><EventBridgeConfiguration/></NotificationConfiguration>",
        "EventBridgeConfiguration",
        "",
    ),
    (
        "logging",
        "<BucketLoggingStatus><LoggingEnabled><TargetBucket>b</TargetBucket><TargetPrefix>p/</TargetPrefix></LoggingEnabled></BucketLoggingStatus>",
        "<TargetPrefix>p/<",
        "",
    ),
    ("accelerate", "<AccelerateConfiguration><Status>Enabled</Status></AccelerateConfiguration>", "Enabled<", ""),
    (
        "requestPayment",
        "<RequestPaymentConfiguration><Payer>Requester</Payer></RequestPaymentConfiguration>",
        "Requester<",
        "",
    ),
    ("metrics&id=m", "<MetricsConfiguration><Id>m</Id></MetricsConfiguration>", "<Id>m<", "NoSuchConfiguration"),
];
const POLICY: &str = r#"{"Version":"2012-10-17","Statement":[]}"#;

#[tokio::test]
async fn bucket_settings_survive_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let start = || Emulator::start(Options { data: Some(folder.path().into()), ..Options::default() });
    let emulator = start().await.unwrap();
    assert_eq!(status(&ask(&emulator, "PUT /bucket", "", "").await), "200");
    for (query, body, _, missing) in SETTINGS {
        let before = ask(&emulator, &format!("GET /bucket?{query}"), "", "").await;
        let wanted = if missing.is_empty() { "200" } else { "404" };
        assert!(status(&before) == wanted && before.contains(missing), "{query}: {before}");
        let put = ask(&emulator, &format!("PUT /bucket?{query}"), "", body).await;
        assert!(status(&put).starts_with("20"), "{query}: {put}");
    }
    assert!(ask(&emulator, "GET /bucket?policy", "", "").await.contains("NoSuchBucketPolicy"));
    assert_eq!(status(&ask(&emulator, "PUT /bucket?policy", "", POLICY).await), "204");
    emulator.stop().await;

    let emulator = start().await.unwrap();
    for (query, _, part, missing) in SETTINGS {
        let kept = ask(&emulator, &format!("GET /bucket?{query}"), "", "").await;
        assert!(status(&kept) == "200" && kept.contains(part), "{query}: {kept}");
        let deleted = ask(&emulator, &format!("DELETE /bucket?{query}"), "", "").await;
        if status(&deleted) == "204" {
            let after = ask(&emulator, &format!("GET /bucket?{query}"), "", "").await;
            assert!(after.contains(missing) && !after.contains(part), "{query}: {after}");
        } else {
            assert_eq!(status(&deleted), "405", "{query}: {deleted}");
        }
    }
    assert!(ask(&emulator, "GET /bucket?policy", "", "").await.ends_with(POLICY));
    let public = ask(&emulator, "GET /bucket?policyStatus", "", "").await;
    assert!(public.contains("<IsPublic>false<"), "{public}");

    assert_eq!(status(&ask(&emulator, "DELETE /bucket", "", "").await), "204");
    assert_eq!(status(&ask(&emulator, "PUT /bucket", "", "").await), "200");
    assert!(ask(&emulator, "GET /bucket?policy", "", "").await.contains("NoSuchBucketPolicy"), "it is another bucket");
}

#[tokio::test]
async fn bad_settings_are_refused() {
    let emulator = Emulator::start(Options::default()).await.unwrap();
    ask(&emulator, "PUT /bucket", "", "").await;
    let rule = |method: &str, origin: &str| {
        format!(
            "<CORSConfiguration><CORSRule><AllowedMethod>{method}</AllowedMethod><AllowedOrigin>{origin}</AllowedOrigin></CORSRule></CORSConfiguration>"
        )
    };
    for (query, body, code) in [
        ("cors", rule("PATCH", "*"), "InvalidRequest"),
        ("cors", rule("GET", "**"), "InvalidRequest"),
        ("cors", "<CORSConfiguration/>".into(), "MalformedXML"),
        ("cors", "{}".into(), "MalformedXML"),
        ("cors", String::new(), "MissingRequestBodyError"),
        ("policy", "no JSON".into(), "MalformedPolicy"),
        ("accelerate", "<AccelerateConfiguration><Status>On</Status></AccelerateConfiguration>".into(), "MalformedXML"),
        ("metrics&id=a", "<MetricsConfiguration><Id>b</Id></MetricsConfiguration>".into(), "InvalidArgument"),
        ("acl", String::new(), "MissingSecurityHeader"),
        ("acl", "<AccessControlPolicy><Owner/></AccessControl>".into(), "MalformedACLError"),
        ("policyStatus", String::new(), "MethodNotAllowed"),
    ] {
        let refused = ask(&emulator, &format!("PUT /bucket?{query}"), "", &body).await;
        assert!(status(&refused).starts_with('4') && refused.contains(&format!("<Code>{code}<")), "{query}: {refused}");
    }
    let nowhere = ask(&emulator, "GET /nowhere?cors", "", "").await;
    assert!(nowhere.contains("<Code>NoSuchBucket<"), "{nowhere}");
}

#[tokio::test]
async fn object_tags_and_acls_are_kept_and_copied() {
    let emulator = Emulator::start(Options::default()).await.unwrap();
    ask(&emulator, "PUT /bucket", "", "").await;
    let put = ask(&emulator, "PUT /bucket/a", "x-amz-tagging: k=v&l=w\r\nx-amz-acl: public-read\r\n", "x").await;
    assert_eq!(status(&put), "200", "{put}");
    for method in ["GET", "HEAD"] {
        let got = ask(&emulator, &format!("{method} /bucket/a"), "", "").await;
        assert!(got.contains("x-amz-tagging-count: 2"), "{got}");
    }
    assert!(ask(&emulator, "GET /bucket/a?acl", "", "").await.contains("AllUsers"));
    ask(&emulator, "PUT /bucket/b", "x-amz-copy-source: /bucket/a\r\n", "").await;
    assert!(ask(&emulator, "GET /bucket/b?tagging", "", "").await.contains("<Key>k</Key>"));
    assert!(!ask(&emulator, "GET /bucket/b?acl", "", "").await.contains("AllUsers"), "a copy is private");
    let replace = "x-amz-copy-source: /bucket/a\r\nx-amz-tagging-directive: REPLACE\r\nx-amz-tagging: n=1\r\n";
    ask(&emulator, "PUT /bucket/b", replace, "").await;
    let tags = ask(&emulator, "GET /bucket/b?tagging", "", "").await;
    assert!(tags.contains("<Key>n</Key>") && !tags.contains("<Key>k</Key>"), "{tags}");
    let tagging = "<Tagging><TagSet><Tag><Key>z</Key><Value/></Tag></TagSet></Tagging>";
    assert_eq!(status(&ask(&emulator, "PUT /bucket/b?tagging", "", tagging).await), "200");
    assert!(ask(&emulator, "GET /bucket/b?tagging", "", "").await.contains("<Key>z</Key>"));
    assert_eq!(status(&ask(&emulator, "DELETE /bucket/b?tagging", "", "").await), "204");
    assert!(!ask(&emulator, "GET /bucket/b?tagging", "", "").await.contains("<Key>"));
    let refused = ask(&emulator, "PUT /bucket/c", "x-amz-tagging: a=1&a=2\r\n", "x").await;
    assert!(refused.contains("InvalidArgument"), "{refused}");
}

#[tokio::test]
async fn host_names_a_bucket() {
    let emulator = Emulator::start(Options::default()).await.unwrap();
    let signed = "Authorization: AWS x:y\r\nDate: any\r\n";
    for bucket in ["bucket", "my.bucket"] {
        let host = |end: &str| format!("{bucket}.{end}");
        assert_eq!(status(&send(&emulator, "PUT /", &host("localhost"), signed, "").await), "200");
        let put = send(&emulator, "PUT /a/b", &host("s3.localhost:4566"), signed, "content").await;
        assert_eq!(status(&put), "200", "{put}");
        for end in ["localhost:80", "s3.us-east-1.localhost"] {
            let got = send(&emulator, "GET /a/b", &host(end), signed, "").await;
            assert!(got.ends_with("\r\n\r\ncontent"), "{end}: {got}");
            let listed = send(&emulator, "GET /?list-type=2", &host(end), signed, "").await;
            assert!(listed.contains("<Key>a/b</Key>"), "{end}: {listed}");
            let tagging = send(&emulator, "GET /?tagging", &host(end), signed, "").await;
            assert!(tagging.contains("NoSuchTagSet"), "{end}: {tagging}");
        }
        for host in ["localhost", "s3.localhost", "127.0.0.1", "emulator:4566"] {
            let got = send(&emulator, &format!("GET /{bucket}/a/b"), host, signed, "").await;
            assert!(got.ends_with("\r\n\r\ncontent"), "{host}: {got}");
        }
    }
    assert_eq!(emulator.calls("CreateBucket"), 2);
    emulator.faults().add("GetObject:1:error".parse().unwrap());
    assert_eq!(status(&send(&emulator, "GET /a/b", "bucket.localhost", signed, "").await), "500");
}

#[tokio::test]
async fn browser_request_follows_the_buckets_cors_rules() {
    let emulator = Emulator::start(Options::default()).await.unwrap();
    ask(&emulator, "PUT /bucket", "", "").await;
    let preflight = "Origin: https://a.example.com\r\nAccess-Control-Request-Method: GET\r\n\
                     Access-Control-Request-Headers: x-amz-date, Range\r\n";
    assert_eq!(status(&send(&emulator, "OPTIONS /bucket/k", "localhost", preflight, "").await), "403");
    let rules = "<CORSConfiguration><CORSRule><AllowedHeader>*</AllowedHeader><AllowedMethod>GET</AllowedMethod>\
                 <AllowedOrigin>https://*.example.com</AllowedOrigin><ExposeHeader>ETag</ExposeHeader>\
                 <MaxAgeSeconds>5</MaxAgeSeconds></CORSRule></CORSConfiguration>";
    ask(&emulator, "PUT /bucket?cors", "", rules).await;
    let allowed = send(&emulator, "OPTIONS /bucket/k", "localhost", preflight, "").await;
    assert_eq!(status(&allowed), "200", "{allowed}");
    for line in ["allow-origin: https://a.example.com", "allow-headers: x-amz-date, range", "max-age: 5"] {
        assert!(allowed.contains(&format!("access-control-{line}\r\n")), "{line}: {allowed}");
    }
    let put = preflight.replace("GET", "PUT");
    assert_eq!(status(&send(&emulator, "OPTIONS /bucket/k", "localhost", &put, "").await), "403");
    let got = ask(&emulator, "GET /bucket/k", "Origin: https://a.example.com\r\n", "").await;
    assert!(got.contains("access-control-expose-headers: ETag\r\n"), "{got}");
    assert!(!ask(&emulator, "GET /bucket/k", "Origin: https://other\r\n", "").await.contains("access-control"));
    assert_eq!(status(&send(&emulator, "OPTIONS /bucket/k", "localhost", "", "").await), "400");
}
