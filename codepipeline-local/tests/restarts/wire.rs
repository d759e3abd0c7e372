//! Requests over connections that may end at any moment.

use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// The server's answer: a result, or an error's name and message. `None` if the connection ended before the whole answer arrived.
pub(crate) async fn call(address: &str, operation: &str, input: &Value) -> Option<Result<Value, String>> {
    let body = input.to_string();
    let request = format!(
        "POST / HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\nX-Amz-Target: CodePipeline_20150709.{operation}\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    );
    let mut stream = TcpStream::connect(address).await.ok()?;
    stream.write_all(request.as_bytes()).await.ok()?;
    let mut reply = Vec::new();
    stream.read_to_end(&mut reply).await.ok()?;
    let reply = String::from_utf8(reply).expect("answers are text");
    let (head, body) = reply.split_once("\r\n\r\n")?;
    let length = head.lines().find_map(|line| line.to_ascii_lowercase().strip_prefix("content-length: ")?.parse().ok());
    if length.is_some_and(|length: usize| length != body.len()) {
        return None;
    }
    let body = if body.is_empty() { Value::Null } else { serde_json::from_str(body).expect("answers are JSON") };
    if head.starts_with("HTTP/1.1 200") {
        Some(Ok(body))
    } else {
        Some(Err(format!("{} {}", body["__type"], body["message"])))
    }
}

/// The SDK's client without retries.
pub(crate) fn s3(address: &str) -> aws_sdk_s3::Client {
    use aws_sdk_s3::config::{BehaviorVersion, Credentials, Region, retry::RetryConfig};
    let config = aws_sdk_s3::Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new("us-east-1"))
        .endpoint_url(format!("http://{address}"))
        .force_path_style(true)
        .retry_config(RetryConfig::disabled())
        .credentials_provider(Credentials::new("x", "y", None, None, "test"));
    aws_sdk_s3::Client::from_conf(config.build())
}

/// The answer, or `None` if the request is unanswered.
pub(crate) fn answered<T, E: std::fmt::Debug>(result: Result<T, aws_sdk_s3::error::SdkError<E>>) -> Option<T> {
    match result {
        Ok(answer) => Some(answer),
        Err(error) if error.raw_response().is_some() => panic!("S3 refused it: {error:?}"),
        Err(_) => None,
    }
}
