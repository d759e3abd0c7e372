//! The addresses that the program prints, and where it listens.

use std::io::{BufRead, BufReader};
use std::net::{Ipv4Addr, Ipv6Addr};
use std::process::{Child, Command, Stdio};

use codepipeline_local::{Emulator, Options};
use serde_json::json;

use crate::browser::Browser;
use crate::pipelines::{approval, execution_view};

const PROGRAM: &str = env!("CARGO_BIN_EXE_codepipeline-local");

/// `serve` with these flags, which ends with this value.
struct Serve {
    child: Child,
    lines: Vec<String>,
}

impl Serve {
    fn start(flags: &[&str]) -> Self {
        let mut command = Command::new(PROGRAM);
        command.args(["serve", "--port", "0"]).args(flags).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines().take(2).map(Result::unwrap).collect();
        Self { child, lines }
    }

    fn page(&self) -> Browser {
        Browser::at(self.lines[1].strip_prefix("page: ").unwrap())
    }

    /// Stops it, and returns its log.
    fn stop(mut self) -> String {
        assert!(Command::new("kill").arg(self.child.id().to_string()).status().unwrap().success());
        let log = std::io::read_to_string(self.child.stderr.take().unwrap()).unwrap();
        assert!(self.child.wait().unwrap().success());
        log
    }
}

#[tokio::test]
async fn serve_prints_the_pages_address() {
    let serve = Serve::start(&[]);
    let browser = serve.page();
    assert_eq!(serve.lines[0], format!("listening on http://{}", browser.host));
    assert_eq!(browser.view("view=pipelines").await[":emulator"]["can_act"], true);
    let log = serve.stop();
    assert!(!log.contains("loopback") && !log.contains(&browser.token), "{log}");
}

#[tokio::test]
async fn data_folder_keeps_the_token() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let tokens: Vec<String> = (0..2)
        .map(|_| {
            let serve = Serve::start(&["--data", data.to_str().unwrap()]);
            let token = serve.page().token;
            serve.stop();
            token
        })
        .collect();
    assert_eq!(tokens[0], tokens[1]);
}

#[tokio::test]
async fn other_host_is_warned_of_once() {
    let serve = Serve::start(&["--host", "0.0.0.0"]);
    let browser = serve.page();
    assert!(browser.host.starts_with("127.0.0.1:"), "{}", browser.host);
    assert_eq!(browser.get("/_/").await.status, 200);
    let log = serve.stop();
    assert_eq!(log.matches("loopback").count(), 1, "{log}");
}

#[tokio::test]
async fn page_of_a_run_approves_and_sees_its_end() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir(folder.path().join("app")).unwrap();
    let source = json!({
        "name": "App", "outputArtifacts": [{"name": "App"}],
        "actionTypeId": {"category": "Source", "owner": "AWS", "provider": "CodeCommit", "version": "1"},
        "configuration": {"RepositoryName": "app", "BranchName": "main"},
    });
    let stages = json!([{"name": "Source", "actions": [source]}, {"name": "Build", "actions": [approval()]}]);
    let pipeline = json!({
        "name": "pipe", "roleArn": "arn:aws:iam::123456789012:role/pipe", "stages": stages,
        "artifactStore": {"type": "S3", "location": "artifacts"},
    });
    std::fs::write(folder.path().join("pipeline.json"), json!({"pipeline": pipeline}).to_string()).unwrap();
    let mut command = Command::new(PROGRAM);
    command.args(["run", "pipeline.json", "--source", "App=app"]).current_dir(folder.path());
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null());
    let mut child = command.spawn().unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines().map(Result::unwrap);
    let page = lines.find_map(|line| line.strip_prefix("page: ").map(str::to_owned)).unwrap();
    let browser = Browser::at(&page);
    assert_eq!(browser.get("/_/api/view?view=pipelines").await.status, 403);

    let execution = browser.view("view=pipelines").await["pipe"]["latest"]["id"].as_str().unwrap().to_owned();
    let query = execution_view(&execution);
    let items = browser.view_until(&query, |items| items["action:Build/Ask"]["token"].is_string()).await;
    let mut events = browser.live(&query).await;
    events.items().await;
    let other = browser.call("StartPipelineExecution", &json!({"name": "pipe"})).await.json();
    let noted = format!("execution {} has started, too", other["pipelineExecutionId"].as_str().unwrap());
    assert!(lines.any(|line| line.contains(&noted)));
    let answer = json!({
        "pipelineName": "pipe", "stageName": "Build", "actionName": "Ask", "token": items["action:Build/Ask"]["token"],
        "result": {"status": "Approved", "summary": "fine"},
    });
    assert_eq!(browser.call("PutApprovalResult", &answer).await.status, 200);
    let mut status = String::new();
    while let Some((_, data)) = events.next().await {
        if let Some(now) = data["set"][":execution"]["status"].as_str() {
            now.clone_into(&mut status);
        }
    }
    assert_eq!(status, "Succeeded", "the stream ends after the last change");
    let rest: Vec<String> = lines.collect();
    assert!(child.wait().unwrap().success(), "{rest:?}");
}

#[tokio::test]
async fn emulator_listens_on_any_address() {
    for (host, shown) in [
        (Ipv6Addr::LOCALHOST.into(), "http://[::1]:"),
        (Ipv6Addr::UNSPECIFIED.into(), "http://[::1]:"),
        (Ipv4Addr::UNSPECIFIED.into(), "http://127.0.0.1:"),
    ] {
        if std::net::TcpListener::bind((host, 0)).is_err() {
            // This machine has no IPv6.
            continue;
        }
        let emulator = Emulator::start(Options { host, ..Options::default() }).await.unwrap();
        assert!(emulator.endpoint().starts_with(shown), "{}", emulator.endpoint());
        let browser = Browser::of(&emulator);
        assert_eq!(browser.view("view=pipelines").await[":emulator"]["can_act"], true, "{host}");
    }
    // This address is for documentation (RFC 5737), so no machine has it.
    let host = Ipv4Addr::new(192, 0, 2, 1).into();
    let error = Emulator::start(Options { host, ..Options::default() }).await.err().unwrap().to_string();
    assert!(error.contains("192.0.2.1:0") && error.contains("address of this machine"), "{error}");
}

#[test]
fn wrong_host_is_named() {
    let output = Command::new(PROGRAM).args(["serve", "--host", "localhost"]).output().unwrap();
    let error = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(!output.status.success() && error.contains("--host") && error.contains("127.0.0.1"), "{error}");
}
