//! Faults, as the SDK's clients see them. The clients don't retry here, so each call is one request.
#![allow(clippy::unwrap_used, reason = "a test whose set-up fails has failed")]

mod support;

use std::cell::Cell;
use std::io::ErrorKind;
use std::time::Duration;

use aws_sdk_codepipeline::config::retry::RetryConfig;
use aws_sdk_codepipeline::config::timeout::TimeoutConfig;
use aws_sdk_codepipeline::config::{BehaviorVersion, Region};
use aws_sdk_codepipeline::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_codepipeline::types::ActionCategory;
use codepipeline_local::clock::ManualClock;
use codepipeline_local::faults::{Calls, Fault, FaultKind};
use codepipeline_local::types::Timestamp;
use codepipeline_local::{Emulator, Options};
use support::dummy;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// How long a test waits.
const PATIENCE: Duration = Duration::from_secs(60);

struct Faulty {
    emulator: Emulator,
    time: ManualClock,
    pipelines: aws_sdk_codepipeline::Client,
    objects: aws_sdk_s3::Client,
}

impl Faulty {
    /// An emulator with a bucket and these faults, and clients that wait for [`PATIENCE`].
    async fn with(faults: &[&str]) -> Self {
        let time = ManualClock::new(Timestamp(1_800_000_000_000));
        let emulator = Emulator::start(Options { clock: time.clock(), ..Options::default() }).await.unwrap();
        support::s3(&emulator, dummy()).create_bucket().bucket("bucket").send().await.unwrap();
        for fault in faults {
            emulator.faults().add(fault.parse().unwrap());
        }
        let waits = TimeoutConfig::builder().operation_timeout(PATIENCE).build();
        let pipelines = aws_sdk_codepipeline::Config::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(Region::new("us-east-1"))
            .endpoint_url(emulator.endpoint())
            .credentials_provider(dummy())
            .retry_config(RetryConfig::disabled())
            .timeout_config(waits.clone());
        let objects = support::s3(&emulator, dummy()).config().to_builder();
        let objects = objects.retry_config(RetryConfig::disabled()).timeout_config(waits);
        let pipelines = aws_sdk_codepipeline::Client::from_conf(pipelines.build());
        let objects = aws_sdk_s3::Client::from_conf(objects.build());
        Self { emulator, time, pipelines, objects }
    }

    async fn create_type(&self) -> CallResult {
        let counts = aws_sdk_codepipeline::types::ArtifactDetails::builder().minimum_count(0).maximum_count(0).build();
        let create = self.pipelines.create_custom_action_type().category(ActionCategory::Test).provider("Any");
        let create = create.version("1").input_artifact_details(counts.clone()).output_artifact_details(counts);
        call_result(create.send().await)
    }

    async fn put(&self, key: &str, bytes: usize) -> CallResult {
        call_result(self.objects.put_object().bucket("bucket").key(key).body(vec![7; bytes].into()).send().await)
    }

    /// Whether the creation of the type took effect. Asks without a request that could fail.
    async fn has_type(&self) -> bool {
        self.emulator.faults().clear();
        let listed = self.pipelines.list_action_types().action_owner_filter("Custom".into()).send().await.unwrap();
        !listed.action_types().is_empty()
    }

    async fn keys(&self) -> Vec<String> {
        self.emulator.faults().clear();
        let listed = self.objects.list_objects_v2().bucket("bucket").send().await.unwrap();
        listed.contents().iter().map(|object| object.key().unwrap().to_owned()).collect()
    }

    /// Makes a call that the fault applies to, and waits until `shows` proves that the call has got as far as it can. Then the
    /// client goes. The call must not be answered before that.
    async fn gives_up(&self, fault: &str, call: impl Future<Output = CallResult>, shows: impl AsyncFnMut() -> bool) {
        let before = self.fired().len();
        self.emulator.faults().add(fault.parse().unwrap());
        let showing = async {
            until(async || self.fired().len() > before).await;
            until(shows).await;
            // A later call has its reply by now.
            assert_eq!(self.put("later", 1 << 20).await, CallResult::Success);
        };
        tokio::select! {
            result = call => panic!("{fault} was answered: {result:?}"),
            () = showing => {}
        }
    }

    fn fired(&self) -> Vec<String> {
        let fired = self.emulator.faults().fired().into_iter();
        fired.map(|fired| format!("{}:{}:{}", fired.operation, fired.call, fired.kind)).collect()
    }
}

/// The result of a client's call.
#[derive(Debug, PartialEq)]
enum CallResult {
    Success,
    Refusal(u16, String),
    BrokenConnection,
}

