//! Runs next to other emulators: `serve`, and a container on its usual port. `approvals` has two runs at a time.

use std::io::{BufRead, BufReader};
use std::net::TcpListener;
use std::process::{Child, Command, Stdio};

use serde_json::json;

use super::{PROGRAM, action, commands, folder, program, send, text};

/// `serve` on a free port, which ends with the test.
struct Serve {
    child: Child,
    address: String,
}

impl Serve {
    fn start() -> Self {
        let mut command = Command::new(PROGRAM);
        command.args(["serve", "--port", "0"]).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut child = command.spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.as_mut().unwrap()).read_line(&mut line).unwrap();
        let address = line.trim_end().strip_prefix("listening on http://").expect(&line).to_owned();
        Self { child, address }
    }

    /// The answer to `ListPipelines`.
    fn pipelines(&self) -> String {
        let head = "POST / HTTP/1.1\r\nX-Amz-Target: CodePipeline_20150709.ListPipelines";
        send(&self.address, head, "", "{}").split_once("\r\n\r\n").unwrap().1.to_owned()
    }
}

impl Drop for Serve {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn run_next_to_serve_has_an_emulator_of_its_own() {
    let serve = Serve::start();
    let custom = action("Own", "Test/Custom/Shell/1", &json!({"inputArtifacts": [{"name": "App"}]}));
    let folder = folder(&[custom]);
    // The worker ends the run at once, because it ends before it has polled.
    let worker = "sh -c 'echo $AWS_ENDPOINT_URL > endpoint; exit 3'";
    let mut command = program(folder.path(), &["--source", "App=app", "--worker", worker]);
    command.env("AWS_ENDPOINT_URL", format!("http://{}", serve.address)).env("AWS_ENDPOINT_URL_S3", "http://other");
    let output = command.output().unwrap();
    assert!(!output.status.success(), "{}", text(&output.stdout));
    let endpoint = std::fs::read_to_string(folder.path().join("endpoint")).unwrap();
    let shown = text(&output.stdout);
    assert!(shown.contains(&format!("web runs on {endpoint}")), "{shown}");
    assert!(!endpoint.contains(&serve.address), "{endpoint}");
    assert_eq!(serve.pipelines(), r#"{"pipelines":[]}"#);
}

#[test]
fn run_needs_no_port_that_is_taken() {
    // Where the port is taken already, the other program takes the listener's part.
    let _taken = TcpListener::bind(("127.0.0.1", 4566));
    let serve = Serve::start();
    let folder = folder(&[commands("Hello", &["cat hello.txt"])]);
    let runs = [(), ()].map(|()| program(folder.path(), &["--source", "App=app"]).spawn().unwrap());
    for run in runs {
        let output = run.wait_with_output().unwrap();
        assert!(output.status.success(), "{}", text(&output.stderr));
        assert!(text(&output.stdout).contains("[Hello] hello\n"), "{}", text(&output.stdout));
    }
    assert_eq!(serve.pipelines(), r#"{"pipelines":[]}"#);
}
