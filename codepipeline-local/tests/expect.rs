//! `Expect: 100-continue`, as botocore sends it. Each request gets `100 Continue`, or a reply that closes the connection.
#![allow(clippy::unwrap_used, reason = "a test whose set-up fails has failed")]

use codepipeline_local::{Emulator, Options};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

const CONTINUE: &str = "HTTP/1.1 100 Continue\r\n\r\n";

/// Sends the text over one connection. Returns everything that arrives until the server closes it.
async fn exchange(emulator: &Emulator, text: &str) -> String {
    let endpoint = emulator.endpoint();
    let mut stream = tokio::net::TcpStream::connect(endpoint.trim_start_matches("http://")).await.unwrap();
    stream.write_all(text.as_bytes()).await.unwrap();
    let mut reply = Vec::new();
    stream.read_to_end(&mut reply).await.unwrap();
    String::from_utf8(reply).unwrap()
}

/// A request of an ordinary user with an old signature, which is not verified.
fn request(line: &str, headers: &str) -> String {
    format!("{line} HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: AWS x:y\r\nDate: any\r\n{headers}\r\n")
}

async fn with_bucket() -> Emulator {
    let emulator = Emulator::start(Options::default()).await.unwrap();
    let made = exchange(&emulator, &request("PUT /bucket", "Content-Length: 0\r\nConnection: close\r\n")).await;
    assert!(made.starts_with("HTTP/1.1 200"), "{made}");
    emulator
}

#[tokio::test]
async fn empty_body_gets_continue_and_keeps_the_connection() {
    let emulator = with_bucket().await;
    for line in ["PUT /bucket/key", "PUT /bucket/key", "PUT /bucket"] {
        let first = request(line, "Content-Length: 0\r\nExpect: 100-continue\r\n");
        let second = request("HEAD /bucket", "Expect: 100-continue\r\nConnection: close\r\n");
        let reply = exchange(&emulator, &[first, second].concat()).await;
        let first = reply.strip_prefix(CONTINUE).unwrap_or_else(|| panic!("{line}: {reply}"));
        assert!(first.starts_with("HTTP/1.1 200"), "{line}: {reply}");
        let (_, second) = first.split_once(CONTINUE).unwrap_or_else(|| panic!("{line}: {reply}"));
        assert!(second.starts_with("HTTP/1.1 200"), "{line}: {reply}");
    }
}

#[tokio::test]
async fn read_body_gets_continue_first() {
    let emulator = with_bucket().await;
    let put = request("PUT /bucket/key", "Content-Length: 2\r\nExpect: 100-continue\r\nConnection: close\r\n") + "hi";
    let chunked = "Transfer-Encoding: chunked\r\nExpect: 100-Continue\r\nConnection: close\r\n";
    let target = "X-Amz-Target: CodePipeline_20150709.ListPipelines\r\n";
    let list = request("POST /", &format!("{chunked}{target}")) + "2\r\n{}\r\n0\r\n\r\n";
    for request in [put, list] {
        let reply = exchange(&emulator, &request).await;
        assert!(reply.starts_with(&format!("{CONTINUE}HTTP/1.1 200")), "{reply}");
        assert_eq!(reply.matches("100 Continue").count(), 1, "{reply}");
    }
}

#[tokio::test]
async fn reply_without_continue_closes_the_connection() {
    let emulator = with_bucket().await;
    emulator.faults().add("ListPipelines:1:throttle".parse().unwrap());
    emulator.faults().add("GetObject:1:error".parse().unwrap());
    let body = "Content-Length: 2\r\nExpect: 100-continue\r\n";
    let target = |operation: &str| format!("{body}X-Amz-Target: {operation}\r\n");
    let unsigned = format!("PUT /bucket/key HTTP/1.1\r\nHost: 127.0.0.1\r\n{body}\r\n");
    let cases = [
        (unsigned, "403"),
        (request("PUT /nowhere/key", body), "404"),
        (request("PATCH /bucket/key", body), "501"),
        (request("GET /bucket/key", body), "500"),
        (request("PUT /bucket/key", &format!("{body}x-amz-server-side-encryption: rot13\r\n")), "400"),
        (request("POST /", &target("CodePipeline_20150709.ListPipelines")), "400"),
        (request("POST /", &target("DynamoDB_20120810.ListTables")), "400"),
    ];
    for (request, status) in cases {
        // Without the body, because the client does not send it.
        let reply = exchange(&emulator, &request).await;
        assert!(reply.starts_with(&format!("HTTP/1.1 {status}")), "{request}{reply}");
        assert!(reply.to_lowercase().contains("\r\nconnection: close\r\n"), "{request}{reply}");
    }
}

#[tokio::test]
async fn http_1_0_client_gets_no_interim_response() {
    let emulator = with_bucket().await;
    let put = request("PUT /bucket/key", "Content-Length: 2\r\nExpect: 100-continue\r\n") + "hi";
    let reply = exchange(&emulator, &put.replacen("HTTP/1.1", "HTTP/1.0", 1)).await;
    assert!(reply.starts_with("HTTP/1.0 200"), "{reply}");
}
