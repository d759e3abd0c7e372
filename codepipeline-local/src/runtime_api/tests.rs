//! Functions that are shell processes, and the Runtime API as a bootstrap sees it.

use std::collections::BTreeMap;
use std::num::NonZeroU16;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde_json::{Value, json};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

use super::endpoint::{BootstrapReply, Endpoint};
use super::*;
use crate::clock::Clock;
use crate::ids::random_uuid;
use crate::types::Timestamp;

fn shell(script: &str) -> FunctionSettings {
    FunctionSettings {
        name: "worker".into(),
        command: ["sh", "-c", script].map(str::to_owned).to_vec(),
        account_id: "999999999999".into(),
        region: "eu-west-1".into(),
        env: BTreeMap::new(),
        timeout: Duration::from_millis(300),
        memory_mb: 256,
        output: Output::Inherit,
    }
}

/// Sends one request over its own connection, without an HTTP library.
async fn send(address: &str, method: &str, path: &str, body: &str) -> (u16, String, String) {
    send_with(address, &format!("Host: {address}"), method, path, body).await
}

/// Sends a request with these headers, of which the last has no end of line.
async fn send_with(address: &str, headers: &str, method: &str, path: &str, body: &str) -> (u16, String, String) {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    let mut stream = tokio::net::TcpStream::connect(address).await.unwrap();
    let length = body.len();
    let request = format!(
        "{method} /2018-06-01/runtime/{path} HTTP/1.1\r\n{headers}\r\nConnection: close\r\nContent-Length: {length}\r\n\r\n{body}"
    );
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut reply = String::new();
    stream.read_to_string(&mut reply).await.unwrap();
    let (head, body) = reply.split_once("\r\n\r\n").unwrap();
    (head.split(' ').nth(1).unwrap().parse().unwrap(), head.to_lowercase(), body.to_owned())
}

fn header(head: &str, name: &str) -> String {
    let line = head.lines().find_map(|line| line.strip_prefix(&format!("{name}: ")));
    line.unwrap_or_else(|| panic!("{name} is missing in {head}")).to_owned()
}

