//! A job's data as polls and `GetJobDetails` return it. No other replies contain secrets.

use serde_json::{Value, json};

use super::object;
use crate::engine::{ActionExecution, ActionTypeId, Artifact, Engine, Execution, JobNumber, credentials::Issued};

/// The job's data with fresh credentials, or null if the job no longer exists.
pub(super) fn job_data(engine: &mut Engine, number: JobNumber) -> Value {
    let issued = engine.issue_credentials(number);
    let Some(view) = engine.job_view(number) else { return Value::Null };
    let (action, execution) = (view.action, view.execution);
    let mut data = object([
        ("actionTypeId", type_id(&action.declaration.action_type_id)),
        ("actionConfiguration", json!({"configuration": action.configuration})),
        ("pipelineContext", pipeline_context(engine, action, execution)),
        ("inputArtifacts", action.inputs.iter().map(|input| artifact(input, input.revision.as_deref())).collect()),
        ("outputArtifacts", action.outputs.iter().map(|output| artifact(output, None)).collect()),
        ("artifactCredentials", issued.as_ref().map(credentials).into()),
        ("continuationToken", view.job.continuation_token.clone().into()),
        ("encryptionKey", view.encryption_key.map(|key| json!({"id": key.id, "type": key.kind})).into()),
    ]);
    if engine.settings.extra_members {
        add_unmodelled(&mut data, issued.as_ref());
    }
    data
}

fn pipeline_context(engine: &Engine, action: &ActionExecution, execution: &Execution) -> Value {
    // Third-party jobs lack the last two (API reference, "PipelineContext").
    let own = action.declaration.action_type_id.owner != "ThirdParty";
    object([
        ("pipelineName", execution.pipeline.clone().into()),
        ("stage", json!({"name": action.stage})),
        ("action", json!({"name": action.declaration.name, "actionExecutionId": action.id})),
        ("pipelineArn", own.then(|| engine.pipeline_arn(&execution.pipeline)).into()),
        ("pipelineExecutionId", own.then(|| execution.id.clone()).into()),
    ])
}

pub(super) fn type_id(id: &ActionTypeId) -> Value {
    json!({"category": id.category, "owner": id.owner, "provider": id.provider, "version": id.version})
}

fn artifact(artifact: &Artifact, revision: Option<&str>) -> Value {
    let place = &artifact.location;
    object([
        ("name", artifact.name.clone().into()),
        ("revision", revision.into()),
        ("location", json!({"type": "S3", "s3Location": {"bucketName": place.bucket, "objectKey": place.key}})),
    ])
}

fn credentials(issued: &Issued) -> Value {
    json!({
        "accessKeyId": issued.access_key_id,
        "secretAccessKey": issued.grant.secret_access_key,
        "sessionToken": issued.grant.session_token,
    })
}

/// Members that real replies had and the model lacks.
fn add_unmodelled(data: &mut Value, issued: Option<&Issued>) {
    for (member, name) in [
        ("actionTypeId", "ActionTypeId"),
        ("actionConfiguration", "ActionConfiguration"),
        ("pipelineContext", "PipelineContext"),
        ("artifactCredentials", "AWSSessionCredentials"),
    ] {
        if let Some(Value::Object(members)) = data.get_mut(member) {
            members.insert("__type".to_owned(), name.into());
        }
    }
    if let Some(issued) = issued {
        data["artifactCredentials"]["expirationTime"] = issued.grant.expires.0.into();
    }
    let Value::Object(members) = data else { return };
    for list in ["inputArtifacts", "outputArtifacts"] {
        for artifact in members.get_mut(list).and_then(Value::as_array_mut).into_iter().flatten() {
            if let Value::Object(artifact) = artifact {
                artifact.insert("__type".to_owned(), "Artifact".into());
                artifact.entry("revision").or_insert(Value::Null);
            }
        }
    }
    for optional in ["artifactCredentials", "continuationToken", "encryptionKey"] {
        members.entry(optional).or_insert(Value::Null);
    }
}