fn call_result<T, E: ProvideErrorMetadata>(result: Result<T, SdkError<E>>) -> CallResult {
    match result {
        Ok(_) => CallResult::Success,
        Err(SdkError::ServiceError(error)) => {
            CallResult::Refusal(error.raw().status().as_u16(), error.err().code().unwrap().to_owned())
        }
        Err(SdkError::DispatchFailure(failure)) if failure.is_io() => CallResult::BrokenConnection,
        Err(other) => panic!("{other}"),
    }
}

/// Waits until `condition` holds.
async fn until(mut condition: impl AsyncFnMut() -> bool) {
    let waiting = async {
        while !condition().await {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(PATIENCE, waiting).await.expect("the condition becomes true within a minute");
}

fn refusal(status: u16, code: &str) -> CallResult {
    CallResult::Refusal(status, code.to_owned())
}

#[tokio::test]
async fn refused_calls_have_the_services_error_and_no_effect() {
    for (kind, pipelines, objects) in [
        ("throttle", (400, "ThrottlingException"), (503, "SlowDown")),
        ("error", (500, "InternalFailure"), (500, "InternalError")),
        ("deny", (400, "AccessDeniedException"), (403, "AccessDenied")),
    ] {
        let faulty = Faulty::with(&[&format!("*:1-2:{kind}")]).await;
        assert_eq!(faulty.create_type().await, refusal(pipelines.0, pipelines.1));
        // More than the socket buffers hold. The reply must arrive anyway.
        assert_eq!(faulty.put("key", 20 << 20).await, refusal(objects.0, objects.1));
        assert_eq!(faulty.fired(), [format!("CreateCustomActionType:1:{kind}"), format!("PutObject:2:{kind}")]);
        assert_eq!(faulty.emulator.calls("CreateCustomActionType"), 1, "a refused call is a call");
        assert!(!faulty.has_type().await && faulty.keys().await.is_empty());
        assert_eq!(
            (faulty.create_type().await, faulty.put("key", 1).await),
            (CallResult::Success, CallResult::Success)
        );
    }
}

#[tokio::test]
async fn reset_has_no_effect_and_lost_answer_has_one() {
    for (kind, effect) in [("reset", false), ("lose-answer", true)] {
        let faulty = Faulty::with(&[&format!("CreateCustomActionType:1:{kind}"), &format!("PutObject:1:{kind}")]).await;
        assert_eq!(faulty.create_type().await, CallResult::BrokenConnection);
        assert_eq!(faulty.put("key", 1 << 20).await, CallResult::BrokenConnection);
        assert_eq!(faulty.emulator.calls("PutObject"), 1);
        assert_eq!((faulty.has_type().await, faulty.keys().await.len()), (effect, usize::from(effect)));
    }
}

#[tokio::test]
async fn reset_is_a_real_tcp_reset() {
    let faulty = Faulty::with(&["ListPipelines:1:reset", "ListPipelines:2:lose-answer"]).await;
    for _ in 0..2 {
        let mut stream = connect(&faulty.emulator).await;
        list_pipelines(&mut stream).await;
        assert_eq!(stream.read(&mut [0; 1]).await.unwrap_err().kind(), ErrorKind::ConnectionReset);
    }
    let mut stream = connect(&faulty.emulator).await;
    list_pipelines(&mut stream).await;
    assert!(stream.read(&mut [0; 1]).await.unwrap() > 0, "the third is answered");
}

async fn connect(emulator: &Emulator) -> TcpStream {
    TcpStream::connect(emulator.endpoint().trim_start_matches("http://")).await.unwrap()
}

async fn list_pipelines(stream: &mut TcpStream) {
    let target = "X-Amz-Target: CodePipeline_20150709.ListPipelines";
    let request = format!("POST / HTTP/1.1\r\nHost: host\r\n{target}\r\nContent-Length: 2\r\n\r\n{{}}");
    stream.write_all(request.as_bytes()).await.unwrap();
}

#[tokio::test]
async fn stalled_call_is_never_answered() {
    for (kind, effect) in [("stall", false), ("stall-answer", true)] {
        let faulty = Faulty::with(&[]).await;
        let (creation, upload) = (format!("CreateCustomActionType:1:{kind}"), format!("PutObject:1:{kind}"));
        faulty.gives_up(&creation, faulty.create_type(), async || faulty.has_type().await == effect).await;
        let has_key = async || faulty.keys().await.contains(&"key".to_owned());
        faulty.gives_up(&upload, faulty.put("key", 1 << 20), async || has_key().await == effect).await;
        assert_eq!((faulty.has_type().await, has_key().await), (effect, effect));
    }
}

#[tokio::test]
async fn late_call_takes_effect_without_its_client() {
    let faulty = Faulty::with(&[]).await;
    let waiters = faulty.time.waiters();
    let waits = async |calls| faulty.time.waiters() == waiters + calls;
    faulty.gives_up("CreateCustomActionType:1:delay=1h", faulty.create_type(), async || waits(1).await).await;
    faulty.gives_up("PutObject:1:delay=1h", faulty.put("key", 1 << 20), async || waits(2).await).await;
    assert!(!faulty.has_type().await && faulty.keys().await == ["later"]);
    faulty.time.advance(Duration::from_secs(3600));
    until(async || faulty.has_type().await && faulty.keys().await == ["key", "later"]).await;
}

#[tokio::test]
async fn late_call_is_answered_on_time() {
    for kind in ["delay=30m", "delay-answer=30m"] {
        let faulty = Faulty::with(&[&format!("CreateCustomActionType:1:{kind}")]).await;
        let time_has_come = Cell::new(false);
        let calling = async {
            assert_eq!(faulty.create_type().await, CallResult::Success);
            assert!(time_has_come.get(), "{kind}");
        };
        let passing = async {
            until(async || !faulty.fired().is_empty()).await;
            // An immediate effect may still be pending.
            until(async || faulty.has_type().await == kind.starts_with("delay-answer")).await;
            time_has_come.set(true);
            // Repeat, because the reply may start to wait after the first time.
            loop {
                faulty.time.advance(Duration::from_secs(1800));
                tokio::task::yield_now().await;
            }
        };
        tokio::select! {
            () = calling => {}
            () = passing => {}
        }
    }
}

#[tokio::test]
async fn delayed_calls_end_with_the_emulator() {
    let folder = tempfile::tempdir().unwrap();
    let start = || Emulator::start(Options { data: Some(folder.path().join("data")), ..Options::default() });
    let emulator = start().await.unwrap();
    emulator.faults().add("ListPipelines:*:delay=24h".parse().unwrap());
    let mut stream = connect(&emulator).await;
    list_pipelines(&mut stream).await;
    until(async || !emulator.faults().fired().is_empty()).await;
    emulator.stop().await;
    start().await.expect("no task uses the folder any more");
}

#[tokio::test]
async fn cut_download_ends_after_its_bytes() {
    for (bytes, size) in [(0, 10), (1000, 1001), (100_000, 3 << 20)] {
        let faulty = Faulty::with(&[&format!("GetObject:1:cut={bytes}")]).await;
        assert_eq!(faulty.put("key", size).await, CallResult::Success);
        let get = || faulty.objects.get_object().bucket("bucket").key("key").send();
        let mut cut = get().await.unwrap();
        assert_eq!(cut.content_length(), Some(size as i64), "the announced length is the whole object's");
        let mut read = 0;
        let end = loop {
            match cut.body.try_next().await {
                Ok(Some(piece)) => read += piece.len(),
                end => break end,
            }
        };
        assert!(end.is_err() && read == bytes, "{read} of {bytes}");
        assert_eq!(get().await.unwrap().body.collect().await.unwrap().into_bytes().len(), size);
    }
}

#[tokio::test]
async fn body_shorter_than_the_cut_is_complete() {
    let faulty = Faulty::with(&["GetObject:1:cut=1000"]).await;
    assert_eq!(faulty.put("key", 1000).await, CallResult::Success);
    let got = faulty.objects.get_object().bucket("bucket").key("key").send().await.unwrap();
    assert_eq!(got.body.collect().await.unwrap().into_bytes().len(), 1000);
}

#[tokio::test]
async fn cut_upload_has_no_effect() {
    let faulty = Faulty::with(&["PutObject:1:cut=1000", "UploadPart:2:cut=0"]).await;
    assert_eq!(faulty.put("key", 1 << 20).await, CallResult::BrokenConnection);
    assert_eq!(faulty.keys().await, Vec::<String>::new());
    assert_eq!(faulty.put("key", 1 << 20).await, CallResult::Success);

    faulty.emulator.faults().add("UploadPart:2:cut=0".parse().unwrap());
    let begun = faulty.objects.create_multipart_upload().bucket("bucket").key("parts").send().await.unwrap();
    let upload = begun.upload_id().unwrap();
    let part = |number: i32| {
        let part = faulty.objects.upload_part().bucket("bucket").key("parts").upload_id(upload).part_number(number);
        async { call_result(part.body(vec![1; 100].into()).send().await) }
    };
    assert_eq!((part(1).await, part(2).await), (CallResult::Success, CallResult::BrokenConnection));
    let listed = faulty.objects.list_parts().bucket("bucket").key("parts").upload_id(upload).send().await.unwrap();
    assert_eq!(listed.parts().len(), 1);
}

#[tokio::test]
async fn throttle_uses_the_emulators_clock() {
    let faulty = Faulty::with(&[]).await;
    faulty.emulator.faults().throttle("PutObject:0.1:2".parse().unwrap());
    let put = || faulty.put("key", 1);
    let slow_down = || refusal(503, "SlowDown");
    assert_eq!((put().await, put().await, put().await), (CallResult::Success, CallResult::Success, slow_down()));
    faulty.time.advance(Duration::from_secs(10));
    assert_eq!((put().await, put().await), (CallResult::Success, slow_down()));
    assert_eq!(faulty.fired(), ["PutObject:0:throttle"; 2]);
    assert_eq!(faulty.create_type().await, CallResult::Success, "the throttle is for one operation");
}

#[tokio::test]
async fn s3_operations_have_their_api_names() {
    let faulty = Faulty::with(&[]).await;
    let every = Fault::new("s3:*", Calls::All, FaultKind::Delay(Duration::ZERO)).unwrap();
    faulty.emulator.faults().add(every);
    let (s3, before) = (&faulty.objects, faulty.emulator.operations().len());
    let at = || ("bucket", "key");
    let (bucket, key) = at();
    s3.list_buckets().send().await.unwrap();
    s3.create_bucket().bucket("other").send().await.unwrap();
    s3.head_bucket().bucket("other").send().await.unwrap();
    s3.get_bucket_location().bucket("other").send().await.unwrap();
    let _ = s3.get_bucket_versioning().bucket("other").send().await;
    let enabled = aws_sdk_s3::types::VersioningConfiguration::builder().status("Enabled".into()).build();
    s3.put_bucket_versioning().bucket("other").versioning_configuration(enabled).send().await.unwrap();
    s3.list_object_versions().bucket("other").send().await.unwrap();
    s3.delete_bucket().bucket("other").send().await.unwrap();
    s3.put_object().bucket(bucket).key(key).body(vec![0; 10].into()).send().await.unwrap();
    s3.head_object().bucket(bucket).key(key).send().await.unwrap();
    s3.get_object().bucket(bucket).key(key).send().await.unwrap();
    let _ = s3.get_object_tagging().bucket(bucket).key(key).send().await;
    // The replies don't matter here.
    let _ = s3.put_object_tagging().bucket(bucket).key(key).tagging(tagging()).send().await;
    let _ = s3.delete_object_tagging().bucket(bucket).key(key).send().await;
    let _ = s3.get_object_acl().bucket(bucket).key(key).send().await;
    let _ = s3.put_object_acl().bucket(bucket).key(key).acl("private".into()).send().await;
    let attributes = s3.get_object_attributes().bucket(bucket).key(key);
    let _ = attributes.object_attributes("ETag".into()).send().await;
    s3.copy_object().bucket(bucket).key("a/copy").copy_source("bucket/key").send().await.unwrap();
    s3.list_objects().bucket(bucket).prefix("").send().await.unwrap();
    s3.list_objects_v2().bucket(bucket).delimiter("/").send().await.unwrap();
    for _ in 0..2 {
        let begun = s3.create_multipart_upload().bucket(bucket).key("parts").send().await.unwrap();
        let upload = begun.upload_id().unwrap();
        let part = s3.upload_part().bucket(bucket).key("parts").upload_id(upload).part_number(1);
        part.body(vec![0; 10].into()).send().await.unwrap();
        let part = s3.upload_part_copy().bucket(bucket).key("parts").upload_id(upload).part_number(2);
        part.copy_source("bucket/key").send().await.unwrap();
        s3.list_parts().bucket(bucket).key("parts").upload_id(upload).send().await.unwrap();
        s3.list_multipart_uploads().bucket(bucket).send().await.unwrap();
        // The first call is refused because there are no parts, but its operation is known.
        let _ = s3.complete_multipart_upload().bucket(bucket).key("parts").upload_id(upload).send().await;
        let _ = s3.abort_multipart_upload().bucket(bucket).key("parts").upload_id(upload).send().await;
    }
    s3.delete_object().bucket(bucket).key("a/copy").send().await.unwrap();
    let object = aws_sdk_s3::types::ObjectIdentifier::builder().key(key).build().unwrap();
    let objects = aws_sdk_s3::types::Delete::builder().objects(object).build().unwrap();
    s3.delete_objects().bucket(bucket).delete(objects).send().await.unwrap();

    let mut known: Vec<_> = faulty.emulator.faults().fired().into_iter().map(|fired| fired.operation).collect();
    assert_eq!(known, faulty.emulator.operations()[before..]);
    known.sort_unstable();
    known.dedup();
    let mut of_s3: Vec<_> =
        codepipeline_local::faults::operations().skip_while(|name| *name != "AbortMultipartUpload").collect();
    // The operations on a bucket's settings follow.
    let last = of_s3.iter().position(|name| *name == "UploadPartCopy").unwrap();
    of_s3.truncate(last + 1);
    of_s3.sort_unstable();
    assert_eq!(known, of_s3, "each operation was called");
}

fn tagging() -> aws_sdk_s3::types::Tagging {
    let tag = aws_sdk_s3::types::Tag::builder().key("a").value("b").build().unwrap();
    aws_sdk_s3::types::Tagging::builder().tag_set(tag).build().unwrap()
}
