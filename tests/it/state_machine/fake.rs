//! A fake of Step Functions on its own port. It has the operations that the action uses, as the API reference describes
//! them.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex};

use aws_config::{Region, SdkConfig};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

use crate::support::sdk_config;

pub(crate) const MACHINE: &str = "arn:aws:states:eu-central-1:111122223333:stateMachine:Deploy";
const EXECUTION: &str = "arn:aws:states:eu-central-1:111122223333:execution:Deploy:";

/// A fault that hits requests.
#[derive(Clone, Debug)]
pub(crate) enum Fault {
    /// The response is this error: HTTP status and name.
    Error(u16, &'static str),
    /// The response denies access, with this message.
    Denied(&'static str),
    /// The request takes effect, and its response is lost.
    LoseAnswer,
}

/// An execution, as `DescribeExecution` describes it.
#[derive(Clone)]
pub(crate) struct Execution {
    pub(crate) status: String,
    pub(crate) input: String,
    pub(crate) output: Option<String>,
    pub(crate) error: Option<String>,
    pub(crate) cause: Option<String>,
}

#[derive(Default)]
struct State {
    executions: HashMap<String, Execution>,
    faults: VecDeque<(String, Fault)>,
    always: Option<(String, Fault)>,
    calls: Vec<(String, Value)>,
    express: bool,
}

/// Step Functions of one account, with one state machine: [`MACHINE`].
pub(crate) struct Fake {
    state: Arc<Mutex<State>>,
    pub(crate) config: SdkConfig,
    accepting: JoinHandle<()>,
}

impl Fake {
    pub(crate) async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        // Not the state machine's region: the action takes the region from the ARN.
        let config = sdk_config(&format!("http://{}", listener.local_addr().unwrap()));
        let config = config.to_builder().region(Region::new("us-east-1")).build();
        let state = Arc::new(Mutex::new(State::default()));
        let shared = Arc::clone(&state);
        let accepting = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(serve(stream, Arc::clone(&shared)));
            }
        });
        Self { state, config, accepting }
    }

    /// Makes the state machine an express one.
    pub(crate) fn make_express(&self) {
        self.state.lock().unwrap().express = true;
    }

    /// Adds a fault for the next request of `operation`.
    pub(crate) fn fail_once(&self, operation: &str, fault: Fault) {
        self.state.lock().unwrap().faults.push_back((operation.to_owned(), fault));
    }

    /// Sets a fault for all requests of `operation`, until [`Self::recover`].
    pub(crate) fn fail_always(&self, operation: &str, fault: Fault) {
        self.state.lock().unwrap().always = Some((operation.to_owned(), fault));
    }

    pub(crate) fn recover(&self) {
        self.state.lock().unwrap().always = None;
    }

    pub(crate) fn execution(&self, name: &str) -> Option<Execution> {
        self.state.lock().unwrap().executions.get(&arn(name)).cloned()
    }

    pub(crate) fn executions(&self) -> usize {
        self.state.lock().unwrap().executions.len()
    }

    /// Changes an execution.
    pub(crate) fn change(&self, name: &str, change: impl FnOnce(&mut Execution)) {
        change(self.state.lock().unwrap().executions.get_mut(&arn(name)).unwrap());
    }

    pub(crate) fn succeed(&self, name: &str, output: &Value) {
        self.change(name, |execution| {
            execution.status = "SUCCEEDED".to_owned();
            execution.output = Some(output.to_string());
        });
    }

    /// The bodies of all requests of an operation.
    pub(crate) fn calls(&self, operation: &str) -> Vec<Value> {
        let state = self.state.lock().unwrap();
        state.calls.iter().filter(|(name, _)| name == operation).map(|(_, body)| body.clone()).collect()
    }
}

