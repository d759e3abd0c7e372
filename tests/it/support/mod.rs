//! The harness of the scenarios: an emulator with a pipeline, and workers that run against it in this process.

pub(crate) mod artifact_store;
pub(crate) mod aws_json;
pub(crate) mod children;
mod declarations;
mod function;
pub(crate) mod log;
pub(crate) mod metrics;
pub(crate) mod small_disk;
pub(crate) mod source;
pub(crate) mod sts;
pub(crate) mod tee;

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::{Arc, OnceLock};
use std::time::{Duration, UNIX_EPOCH};

use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_credential_types::Credentials;
use aws_credential_types::provider::SharedCredentialsProvider;
use aws_sdk_codepipeline::operation::get_pipeline_state::GetPipelineStateOutput;
use aws_sdk_codepipeline::types::builders::ActionDeclarationBuilder;
use aws_sdk_codepipeline::types::{
    ActionConfigurationProperty, ActionExecution, ArtifactDetails, ArtifactStore, ArtifactStoreType, OutputArtifact,
    PipelineDeclaration, PipelineExecutionStatus, StageDeclaration, StageState,
};
use codepipeline_local::{Emulator, Options};
use codepipeline_worker::artifacts::{Stores, UnpackLimits};
use codepipeline_worker::config::Config;
use codepipeline_worker::lifecycle::Lifecycle;
use codepipeline_worker::metrics::Metrics;
use codepipeline_worker::queue::Queue;
use codepipeline_worker::worker::{Summary, Worker};
use serde_json::Value;
use tokio::time::Instant;

use self::children::Children;
pub(crate) use self::declarations::{action, action_type, custom, input, output, shell, zip};
pub(crate) use self::function::function;

pub(crate) const ROLE: &str = "arn:aws:iam::123456789012:role/pipeline";
pub(crate) const SOURCE_BUCKET: &str = "source-bucket";
pub(crate) const SOURCE_KEY: &str = "source.zip";
pub(crate) const STORE: &str = "artifact-store";

/// An emulator, and clients with the rights of a pipeline's owner.
pub(crate) struct World {
    pub(crate) emulator: Emulator,
    pub(crate) sdk_config: SdkConfig,
    pub(crate) codepipeline: aws_sdk_codepipeline::Client,
    pub(crate) s3: aws_sdk_s3::Client,
    pub(crate) folder: tempfile::TempDir,
    children: OnceLock<Children>,
}

impl World {
    pub(crate) async fn new() -> Self {
        Self::with(Options::default()).await
    }

    pub(crate) async fn with(options: Options) -> Self {
        let emulator = Emulator::start(options).await.unwrap();
        let sdk_config = sdk_config(&emulator.endpoint());
        let codepipeline = aws_sdk_codepipeline::Client::new(&sdk_config);
        let path_style = aws_sdk_s3::config::Builder::from(&sdk_config).force_path_style(true).build();
        let s3 = aws_sdk_s3::Client::from_conf(path_style);
        Self { emulator, sdk_config, codepipeline, s3, folder: tempfile::tempdir().unwrap(), children: OnceLock::new() }
    }

    /// Waits until the test may start processes. Its worker may then run no commands in this process.
    pub(crate) fn start_processes(&self) {
        self.children.get_or_init(Children::of_the_test).assert_of_the_test();
    }

    /// A worker with these `ACTIONS`, configured as from its environment. Waits until it may run commands.
    pub(crate) fn worker(&self, actions: &Value) -> Worker {
        self.worker_with(actions, &[])
    }

    pub(crate) fn worker_with(&self, actions: &Value, variables: &[(&str, &str)]) -> Worker {
        self.children.get_or_init(Children::of_commands).assert_of_commands();
        codepipeline_worker::worker(self.config(actions, variables), Vec::new(), &self.sdk_config)
    }

    pub(crate) fn config(&self, actions: &Value, variables: &[(&str, &str)]) -> Config {
        let mut all: HashMap<String, String> =
            variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        all.insert("ACTIONS".into(), actions.to_string());
        all.insert("WORK_FOLDER".into(), self.work_folder().to_str().unwrap().to_owned());
        Config::from_variables(&all.into_iter().collect()).unwrap_or_else(|error| panic!("{error}"))
    }

    pub(crate) fn work_folder(&self) -> PathBuf {
        self.folder.path().join("work")
    }

    /// Creates a custom action type that takes and makes up to five artifacts. `properties` are names; `!` marks a
    /// secret one, `?` a required and queryable one.
    pub(crate) async fn create_type(&self, category: &str, provider: &str, properties: &[&str]) {
        let mut request = self.codepipeline.create_custom_action_type();
        for property in properties {
            let name = property.trim_end_matches(['!', '?']);
            let property = ActionConfigurationProperty::builder()
                .name(name)
                .required(property.ends_with('?'))
                .key(false)
                .secret(property.ends_with('!'))
                .queryable(property.ends_with('?'));
            request = request.configuration_properties(property.build().unwrap());
        }
        let any_number = || ArtifactDetails::builder().minimum_count(0).maximum_count(5).build();
        request
            .category(category.into())
            .provider(provider)
            .version("1")
            .input_artifact_details(any_number())
            .output_artifact_details(any_number())
            .send()
            .await
            .unwrap();
    }

