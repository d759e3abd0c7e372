//! An emulator with keys, as the SDK's clients use it.
#![allow(clippy::unwrap_used, reason = "a test whose set-up fails has failed")]

mod support;

use std::time::Duration;

use aws_sdk_codepipeline::config::{BehaviorVersion, Credentials, Region};
use aws_sdk_codepipeline::error::ProvideErrorMetadata;
use aws_sdk_s3::presigning::PresigningConfig;
use aws_sdk_s3::types::ServerSideEncryption;
use codepipeline_local::{AccessKeys, Options};
use secrecy::ExposeSecret;
use support::{Scenario, dummy, s3};

fn pipelines(scenario: &Scenario, credentials: Credentials) -> aws_sdk_codepipeline::Client {
    let config = aws_sdk_codepipeline::Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new("us-east-1"))
        .endpoint_url(scenario.emulator.endpoint())
        .credentials_provider(credentials);
    aws_sdk_codepipeline::Client::from_conf(config.build())
}

/// An emulator with keys, with clients that have them, and the credentials.
async fn with_keys() -> (Scenario, Credentials) {
    let keys = AccessKeys::random().unwrap();
    let secret = keys.secret_access_key().expose_secret().to_owned();
    let credentials = Credentials::new(keys.access_key_id(), secret, None, None, "run");
    let mut scenario = Scenario::with(Options { keys: Some(keys), ..Options::default() }).await;
    scenario.pipelines = pipelines(&scenario, credentials.clone());
    scenario.objects = s3(&scenario.emulator, credentials.clone());
    (scenario, credentials)
}

#[tokio::test]
async fn clients_with_the_keys_run_a_pipeline() {
    let (scenario, _) = with_keys().await;
    scenario.run_pipeline().await;
    let job = scenario.job().await;
    let objects = scenario.with_jobs_credentials(&job);
    let data = job.data().unwrap();
    let place = data.input_artifacts()[0].location().unwrap().s3_location().unwrap();
    let got = objects.get_object().bucket(place.bucket_name()).key(place.object_key()).send().await.unwrap();
    assert_eq!(got.body.collect().await.unwrap().to_vec(), b"the source");
    let place = data.output_artifacts()[0].location().unwrap().s3_location().unwrap();
    let put = scenario.objects.put_object().bucket(place.bucket_name()).key(place.object_key());
    put.server_side_encryption(ServerSideEncryption::AwsKms).body(b"made".to_vec().into()).send().await.unwrap();
    let given = data.artifact_credentials().unwrap();
    let token = Some(given.session_token().to_owned());
    let given = Credentials::new(given.access_key_id(), given.secret_access_key(), token, None, "job");
    let refused = pipelines(&scenario, given).list_pipelines().send().await.unwrap_err();
    assert_eq!(refused.code(), Some("UnrecognizedClientException"), "a job's credentials are for S3");
}

#[tokio::test]
async fn other_keys_and_wrong_secrets_are_refused() {
    let (scenario, own) = with_keys().await;
    let refused = pipelines(&scenario, dummy()).list_pipelines().send().await.unwrap_err();
    assert_eq!(refused.code(), Some("UnrecognizedClientException"));
    assert!(refused.message().unwrap().contains("AWS_ACCESS_KEY_ID"), "{refused:?}");
    scenario.objects.create_bucket().bucket("own").send().await.unwrap();
    let wrong = Credentials::new(own.access_key_id(), "wrong", None, None, "test");
    for (credentials, code) in [(dummy(), "InvalidAccessKeyId"), (wrong, "SignatureDoesNotMatch")] {
        let objects = s3(&scenario.emulator, credentials);
        let put = objects.put_object().bucket("own").key("a").body(b"text".to_vec().into());
        assert_eq!(put.send().await.unwrap_err().code(), Some(code));
        assert_eq!(objects.get_bucket_policy().bucket("own").send().await.unwrap_err().code(), Some(code));
    }
    assert!(scenario.objects.list_objects_v2().bucket("own").send().await.unwrap().contents().is_empty());
}

#[tokio::test]
async fn presigned_url_needs_the_keys() {
    let (scenario, own) = with_keys().await;
    scenario.objects.create_bucket().bucket("own").send().await.unwrap();
    scenario.objects.put_object().bucket("own").key("a").body(b"text".to_vec().into()).send().await.unwrap();
    let wrong = Credentials::new(own.access_key_id(), "wrong", None, None, "test");
    for (credentials, begin, part) in [
        (own, "HTTP/1.1 200", "text"),
        (dummy(), "HTTP/1.1 403", "<Code>InvalidAccessKeyId</Code>"),
        (wrong, "HTTP/1.1 403", "<Code>SignatureDoesNotMatch</Code>"),
    ] {
        let config = PresigningConfig::expires_in(Duration::from_secs(600)).unwrap();
        let url = s3(&scenario.emulator, credentials).get_object().bucket("own").key("a").presigned(config).await;
        let url = url.unwrap().uri().to_owned();
        let (address, path) = url.strip_prefix("http://").unwrap().split_once('/').unwrap();
        let reply = get(address, &format!("/{path}")).await;
        assert!(reply.starts_with(begin) && reply.contains(part), "{reply}");
    }
    let address = scenario.emulator.endpoint().trim_start_matches("http://").to_owned();
    let anonymous = get(&address, "/own/a").await;
    assert!(anonymous.starts_with("HTTP/1.1 403") && anonymous.contains("<Code>AccessDenied</Code>"), "{anonymous}");
}

async fn get(address: &str, path: &str) -> String {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    let mut stream = tokio::net::TcpStream::connect(address).await.unwrap();
    let request = format!("GET {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut reply = String::new();
    stream.read_to_string(&mut reply).await.unwrap();
    reply
}
