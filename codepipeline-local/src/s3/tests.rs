//! The S3 side, as the SDK's own client sees it over a socket.

use std::collections::HashMap;
use std::sync::Mutex;

use aws_sdk_s3::Client;
use aws_sdk_s3::config::{BehaviorVersion, Credentials, Region};
use aws_sdk_s3::error::ProvideErrorMetadata;
use aws_sdk_s3::primitives::ByteStream;
use aws_sdk_s3::types::{CompletedMultipartUpload, CompletedPart, ServerSideEncryption};
use std::time::Duration;

use super::*;
use crate::clock::ManualClock;
use crate::listener::Listener;
use crate::types::{Grant, Timestamp};

/// Answers from a table, in place of the engine.
#[derive(Default)]
struct Table {
    grants: Mutex<HashMap<String, Grant>>,
}

impl Permissions for Table {
    fn grant(&self, access_key_id: &str) -> Option<Grant> {
        self.grants.lock().unwrap().get(access_key_id).cloned()
    }

    fn is_artifact_store(&self, bucket: &str) -> bool {
        bucket == "artifacts"
    }
}

struct Server {
    listener: Listener,
    store: Store,
    table: Arc<Table>,
    time: ManualClock,
    _folder: tempfile::TempDir,
}

impl Server {
    async fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let table = Arc::new(Table::default());
        let time = ManualClock::new(Timestamp(1_800_000_000_000));
        let store = {
            let permissions: Arc<dyn Permissions> = Arc::clone(&table) as _;
            Store::open(folder.path(), time.clock(), permissions, RequestLog::default()).unwrap()
        };
        let answering = store.clone();
        let answer = move |request| {
            let store = answering.clone();
            async move { store.answer(request).await }
        };
        let listener = Listener::start(0, answer).await.unwrap();
        store.create_bucket("bucket").unwrap();
        store.create_bucket("artifacts").unwrap();
        Self { listener, store, table, time, _folder: folder }
    }

    fn client(&self, credentials: Credentials) -> Client {
        let config = aws_sdk_s3::Config::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(Region::new("eu-central-1"))
            .endpoint_url(format!("http://{}", self.listener.address()))
            .force_path_style(true)
            .retry_config(aws_sdk_s3::config::retry::RetryConfig::disabled())
            .credentials_provider(credentials);
        Client::from_conf(config.build())
    }

    fn anyone(&self) -> Client {
        self.client(Credentials::new("x", "any secret will do", None, None, "test"))
    }

    /// A client with a job's credentials, good for a minute.
    fn job(&self, access_key_id: &str) -> Client {
        let at = |key: &str| ObjectRef { bucket: "artifacts".into(), key: key.into() };
        let grant = Grant {
            secret_access_key: "the secret".into(),
            session_token: format!("token of {access_key_id}"),
            expires: self.time.clock().now().after(Duration::from_secs(60)),
            readable: vec![at("in")],
            writable: vec![at("out")],
        };
        let token = Some(grant.session_token.clone());
        self.table.grants.lock().unwrap().insert(access_key_id.into(), grant);
        self.client(Credentials::new(access_key_id, "the secret", token, None, "test"))
    }
}

fn body(text: &str) -> ByteStream {
    ByteStream::from(text.as_bytes().to_vec())
}

/// The error's code, or what S3 calls the status where a reply has no body.
fn code<T, E: ProvideErrorMetadata>(result: Result<T, aws_sdk_s3::error::SdkError<E>>) -> String {
    let error = result.err().expect("the request was to be refused");
    let status = error.raw_response().map(|response| response.status().as_u16());
    error.as_service_error().and_then(|error| error.code()).map_or_else(|| format!("{status:?}"), str::to_owned)
}