impl Drop for Fake {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

pub(crate) fn arn(name: &str) -> String {
    format!("{EXECUTION}{name}")
}

async fn serve(mut stream: TcpStream, state: Arc<Mutex<State>>) {
    let Some((head, body)) = request(&mut stream).await else { return };
    let header = |name: &str| head.lines().find_map(|line| line.to_lowercase().strip_prefix(name).map(str::to_owned));
    assert_eq!(header("content-type: ").as_deref(), Some("application/x-amz-json-1.0"));
    assert!(header("authorization: ").unwrap().contains("/eu-central-1/states/aws4_request"), "{head}");
    let target = head.lines().find_map(|line| line.split_once("AWSStepFunctions.")).unwrap().1.to_owned();
    let body: Value = serde_json::from_slice(&body).unwrap();
    let (fault, reply) = {
        let mut state = state.lock().unwrap();
        state.calls.push((target.clone(), body.clone()));
        let fault = match state.faults.front() {
            Some((operation, _)) if *operation == target => state.faults.pop_front(),
            _ => state.always.clone().filter(|(operation, _)| *operation == target),
        };
        match fault {
            Some((_, Fault::Error(status, name))) => (None, (status, json!({"__type": name, "message": "on purpose"}))),
            Some((_, Fault::Denied(message))) => {
                (None, (400, json!({"__type": "AccessDeniedException", "message": message})))
            }
            other => (other, state.respond(&target, &body)),
        }
    };
    if fault.is_some() {
        return;
    }
    let (status, reply) = reply;
    let reply = reply.to_string();
    let head = format!(
        "HTTP/1.1 {status} X\r\nContent-Type: application/x-amz-json-1.0\r\nContent-Length: {}\r\nConnection: close\r\n\r\n",
        reply.len()
    );
    // A client that timed out no longer reads.
    let _ = stream.write_all((head + &reply).as_bytes()).await;
}

async fn request(stream: &mut TcpStream) -> Option<(String, Vec<u8>)> {
    let mut bytes = Vec::new();
    loop {
        if stream.read_buf(&mut bytes).await.ok()? == 0 {
            return None;
        }
        let Some(end) = bytes.windows(4).position(|four| four == b"\r\n\r\n") else { continue };
        let head = String::from_utf8(bytes[..end].to_vec()).unwrap();
        let length = head.lines().find_map(|line| line.to_lowercase().strip_prefix("content-length: ")?.parse().ok());
        let mut body = bytes.split_off(end + 4);
        while body.len() < length.unwrap_or(0) {
            if stream.read_buf(&mut body).await.ok()? == 0 {
                return None;
            }
        }
        return Some((head, body));
    }
}

impl State {
    fn respond(&mut self, operation: &str, body: &Value) -> (u16, Value) {
        let text = |name: &str| body[name].as_str().unwrap().to_owned();
        let missing = (400, json!({"__type": "ExecutionDoesNotExist", "message": "Execution Does Not Exist"}));
        match operation {
            "StartExecution" => self.start(&text("stateMachineArn"), &text("name"), text("input")),
            "DescribeExecution" => {
                let arn = text("executionArn");
                let Some(execution) = self.executions.get(&arn) else { return missing };
                let Execution { status, input, output, error, cause } = execution.clone();
                let described = json!({
                    "executionArn": arn, "stateMachineArn": MACHINE, "status": status, "startDate": 1.5,
                    "input": input, "output": output, "error": error, "cause": cause
                });
                (200, described)
            }
            "StopExecution" => {
                let Some(execution) = self.executions.get_mut(&text("executionArn")) else { return missing };
                if execution.status == "RUNNING" {
                    execution.status = "ABORTED".to_owned();
                    execution.error = Some(text("error"));
                    execution.cause = Some(text("cause"));
                }
                (200, json!({"stopDate": 2.5}))
            }
            other => panic!("the action never calls {other}"),
        }
    }

    /// "If you call StartExecution with the same name and input as a running execution, the call succeeds and returns the
    /// same response as the original request. If the execution is closed or if the input is different, it returns a 400
    /// ExecutionAlreadyExists error."
    fn start(&mut self, machine: &str, name: &str, input: String) -> (u16, Value) {
        let unqualified = machine.split(':').take(7).collect::<Vec<_>>().join(":");
        if unqualified != MACHINE {
            return (400, json!({"__type": "StateMachineDoesNotExist", "message": "State Machine Does Not Exist"}));
        }
        if self.express {
            let arn = format!("arn:aws:states:eu-central-1:111122223333:express:Deploy:{name}:4f5c");
            return (200, json!({"executionArn": arn, "startDate": 1.5}));
        }
        let arn = arn(name);
        if let Some(found) = self.executions.get(&arn)
            && (found.status != "RUNNING" || found.input != input)
        {
            return (400, json!({"__type": "ExecutionAlreadyExists", "message": "Execution Already Exists"}));
        }
        let started = Execution { status: "RUNNING".to_owned(), input, output: None, error: None, cause: None };
        self.executions.entry(arn.clone()).or_insert(started);
        (200, json!({"executionArn": arn, "startDate": 1.5}))
    }
}
