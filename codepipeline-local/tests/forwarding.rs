//! Requests for services that the emulator lacks. They are forwarded if an endpoint is given, and refused otherwise.
#![allow(clippy::unwrap_used, reason = "a test whose set-up fails has failed")]

use codepipeline_local::api::read_connections;
use codepipeline_local::{Emulator, Options};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

const START: &str = "AWSStepFunctions.StartExecution";
const SIGNED: &str =
    "AWS4-HMAC-SHA256 Credential=key/20260131/us-east-1/states/aws4_request, SignedHeaders=host, Signature=abc";

async fn emulator(endpoints: &[String]) -> Emulator {
    let endpoints = endpoints.iter().map(|endpoint| endpoint.parse().unwrap()).collect();
    Emulator::start(Options { endpoints, ..Options::default() }).await.unwrap()
}

/// A service that the test plays.
async fn service() -> (TcpListener, String) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    (listener, url)
}

/// Opens a connection and sends a request's head. The test sends the body of `length` bytes.
async fn ask(emulator: &Emulator, path: &str, headers: &[(&str, &str)], length: usize) -> TcpStream {
    let mut stream = TcpStream::connect(emulator.endpoint().trim_start_matches("http://")).await.unwrap();
    let headers: String = headers.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
    let head = format!("POST {path} HTTP/1.1\r\nHost: signed.example\r\n{headers}Content-Length: {length}\r\n\r\n");
    stream.write_all(head.as_bytes()).await.unwrap();
    stream
}

/// Reads until this text arrives.
async fn read_to(stream: &mut TcpStream, end: &str) -> String {
    let mut read = String::new();
    while !read.contains(end) {
        let mut bytes = [0; 4096];
        let count = stream.read(&mut bytes).await.unwrap();
        assert!(count > 0, "{read:?} ends before {end:?}");
        read.push_str(std::str::from_utf8(&bytes[..count]).unwrap());
    }
    read
}

/// Makes a call. Returns the status and JSON of the reply.
async fn call(emulator: &Emulator, target: &str, body: &Value) -> (u16, Value) {
    let body = body.to_string();
    let headers = [("X-Amz-Target", target), ("Connection", "close")];
    let mut stream = ask(emulator, "/", &headers, body.len()).await;
    stream.write_all(body.as_bytes()).await.unwrap();
    let mut reply = String::new();
    stream.read_to_string(&mut reply).await.unwrap();
    let (head, body) = reply.split_once("\r\n\r\n").unwrap();
    (head.split(' ').nth(1).unwrap().parse().unwrap(), serde_json::from_str(body).unwrap())
}

#[tokio::test]
async fn request_is_forwarded_as_signed() {
    let (listener, url) = service().await;
    let emulator = emulator(&[format!("stepfunctions={url}/base")]).await;
    let headers =
        [("X-Amz-Target", START), ("Authorization", SIGNED), ("X-Own", "1"), ("Connection", "X-Hop"), ("X-Hop", "2")];
    let mut client = ask(&emulator, "/a%20b?c=%2F", &headers, 2).await;
    client.write_all(b"{}").await.unwrap();

    let (mut service, _) = listener.accept().await.unwrap();
    let request = read_to(&mut service, "{}").await.to_lowercase();
    assert!(request.starts_with("post /base/a%20b?c=%2f http/1.1\r\n"), "{request}");
    for kept in
        ["host: signed.example", &format!("authorization: {SIGNED}").to_lowercase(), "x-own: 1", "content-length: 2"]
    {
        assert!(request.contains(kept), "{kept} is missing in {request}");
    }
    assert!(!request.contains("x-hop"), "{request}");
    let answer = "HTTP/1.1 400 Bad Request\r\nDate: Thu, 01 Jan 1970 00:00:00 GMT\r\nx-amzn-RequestId: theirs\r\nContent-Length: 5\r\n\r\nagain";
    service.write_all(answer.as_bytes()).await.unwrap();

    let reply = read_to(&mut client, "again").await.to_lowercase();
    assert!(reply.starts_with("http/1.1 400"), "{reply}");
    for kept in ["x-amzn-requestid: theirs", "date: thu, 01 jan 1970", "content-length: 5"] {
        assert!(reply.contains(kept), "{kept} is missing in {reply}");
    }
}