    /// Creates a pipeline: an S3 source with the output artifact `Source`, then `stages`.
    pub(crate) async fn create_pipeline(&self, name: &str, stages: Vec<(&str, Vec<ActionDeclarationBuilder>)>) {
        let source = action("Source", "Source", "AWS", "S3")
            .configuration("S3Bucket", SOURCE_BUCKET)
            .configuration("S3ObjectKey", SOURCE_KEY)
            .output_artifacts(OutputArtifact::builder().name("Source").build().unwrap());
        let store = ArtifactStore::builder().r#type(ArtifactStoreType::S3).location(STORE).build().unwrap();
        let mut pipeline = PipelineDeclaration::builder().name(name).role_arn(ROLE).artifact_store(store);
        for (name, actions) in [("Source", vec![source])].into_iter().chain(stages) {
            let actions = actions.into_iter().map(|action| action.build().unwrap()).collect();
            let stage = StageDeclaration::builder().name(name).set_actions(Some(actions)).build().unwrap();
            pipeline = pipeline.stages(stage);
        }
        self.codepipeline.create_pipeline().pipeline(pipeline.build().unwrap()).send().await.unwrap();
    }

    pub(crate) async fn put_source(&self, zip: Vec<u8>) {
        self.s3.put_object().bucket(SOURCE_BUCKET).key(SOURCE_KEY).body(zip.into()).send().await.unwrap();
    }

    pub(crate) async fn start(&self, pipeline: &str) -> String {
        let started = self.codepipeline.start_pipeline_execution().name(pipeline).send().await.unwrap();
        started.pipeline_execution_id.unwrap()
    }

    pub(crate) async fn execution_status(&self, pipeline: &str, id: &str) -> PipelineExecutionStatus {
        let request = self.codepipeline.get_pipeline_execution().pipeline_name(pipeline).pipeline_execution_id(id);
        request.send().await.unwrap().pipeline_execution.unwrap().status.unwrap()
    }

    pub(crate) async fn state(&self, pipeline: &str) -> GetPipelineStateOutput {
        self.codepipeline.get_pipeline_state().name(pipeline).send().await.unwrap()
    }

    /// The latest execution of an action, found by its name.
    pub(crate) async fn action(&self, pipeline: &str, action: &str) -> Option<ActionExecution> {
        let state = self.state(pipeline).await;
        let mut actions = state.stage_states().iter().flat_map(StageState::action_states);
        actions.find(|state| state.action_name() == Some(action))?.latest_execution.clone()
    }

    /// Waits until the action has started, so that the next poll finds its job.
    pub(crate) async fn until_begun(&self, pipeline: &str, action: &str) {
        until(async || self.action(pipeline, action).await.is_some()).await;
    }
}

/// A client's configuration: dummy credentials, a region and the emulator's endpoint.
pub(crate) fn sdk_config(endpoint: &str) -> SdkConfig {
    SdkConfig::builder()
        .behavior_version(BehaviorVersion::v2026_01_12())
        .region(Region::new("us-east-1"))
        .endpoint_url(endpoint)
        .credentials_provider(SharedCredentialsProvider::new(Credentials::for_tests()))
        .build()
}

/// A lifecycle with small limits, no client tokens and a wall clock that stands still.
pub(crate) fn lifecycle(sdk_config: &SdkConfig, work_folder: PathBuf) -> Lifecycle {
    Lifecycle {
        queue: Queue::new(sdk_config, None),
        ledger: None,
        stores: Stores::new(sdk_config),
        unpacking: UnpackLimits { max_unpacked_bytes: 1 << 20, max_entries: 100 },
        work_folder,
        clean: None,
        min_free_bytes: 0,
        reporting: Duration::from_secs(10),
        metrics: Metrics::off(),
        wall_clock: Arc::new(|| UNIX_EPOCH),
    }
}

/// Runs one invocation whose deadline is 15 minutes away.
pub(crate) async fn invoke(worker: &Worker) -> Summary {
    worker.invoke(Instant::now() + Duration::from_secs(900)).await.unwrap_or_else(|error| panic!("{error}"))
}

/// Waits until `condition` holds, for at most a minute.
pub(crate) async fn until(mut condition: impl AsyncFnMut() -> bool) {
    let patience = Instant::now() + Duration::from_secs(60);
    while !condition().await {
        assert!(Instant::now() < patience, "the condition did not hold within a minute");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

impl World {
    /// The bytes of an action's only output artifact, from the latest execution.
    pub(crate) async fn output_artifact(&self, pipeline: &str, action: &str) -> Vec<u8> {
        let listed = self.codepipeline.list_action_executions().pipeline_name(pipeline).send().await.unwrap();
        let details = listed.action_execution_details().iter().find(|it| it.action_name() == Some(action)).unwrap();
        let place = details.output().unwrap().output_artifacts()[0].s3_location().unwrap().clone();
        let object = self.s3.get_object().bucket(place.bucket.unwrap()).key(place.key.unwrap()).send().await.unwrap();
        object.body.collect().await.unwrap().to_vec()
    }
}
