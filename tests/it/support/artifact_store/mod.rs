//! A job of the emulator with its artifacts, behind a proxy that records requests and can fail them.

use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_sdk_codepipeline::types::{
    ActionCategory, ActionDeclaration, ActionOwner, ActionTypeId, ArtifactDetails, ArtifactStoreType, InputArtifact,
    Job, OutputArtifact, PipelineDeclaration, StageDeclaration,
};
use bytes::Bytes;
use codepipeline_local::clock::ManualClock;
use codepipeline_local::types::Timestamp;
use codepipeline_local::{Emulator, Options};
use codepipeline_worker::artifacts::{Renew, Store, Stores, UnpackLimits};
use codepipeline_worker::job::{Artifact, Credentials};
use tokio::time::{Instant, timeout};

use self::proxy::Faults;
pub(crate) use proxy::{Instead, Seen};

mod proxy;

pub(crate) const LIMITS: UnpackLimits = UnpackLimits { max_unpacked_bytes: 4 << 30, max_entries: 100_000 };

/// One polled job with one input artifact and one output artifact.
pub(crate) struct ArtifactStore {
    pub(crate) config: SdkConfig,
    pub(crate) time: ManualClock,
    pub(crate) faults: Arc<Faults>,
    pub(crate) input: Artifact,
    pub(crate) output: Artifact,
    pub(crate) credentials: Credentials,
    seen: Arc<Mutex<Vec<Seen>>>,
    accepting: tokio::task::JoinHandle<()>,
    _emulator: Emulator,
}

impl ArtifactStore {
    pub(crate) async fn start() -> Self {
        let time = ManualClock::new(Timestamp(1_800_000_000_000));
        let emulator = Emulator::start(Options { clock: time.clock(), ..Options::default() }).await.unwrap();
        let behind: SocketAddr = emulator.endpoint().trim_start_matches("http://").parse().unwrap();
        let (faults, seen) = (Arc::new(Faults::default()), Arc::new(Mutex::new(Vec::new())));
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let endpoint = format!("http://{}", listener.local_addr().unwrap());
        let accepting = tokio::spawn(proxy::serve(listener, behind, Arc::clone(&faults), Arc::clone(&seen)));
        let config = config(&endpoint).await;
        let job = polled_job(&config).await;
        let data = job.data().unwrap();
        let given = data.artifact_credentials().unwrap();
        let credentials = credentials(given.access_key_id(), given.secret_access_key(), given.session_token());
        let (input, output) = (artifact(&data.input_artifacts()[0]), artifact(&data.output_artifacts()[0]));
        seen.lock().unwrap().clear();
        Self { config, time, faults, input, output, credentials, seen, accepting, _emulator: emulator }
    }

    /// The job's own store.
    pub(crate) fn job(&self) -> Store {
        of_job(&Stores::new(&self.config), &self.credentials)
    }

    /// A store that may read what the job wrote.
    pub(crate) fn next_job(&self) -> Store {
        of_job(&Stores::new(&self.config), &anyones_credentials())
    }

    /// A client that may do everything.
    pub(crate) fn anyone(&self) -> aws_sdk_s3::Client {
        anyones_client(&self.config)
    }

    pub(crate) async fn put(&self, artifact: &Artifact, content: impl Into<Bytes>) {
        let request = self.anyone().put_object().bucket(&artifact.bucket).key(&artifact.key);
        let request = request.body(content.into().into()).server_side_encryption("aws:kms".into());
        request.send().await.unwrap();
    }

    pub(crate) async fn get(&self, artifact: &Artifact) -> Bytes {
        let answer = self.anyone().get_object().bucket(&artifact.bucket).key(&artifact.key).send().await.unwrap();
        answer.body.collect().await.unwrap().into_bytes()
    }

    /// How many uploads to the output artifact were neither completed nor aborted.
    pub(crate) async fn unfinished_uploads(&self) -> usize {
        let listed = self.anyone().list_multipart_uploads().bucket(&self.output.bucket).send().await.unwrap();
        listed.uploads().len()
    }

    pub(crate) fn seen(&self) -> Vec<Seen> {
        self.seen.lock().unwrap().clone()
    }
}

