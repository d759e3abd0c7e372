//! A server of the AWS JSON 1.1 protocol, for services and operations that the emulator does not have. The real SDK
//! clients talk to it, and the test decides what it returns.

use std::sync::{Arc, Mutex};

use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};

/// An operation's output, or the name of the error that it returns.
pub(crate) type Answer = Result<Value, &'static str>;

/// Instead of an error's name: the request stays unanswered.
pub(crate) const NO_ANSWER: &str = "";

/// Answers requests until it is dropped.
pub(crate) struct AwsJson {
    endpoint: String,
    log: Arc<Mutex<Vec<(String, Value)>>>,
    accepting: tokio::task::JoinHandle<()>,
}

impl AwsJson {
    /// `answer` gets the name of the operation, without that of the service, and its input.
    pub(crate) async fn start(answer: impl Fn(&str, &Value) -> Answer + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let endpoint = format!("http://{}", listener.local_addr().unwrap());
        let log: Arc<Mutex<Vec<(String, Value)>>> = Arc::default();
        let (answer, noting) = (Arc::new(answer), Arc::clone(&log));
        let accepting = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (answer, noting) = (Arc::clone(&answer), Arc::clone(&noting));
                tokio::spawn(async move {
                    let mut stream = BufReader::new(stream);
                    while let Some((operation, input)) = request(&mut stream).await {
                        noting.lock().unwrap().push((operation.clone(), input.clone()));
                        let answer = answer(&operation, &input);
                        if answer == Err(NO_ANSWER) {
                            return std::future::pending().await;
                        }
                        respond(&mut stream, answer).await;
                    }
                });
            }
        });
        Self { endpoint, log, accepting }
    }

    pub(crate) fn endpoint(&self) -> &str {
        &self.endpoint
    }

    /// The operations, in the order of the requests.
    pub(crate) fn operations(&self) -> Vec<String> {
        self.log.lock().unwrap().iter().map(|(operation, _)| operation.clone()).collect()
    }

    /// The inputs of one operation, in the order of the requests.
    pub(crate) fn inputs(&self, operation: &str) -> Vec<Value> {
        let log = self.log.lock().unwrap();
        log.iter().filter(|(name, _)| name == operation).map(|(_, input)| input.clone()).collect()
    }
}

impl Drop for AwsJson {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

/// The next request of a connection, or `None` after the client has closed it.
async fn request(stream: &mut BufReader<TcpStream>) -> Option<(String, Value)> {
    let (mut operation, mut length) = (String::new(), 0);
    loop {
        let mut line = String::new();
        if stream.read_line(&mut line).await.unwrap_or(0) == 0 {
            return None;
        }
        let Some((name, value)) = line.trim_end().split_once(": ") else {
            if line.trim_end().is_empty() {
                break;
            }
            continue;
        };
        match name.to_ascii_lowercase().as_str() {
            "x-amz-target" => operation = value.rsplit('.').next().unwrap().to_owned(),
            "content-length" => length = value.parse().unwrap(),
            _ => {}
        }
    }
    let mut body = vec![0; length];
    stream.read_exact(&mut body).await.ok()?;
    Some((operation, serde_json::from_slice(&body).unwrap()))
}

async fn respond(stream: &mut BufReader<TcpStream>, answer: Answer) {
    let (status, body) = match answer {
        Ok(output) => ("200 OK", output.to_string()),
        Err(error) => ("400 Bad Request", json!({"__type": error, "message": "no"}).to_string()),
    };
    let head = format!(
        "HTTP/1.1 {status}\r\ncontent-type: application/x-amz-json-1.1\r\ncontent-length: {}\r\n\r\n",
        body.len()
    );
    // The client may have closed the connection.
    let _ = stream.write_all((head + &body).as_bytes()).await;
}
