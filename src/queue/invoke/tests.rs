//! `CodePipeline.job` events.

use secrecy::ExposeSecret;
use serde_json::json;

use super::*;

fn example() -> Value {
    serde_json::from_str(include_str!("../../../events/codepipeline-job.json")).unwrap()
}

fn parsed(event: &Value) -> InvokedJob {
    match InvokedJob::from_event(event, UNIX_EPOCH) {
        Ok(Invoked::Job(job)) => *job,
        Ok(Invoked::WithoutData(claim)) => panic!("no data of {}", claim.key().id()),
        Err(error) => panic!("{error}"),
    }
}

#[test]
fn example_event_is_a_whole_job() {
    let job = parsed(&example());
    assert_eq!(job.claim.key.id, "11111111-abcd-1111-abcd-111111abcdef");
    assert_eq!(job.details.credentials.unwrap().session_token.expose_secret(), "EXAMPLE-SESSION-TOKEN");
    let job = job.details.job;
    assert_eq!(job.action_type.to_string(), "AWS/Invoke/Lambda/1");
    assert_eq!(job.account_id.as_deref(), Some("123456789012"));
    assert_eq!((job.inputs[0].name.as_str(), job.inputs[0].revision.as_deref()), ("Source", None));
    assert_eq!(job.outputs[0].key, "my-pipeline/Report/Zz9yX8w");
    assert_eq!(job.encryption_key.as_deref(), Some("arn:aws:kms:us-east-1:123456789012:key/1234abcd"));
    assert!(job.continuation_token.is_none());
}

#[test]
fn optional_members_may_be_absent_or_null() {
    let least = json!({"CodePipeline.job": {"id": "j", "data": {
        "actionConfiguration": {"configuration": {"FunctionName": "f"}}, "inputArtifacts": null,
        "continuationToken": null, "encryptionKey": null, "artifactCredentials": null}}});
    let InvokedJob { details: Details { job, credentials }, .. } = parsed(&least);
    assert_eq!(job.configuration.keys().count(), 0);
    assert!(job.inputs.is_empty() && job.outputs.is_empty() && credentials.is_none());
    assert!(job.encryption_key.is_none() && job.continuation_token.is_none() && job.account_id.is_none());
}

#[test]
fn continuation_token_is_read() {
    let mut event = example();
    event["CodePipeline.job"]["data"]["continuationToken"] = json!("token");
    let job = parsed(&event).details.job;
    assert_eq!(job.continuation_token.unwrap().expose_secret(), "token");
}

#[test]
fn expired_credentials_count_as_old() {
    let now = UNIX_EPOCH + Duration::from_secs(1_575_493_418);
    for (expiration, is_old) in [
        (json!(1_575_493_000_000_u64), true),
        (json!(1_575_493_538_000.0), true),
        (json!(1_575_493_538_500.0), false),
        (json!(null), false),
        (json!("2019-12-04T21:03:38Z"), false),
    ] {
        let mut event = example();
        event["CodePipeline.job"]["data"]["artifactCredentials"]["expirationTime"] = expiration.clone();
        let Ok(Invoked::Job(job)) = InvokedJob::from_event(&event, now) else { panic!("no job") };
        assert_eq!(job.received_at.elapsed() >= LONG_AGO, is_old, "{expiration}");
    }
}

#[test]
fn age_of_credentials_follows_from_their_expiration() {
    for (left, age) in [(3600, 0), (900, 0), (840, 60), (300, 600)] {
        let mut event = example();
        event["CodePipeline.job"]["data"]["artifactCredentials"]["expirationTime"] = json!(left * 1000);
        let received_at = parsed(&event).received_at;
        let elapsed = received_at.elapsed().as_secs();
        assert!((age..age + 30).contains(&elapsed), "{left}: {elapsed}");
    }
}

#[test]
fn user_parameters_become_configuration() {
    let configured = |parameters: Value| {
        let mut event = example();
        event["CodePipeline.job"]["data"]["actionConfiguration"]["configuration"]["UserParameters"] = parameters;
        let configuration = parsed(&event).details.job.configuration;
        configuration.iter().map(|(key, value)| format!("{key}={value}")).collect::<Vec<_>>().join(" ")
    };
    assert_eq!(configured(json!("plain text")), "UserParameters=plain text");
    assert_eq!(configured(json!("[1]")), "UserParameters=[1]");
    assert_eq!(configured(json!("{\"A\": \"not\nJSON\"}")), "UserParameters={\"A\": \"not\nJSON\"}");
    assert_eq!(configured(json!("\u{feff}{\"A\":1}")), "A=1 UserParameters=\u{feff}{\"A\":1}");
    let members = r#"{"A":"x","N":2,"O":{"p":null},"UserParameters":"own"}"#;
    assert_eq!(configured(json!(members)), format!(r#"A=x N=2 O={{"p":null}} UserParameters={members}"#));
}

#[test]
fn error_for_an_event_names_only_what_is_missing() {
    for (event, missing) in [
        (json!({"SECRET": "SECRET"}), "member CodePipeline.job"),
        (json!({"CodePipeline.job": {"data": {"artifactCredentials": "SECRET"}}}), "job id"),
    ] {
        let said = InvokedJob::from_event(&event, UNIX_EPOCH).err().unwrap().to_string();
        assert!(said.contains(missing) && !said.contains("SECRET"), "{said}");
    }
}