#[tokio::test]
async fn bodies_stream_in_both_directions() {
    let (listener, url) = service().await;
    let emulator = emulator(&[format!("kinesis={url}")]).await;
    let scope = SIGNED.replace("states", "kinesis");
    let mut client = ask(&emulator, "/", &[("Authorization", &scope)], 10).await;
    client.write_all(b"first").await.unwrap();
    let (mut service, _) = listener.accept().await.unwrap();
    read_to(&mut service, "first").await;
    client.write_all(b"later").await.unwrap();
    read_to(&mut service, "later").await;
    service.write_all(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nevent\r\n").await.unwrap();
    read_to(&mut client, "event").await;
    service.write_all(b"3\r\nend\r\n0\r\n\r\n").await.unwrap();
    read_to(&mut client, "end").await;
}

#[tokio::test]
async fn service_without_endpoint_is_refused_with_a_hint() {
    let emulator = emulator(&[]).await;
    let (status, error) = call(&emulator, START, &json!({})).await;
    assert_eq!((status, &error["__type"]), (400, &json!("UnknownOperationException")));
    assert!(error["message"].as_str().unwrap().contains("--endpoint stepfunctions=http"), "{error}");
    let mut stream = ask(&emulator, "/", &[("X-Amz-Target", START), ("Authorization", SIGNED)], 0).await;
    let reply = read_to(&mut stream, "service's requests").await;
    assert!(reply.contains("--endpoint stepfunctions=http://"), "{reply}");
    let scope = SIGNED.replace("states", "lambda");
    let mut stream = ask(&emulator, "/2015-03-31/functions", &[("Authorization", &scope)], 0).await;
    let reply = read_to(&mut stream, "service's requests").await;
    assert!(reply.contains("--endpoint lambda=http://") && reply.contains("x-amzn-errortype"), "{reply}");
}

#[tokio::test]
async fn silent_endpoint_is_named() {
    let (listener, url) = service().await;
    drop(listener);
    let emulator = emulator(&[format!("AWSStepFunctions={url}")]).await;
    let (status, error) = call(&emulator, START, &json!({})).await;
    assert_eq!((status, &error["__type"]), (502, &json!("ServiceUnavailableException")));
    assert!(error["message"].as_str().unwrap().contains(&url), "{error}");
}

#[tokio::test]
async fn endpoint_that_leads_back_is_no_loop() {
    let (front, url) = service().await;
    let emulator = emulator(&[format!("AWSStepFunctions={url}")]).await;
    let back = emulator.endpoint().trim_start_matches("http://").to_owned();
    tokio::spawn(async move {
        let (mut from, _) = front.accept().await.unwrap();
        let mut to = TcpStream::connect(back).await.unwrap();
        tokio::io::copy_bidirectional(&mut from, &mut to).await
    });
    let (status, error) = call(&emulator, START, &json!({})).await;
    assert_eq!(status, 508, "{error}");
    assert!(error["message"].as_str().unwrap().contains("this emulator itself"), "{error}");
}

#[tokio::test]
async fn client_tokens_are_secrets_unless_forwarded() {
    let client = "11111111-2222-4333-8444-555555555555";
    let connections = json!([{
        "clientId": client, "clientToken": "token", "actionType": {"category": "Test", "provider": "Partner", "version": "1"},
    }]);
    let connections = || Some(read_connections(&connections.to_string()).unwrap());
    let emulator = Emulator::start(Options { connections: connections(), ..Options::default() }).await.unwrap();
    let asked = |name: &str| json!({"SecretId": format!("clients/{name}")});
    let target = "secretsmanager.GetSecretValue";
    let (status, secret) = call(&emulator, target, &asked(client)).await;
    assert_eq!((status, &secret["SecretString"]), (200, &json!("token")), "{secret}");
    let (status, error) = call(&emulator, target, &asked("other")).await;
    assert_eq!((status, &error["__type"]), (400, &json!("ResourceNotFoundException")));
    let (_, error) = call(&emulator, "secretsmanager.ListSecrets", &json!({})).await;
    assert!(error["message"].as_str().unwrap().contains("ListSecrets"), "{error}");
    assert_eq!(emulator.calls("GetSecretValue"), 2);
    emulator.faults().add("GetSecretValue:1:deny".parse().unwrap());
    let (status, error) = call(&emulator, target, &asked(client)).await;
    assert_eq!((status, &error["__type"]), (400, &json!("AccessDeniedException")));
    assert!(error["message"].as_str().unwrap().contains("secretsmanager:GetSecretValue"), "{error}");

    let (listener, url) = service().await;
    let endpoints = [format!("secretsmanager={url}").parse().unwrap()].into_iter().collect();
    let options = Options { endpoints, connections: connections(), ..Options::default() };
    let emulator = Emulator::start(options).await.unwrap();
    let answering = async {
        let (mut service, _) = listener.accept().await.unwrap();
        read_to(&mut service, "SecretId").await;
        service.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}").await.unwrap();
        service
    };
    let input = asked(client);
    let ((status, answer), _service) = tokio::join!(call(&emulator, target, &input), answering);
    assert_eq!((status, answer), (200, json!({})));
}
