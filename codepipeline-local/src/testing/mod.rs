//! Helpers for the tests of an action: an emulator with clients, action types, pipelines, executions and artifacts.
//!
//! A test starts the emulator, creates an action type and a pipeline, runs its worker against [`Local::sdk_config`], and reads the
//! results. `examples/own-action/` has a complete one.
//!
//! Every function here panics with the service's error if a call fails, because a test whose set-up fails has failed.
//!
//! # Examples
//! ```
//! use codepipeline_local::testing::{Local, action, input, property, zip};
//! use codepipeline_local::Options;
//!
//! # #[tokio::main]
//! # async fn main() {
//! let local = Local::new(Options::default()).await;
//! local.create_type("Test", "LinkCheck", [property("Url").required(true)]).await;
//! let check = action("Check", "Test", "Custom", "LinkCheck")
//!     .configuration("Url", "https://example.com")
//!     .input_artifacts(input("Source"));
//! local.create_pipeline("web", vec![("Test", vec![check])]).await;
//! local.put_source(zip(&[("index.html", "<p>hello</p>")])).await;
//! let execution = local.start("web").await;
//! local.until_begun("web", "Check").await;
//! assert_eq!(local.execution_status("web", &execution).await.as_str(), "InProgress");
//! # }
//! ```

mod declarations;
mod executions;
mod results;
mod wait;
mod zips;

use aws_credential_types::Credentials;
use aws_credential_types::provider::SharedCredentialsProvider;
use aws_sdk_codepipeline::config::{BehaviorVersion, Region};
use aws_sdk_codepipeline::types::builders::{ActionConfigurationPropertyBuilder, ActionDeclarationBuilder};
use aws_sdk_codepipeline::types::{
    ArtifactDetails, ArtifactStore, ArtifactStoreType, PipelineDeclaration, StageDeclaration,
};
use aws_types::SdkConfig;

use crate::{Emulator, Options};

pub use aws_sdk_codepipeline;
pub use aws_sdk_s3;
pub use declarations::{action, input, output, property};
pub use wait::until;
use wait::{built, done};
pub use zips::{unzip, zip};

/// The bucket of [`Local::put_source`].
pub const SOURCE_BUCKET: &str = "source-bucket";
/// The key of [`Local::put_source`].
pub const SOURCE_KEY: &str = "source.zip";
/// The bucket of the artifacts.
pub const STORE: &str = "artifact-store";
/// The role of every pipeline.
pub const ROLE: &str = "arn:aws:iam::123456789012:role/pipeline";

/// An emulator, and clients with the rights of a pipeline's owner. It stops when it is dropped.
pub struct Local {
    /// The emulator.
    pub emulator: Emulator,
    /// The configuration of clients that call the emulator. Give it to the worker.
    pub sdk_config: SdkConfig,
    /// A client of CodePipeline, for calls without a helper here.
    pub codepipeline: aws_sdk_codepipeline::Client,
    /// A client of S3, for calls without a helper here.
    pub s3: aws_sdk_s3::Client,
}

impl Local {
    /// Starts an emulator with these options.
    ///
    /// # Panics
    /// If the emulator can't be started.
    pub async fn new(options: Options) -> Self {
        let emulator = Emulator::start(options).await;
        let emulator = emulator.unwrap_or_else(|error| panic!("could not start the emulator: {error}"));
        let sdk_config = sdk_config(&emulator.endpoint());
        let codepipeline = aws_sdk_codepipeline::Client::new(&sdk_config);
        let path_style = aws_sdk_s3::config::Builder::from(&sdk_config).force_path_style(true).build();
        let s3 = aws_sdk_s3::Client::from_conf(path_style);
        Self { emulator, sdk_config, codepipeline, s3 }
    }

    /// Creates version 1 of a custom action type, which takes and makes up to five artifacts.
    ///
    /// # Panics
    /// If CodePipeline refuses it.
    pub async fn create_type(
        &self,
        category: &str,
        provider: &str,
        properties: impl IntoIterator<Item = ActionConfigurationPropertyBuilder>,
    ) {
        let properties = properties.into_iter().map(|property| built(property.build())).collect();
        let any_number = || ArtifactDetails::builder().minimum_count(0).maximum_count(5).build();
        let request = self.codepipeline.create_custom_action_type();
        let request = request.category(category.into()).provider(provider).version("1");
        let request = request.set_configuration_properties(Some(properties));
        let request = request.input_artifact_details(any_number()).output_artifact_details(any_number());
        done("CreateCustomActionType", request.send().await);
    }

    /// Creates a pipeline: an S3 source with the output artifact `Source`, then `stages`, each with a name and its actions.
    ///
    /// # Panics
    /// If CodePipeline refuses it.
    pub async fn create_pipeline(&self, name: &str, stages: Vec<(&str, Vec<ActionDeclarationBuilder>)>) {
        let source = action("Source", "Source", "AWS", "S3")
            .configuration("S3Bucket", SOURCE_BUCKET)
            .configuration("S3ObjectKey", SOURCE_KEY)
            .output_artifacts(output("Source"));
        let store = built(ArtifactStore::builder().r#type(ArtifactStoreType::S3).location(STORE).build());
        let mut pipeline = PipelineDeclaration::builder().name(name).role_arn(ROLE).artifact_store(store);
        for (name, actions) in [("Source", vec![source])].into_iter().chain(stages) {
            let actions = actions.into_iter().map(|action| built(action.build())).collect();
            pipeline =
                pipeline.stages(built(StageDeclaration::builder().name(name).set_actions(Some(actions)).build()));
        }
        done("CreatePipeline", self.codepipeline.create_pipeline().pipeline(built(pipeline.build())).send().await);
    }

    /// Stores the source artifact of the next execution: a zip, such as [`zip()`] makes.
    ///
    /// # Panics
    /// If S3 refuses it.
    pub async fn put_source(&self, zip: Vec<u8>) {
        let request = self.s3.put_object().bucket(SOURCE_BUCKET).key(SOURCE_KEY).body(zip.into());
        done("PutObject", request.send().await);
    }
}

/// A client's configuration: dummy credentials, a region and the emulator's endpoint.
pub fn sdk_config(endpoint: &str) -> SdkConfig {
    let credentials = Credentials::new("test", "test", None, None, "codepipeline-local");
    SdkConfig::builder()
        .behavior_version(BehaviorVersion::v2026_01_12())
        .region(Region::new("us-east-1"))
        .endpoint_url(endpoint)
        .credentials_provider(SharedCredentialsProvider::new(credentials))
        .build()
}