impl Drop for ArtifactStore {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

pub(crate) async fn config(endpoint: &str) -> SdkConfig {
    let config = aws_config::defaults(BehaviorVersion::latest()).region(Region::new("us-east-1"));
    let dummy = aws_sdk_s3::config::Credentials::new("x", "y", None, None, "test");
    config.endpoint_url(endpoint).credentials_provider(dummy).load().await
}

pub(crate) fn anyones_client(config: &SdkConfig) -> aws_sdk_s3::Client {
    aws_sdk_s3::Client::from_conf(aws_sdk_s3::config::Builder::from(config).force_path_style(true).build())
}

pub(crate) fn anyones_credentials() -> Credentials {
    credentials("x", "y", "z")
}

fn credentials(id: &str, secret: &str, token: &str) -> Credentials {
    Credentials { access_key_id: id.to_owned(), secret_access_key: secret.into(), session_token: token.into() }
}

fn artifact(described: &aws_sdk_codepipeline::types::Artifact) -> Artifact {
    let place = described.location().unwrap().s3_location().unwrap();
    let (bucket, key) = (place.bucket_name().to_owned(), place.object_key().to_owned());
    Artifact { name: "App".to_owned(), revision: None, bucket, key }
}

/// Creates a pipeline whose second stage is a custom action, starts it, and polls until the job arrives.
async fn polled_job(config: &SdkConfig) -> Job {
    let objects = anyones_client(config);
    objects.create_bucket().bucket("source").send().await.unwrap();
    objects.put_object().bucket("source").key("in.zip").body(Bytes::from("the source").into()).send().await.unwrap();
    let pipelines = aws_sdk_codepipeline::Client::new(config);
    let one = || ArtifactDetails::builder().minimum_count(1).maximum_count(1).build();
    let create = pipelines.create_custom_action_type().category(ActionCategory::Build).provider("Maker").version("1");
    create.input_artifact_details(one()).output_artifact_details(one()).send().await.unwrap();
    pipelines.create_pipeline().pipeline(declaration()).send().await.unwrap();
    pipelines.start_pipeline_execution().name("pipe").send().await.unwrap();
    let mut job = None;
    until(async || {
        let kind = action_type(ActionCategory::Build, ActionOwner::Custom, "Maker");
        let polled = pipelines.poll_for_jobs().action_type_id(kind).send().await.unwrap();
        job = polled.jobs().first().cloned();
        job.is_some()
    })
    .await;
    job.unwrap()
}

/// Waits until `condition` holds, for at most a minute.
pub(crate) async fn until(mut condition: impl AsyncFnMut() -> bool) {
    let waiting = async {
        while !condition().await {
            tokio::task::yield_now().await;
        }
    };
    timeout(Duration::from_secs(60), waiting).await.expect("the condition holds within a minute");
}

fn action_type(category: ActionCategory, owner: ActionOwner, provider: &str) -> ActionTypeId {
    ActionTypeId::builder().category(category).owner(owner).provider(provider).version("1").build().unwrap()
}

fn declaration() -> PipelineDeclaration {
    let source = ActionDeclaration::builder()
        .name("Source")
        .action_type_id(action_type(ActionCategory::Source, ActionOwner::Aws, "S3"))
        .configuration("S3Bucket", "source")
        .configuration("S3ObjectKey", "in.zip")
        .output_artifacts(OutputArtifact::builder().name("Source").build().unwrap());
    let build = ActionDeclaration::builder()
        .name("Make")
        .action_type_id(action_type(ActionCategory::Build, ActionOwner::Custom, "Maker"))
        .input_artifacts(InputArtifact::builder().name("Source").build().unwrap())
        .output_artifacts(OutputArtifact::builder().name("Made").build().unwrap());
    let stage = |name: &str, action: ActionDeclaration| StageDeclaration::builder().name(name).actions(action).build();
    let store = aws_sdk_codepipeline::types::ArtifactStore::builder().r#type(ArtifactStoreType::S3);
    PipelineDeclaration::builder()
        .name("pipe")
        .role_arn("arn:aws:iam::123456789012:role/pipe")
        .artifact_store(store.location("artifact-store").build().unwrap())
        .stages(stage("Source", source.build().unwrap()).unwrap())
        .stages(stage("Build", build.build().unwrap()).unwrap())
        .build()
        .unwrap()
}

/// A store with credentials that outlive the test.
pub(crate) fn of_job(stores: &Stores, credentials: &Credentials) -> Store {
    struct NoRenewal;
    impl Renew for NoRenewal {
        fn renew(&self) -> Pin<Box<dyn Future<Output = Result<Credentials, String>> + Send + '_>> {
            Box::pin(async { Err("this test renews nothing".to_owned()) })
        }
    }
    stores.for_job(credentials, Instant::now(), Arc::new(NoRenewal))
}
