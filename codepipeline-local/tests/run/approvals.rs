//! Approvals without a terminal, and two runs at a time.

use std::io::{BufRead, BufReader, Lines};
use std::path::Path;
use std::process::{Child, ChildStdout};

use serde_json::json;

use super::{action, folder, program, send};

const PUT: &str = "POST / HTTP/1.1\r\nX-Amz-Target: CodePipeline_20150709.PutApprovalResult";

/// A run that waits for an approval.
struct Waiting {
    child: Child,
    lines: Lines<BufReader<ChildStdout>>,
    /// The words of the command that approves.
    command: Vec<String>,
}

impl Waiting {
    fn start(folder: &Path) -> Self {
        let mut child = program(folder, &["--source", "App=app"]).spawn().unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let command = lines.find_map(|line| Some(line.unwrap().split_once("to approve: ")?.1.to_owned())).unwrap();
        Self { child, lines, command: command.split(' ').map(str::to_owned).collect() }
    }

    fn flag(&self, name: &str) -> &str {
        let at = self.command.iter().position(|word| word == name).expect(name);
        &self.command[at + 1]
    }

    /// A variable before the command's program.
    fn variable(&self, name: &str) -> &str {
        let program = self.command.iter().position(|word| word == "aws").unwrap();
        let found = self.command[..program].iter().find_map(|word| word.strip_prefix(name)?.strip_prefix('='));
        found.expect(name)
    }

    /// Sends what the printed command would send, and returns whether the run succeeded, with its last line.
    fn answer(mut self, status: &str) -> (bool, String) {
        let body = json!({
            "pipelineName": self.flag("--pipeline-name"), "stageName": self.flag("--stage-name"),
            "actionName": self.flag("--action-name"), "token": self.flag("--token"),
            "result": {"status": status, "summary": "ok"},
        });
        let body = body.to_string();
        let address = self.variable("AWS_ENDPOINT_URL").strip_prefix("http://").unwrap();
        let stranger = send(address, PUT, "someone-else", &body);
        assert!(stranger.starts_with("HTTP/1.1 403") && stranger.contains("UnrecognizedClientException"), "{stranger}");
        let reply = send(address, PUT, self.variable("AWS_ACCESS_KEY_ID"), &body);
        assert!(reply.starts_with("HTTP/1.1 200"), "{reply}");
        let last = self.lines.by_ref().last().unwrap().unwrap();
        (self.child.wait().unwrap().success(), last)
    }
}

fn approval() -> tempfile::TempDir {
    folder(&[action("Ask", "Approval/AWS/Manual/1", &json!({}))])
}

#[test]
fn two_runs_wait_for_their_own_approvals() {
    let folders = [approval(), approval()];
    let [one, other] = folders.each_ref().map(|folder| Waiting::start(folder.path()));
    for name in ["AWS_ENDPOINT_URL", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"] {
        assert_ne!(one.variable(name), other.variable(name));
    }
    let (succeeded, last) = other.answer("Rejected");
    assert!(!succeeded && last.starts_with("failed Work/Ask"), "{last}");
    assert_eq!(one.answer("Approved"), (true, "succeeded web".to_owned()));
}
