//! The demo's pipeline. An S3 source, a Test action that inspects it, and a Build action with an output and variables. Then a Deploy action
//! that a service does over several continuations, and a partner's action.

use std::error::Error;

use aws_sdk_codepipeline::Client;
use aws_sdk_codepipeline::types::{
    ActionCategory, ActionConfigurationProperty, ActionDeclaration, ActionOwner, ActionTypeId, ArtifactDetails,
    ArtifactStore, ArtifactStoreType, PipelineDeclaration, StageDeclaration,
};
use codepipeline_local::testing::{input, output};
use serde_json::{Value, json};

pub(crate) const NAME: &str = "demo";
pub(crate) const SOURCE_BUCKET: &str = "demo-source";
pub(crate) const SOURCE_KEY: &str = "source.zip";
const ARTIFACTS_BUCKET: &str = "demo-artifacts";

/// The Test action's command unless `--command` gives another.
pub(crate) const INSPECT: &str = r#"files=$(find . -type f | wc -l)
lines=$(find . -type f -exec cat {} + | wc -l)
test "$files" -gt 0 || { echo "the source is empty" >&2; exit 1; }
echo "$files files, $lines lines: all there" > "$SUMMARY""#;

/// The Build action's command. It makes a package with a list of its files, and two output variables.
const PACKAGE: &str = r#"mkdir "$OUTPUT_PACKAGE/content"
cp -R . "$OUTPUT_PACKAGE/content"
find . -type f -print0 | sort -z | xargs -0r sha256sum > "$OUTPUT_PACKAGE/SHA256SUMS"
files=$(wc -l < "$OUTPUT_PACKAGE/SHA256SUMS")
echo "Files=$files" >> "$OUTPUT_VARIABLES"
echo "Digest=$(sha256sum < "$OUTPUT_PACKAGE/SHA256SUMS" | cut -c 1-12)" >> "$OUTPUT_VARIABLES"
echo "packaged $files files in $PIPELINE_NAME, execution $PIPELINE_EXECUTION_ID" > "$SUMMARY""#;

/// The partner's customer in this demo. CodePipeline gives this id to a partner when a customer connects.
pub(crate) const CLIENT_ID: &str = "11111111-2222-4333-8444-555555555555";
pub(crate) const CLIENT_TOKEN: &str = "the demo's client token";

/// The content of a file for `codepipeline-local serve --connections`.
pub(crate) fn connections() -> String {
    let actions_type = json!({
        "category": "Test", "provider": "Partner", "version": "1",
        "configurationProperties": [{"name": "Level", "required": true, "key": true, "secret": false}]
    });
    json!([{"clientId": CLIENT_ID, "clientToken": CLIENT_TOKEN, "actionType": actions_type}]).to_string()
}

/// The worker's `ACTIONS`. Two types run the command in the action's configuration, one calls a service, and the partner's has its own
/// command.
pub(crate) fn worker_actions(jobs_url: &str) -> Value {
    let command = |category: &str, provider: &str| {
        json!({
            "actionType": {"category": category, "owner": "Custom", "provider": provider, "version": "1"},
            "timeoutSeconds": 120,
            "run": {"command": ["sh", "-eu", "-c", "{Config:Command}"]}
        })
    };
    let rollout = json!({
        "actionType": {"category": "Deploy", "owner": "Custom", "provider": "Rollout", "version": "1"},
        "timeoutSeconds": 600,
        "run": {"http": {"url": jobs_url, "secretVariable": "WEBHOOK_KEY"}}
    });
    let partner = json!({
        "actionType": {"category": "Test", "owner": "ThirdParty", "provider": "Partner", "version": "1"},
        "timeoutSeconds": 60,
        "run": {"command": ["sh", "-eu", "-c", "echo \"approved at level $CONFIG_LEVEL\" > \"$SUMMARY\""]}
    });
    json!([command("Test", "Inspect"), command("Build", "Package"), rollout, partner])
}

/// Creates the custom action types and the pipeline. Its Test action runs `command`.
pub(crate) async fn create(client: &Client, command: &str) -> Result<(), Box<dyn Error>> {
    create_type(client, ActionCategory::Test, "Inspect", 0).await?;
    create_type(client, ActionCategory::Build, "Package", 1).await?;
    create_type(client, ActionCategory::Deploy, "Rollout", 0).await?;
    let source = action("Source", ActionCategory::Source, ActionOwner::Aws, "S3")?
        .configuration("S3Bucket", SOURCE_BUCKET)
        .configuration("S3ObjectKey", SOURCE_KEY)
        .output_artifacts(output("Source"))
        .build()?;
    let inspect = action("Inspect", ActionCategory::Test, ActionOwner::Custom, "Inspect")?
        .configuration("Command", command)
        .input_artifacts(input("Source"))
        .build()?;
    let package = action("Package", ActionCategory::Build, ActionOwner::Custom, "Package")?
        .configuration("Command", PACKAGE)
        .namespace("Package")
        .input_artifacts(input("Source"))
        .output_artifacts(output("Package"))
        .build()?;
    let rollout = action("Rollout", ActionCategory::Deploy, ActionOwner::Custom, "Rollout")?
        .configuration("Command", "#{Package.Files} files, please")
        .input_artifacts(input("Package"))
        .build()?;
    let partner = action("Partner", ActionCategory::Test, ActionOwner::ThirdParty, "Partner")?
        .configuration("Level", "gold")
        .input_artifacts(input("Package"))
        .build()?;
    let stage = |name: &str, action| StageDeclaration::builder().name(name).actions(action).build();
    let store = ArtifactStore::builder().r#type(ArtifactStoreType::S3).location(ARTIFACTS_BUCKET).build()?;
    let pipeline = PipelineDeclaration::builder()
        .name(NAME)
        .role_arn("arn:aws:iam::123456789012:role/demo")
        .artifact_store(store)
        .stages(stage("Source", source)?)
        .stages(stage("Test", inspect)?)
        .stages(stage("Build", package)?)
        .stages(stage("Deploy", rollout)?)
        .stages(stage("Partner", partner)?)
        .build()?;
    client.create_pipeline().pipeline(pipeline).send().await?;
    Ok(())
}

fn action(
    name: &str,
    category: ActionCategory,
    owner: ActionOwner,
    provider: &str,
) -> Result<aws_sdk_codepipeline::types::builders::ActionDeclarationBuilder, Box<dyn Error>> {
    let id = ActionTypeId::builder().category(category).owner(owner).provider(provider).version("1").build()?;
    Ok(ActionDeclaration::builder().name(name).action_type_id(id))
}

async fn create_type(
    client: &Client,
    category: ActionCategory,
    provider: &str,
    outputs: i32,
) -> Result<(), Box<dyn Error>> {
    let count = |minimum, maximum| ArtifactDetails::builder().minimum_count(minimum).maximum_count(maximum).build();
    let command =
        ActionConfigurationProperty::builder().name("Command").required(true).key(true).secret(false).build()?;
    client
        .create_custom_action_type()
        .category(category)
        .provider(provider)
        .version("1")
        .configuration_properties(command)
        .input_artifact_details(count(1, 1))
        .output_artifact_details(count(outputs, outputs))
        .send()
        .await?;
    Ok(())
}
