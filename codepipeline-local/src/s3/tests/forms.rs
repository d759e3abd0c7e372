//! Uploads by forms, as boto3's `generate_presigned_post` makes them.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::*;

/// The end of a policy that no test outlives.
const NEVER: &str = "2999-01-01T00:00:00Z";

/// Fields of a signature of version 4, and the conditions that go with them.
const SIGNED: [(&str, &str); 3] = [
    ("x-amz-algorithm", "AWS4-HMAC-SHA256"),
    ("x-amz-credential", "me/20270101/us-east-1/s3/aws4_request"),
    ("x-amz-date", "20270101T000000Z"),
];

struct Form<'a> {
    fields: Vec<(&'a str, &'a str)>,
    conditions: &'a str,
    expiration: &'a str,
    file: &'a [u8],
}

impl<'a> Form<'a> {
    /// A form with these fields. Its policy has an equality for each of them, and further conditions.
    fn new(fields: &[(&'a str, &'a str)], conditions: &'a str) -> Self {
        Self { fields: fields.to_vec(), conditions, expiration: NEVER, file: b"hello" }
    }

    async fn post(&self, server: &Server) -> String {
        let mut conditions: Vec<_> = SIGNED.iter().map(|(name, value)| format!(r#"{{"{name}": "{value}"}}"#)).collect();
        let equal = self.fields.iter().filter(|(name, _)| *name != "key" && !self.conditions.contains(name));
        conditions.extend(equal.map(|(name, value)| format!(r#"["eq", "${name}", "{value}"]"#)));
        conditions.push(self.conditions.to_owned());
        let (conditions, expiration) = (conditions.join(", "), self.expiration);
        let policy =
            format!(r#"{{"expiration": "{expiration}", "conditions": [{conditions}, {{"bucket": "bucket"}}]}}"#);
        let policy = STANDARD.encode(policy);
        let more = [("policy", policy.as_str()), ("x-amz-signature", "guess")];
        let mut body = Vec::new();
        for (name, value) in self.fields.iter().chain(&SIGNED).chain(&more) {
            let field = format!("--edge\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n");
            body.extend_from_slice(field.as_bytes());
        }
        let file = "--edge\r\nContent-Disposition: form-data; name=\"file\"; filename=\"C:\\docs\\a b.txt\"\r\n\
                    Content-Type: text/plain\r\n\r\n";
        body.extend_from_slice(file.as_bytes());
        body.extend_from_slice(self.file);
        body.extend_from_slice(b"\r\n--edge--\r\n");
        let head = format!(
            "POST /bucket HTTP/1.1\r\nHost: host:1\r\nConnection: close\r\nContent-Type: multipart/form-data; boundary=edge\r\n\
             Content-Length: {}\r\n\r\n",
            body.len()
        );
        send_raw(server, &head, &body).await
    }
}

/// The status, code and message of a refusal.
fn refusal(reply: &str) -> String {
    let between = |from: &str, to: &str| {
        let rest = reply.split_once(from).map(|(_, rest)| rest);
        rest.and_then(|rest| rest.split_once(to)).map_or(reply, |(text, _)| text).replace("&quot;", "\"")
    };
    let status = between("HTTP/1.1 ", " ");
    format!("{status} {}: {}", between("<Code>", "</Code>"), between("<Message>", "</Message>"))
}

#[tokio::test]
async fn form_uploads_its_file_with_its_fields() {
    let server = Server::start().await;
    let fields = [
        ("key", "in/${filename}"),
        ("Content-Type", "text/x"),
        ("x-amz-meta-color", "red"),
        ("x-amz-storage-class", "ONEZONE_IA"),
        ("success_action_status", "201"),
        ("tagging", "<Tagging><TagSet><Tag><Key>a b</Key><Value>c&amp;d</Value></Tag></TagSet></Tagging>"),
    ];
    let reply = Form::new(&fields, r#"["starts-with", "$key", "in/"]"#).post(&server).await;
    assert!(reply.starts_with("HTTP/1.1 201 "), "{reply}");
    assert!(reply.contains("<Location>http://host:1/bucket/in/a%20b.txt</Location>"), "{reply}");
    assert!(reply.contains("<Bucket>bucket</Bucket><Key>in/a b.txt</Key>"), "{reply}");
    let got = server.anyone().get_object().bucket("bucket").key("in/a b.txt").send().await.unwrap();
    assert_eq!((got.content_type(), got.storage_class().unwrap().as_str()), (Some("text/x"), "ONEZONE_IA"));
    assert_eq!(got.metadata().unwrap()["color"], "red");
    let tags = server.anyone().get_object_tagging().bucket("bucket").key("in/a b.txt").send().await.unwrap();
    let tags: Vec<_> = tags.tag_set().iter().map(|tag| (tag.key(), tag.value())).collect();
    assert_eq!(tags, [("a b", "c&d")]);
    assert_eq!(&got.body.collect().await.unwrap().to_vec(), b"hello");
}

#[tokio::test]
async fn form_gets_its_requested_response() {
    let server = Server::start().await;
    let post = async |field: Option<(&'static str, &'static str)>| {
        let fields: Vec<_> = [("key", "a")].into_iter().chain(field).collect();
        Form::new(&fields, r#"{"key": "a"}"#).post(&server).await
    };
    assert!(post(None).await.starts_with("HTTP/1.1 204 "));
    assert!(post(Some(("success_action_status", "200"))).await.starts_with("HTTP/1.1 200 "));
    assert!(post(Some(("success_action_status", "404"))).await.starts_with("HTTP/1.1 204 "));
    let redirected = post(Some(("success_action_redirect", "http://app.test/done?step=2"))).await;
    assert!(redirected.starts_with("HTTP/1.1 303 "), "{redirected}");
    let place = "location: http://app.test/done?step=2&bucket=bucket&key=a&etag=%225d41402abc4b2a76b9719d911017c592%22";
    assert!(redirected.contains(place), "{redirected}");
    assert!(post(Some(("success_action_redirect", "no url"))).await.starts_with("HTTP/1.1 204 "));
}

#[tokio::test]
async fn form_against_its_policy_uploads_nothing() {
    let server = Server::start().await;
    let key = [("key", "a")];
    let range = |range: &'static str, file: &'static [u8]| Form { file, ..Form::new(&key, range) };
    let denied = "403 AccessDenied: Invalid according to Policy:";
    let cases = [
        (Form::new(&key, r#"{"key": "b"}"#), format!("{denied} Policy Condition failed: [\"eq\", \"$key\", \"b\"]")),
        (Form::new(&key, r#"{"bucket": "bucket"}"#), format!("{denied} Extra input fields: key")),
        (
            Form { expiration: "2020-01-01T00:00:00Z", ..Form::new(&key, r#"{"key": "a"}"#) },
            format!("{denied} Policy expired."),
        ),
        (
            range(r#"{"key": "a"}, ["content-length-range", 1, 4]"#, b"hello"),
            "400 EntityTooLarge: Your proposed upload exceeds the maximum allowed size".into(),
        ),
        (
            range(r#"{"key": "a"}, ["content-length-range", 6, 9]"#, b"hello"),
            "400 EntityTooSmall: Your proposed upload is smaller than the minimum allowed size".into(),
        ),
        (Form::new(&key, r#"["near", "$key", "a"]"#), "400 InvalidPolicyDocument: Invalid Policy: ".into()),
    ];
    for (form, expected) in cases {
        let refused = refusal(&form.post(&server).await);
        assert!(refused.starts_with(&expected), "{refused}");
    }
    assert!(server.anyone().head_object().bucket("bucket").key("a").send().await.is_err());
    let fits = range(r#"{"key": "a"}, ["content-length-range", 5, 5]"#, b"hello").post(&server).await;
    assert!(fits.starts_with("HTTP/1.1 204 "), "{fits}");
}

/// Sends a form with these fields and a file, and no more.
async fn post(server: &Server, fields: &[(&str, &str)], rest: &str) -> String {
    let field = |(name, value): &(&str, &str)| {
        format!("--edge\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n")
    };
    let body: String = fields.iter().map(field).chain([rest.to_owned()]).collect();
    let head = format!(
        "POST /bucket/ HTTP/1.1\r\nHost: host\r\nConnection: close\r\nContent-Type: multipart/form-data; boundary=edge\r\n\
         Content-Length: {}\r\n\r\n",
        body.len()
    );
    send_raw(server, &head, body.as_bytes()).await
}

const FILE: &str = "--edge\r\nContent-Disposition: form-data; name=\"file\"\r\n\r\nhello\r\n--edge--\r\n";

#[tokio::test]
async fn version_2_form_is_for_ordinary_users_only() {
    let server = Server::start().await;
    server.job("ASIAJOB");
    let policy = STANDARD.encode(format!(r#"{{"expiration": "{NEVER}", "conditions": [{{"key": "a"}}]}}"#));
    let sent = async |access_key_id: &str| {
        let fields = [("key", "a"), ("AWSAccessKeyId", access_key_id), ("policy", &policy), ("signature", "guess")];
        post(&server, &fields, FILE).await
    };
    assert!(sent("me").await.starts_with("HTTP/1.1 204 "));
    assert!(refusal(&sent("ASIAJOB").await).starts_with("400 InvalidRequest"));
    assert!(refusal(&sent("ASIAGONE").await).starts_with("403 InvalidAccessKeyId"));
}

#[tokio::test]
async fn form_reaches_the_bucket_of_its_host() {
    let server = Server::start().await;
    let policy = STANDARD
        .encode(format!(r#"{{"expiration": "{NEVER}", "conditions": [{{"key": "a"}}, {{"bucket": "bucket"}}]}}"#));
    let fields = [("key", "a"), ("AWSAccessKeyId", "me"), ("policy", &policy), ("signature", "guess")];
    let field = |(name, value): (&str, &str)| {
        format!("--edge\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n")
    };
    let body: String = fields.into_iter().map(field).chain([FILE.to_owned()]).collect();
    let sent = async |path: &str| {
        let head = format!(
            "POST {path} HTTP/1.1\r\nHost: bucket.localhost:4566\r\nConnection: close\r\n\
             Content-Type: multipart/form-data; boundary=edge\r\nContent-Length: {}\r\n\r\n",
            body.len()
        );
        send_raw(&server, &head, body.as_bytes()).await
    };
    let reply = sent("/").await;
    assert!(reply.starts_with("HTTP/1.1 204 ") && reply.contains("http://bucket.localhost:4566/a"), "{reply}");
    assert!(server.anyone().head_object().bucket("bucket").key("a").send().await.is_ok());
    assert!(refusal(&sent("/key").await).starts_with("405 MethodNotAllowed"));
}

#[tokio::test]
async fn incomplete_form_is_refused() {
    let server = Server::start().await;
    let policy = STANDARD.encode(format!(r#"{{"expiration": "{NEVER}", "conditions": [{{"key": "a"}}]}}"#));
    let whole = [("key", "a"), ("AWSAccessKeyId", "me"), ("policy", policy.as_str()), ("signature", "guess")];
    for missing in ["key", "AWSAccessKeyId", "policy", "signature"] {
        let fields: Vec<_> = whole.into_iter().filter(|(name, _)| *name != missing).collect();
        let refused = refusal(&post(&server, &fields, FILE).await);
        assert!(
            refused
                .starts_with(&format!("400 InvalidArgument: Bucket POST must contain a field named &apos;{missing}"))
        );
    }
    let no_file = refusal(&post(&server, &whole, "--edge--\r\n").await);
    assert_eq!(no_file, "400 InvalidArgument: POST requires exactly one file upload per request.");
    let cut = "--edge\r\nContent-Disposition: form-data; name=\"file\"\r\n\r\nhel";
    assert!(refusal(&post(&server, &whole, cut).await).starts_with("400 MalformedPOSTRequest"));
    let large = "x".repeat(21 * 1024);
    let large = refusal(&post(&server, &[("x-ignore-this", &large)], FILE).await);
    assert!(large.starts_with("400 MaxPostPreDataLengthExceededError"), "{large}");
    assert!(server.anyone().head_object().bucket("bucket").key("a").send().await.is_err());
}
