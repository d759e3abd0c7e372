//! Requests of web pages to an emulator that runs commands.
#![allow(clippy::unwrap_used, reason = "a test whose set-up fails has failed")]

use codepipeline_local::{Emulator, Options};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

const ORDINARY: &str = "x-amz-date: 20270101T000000Z\r\nx-amz-content-sha256: UNSIGNED-PAYLOAD\r\nAuthorization: \
     AWS4-HMAC-SHA256 Credential=me/20270101/us-east-1/s3/aws4_request,SignedHeaders=host,Signature=0\r\n";

async fn emulator() -> Emulator {
    let emulator = Emulator::start(Options { local_hosts_only: true, ..Options::default() }).await.unwrap();
    let made = send(&emulator, "PUT /sources", "localhost", ORDINARY, "").await;
    assert!(made.starts_with("HTTP/1.1 200"), "{made}");
    emulator
}

async fn send(emulator: &Emulator, line: &str, host: &str, headers: &str, body: &str) -> String {
    let endpoint = emulator.endpoint();
    let mut stream = tokio::net::TcpStream::connect(endpoint.trim_start_matches("http://")).await.unwrap();
    let length = body.len();
    let request = format!(
        "{line} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\nContent-Length: {length}\r\n{headers}\r\n{body}"
    );
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut reply = String::new();
    stream.read_to_string(&mut reply).await.unwrap();
    reply
}

#[tokio::test]
async fn host_of_a_public_page_is_refused_by_every_service() {
    let emulator = emulator().await;
    let target = |name: &str| format!("X-Amz-Target: {name}\r\n");
    for (line, headers, code) in [
        ("POST /", target("CodePipeline_20150709.CreatePipeline"), "AccessDeniedException"),
        ("POST /", target("AWSStepFunctions.StartExecution"), "AccessDeniedException"),
        ("GET /?Action=GetCallerIdentity&Version=2011-06-15", String::new(), "<Code>AccessDeniedException</Code>"),
        ("PUT /sources/web.zip", ORDINARY.to_owned(), "<Code>AccessDenied</Code>"),
    ] {
        let refused = send(&emulator, line, "evil.example:4566", &headers, "").await;
        assert!(refused.starts_with("HTTP/1.1 403") && refused.contains(code), "{refused}");
        assert!(refused.contains("refuses the Host evil.example:4566") && refused.contains("localhost"), "{refused}");
    }
    assert_eq!(emulator.operations(), ["CreateBucket"], "nothing else happened");
    for host in ["127.0.0.1:4566", "emulator", "host.docker.internal:4566", "s3.us-east-1.amazonaws.com"] {
        let stored = send(&emulator, "PUT /sources/web.zip", host, ORDINARY, "a").await;
        assert!(stored.starts_with("HTTP/1.1 200"), "{host}: {stored}");
    }
    let found = send(&emulator, "GET /web.zip", "sources.s3.localhost:4566", ORDINARY, "").await;
    assert!(found.starts_with("HTTP/1.1 200"), "{found}");
}

#[tokio::test]
async fn form_of_another_hosts_page_replaces_no_source() {
    let emulator = emulator().await;
    let policy = "eyJleHBpcmF0aW9uIjogIjI5OTktMDEtMDFUMDA6MDA6MDBaIiwgImNvbmRpdGlvbnMiOiBbWyJzdGFydHMtd2l0aCIsICIka2V5IiwgIiJdXX0=";
    let field =
        |name: &str, value: &str| format!("--x\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n");
    let fields = [("key", "a"), ("AWSAccessKeyId", "me"), ("policy", policy), ("signature", "0"), ("file", "text")];
    let form = fields.map(|(name, value)| field(name, value)).concat() + "--x--\r\n";
    let kind = "Content-Type: multipart/form-data; boundary=x\r\n";
    for (origin, status) in [("http://evil.example", "403"), ("http://localhost:3000", "204")] {
        let headers = format!("{kind}Origin: {origin}\r\n");
        let reply = send(&emulator, "POST /sources", "127.0.0.1", &headers, &form).await;
        assert!(reply.starts_with(&format!("HTTP/1.1 {status}")), "{origin}: {reply}");
    }
}
