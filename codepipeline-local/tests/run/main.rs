//! Runs pipelines with the command line.
#![allow(clippy::unwrap_used, reason = "a test whose set-up fails has failed")]

mod approvals;
mod buckets;
mod builds;
mod completions;
mod ends;
mod examples;
mod functions;
mod given;
mod hidden;
mod keys;
mod masked;
mod neighbours;
mod outputs;
mod plans;
mod proxies;
mod signals;
mod terminal;
mod unready;

use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};

use serde_json::{Value, json};

const PROGRAM: &str = env!("CARGO_BIN_EXE_codepipeline-local");

/// `run` with these arguments in the folder, whose folder `tmp` has its temporary files.
fn program(folder: &Path, arguments: &[&str]) -> Command {
    let tmp = folder.join("tmp");
    std::fs::create_dir_all(&tmp).unwrap();
    let mut command = Command::new(PROGRAM);
    command.arg("run").args(arguments).current_dir(folder).env("TMPDIR", tmp);
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

fn run(folder: &Path, arguments: &[&str]) -> Output {
    program(folder, arguments).output().unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// Sends a request to the address, and returns the reply. `head` is the first line, and more headers if you like. The signature names this
/// key, unless it is empty.
fn send(address: &str, head: &str, key: &str, body: &str) -> String {
    let mut stream = TcpStream::connect(address).unwrap();
    let signature = match key {
        "" => String::new(),
        _ => format!(
            "X-Amz-Date: 20270101T000000Z\r\nAuthorization: AWS4-HMAC-SHA256 \
             Credential={key}/20270101/us-east-1/s3/aws4_request, SignedHeaders=host, Signature=0\r\n"
        ),
    };
    let length = body.len();
    write!(
        stream,
        "{head}\r\nHost: {address}\r\n{signature}Connection: close\r\nContent-Length: {length}\r\n\r\n{body}"
    )
    .unwrap();
    let mut reply = String::new();
    stream.read_to_string(&mut reply).unwrap();
    reply
}

/// Sends SIGTERM as the shell's `kill` does.
fn terminate(child: &Child) {
    assert!(Command::new("kill").arg(child.id().to_string()).status().unwrap().success());
}

/// A folder with `pipeline.json`, whose actions come after a source of the folder `app`.
fn folder(actions: &[Value]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let app = folder.path().join("app");
    std::fs::create_dir(&app).unwrap();
    std::fs::write(app.join("hello.txt"), "hello\n").unwrap();
    let source = action(
        "App",
        "Source/AWS/CodeCommit/1",
        &json!({
            "configuration": {"RepositoryName": "app", "BranchName": "main"}, "outputArtifacts": [{"name": "App"}],
        }),
    );
    let pipeline = json!({"pipeline": {
        "name": "web", "roleArn": "arn:aws:iam::123456789012:role/any", "pipelineType": "V2",
        "artifactStore": {"type": "S3", "location": "artifacts"},
        "stages": [{"name": "Source", "actions": [source]}, {"name": "Work", "actions": actions}],
    }});
    std::fs::write(folder.path().join("pipeline.json"), pipeline.to_string()).unwrap();
    folder
}

fn action(name: &str, id: &str, members: &Value) -> Value {
    let parts: Vec<&str> = id.split('/').collect();
    let mut action = members.clone();
    action["name"] = json!(name);
    action["actionTypeId"] =
        json!({"category": parts[0], "owner": parts[1], "provider": parts[2], "version": parts[3]});
    action
}

/// An action that runs commands in the source's files.
fn commands(name: &str, commands: &[&str]) -> Value {
    action(name, "Compute/AWS/Commands/1", &json!({"commands": commands, "inputArtifacts": [{"name": "App"}]}))
}
