//! Actions against a fake Step Functions, over a real connection.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::sync::{Arc, Mutex};

use http::{Request, Response};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;

use super::super::archive::{Stop, pack_folder};
use super::super::testing::{Place, object, task};
use super::*;
use crate::clock::ManualClock;
use crate::listener::{Bound, FREE_PORT, Listener};
use crate::types::Timestamp;

const MACHINE: &str = "arn:aws:states:us-east-1:123456789012:stateMachine:Hello";
const EXECUTION: &str = "arn:aws:states:us-east-1:123456789012:execution:Hello:e1";

/// A Step Functions that gives prepared answers, and remembers what it was asked.
struct Fake {
    listener: Listener,
    asked: Arc<Mutex<Vec<(String, String, Value)>>>,
}

impl Fake {
    async fn with(answers: Vec<(u16, Value)>) -> Self {
        let asked = Arc::new(Mutex::new(Vec::new()));
        let answers = Arc::new(Mutex::new(VecDeque::from(answers)));
        let noting = Arc::clone(&asked);
        let listener = Bound::to(FREE_PORT).await.unwrap().serve(move |request: Request<Incoming>| {
            let (noting, answers) = (Arc::clone(&noting), Arc::clone(&answers));
            async move {
                let header = |name: &str| request.headers()[name].to_str().unwrap().to_owned();
                let (target, signature) = (header("x-amz-target"), header("authorization"));
                assert_eq!(header("content-type"), "application/x-amz-json-1.0");
                assert_eq!(request.uri().path(), "/base/");
                let body = request.into_body().collect().await.unwrap().to_bytes();
                noting.lock().unwrap().push((target, signature, serde_json::from_slice(&body).unwrap()));
                let answer = answers.lock().unwrap().pop_front();
                let (status, body) = answer.unwrap_or((400, json!({"__type": "NoAnswerLeft"})));
                let body = Full::new(bytes::Bytes::from(body.to_string()));
                Ok::<_, Infallible>(Response::builder().status(status).body(body).unwrap())
            }
        });
        Self { listener, asked }
    }

    fn provider(&self, clock: Clock) -> StepFunctions {
        let endpoint = format!("stepfunctions=http://{}/base", self.listener.address());
        StepFunctions::new([endpoint.parse().unwrap()].into_iter().collect(), clock)
    }

    fn asked(&self) -> Vec<(String, Value)> {
        self.asked.lock().unwrap().iter().map(|(target, _, body)| (target.clone(), body.clone())).collect()
    }
}

fn invoke(configuration: &[(&str, &str)]) -> Task {
    let pairs = [("StateMachineArn", MACHINE)].iter().chain(configuration);
    let configuration = pairs.map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
    Task { configuration, action_execution_id: "run-1".to_owned(), ..task() }
}

fn started() -> (u16, Value) {
    (200, json!({"executionArn": EXECUTION, "startDate": 1.0}))
}

fn described(status: &str) -> (u16, Value) {
    (200, json!({"executionArn": EXECUTION, "status": status, "output": "{\"a\": 1}"}))
}

/// Runs an action. The clock moves while the action waits for it.
async fn run(fake: &Fake, task: Task, place: &Place) -> Result<Done, Failed> {
    let manual = ManualClock::new(Timestamp(1_800_000_000_000));
    let provider = fake.provider(manual.clock());
    let running = provider.run(task, &place.work);
    let moving = async {
        loop {
            if manual.waiters() > 0 {
                manual.advance(PAUSE);
            }
            tokio::task::yield_now().await;
        }
    };
    tokio::select! {
        done = running => done,
        () = moving => unreachable!("the clock moves for ever"),
    }
}

#[tokio::test]
async fn execution_runs_to_its_end_and_leaves_its_output() {
    let fake = Fake::with(vec![started(), described("RUNNING"), described("RUNNING"), described("SUCCEEDED")]).await;
    let place = Place::new();
    let task =
        Task { outputs: vec![object("Out")], ..invoke(&[("ExecutionNamePrefix", "web"), ("Input", "{\"b\": 2}")]) };
    let done = run(&fake, task, &place).await.unwrap_or_else(|failed| panic!("{}", failed.message));
    assert_eq!(done.variables["ExecutionArn"], EXECUTION);
    assert_eq!(done.variables["StateMachineArn"], MACHINE);
    assert_eq!(done.external_id.as_deref(), Some(EXECUTION));
    let output = place.work.read(&object("Out").place).await.unwrap();
    assert_eq!(std::fs::read_to_string(output).unwrap(), "{\"a\": 1}");
    let asked = fake.asked();
    assert_eq!(asked.len(), 4);
    assert_eq!(asked[0].0, "AWSStepFunctions.StartExecution");
    assert_eq!(asked[0].1, json!({"stateMachineArn": MACHINE, "name": "web-run-1", "input": "{\"b\": 2}"}));
    assert_eq!(asked[3], ("AWSStepFunctions.DescribeExecution".to_owned(), json!({"executionArn": EXECUTION})));
    let signature = fake.asked.lock().unwrap()[0].1.clone();
    assert!(signature.contains("/20270115/us-east-1/states/aws4_request"), "{signature}");
}

#[tokio::test]
async fn execution_without_input_gets_an_empty_object() {
    let fake = Fake::with(vec![started(), described("SUCCEEDED")]).await;
    run(&fake, invoke(&[]), &Place::new()).await.unwrap_or_else(|failed| panic!("{}", failed.message));
    assert_eq!(fake.asked()[0].1, json!({"stateMachineArn": MACHINE, "name": "run-1", "input": "{}"}));
}

