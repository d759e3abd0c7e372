//! Prints the end of the demo: each action's state, message and variables, and the folder of its output.

use std::error::Error;
use std::path::Path;

use aws_sdk_codepipeline::types::{ActionExecutionDetail, ArtifactDetail};

use crate::{pipeline, progress, source};

/// Prints the end of the demo, and unpacks output artifacts below `folder`.
pub(crate) async fn tell(
    codepipeline: &aws_sdk_codepipeline::Client,
    s3: &aws_sdk_s3::Client,
    folder: &Path,
) -> Result<(), Box<dyn Error>> {
    let state = codepipeline.get_pipeline_state().name(pipeline::NAME).send().await?;
    println!();
    for action in progress::actions(&state) {
        let status = action.status.as_ref().map_or("not begun", |status| status.as_str());
        println!("{:<18} {status}", action.name);
        for line in action.said.iter().flat_map(|said| said.lines()) {
            println!("    {line}");
        }
    }
    let executions = codepipeline.list_action_executions().pipeline_name(pipeline::NAME).send().await?;
    for action in executions.action_execution_details().iter().rev() {
        tell_outputs(s3, action, folder).await?;
    }
    Ok(())
}

async fn tell_outputs(
    s3: &aws_sdk_s3::Client,
    action: &ActionExecutionDetail,
    folder: &Path,
) -> Result<(), Box<dyn Error>> {
    let Some(output) = action.output() else { return Ok(()) };
    let name = action.action_name().unwrap_or("?");
    let is_custom =
        action.input().and_then(|input| input.action_type_id()).is_some_and(|id| id.owner().as_str() == "Custom");
    if !is_custom {
        return Ok(());
    }
    for (key, value) in output.output_variables().into_iter().flatten() {
        println!("{name} has the output variable {key} = {value}");
    }
    let succeeded = action.status().is_some_and(|status| status.as_str() == "Succeeded");
    for artifact in output.output_artifacts().iter().filter(|_| succeeded) {
        unpack(s3, artifact, folder).await?;
    }
    Ok(())
}

async fn unpack(s3: &aws_sdk_s3::Client, artifact: &ArtifactDetail, folder: &Path) -> Result<(), Box<dyn Error>> {
    let place = artifact.s3_location().ok_or("an output artifact has no location")?;
    let (bucket, key) = (place.bucket().unwrap_or_default(), place.key().unwrap_or_default());
    let object = s3.get_object().bucket(bucket).key(key).send().await?;
    let zip = object.body.collect().await?.to_vec();
    let name = artifact.name().unwrap_or("artifact");
    // The key ends in random characters, so earlier runs' folders stay.
    let unpacked = folder.join(format!("{name}-{}", key.rsplit('/').next().unwrap_or_default()));
    source::unpack(zip, &unpacked)?;
    println!("the artifact {name}, s3://{bucket}/{key}, is unpacked in {}", unpacked.display());
    Ok(())
}
