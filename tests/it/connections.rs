//! No connection outlives its invocation. Lambda freezes the process between invocations, and a server closes idle
//! connections meanwhile.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use codepipeline_local::runtime_api::Invocation;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use crate::support::{self, World, custom, shell, zip};

/// A proxy whose connections die silently when the process is frozen.
#[derive(Clone, Default)]
struct Proxy {
    freezes: Arc<AtomicUsize>,
    accepted: Arc<AtomicUsize>,
    /// Requests that arrived on a connection from before a freeze.
    stale: Arc<AtomicUsize>,
}

impl Proxy {
    /// Listens in front of the server at `endpoint` (`http://host:port`), and returns the new endpoint.
    async fn start(&self, endpoint: &str) -> String {
        let server = endpoint.trim_start_matches("http://").to_owned();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let proxy = self.clone();
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                proxy.accepted.fetch_add(1, Ordering::SeqCst);
                let upstream = TcpStream::connect(&server).await.unwrap();
                tokio::spawn(proxy.clone().pass(client, upstream));
            }
        });
        format!("http://{address}")
    }

    async fn pass(self, client: TcpStream, server: TcpStream) {
        let born = self.freezes.load(Ordering::SeqCst);
        let (mut from_client, mut to_client) = client.into_split();
        let (mut from_server, mut to_server) = server.into_split();
        let answers = tokio::spawn(async move { tokio::io::copy(&mut from_server, &mut to_client).await });
        let mut buffer = vec![0; 16 * 1024];
        while let Ok(read @ 1..) = from_client.read(&mut buffer).await {
            if self.freezes.load(Ordering::SeqCst) > born {
                self.stale.fetch_add(1, Ordering::SeqCst);
            } else if to_server.write_all(&buffer[..read]).await.is_err() {
                break;
            }
        }
        answers.abort();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn no_request_uses_a_connection_from_before_a_freeze() {
    let world = World::new().await;
    world.create_type("Test", "Shell", &["Command"]).await;
    let action = custom("Shell", "Test", "Shell").configuration("Command", "true");
    world.create_pipeline("p", vec![("Test", vec![action])]).await;
    world.put_source(zip(&[("a", "b")])).await;
    world.s3.create_bucket().bucket("ledger").send().await.unwrap();
    let proxy = Proxy::default();
    let endpoint = proxy.start(&world.emulator.endpoint()).await;
    let variables = [("AWS_ENDPOINT_URL", endpoint.as_str()), ("LEDGER_BUCKET", "ledger")];
    let (function, _log) = support::function(&world, &json!([shell("Test", "Shell")]), &variables);
    let schedule: Value = serde_json::from_str(include_str!("../../events/schedule.json")).unwrap();

    for freezes in 0..3 {
        world.start("p").await;
        world.until_begun("p", "Shell").await;
        let before = (world.emulator.operations().len(), proxy.accepted.load(Ordering::SeqCst));
        let invocation = function.invoke(&schedule).await.unwrap();
        let Invocation::Answered(summary) = invocation else { panic!("{invocation:?}") };
        assert_eq!((&summary["succeeded"], &summary["failedPolls"]), (&json!(1), &json!(0)), "{freezes}: {summary}");
        let requests = world.emulator.operations().len() - before.0;
        let connections = proxy.accepted.load(Ordering::SeqCst) - before.1;
        assert!((1..requests).contains(&connections), "{connections} connections for {requests} requests");
        proxy.freezes.fetch_add(1, Ordering::SeqCst);
    }
    assert_eq!(proxy.stale.load(Ordering::SeqCst), 0, "a request went to a connection that was dead");
}