#[tokio::test]
async fn input_may_be_a_file_of_the_artifact() {
    let place = Place::new();
    let (folder, zip) = (place.work.folder().join("files"), place.work.folder().join("zip"));
    std::fs::create_dir_all(folder.join("assets")).unwrap();
    std::fs::write(folder.join("assets/input.json"), "{\"c\": 3}").unwrap();
    std::os::unix::fs::symlink("/etc/passwd", folder.join("outside")).unwrap();
    pack_folder(&folder, &zip, &Stop::default()).unwrap();
    place.work.store(&zip, &object("In").place, "application/zip").await.unwrap();
    let task =
        |path: &str| Task { inputs: vec![object("In")], ..invoke(&[("InputType", "FilePath"), ("Input", path)]) };

    let fake = Fake::with(vec![started(), described("SUCCEEDED")]).await;
    run(&fake, task("assets/input.json"), &place).await.unwrap_or_else(|failed| panic!("{}", failed.message));
    assert_eq!(fake.asked()[0].1["input"], "{\"c\": 3}");

    for path in ["outside", "../zip", "assets", "none"] {
        std::fs::remove_dir_all(place.work.folder().join("input")).unwrap();
        let failed = run(&fake, task(path), &place).await.err().unwrap();
        assert!(failed.message.contains("the artifact In: "), "{path}: {}", failed.message);
    }
    assert_eq!(fake.asked().len(), 2);
}

#[tokio::test]
async fn express_executions_are_not_awaited() {
    let arn = "arn:aws:states:us-east-1:123456789012:express:Hello:e1:u1";
    let answers = || vec![(200, json!({"executionArn": arn}))];
    let fake = Fake::with(answers()).await;
    let done = run(&fake, invoke(&[]), &Place::new()).await.unwrap_or_else(|failed| panic!("{}", failed.message));
    assert_eq!(done.variables.keys().collect::<Vec<_>>(), ["StateMachineArn"]);
    assert_eq!(fake.asked().len(), 1);
    let fake = Fake::with(answers()).await;
    let task = Task { outputs: vec![object("Out")], ..invoke(&[]) };
    let failed = run(&fake, task, &Place::new()).await.err().unwrap();
    assert!(failed.code == "ConfigurationError" && failed.message.contains("express"), "{}", failed.message);
}

#[tokio::test]
async fn failures_say_what_the_service_says() {
    let aborted = json!({"status": "FAILED", "error": "States.Timeout", "cause": "too slow"});
    for (answers, named) in [
        (vec![started(), (200, aborted)], "ended with FAILED: States.Timeout: too slow"),
        (vec![started(), described("ABORTED")], "ended with ABORTED"),
        (vec![started(), described("UNHEARD_OF")], "no status"),
        (
            vec![(400, json!({"__type": "com.amazonaws#StateMachineDoesNotExist", "message": "no Hello"}))],
            "StateMachineDoesNotExist: no Hello; create it at the endpoint: aws stepfunctions create-state-machine",
        ),
        (vec![(503, json!({}))], "--endpoint stepfunctions=URL"),
    ] {
        let fake = Fake::with(answers).await;
        let failed = run(&fake, invoke(&[]), &Place::new()).await.err().unwrap();
        assert!(failed.code == "JobFailed" && failed.message.contains(named), "{}", failed.message);
    }
}

#[tokio::test]
async fn unanswered_looks_are_repeated() {
    let mut answers = vec![started()];
    answers.extend(vec![(500, json!({})); 5]);
    answers.push(described("SUCCEEDED"));
    let fake = Fake::with(answers).await;
    assert!(run(&fake, invoke(&[]), &Place::new()).await.is_ok());
    let mut answers = vec![started()];
    answers.extend(vec![(500, json!({})); 6]);
    let fake = Fake::with(answers).await;
    let failed = run(&fake, invoke(&[]), &Place::new()).await.err().unwrap();
    assert!(failed.message.contains("DescribeExecution returned the status 500"), "{}", failed.message);
}

#[tokio::test]
async fn missing_endpoint_names_the_flag() {
    let provider = StepFunctions::new(Endpoints::default(), Clock::machine());
    let failed = provider.run(invoke(&[]), &Place::new().work).await.err().unwrap();
    assert_eq!(failed.code, "ConfigurationError");
    assert!(failed.message.contains("--endpoint stepfunctions=http://"), "{}", failed.message);
}

#[tokio::test]
async fn mistakes_in_the_configuration_name_their_key() {
    let fake = Fake::with(Vec::new()).await;
    let without_machine = Task { configuration: [("Input".to_owned(), "{}".to_owned())].into(), ..task() };
    for (task, named) in [
        (without_machine, "StateMachineArn"),
        (invoke(&[("InputType", "MARKER")]), "Literal or FilePath"),
        (invoke(&[("InputType", "FilePath")]), "add Input"),
        (invoke(&[("InputType", "FilePath"), ("Input", "a")]), "input artifact"),
    ] {
        let failed = run(&fake, task, &Place::new()).await.err().unwrap();
        assert_eq!(failed.code, "ConfigurationError");
        assert!(failed.message.contains(named) && !failed.message.contains("MARKER"), "{}", failed.message);
    }
    assert!(fake.asked().is_empty());
}
