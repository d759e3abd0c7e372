//! Tags over a socket, as infrastructure tools use them, and the account that these tools ask STS for.
#![allow(clippy::unwrap_used, reason = "a test whose set-up fails has failed")]

mod support;

use aws_sdk_codepipeline::error::ProvideErrorMetadata;
use aws_sdk_codepipeline::types::Tag;
use codepipeline_local::Options;
use codepipeline_local::engine::Settings;
use support::Scenario;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

const PIPE: &str = "arn:aws:codepipeline:us-east-1:123456789012:pipe";
const MAKER: &str = "arn:aws:codepipeline:us-east-1:123456789012:actiontype:Custom/Build/Maker/1";

fn tag(key: &str, value: &str) -> Tag {
    Tag::builder().key(key).value(value).build().unwrap()
}

async fn tags(scenario: &Scenario, arn: &str) -> Vec<Tag> {
    let pages = scenario.pipelines.list_tags_for_resource().resource_arn(arn).into_paginator().page_size(1);
    pages.items().send().try_collect().await.unwrap()
}

#[tokio::test]
async fn both_kinds_of_tags_survive_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let options = || Options { data: Some(folder.path().to_owned()), ..Options::default() };
    let scenario = Scenario::with(options()).await;
    scenario.run_pipeline().await;
    for arn in [PIPE, MAKER] {
        let add = scenario.pipelines.tag_resource().resource_arn(arn).tags(tag("team", "a")).tags(tag("old", ""));
        add.send().await.unwrap();
        scenario.pipelines.tag_resource().resource_arn(arn).tags(tag("team", "b")).send().await.unwrap();
        scenario.pipelines.untag_resource().resource_arn(arn).tag_keys("old").send().await.unwrap();
        scenario.pipelines.tag_resource().resource_arn(arn).tags(tag("last", "x")).send().await.unwrap();
    }
    let kept = [tag("team", "b"), tag("last", "x")];
    assert_eq!((tags(&scenario, PIPE).await, tags(&scenario, MAKER).await), (kept.to_vec(), kept.to_vec()));
    scenario.emulator.stop().await;

    let again = Scenario::with(options()).await;
    assert_eq!((tags(&again, PIPE).await, tags(&again, MAKER).await), (kept.to_vec(), kept.to_vec()));
    let unknown = again.pipelines.list_tags_for_resource().resource_arn(format!("{PIPE}2")).send().await;
    assert_eq!(unknown.unwrap_err().code(), Some("ResourceNotFoundException"));
}

#[tokio::test]
async fn sts_names_the_configured_account() {
    let engine = Settings { account_id: "210987654321".to_owned(), ..Settings::default() };
    let scenario = Scenario::with(Options { engine, ..Options::default() }).await;
    let endpoint = scenario.emulator.endpoint();
    let mut stream = TcpStream::connect(endpoint.trim_start_matches("http://")).await.unwrap();
    let form = "Action=GetCallerIdentity&Version=2011-06-15";
    let headers = "Content-Type: application/x-www-form-urlencoded; charset=utf-8\r\nConnection: close";
    let request = format!("POST / HTTP/1.1\r\nHost: host\r\n{headers}\r\nContent-Length: {}\r\n\r\n{form}", form.len());
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut reply = String::new();
    stream.read_to_string(&mut reply).await.unwrap();
    assert!(reply.starts_with("HTTP/1.1 200") && reply.contains("<Account>210987654321</Account>"), "{reply}");
    assert_eq!(scenario.emulator.calls("GetCallerIdentity"), 1);
}
