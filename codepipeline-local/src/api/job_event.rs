//! The event that invokes a function for a Lambda Invoke action (Lambda Developer Guide, "services-codepipeline").

use serde_json::{Value, json};

use super::job_data::job_data;
use crate::{engine::Engine, types::Timestamp};

/// The `CodePipeline.job` event of an [`Effect::InvokeFunction`](crate::engine::Effect::InvokeFunction), with fresh
/// credentials, or `None` if the job no longer exists. It holds secrets: the job's credentials and `UserParameters`.
pub fn job_event(engine: &mut Engine, now: Timestamp, job: &str) -> Option<Value> {
    engine.advance(now);
    let number = engine.job_number(job).filter(|number| engine.is_invoked(*number))?;
    let mut data = job_data(engine, number);
    let members = data.as_object_mut()?;
    // The event does not name the pipeline.
    members.remove("actionTypeId");
    members.remove("pipelineContext");
    for list in ["inputArtifacts", "outputArtifacts"] {
        for artifact in members.get_mut(list).and_then(Value::as_array_mut).into_iter().flatten() {
            artifact.as_object_mut()?.entry("revision").or_insert(Value::Null);
        }
    }
    if let Some(credentials) = members.get_mut("artifactCredentials") {
        let grant = credentials["accessKeyId"].as_str().and_then(|id| engine.grant(id));
        credentials["expirationTime"] = grant.map(|grant| grant.expires.0).into();
    }
    Some(json!({"CodePipeline.job": {"id": job, "accountId": engine.settings.account_id, "data": data}}))
}
