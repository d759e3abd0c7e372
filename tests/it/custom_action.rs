//! The example of a custom action, as its users run it: it waits for a service to become healthy.

#[allow(dead_code, unreachable_pub, reason = "the example's `main` runs in its own process")]
#[path = "../../examples/custom_action.rs"]
mod example;

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use aws_sdk_codepipeline::types::ActionExecutionStatus;
use codepipeline_local::Options;
use codepipeline_local::engine::Settings;
use codepipeline_worker::testing::TestWorker;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

use crate::support::{World, action, until, zip};

/// A service that responds with `starting` to this many requests, and then with `all good`. Also returns the count of requests.
async fn service(starting: u32) -> (String, Arc<AtomicU32>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/health", listener.local_addr().unwrap());
    let requests = Arc::new(AtomicU32::new(0));
    let count = Arc::clone(&requests);
    tokio::spawn(async move {
        while let Ok((mut connection, _)) = listener.accept().await {
            let mut request = [0; 1024];
            let _ = connection.read(&mut request).await;
            let body = if count.fetch_add(1, Ordering::SeqCst) < starting { "starting" } else { "all good" };
            let response =
                format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}", body.len());
            let _ = connection.write_all(response.as_bytes()).await;
        }
    });
    (url, requests)
}

#[tokio::test(flavor = "multi_thread")]
async fn example_waits_across_jobs_until_the_service_is_healthy() {
    let settings = Settings { continuation_delay: Duration::ZERO, ..Settings::default() };
    let world = World::with(Options { engine: settings, ..Options::default() }).await;
    world.create_type("Deploy", "WaitForHealth", &["Url", "Expect"]).await;
    let (url, requests) = service(3).await;
    let wait = action("Wait", "Deploy", "Custom", "WaitForHealth")
        .namespace("Health")
        .configuration("Url", url)
        .configuration("Expect", "good");
    world.create_pipeline("p", vec![("Deploy", vec![wait])]).await;
    world.put_source(zip(&[("a", "b")])).await;
    world.start("p").await;
    world.until_begun("p", "Wait").await;
    let worker = TestWorker::new(vec![example::served()], &world.sdk_config);

    let mut continued = 0;
    until(async || {
        continued += worker.invoke().await.continued;
        world.action("p", "Wait").await.unwrap().status() != Some(&ActionExecutionStatus::InProgress)
    })
    .await;

    let waited = world.action("p", "Wait").await.unwrap();
    assert_eq!(waited.status(), Some(&ActionExecutionStatus::Succeeded));
    assert_eq!(waited.summary(), Some("healthy at look 4"));
    assert_eq!(continued, 3);
    assert_eq!(requests.load(Ordering::SeqCst), 4);
}
