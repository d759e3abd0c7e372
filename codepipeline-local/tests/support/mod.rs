//! Shared parts of the tests: an emulator with a manual clock, the SDK's clients, and a pipeline.
#![allow(dead_code, reason = "each test binary uses a part of it")]
#![allow(clippy::unwrap_used, reason = "a test whose set-up fails has failed")]

use aws_sdk_codepipeline::config::{BehaviorVersion, Credentials, Region};
use aws_sdk_codepipeline::types::{
    ActionCategory, ActionDeclaration, ActionOwner, ActionTypeId, ArtifactDetails, ArtifactStore, ArtifactStoreType,
    InputArtifact, Job, OutputArtifact, PipelineDeclaration, StageDeclaration,
};
use codepipeline_local::clock::ManualClock;
use codepipeline_local::types::Timestamp;
use codepipeline_local::{Emulator, Options};

const START: u64 = 1_800_000_000_000;

pub(crate) struct Scenario {
    pub(crate) emulator: Emulator,
    pub(crate) time: ManualClock,
    pub(crate) pipelines: aws_sdk_codepipeline::Client,
    pub(crate) objects: aws_sdk_s3::Client,
}

impl Scenario {
    pub(crate) async fn start() -> Self {
        Self::with(Options::default()).await
    }

    pub(crate) async fn with(options: Options) -> Self {
        let time = ManualClock::new(Timestamp(START));
        let emulator = Emulator::start(Options { clock: time.clock(), ..options }).await.unwrap();
        let config = aws_sdk_codepipeline::Config::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(Region::new("us-east-1"))
            .endpoint_url(emulator.endpoint())
            .credentials_provider(dummy())
            .build();
        let objects = s3(&emulator, dummy());
        Self { emulator, time, pipelines: aws_sdk_codepipeline::Client::from_conf(config), objects }
    }

    /// Creates and starts a pipeline that copies `source/in.zip`. A custom action then makes an artifact of it.
    pub(crate) async fn run_pipeline(&self) {
        let counts = |number| ArtifactDetails::builder().minimum_count(number).maximum_count(number).build();
        let create = self.pipelines.create_custom_action_type().category(ActionCategory::Build).provider("Maker");
        let create = create.version("1").input_artifact_details(counts(1)).output_artifact_details(counts(1));
        create.send().await.unwrap();
        self.run(action_type(ActionCategory::Build, ActionOwner::Custom, "Maker"), &[]).await;
    }

    /// The same with an action of this type and configuration. Returns the execution's id.
    pub(crate) async fn run(&self, action_type: ActionTypeId, configuration: &[(&str, &str)]) -> String {
        self.objects.create_bucket().bucket("source").send().await.unwrap();
        let put = self.objects.put_object().bucket("source").key("in.zip");
        put.body(b"the source".to_vec().into()).send().await.unwrap();
        let pipeline = declaration(action_type, configuration);
        self.pipelines.create_pipeline().pipeline(pipeline).send().await.unwrap();
        let started = self.pipelines.start_pipeline_execution().name("pipe").send().await.unwrap();
        started.pipeline_execution_id().unwrap().to_owned()
    }

    pub(crate) async fn poll(&self) -> Option<Job> {
        let kind = action_type(ActionCategory::Build, ActionOwner::Custom, "Maker");
        self.pipelines.poll_for_jobs().action_type_id(kind).send().await.unwrap().jobs().first().cloned()
    }

    /// Polls until the job is offered, because the source's copy runs in the background.
    pub(crate) async fn job(&self) -> Job {
        loop {
            if let Some(job) = self.poll().await {
                return job;
            }
            tokio::task::yield_now().await;
        }
    }

    /// A client with the credentials that came with the job.
    pub(crate) fn with_jobs_credentials(&self, job: &Job) -> aws_sdk_s3::Client {
        let given = job.data().unwrap().artifact_credentials().unwrap();
        let token = Some(given.session_token().to_owned());
        s3(&self.emulator, Credentials::new(given.access_key_id(), given.secret_access_key(), token, None, "job"))
    }
}

pub(crate) fn dummy() -> Credentials {
    Credentials::new("x", "y", None, None, "test")
}

pub(crate) fn s3(emulator: &Emulator, credentials: Credentials) -> aws_sdk_s3::Client {
    let config = aws_sdk_s3::Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new("us-east-1"))
        .endpoint_url(emulator.endpoint())
        .force_path_style(true)
        .credentials_provider(credentials);
    aws_sdk_s3::Client::from_conf(config.build())
}

pub(crate) fn action_type(category: ActionCategory, owner: ActionOwner, provider: &str) -> ActionTypeId {
    ActionTypeId::builder().category(category).owner(owner).provider(provider).version("1").build().unwrap()
}

/// The pipeline `pipe`: an S3 source, and an action of this type and configuration.
pub(crate) fn declaration(kind: ActionTypeId, configuration: &[(&str, &str)]) -> PipelineDeclaration {
    let source = ActionDeclaration::builder()
        .name("Source")
        .action_type_id(action_type(ActionCategory::Source, ActionOwner::Aws, "S3"))
        .configuration("S3Bucket", "source")
        .configuration("S3ObjectKey", "in.zip")
        .output_artifacts(OutputArtifact::builder().name("Source").build().unwrap());
    let build = ActionDeclaration::builder()
        .name("Make")
        .action_type_id(kind)
        .set_configuration(Some(configuration.iter().map(|(key, value)| ((*key).into(), (*value).into())).collect()))
        .input_artifacts(InputArtifact::builder().name("Source").build().unwrap())
        .output_artifacts(OutputArtifact::builder().name("Made").build().unwrap());
    let stage = |name: &str, action: ActionDeclaration| StageDeclaration::builder().name(name).actions(action).build();
    PipelineDeclaration::builder()
        .name("pipe")
        .role_arn("arn:aws:iam::123456789012:role/pipe")
        .artifact_store(
            ArtifactStore::builder().r#type(ArtifactStoreType::S3).location("artifact-store").build().unwrap(),
        )
        .stages(stage("Source", source.build().unwrap()).unwrap())
        .stages(stage("Build", build.build().unwrap()).unwrap())
        .build()
        .unwrap()
}
