//! The input of an execution: the job as JSON.
//!
//! The text is the same for every try of an action execution, so that Step Functions finds the execution of an earlier try. It leaves
//! out what differs between tries: the job's id, its nonce and its credentials. Every member is present, and is `null` if the job has
//! no value, because a state fails on a path without a target.

use serde_json::{Map, Value, json};

use crate::actions::Turn;
use crate::job::{Artifact, Failure, FailureCode, FailureKind};

const EXECUTION_INPUT_TOO_LARGE: FailureCode = FailureCode::new("ExecutionInputTooLarge");

/// The longest input (Step Functions, "Quotas related to state machine executions"): 256 KiB of UTF-8.
const MAX_BYTES: usize = 262_144;

/// The input for a job. It leaves out the secret configuration, because the console shows an execution's input to everyone who may see the
/// execution.
pub(super) fn of(turn: &Turn) -> Result<String, Failure> {
    let job = &turn.job;
    let inputs: Map<String, Value> = job.inputs.iter().map(|it| (it.name.clone(), input_artifact(it))).collect();
    let outputs: Map<String, Value> = job.outputs.iter().map(|it| (it.name.clone(), output_artifact(it))).collect();
    let mut input = turn.describe_without_secrets();
    input.insert("actionExecutionId".to_owned(), turn.execution_id().into());
    input.insert("inputArtifacts".to_owned(), inputs.into());
    input.insert("outputArtifacts".to_owned(), outputs.into());
    input.insert("encryptionKey".to_owned(), job.encryption_key.as_deref().into());
    let input = Value::from(input).to_string();
    if input.len() > MAX_BYTES {
        let message = format!(
            "the execution's input would have {} bytes, but Step Functions takes at most {MAX_BYTES}: shorten the action's \
             configuration, or put long values into an artifact",
            input.len()
        );
        return Err(Failure::new(FailureKind::ConfigurationError, EXECUTION_INPUT_TOO_LARGE, message));
    }
    Ok(input)
}

fn input_artifact(artifact: &Artifact) -> Value {
    json!({"bucket": artifact.bucket, "key": artifact.key, "revision": artifact.revision})
}

/// Outputs have no revision yet.
fn output_artifact(artifact: &Artifact) -> Value {
    json!({"bucket": artifact.bucket, "key": artifact.key})
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::actions::secret_keys;
    use crate::actions::turn::tests::turn_at;
    use crate::job::{Job, PipelineContext};

    fn job() -> Job {
        let text = |text: &str| text.to_owned();
        let artifact = |name: &str, revision: Option<&str>| Artifact {
            name: text(name),
            revision: revision.map(str::to_owned),
            bucket: text("store"),
            key: format!("pipe/{name}/AbC1234"),
        };
        Job {
            id: text("11111111-abcd-1111-abcd-111111abcdef"),
            configuration: [("Target", "blue"), ("ApiToken", "hunter22")].into_iter().collect(),
            pipeline: PipelineContext {
                pipeline_name: Some(text("web")),
                stage_name: Some(text("Release")),
                action_name: Some(text("Roll")),
                action_execution_id: Some(text("22222222-abcd-1111-abcd-111111abcdef")),
                pipeline_arn: Some(text("arn:aws:codepipeline:eu-central-1:111122223333:web")),
                pipeline_execution_id: Some(text("33333333-abcd-1111-abcd-111111abcdef")),
            },
            inputs: vec![artifact("Source", Some("c0ffee"))],
            outputs: vec![artifact("Report", None)],
            ..Job::of_tests("Deploy", "Rollout")
        }
    }

    fn input(job: Job) -> Result<String, Failure> {
        of(&turn_at(job, &["ApiToken", "Unused"]))
    }

    fn parsed(job: Job) -> Value {
        serde_json::from_str(&input(job).ok().unwrap()).unwrap()
    }

    #[test]
    fn input_has_all_of_the_job_except_its_secrets() {
        let expected = json!({
            "actionExecutionId": "22222222-abcd-1111-abcd-111111abcdef",
            "actionType": {"category": "Deploy", "owner": "Custom", "provider": "Rollout", "version": "1"},
            "pipeline": {
                "name": "web",
                "arn": "arn:aws:codepipeline:eu-central-1:111122223333:web",
                "executionId": "33333333-abcd-1111-abcd-111111abcdef",
                "stage": "Release",
                "action": "Roll"
            },
            "configuration": {"Target": "blue"},
            "inputArtifacts": {"Source": {"bucket": "store", "key": "pipe/Source/AbC1234", "revision": "c0ffee"}},
            "outputArtifacts": {"Report": {"bucket": "store", "key": "pipe/Report/AbC1234"}},
            "encryptionKey": null
        });
        assert_eq!(parsed(job()), expected);
    }

    #[test]
    fn user_parameters_are_left_out_if_a_member_is_secret() {
        let parameters = r#"{"ApiToken": "x"}"#;
        let configuration = |secrets: &[&str]| {
            let all = [("UserParameters", parameters), ("ApiToken", "x"), ("Target", "blue")];
            let mut job = Job { configuration: all.into_iter().collect(), ..job() };
            job.action_type.owner = "AWS".to_owned();
            let input = of(&turn_at(job, secrets)).ok().unwrap();
            serde_json::from_str::<Value>(&input).unwrap()["configuration"].clone()
        };
        let secrets = secret_keys("AWS", vec!["ApiToken".to_owned()]);
        assert_eq!(secrets, ["ApiToken", "UserParameters"]);
        assert_eq!(configuration(&["ApiToken", "UserParameters"]), json!({"Target": "blue"}));
        let all = json!({"Target": "blue", "ApiToken": "x", "UserParameters": parameters});
        assert_eq!(configuration(&[]), all);
    }

    #[test]
    fn jobs_of_one_action_execution_give_the_same_input() {
        let first = input(job()).ok();
        let again = Job { id: "another".to_owned(), continuation_token: Some("t".into()), ..job() };
        assert_eq!(input(again).ok(), first);
    }

    #[test]
    fn invoke_job_is_its_own_execution_and_has_every_member() {
        let invoked = Job { pipeline: PipelineContext::default(), ..job() };
        let input = parsed(invoked);
        assert_eq!(input["actionExecutionId"], "11111111-abcd-1111-abcd-111111abcdef");
        let nothing = json!({"name": null, "arn": null, "executionId": null, "stage": null, "action": null});
        assert_eq!(input["pipeline"], nothing);
    }

    #[test]
    fn too_long_input_is_rejected_without_its_values() {
        let empty = Job { configuration: [("Long", "")].into_iter().collect(), ..job() };
        let room = MAX_BYTES - input(empty).ok().unwrap().len();
        let with = |length: usize| Job { configuration: [("Long", "x".repeat(length))].into_iter().collect(), ..job() };
        assert_eq!(input(with(room)).ok().map(|input| input.len()), Some(MAX_BYTES));
        let failure = input(with(room + 1)).err().unwrap();
        assert_eq!(failure.kind, FailureKind::ConfigurationError);
        assert_eq!(failure.code, EXECUTION_INPUT_TOO_LARGE);
        assert!(failure.message.contains("262145") && failure.message.contains("262144"), "{}", failure.message);
        assert!(!failure.message.contains("xxx"));
    }
}
