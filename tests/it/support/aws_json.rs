//! A server of the AWS JSON 1.1 protocol, for services and operations that the emulator does not have. The real SDK
//! clients talk to it, and the test decides what it returns.

use std::sync::{Arc, Mutex};

use serde_json::{Value, json};

use super::server::{Response, Server};

/// An operation's output, or the name of the error that it returns.
pub(crate) type Answer = Result<Value, &'static str>;

/// Instead of an error's name: the request stays unanswered.
pub(crate) const NO_ANSWER: &str = "";

/// Answers requests until it is dropped.
pub(crate) struct AwsJson {
    server: Server,
    log: Arc<Mutex<Vec<(String, Value)>>>,
}

impl AwsJson {
    /// `answer` gets the name of the operation, without that of the service, and its input.
    pub(crate) async fn start(answer: impl Fn(&str, &Value) -> Answer + Send + Sync + 'static) -> Self {
        let log: Arc<Mutex<Vec<(String, Value)>>> = Arc::default();
        let noting = Arc::clone(&log);
        let server = Server::start(move |request| {
            let operation = request.target.rsplit('.').next().unwrap().to_owned();
            let input: Value = serde_json::from_slice(&request.body).unwrap();
            noting.lock().unwrap().push((operation.clone(), input.clone()));
            let (status, body) = match answer(&operation, &input) {
                Ok(output) => (200, output.to_string()),
                Err(NO_ANSWER) => return None,
                Err(error) => (400, json!({"__type": error, "message": "no"}).to_string()),
            };
            Some(Response { status, content_type: "application/x-amz-json-1.1", body })
        });
        Self { server: server.await, log }
    }

    pub(crate) fn endpoint(&self) -> &str {
        self.server.endpoint()
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