#[tokio::test]
async fn event_has_id_and_deadline_and_is_answered_once() {
    let endpoint = Endpoint::start("arn:function".into()).await.unwrap();
    let address = endpoint.address().to_string();
    let offer =
        endpoint.offer("00000000-0000-4000-8000-000000000001".into(), Duration::from_secs(60), &json!({"a": 1}));
    let before = Clock::machine().now();
    let (status, head, body) = send(&address, "GET", "invocation/next", "").await;
    assert_eq!((status, body.as_str()), (200, r#"{"a":1}"#));
    offer.taken.await.unwrap();
    let id = header(&head, "lambda-runtime-aws-request-id");
    let deadline: u64 = header(&head, "lambda-runtime-deadline-ms").parse().unwrap();
    assert!((before.0 + 60_000..=Clock::machine().now().0 + 60_000).contains(&deadline));
    assert_eq!(header(&head, "lambda-runtime-invoked-function-arn"), "arn:function");
    assert!(header(&head, "lambda-runtime-trace-id").starts_with("root=1-"));

    let (status, _, _) = send(&address, "POST", "invocation/another/response", "1").await;
    assert_eq!(status, 400);
    let (status, _, _) = send(&address, "POST", &format!("invocation/{id}/response"), r#"{"polled":2}"#).await;
    assert_eq!(status, 202);
    assert!(matches!(offer.reply.await, Ok(BootstrapReply::Response(value)) if value == json!({"polled": 2})));
    let (status, _, _) = send(&address, "POST", &format!("invocation/{id}/response"), "1").await;
    assert_eq!(status, 400, "an invocation takes one reply");
}

#[tokio::test]
async fn web_page_takes_no_event_and_answers_none() {
    let endpoint = Endpoint::start("arn:function".into()).await.unwrap();
    let address = endpoint.address().to_string();
    let mut offer = endpoint.offer(random_uuid(), Duration::from_secs(60), &json!({}));
    for headers in ["Host: evil.example".to_owned(), format!("Host: {address}\r\nOrigin: http://{address}")] {
        for (method, path) in [("GET", "invocation/next"), ("POST", "init/error")] {
            let (status, _, body) = send_with(&address, &headers, method, path, "").await;
            assert_eq!(status, 403, "{headers} {body}");
            assert!(body.contains("no web page"), "{body}");
        }
    }
    assert!(offer.taken.try_recv().is_err() && offer.reply.try_recv().is_err(), "the event still waits");
    assert_eq!(send(&address, "GET", "invocation/next", "").await.0, 200);
    offer.taken.await.unwrap();
}

#[tokio::test]
async fn non_json_reply_is_text_and_empty_one_is_null() {
    let endpoint = Endpoint::start("arn:function".into()).await.unwrap();
    let address = endpoint.address().to_string();
    for (body, value) in [("done, all of it", json!("done, all of it")), ("", Value::Null)] {
        let offer = endpoint.offer(random_uuid(), Duration::from_secs(60), &json!({}));
        let (_, head, _) = send(&address, "GET", "invocation/next", "").await;
        let id = header(&head, "lambda-runtime-aws-request-id");
        assert_eq!(send(&address, "POST", &format!("invocation/{id}/response"), body).await.0, 202);
        assert!(matches!(offer.reply.await, Ok(BootstrapReply::Response(answer)) if answer == value));
    }
}

#[tokio::test]
async fn invocation_and_init_errors_reach_the_invoker() {
    let endpoint = Endpoint::start("arn:function".into()).await.unwrap();
    let address = endpoint.address().to_string();
    let offer = endpoint.offer(random_uuid(), Duration::from_secs(60), &json!({}));
    let (_, head, _) = send(&address, "GET", "invocation/next", "").await;
    let id = header(&head, "lambda-runtime-aws-request-id");
    let report = r#"{"errorType": "Panic", "errorMessage": "it broke"}"#;
    send(&address, "POST", &format!("invocation/{id}/error"), report).await;
    let answer = offer.reply.await;
    assert!(
        matches!(answer, Ok(BootstrapReply::Error { error_type, message }) if error_type == "Panic" && message == "it broke")
    );

    let offer = endpoint.offer(random_uuid(), Duration::from_secs(60), &json!({}));
    send(&address, "POST", "init/error", r#"{"errorType": "Config", "errorMessage": "ACTIONS is missing"}"#).await;
    assert!(
        matches!(offer.reply.await, Ok(BootstrapReply::InitError { message, .. }) if message == "ACTIONS is missing")
    );
}

#[tokio::test]
async fn process_without_reply_is_reported_with_status() {
    let function = Function::new(shell("exit 3")).unwrap();
    let ended = function.invoke(&json!({})).await.unwrap();
    assert_eq!(ended, Invocation::Exited { status: "exit status: 3".into() });
}

#[tokio::test]
async fn missing_command_is_named() {
    let mut settings = shell("");
    settings.command = vec!["no-such-bootstrap".into()];
    let error = Function::new(settings).unwrap().invoke(&json!({})).await.unwrap_err();
    assert!(error.to_string().contains("no-such-bootstrap"), "{error}");
}

#[tokio::test]
async fn environment_is_set_and_output_comes_in_lines() {
    let (sender, mut lines) = mpsc::unbounded_channel();
    let mut settings =
        shell("echo \"$AWS_LAMBDA_FUNCTION_NAME $AWS_LAMBDA_FUNCTION_MEMORY_SIZE $AWS_REGION $OWN\"; env | wc -l");
    settings.env = [("OWN".to_owned(), "own".to_owned())].into();
    settings.output = Output::Lines(sender);
    Function::new(settings).unwrap().invoke(&json!({})).await.unwrap();
    assert_eq!(lines.recv().await.as_deref(), Some("worker 256 eu-west-1 own"));
    // Nothing of the tests' own environment.
    let count: usize = lines.recv().await.unwrap().trim().parse().unwrap();
    assert!(count < 22, "{count} variables");
}

#[tokio::test]
async fn arn_and_schedule_have_account_and_region() {
    let folder = tempfile::tempdir().unwrap();
    let mut settings = shell("cd \"$FOLDER\"; echo $AWS_LAMBDA_RUNTIME_API > new; mv new api; sleep 600");
    settings.env = BTreeMap::from([("FOLDER".into(), folder.path().display().to_string())]);
    settings.timeout = Duration::from_secs(600);
    let function = Function::new(settings).unwrap();
    let schedule = Schedule::start(function.clone(), Duration::from_secs(600), |_| {});
    let api = folder.path().join("api");
    until(|| api.exists()).await;
    let (_, head, body) = send(std::fs::read_to_string(api).unwrap().trim(), "GET", "invocation/next", "").await;
    let arn = header(&head, "lambda-runtime-invoked-function-arn");
    assert_eq!(arn, "arn:aws:lambda:eu-west-1:999999999999:function:worker");
    assert!(body.contains(r#""account":"999999999999""#) && body.contains(r#""region":"eu-west-1""#), "{body}");
    drop(schedule);
    function.stop().await;
}

/// A shell that writes down the address of its Runtime API and the processes that it started, some in another session. It never asks for an
/// event. The test does that in its place, so that no HTTP client has to be installed.
struct Mute {
    folder: tempfile::TempDir,
    function: Function,
}

impl Mute {
    fn new(timeout: Duration) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut settings = shell(
            "cd \"$FOLDER\"; rm -f own; sleep 600 & echo $$ $! > pids
             setsid sh -c 'sleep 600 & echo $! > new; mv new own; wait' & echo $! >> pids
             until [ -e own ]; do sleep 0.01; done; cat own >> pids
             echo $AWS_LAMBDA_RUNTIME_API > new; mv new api; wait",
        );
        settings.env = BTreeMap::from([("FOLDER".into(), folder.path().display().to_string())]);
        settings.timeout = timeout;
        Self { folder, function: Function::new(settings).unwrap() }
    }

    fn invoke(&self) -> JoinHandle<Invocation> {
        let function = self.function.clone();
        tokio::spawn(async move { function.invoke(&json!({})).await.unwrap() })
    }

    fn file(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Waits until the shell runs. Returns the address and the processes.
    async fn started(&self) -> (String, Vec<String>) {
        until(|| self.file("api").exists()).await;
        let read = |name| std::fs::read_to_string(self.file(name)).unwrap();
        (read("api").trim().to_owned(), read("pids").split_whitespace().map(str::to_owned).collect())
    }
}

/// Polls a condition, because the end of another process sends no signal.
async fn until(condition: impl Fn() -> bool) {
    while !condition() {
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
}

fn gone(pid: &str) -> bool {
    // A zombie counts as gone.
    std::fs::read_to_string(Path::new("/proc").join(pid).join("stat")).map_or(true, |stat| stat.contains(") Z "))
}

#[tokio::test]
async fn late_process_is_killed_with_descendants_and_replaced() {
    let mute = Mute::new(Duration::from_millis(200));
    for _ in 0..2 {
        let invoking = mute.invoke();
        let (address, pids) = mute.started().await;
        send(&address, "GET", "invocation/next", "").await;
        assert_eq!(invoking.await.unwrap(), Invocation::TimedOut);
        for pid in pids {
            until(|| gone(&pid)).await;
        }
        std::fs::remove_file(mute.file("api")).unwrap();
    }
}

#[tokio::test]
async fn process_that_replied_gets_the_next_event() {
    let mute = Mute::new(Duration::from_secs(600));
    for number in 0..2 {
        let invoking = mute.invoke();
        let (address, _) = mute.started().await;
        let (_, head, _) = send(&address, "GET", "invocation/next", "").await;
        let id = header(&head, "lambda-runtime-aws-request-id");
        send(&address, "POST", &format!("invocation/{id}/response"), &number.to_string()).await;
        assert_eq!(invoking.await.unwrap(), Invocation::Answered(json!(number)));
    }
    mute.function.stop().await;
}

/// Shells that each write the address of their Runtime API to a file and never ask for an event.
fn many(folder: &Path, concurrency: u16) -> Function {
    let mut settings =
        shell("cd \"$FOLDER\"; echo $AWS_LAMBDA_RUNTIME_API > new.$$; mv new.$$ api.$$; sleep 600 & wait");
    settings.env = BTreeMap::from([("FOLDER".into(), folder.display().to_string())]);
    settings.timeout = Duration::from_secs(600);
    Function::with_concurrency(settings, NonZeroU16::new(concurrency).unwrap()).unwrap()
}

/// The addresses of the shells' Runtime APIs.
fn addresses(folder: &Path) -> Vec<String> {
    let files = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let ready = files.filter(|file| file.file_name().unwrap().to_string_lossy().starts_with("api."));
    ready.map(|file| std::fs::read_to_string(file).unwrap().trim().to_owned()).collect()
}

#[tokio::test]
async fn invocations_share_processes_up_to_the_limit() {
    let folder = tempfile::tempdir().unwrap();
    let function = many(folder.path(), 2);
    let (sender, mut ends) = mpsc::unbounded_channel();
    for number in 0..3 {
        let sender = sender.clone();
        function.invoke_async(json!(number), move |end| sender.send(end.unwrap()).unwrap());
    }
    until(|| addresses(folder.path()).len() == 2).await;
    let apis = addresses(folder.path());
    let mut seen = Vec::new();
    for api in &apis {
        let (_, head, body) = send(api, "GET", "invocation/next", "").await;
        seen.push((api, header(&head, "lambda-runtime-aws-request-id"), body));
    }
    // Both work now. The first to reply gets the third event.
    let (api, id, body) = &seen[0];
    send(api, "POST", &format!("invocation/{id}/response"), body).await;
    let (_, head, third) = send(api, "GET", "invocation/next", "").await;
    assert_eq!(third, "2");
    let id = header(&head, "lambda-runtime-aws-request-id");
    send(api, "POST", &format!("invocation/{id}/response"), "2").await;
    let (api, id, body) = &seen[1];
    send(api, "POST", &format!("invocation/{id}/response"), body).await;
    let mut answers = Vec::new();
    for _ in 0..3 {
        let Some(Invocation::Answered(answer)) = ends.recv().await else { panic!("all are answered") };
        answers.push(answer.as_u64().unwrap());
    }
    answers.sort_unstable();
    assert_eq!(answers, [0, 1, 2]);
    assert_eq!(addresses(folder.path()).len(), 2, "the third invocation started no process");
    function.stop().await;
}

#[tokio::test]
async fn waiting_invocations_never_start_after_a_stop() {
    let folder = tempfile::tempdir().unwrap();
    let function = many(folder.path(), 1);
    let invoke = || {
        let function = function.clone();
        tokio::spawn(async move { function.invoke(&json!({})).await })
    };
    let first = invoke();
    until(|| addresses(folder.path()).len() == 1).await;
    let second = invoke();
    function.clone().stop().await;
    assert!(matches!(first.await.unwrap(), Ok(Invocation::Exited { .. })));
    assert!(second.await.unwrap().unwrap_err().to_string().contains("stopped"));
    assert_eq!(addresses(folder.path()).len(), 1);
}

#[tokio::test]
async fn stop_ends_the_invocation_and_its_process() {
    let mute = Mute::new(Duration::from_secs(600));
    let invoking = mute.invoke();
    let (_, pids) = mute.started().await;
    mute.function.clone().stop().await;
    assert_eq!(invoking.await.unwrap(), Invocation::Exited { status: "signal: 15 (SIGTERM)".into() });
    for pid in pids {
        until(|| gone(&pid)).await;
    }
}

#[tokio::test]
async fn schedule_begins_at_once_and_repeats() {
    let (sender, mut ends) = mpsc::unbounded_channel();
    let function = Function::new(shell("exit 1")).unwrap();
    let schedule = Schedule::start(function, Duration::from_millis(1), move |end| {
        let _ = sender.send(end.unwrap());
    });
    for _ in 0..3 {
        assert_eq!(ends.recv().await, Some(Invocation::Exited { status: "exit status: 1".into() }));
    }
    drop(schedule);
    while ends.recv().await.is_some() {}
    let event = scheduled_event(Timestamp(1_800_000_000_123), "999999999999", "eu-west-1");
    assert_eq!(event["time"], "2027-01-15T08:00:00Z");
    assert_eq!((&event["account"], &event["region"]), (&json!("999999999999"), &json!("eu-west-1")));
    assert_eq!(event["resources"], json!(["arn:aws:events:eu-west-1:999999999999:rule/codepipeline-local"]));
}