#[tokio::test]
async fn what_is_put_is_got_whole_and_in_ranges() {
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
async fn a_hundred_racing_puts_that_want_no_object_have_one_winner() {
    let server = Server::start().await;
    let client = server.anyone();
    let outcomes = race(100, |number| {
        let put = client.put_object().bucket("bucket").key("entry").if_none_match("*");
        put.body(body(&format!("writer {number}"))).send()
    })
    .await;
    let winners: Vec<_> = (0..100).filter(|number| outcomes[*number].is_ok()).collect();
    assert_eq!(winners.len(), 1);
    for refused in outcomes.into_iter().filter(Result::is_err) {
        assert_eq!(code(refused), "PreconditionFailed");
    }
    let got = client.get_object().bucket("bucket").key("entry").send().await.unwrap();
    let text = String::from_utf8(got.body.collect().await.unwrap().to_vec()).unwrap();
    assert_eq!(text, format!("writer {}", winners[0]));
}

#[tokio::test]
async fn a_hundred_racing_puts_and_deletes_that_want_the_same_object_have_one_winner() {
    let server = Server::start().await;
    let client = server.anyone();
    let first = client.put_object().bucket("bucket").key("entry").body(body("first")).send().await.unwrap();
    let e_tag = first.e_tag().unwrap().to_owned();
    let outcomes = race(100, |number| {
        let (client, e_tag) = (client.clone(), e_tag.clone());
        async move {
            if number % 10 == 0 {
                let delete = client.delete_object().bucket("bucket").key("entry").if_match(e_tag);
                return delete.send().await.map(drop).map_err(|error| code(Err::<(), _>(error)));
            }
            let put = client.put_object().bucket("bucket").key("entry").if_match(e_tag);
            put.body(body(&format!("writer {number}")))
                .send()
                .await
                .map(drop)
                .map_err(|error| code(Err::<(), _>(error)))
        }
    })
    .await;
    let refusals: Vec<_> = outcomes.into_iter().filter_map(Result::err).collect();
    assert_eq!(refusals.len(), 99);
    // A delete that won leaves nothing that could match.
    assert!(
        refusals.iter().all(|refusal| ["PreconditionFailed", "NoSuchKey"].contains(&refusal.as_str())),
        "{refusals:?}"
    );
}

/// Launches all at once, each on a task of its own.
async fn race<F>(number: usize, mut start: impl FnMut(usize) -> F) -> Vec<F::Output>
where
    F: Future<Output: Send> + Send + 'static,
{
    let tasks: Vec<_> = (0..number).map(|index| tokio::spawn(start(index))).collect();
    let mut outcomes = Vec::new();
    for task in tasks {
        outcomes.push(task.await.unwrap());
    }
    outcomes
}

#[tokio::test]
async fn a_condition_on_an_object_that_is_not_there_is_answered_so() {
    let server = Server::start().await;
    let client = server.anyone();
    let put = client.put_object().bucket("bucket").key("none").if_match("\"tag\"").body(body("x")).send().await;
    assert_eq!(code(put), "NoSuchKey");
    let delete = client.delete_object().bucket("bucket").key("none").if_match("\"tag\"").send().await;
    assert_eq!(code(delete), "NoSuchKey");
    client.delete_object().bucket("bucket").key("none").send().await.unwrap();
    let put = client.put_object().bucket("nobucket").key("none").body(body("x")).send().await;
    assert_eq!(code(put), "NoSuchBucket");
}

#[tokio::test]
async fn an_upload_whose_checksum_is_wrong_leaves_the_object_as_it_was() {
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
async fn a_job_reaches_its_inputs_and_outputs_and_nothing_else() {
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
async fn a_jobs_credentials_are_good_with_their_secret_and_token_until_they_expire() {
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
async fn an_upload_that_names_no_kms_encryption_is_refused_in_an_artifact_store() {
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
async fn an_upload_in_parts_goes_on_with_newer_credentials_of_the_job() {
    let server = Server::start().await;
    let old = server.job("ASIAOLD");
    let begun = old.create_multipart_upload().bucket("artifacts").key("out");
    let begun = begun.server_side_encryption(ServerSideEncryption::AwsKms).send().await.unwrap();
    let id = begun.upload_id().unwrap().to_owned();
    let parts = [vec![b'a'; 5 << 20], b"end".to_vec()];
    let mut completed = CompletedMultipartUpload::builder();
    let mut jobs = [old, server.job("ASIANEW")].into_iter();
    let new = server.job("ASIANEW");
    for (number, bytes) in (1..).zip(parts) {
        let part = jobs.next().unwrap().upload_part().bucket("artifacts").key("out").upload_id(&id).part_number(number);
        let e_tag = part.body(ByteStream::from(bytes)).send().await.unwrap().e_tag().unwrap().to_owned();
        completed = completed.parts(CompletedPart::builder().part_number(number).e_tag(e_tag).build());
    }
    let complete = |upload| {
        let request = new.complete_multipart_upload().bucket("artifacts").key("out").upload_id(&id);
        request.multipart_upload(upload).if_none_match("*").send()
    };
    let wrong = CompletedMultipartUpload::builder().parts(CompletedPart::builder().part_number(1).e_tag("no").build());
    assert_eq!(code(complete(wrong.build()).await), "InvalidPart");
    let done = complete(completed.build()).await.unwrap();
    assert_eq!(done.e_tag().map(|e_tag| e_tag.ends_with("-2\"")), Some(true));
    let head = server.anyone().head_object().bucket("artifacts").key("out").send().await.unwrap();
    assert_eq!(head.content_length(), Some((5 << 20) + 3));
    assert_eq!(head.server_side_encryption(), Some(&ServerSideEncryption::AwsKms));
}

#[tokio::test]
async fn parts_that_arrive_side_by_side_keep_their_bytes() {
    let server = Server::start().await;
    let client = server.anyone();
    let begun = client.create_multipart_upload().bucket("bucket").key("big").send().await.unwrap();
    let id = begun.upload_id().unwrap().to_owned();
    let content = |number: usize| vec![b'a' + number as u8; (5 << 20) + number];
    let e_tags = race(8, |number| {
        let part = client.upload_part().bucket("bucket").key("big").upload_id(&id).part_number(number as i32 + 1);
        part.body(ByteStream::from(content(number))).send()
    })
    .await;
    let mut completed = CompletedMultipartUpload::builder();
    for (number, part) in (1..).zip(e_tags) {
        let e_tag = part.unwrap().e_tag().unwrap().to_owned();
        completed = completed.parts(CompletedPart::builder().part_number(number).e_tag(e_tag).build());
    }
    let complete = client.complete_multipart_upload().bucket("bucket").key("big").upload_id(&id);
    complete.multipart_upload(completed.build()).send().await.unwrap();
    let got = client.get_object().bucket("bucket").key("big").send().await.unwrap().body.collect().await.unwrap();
    assert!(got.to_vec() == (0..8).flat_map(content).collect::<Vec<_>>());
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
async fn the_engines_copy_says_that_it_is_encrypted_with_kms() {
    let server = Server::start().await;
    let client = server.anyone();
    let put = client.put_object().bucket("bucket").key("source.zip").body(body("zip"));
    put.metadata("codepipeline-artifact-revision-summary", "first").send().await.unwrap();
    let at = |bucket: &str, key: &str| ObjectRef { bucket: bucket.into(), key: key.into() };
    let copied = server.store.copy(&at("bucket", "source.zip"), &at("artifacts", "p/S/1")).await.unwrap();
    assert_eq!(copied.revision_summary.as_deref(), Some("first"));
    client.delete_object().bucket("bucket").key("source.zip").send().await.unwrap();
    let got = client.get_object().bucket("artifacts").key("p/S/1").send().await.unwrap();
    assert_eq!(got.server_side_encryption(), Some(&ServerSideEncryption::AwsKms));
    assert_eq!(&got.body.collect().await.unwrap().to_vec(), b"zip");
    let missing = server.store.copy(&at("bucket", "source.zip"), &at("artifacts", "p/S/2")).await;
    assert!(matches!(missing, Err(CopyError::NotFound(_))));
}

#[tokio::test]
async fn a_reopened_folder_has_what_was_kept_and_not_what_was_unfinished() {
    let folder = tempfile::tempdir().unwrap();
    let open = || {
        let table: Arc<dyn Permissions> = Arc::new(Table::default());
        Catalog::open(folder.path()).map(|catalog| (catalog, table)).unwrap()
    };
    let (catalog, _table) = open();
    catalog.create_bucket("bucket").unwrap();
    let encryption = || Encryption { algorithm: "AES256".into(), key_id: None };
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

/// Clients that sign each chunk of a body (the Java SDK over plain HTTP) do it with a secret that the emulator doesn't know.
#[tokio::test]
async fn a_body_of_signed_chunks_is_taken_from_an_ordinary_user() {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    let server = Server::start().await;
    let mut now = Vec::new();
    storage::date(Clock::machine().now()).format(s3s::dto::TimestampFormat::DateTime, &mut now).unwrap();
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
             Credential=me/{day}/here/s3/aws4_request,SignedHeaders=host;x-amz-content-sha256;x-amz-date,Signature={guess}\r\n\r\n",
            body.len()
        );
        let mut stream = tokio::net::TcpStream::connect(address).await.unwrap();
        stream.write_all(head.as_bytes()).await.unwrap();
        // In small pieces, so that lines are cut anywhere.
        for piece in body.as_bytes().chunks(7) {
            stream.write_all(piece).await.unwrap();
            stream.flush().await.unwrap();
            tokio::task::yield_now().await;
        }
        let mut reply = String::new();
        stream.read_to_string(&mut reply).await.unwrap();
        assert!(reply.starts_with("HTTP/1.1 200"), "{kind}: {reply}");
        let got = server.anyone().get_object().bucket("bucket").key("chunked").send().await.unwrap();
        assert_eq!(&got.body.collect().await.unwrap().to_vec(), b"hello wor\nld");
    }
}
