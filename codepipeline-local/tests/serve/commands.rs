//! Workers and functions that `serve` starts.

use std::io::{BufRead, BufReader};
use std::path::Path;

use super::{ask, is_running, program, serve, status, terminate, until};

#[tokio::test]
async fn function_finds_the_emulator_and_ends_with_it() {
    let folder = tempfile::tempdir().unwrap();
    let script = folder.path().join("bootstrap.sh");
    let file = folder.path().join("event");
    let text = "echo $$ $AWS_ENDPOINT_URL $AWS_REGION $AWS_ACCESS_KEY_ID $OWN $AWS_LAMBDA_RUNTIME_API > new\nmv new event\nsleep 600\n";
    std::fs::write(&script, format!("cd {}\n{text}", folder.path().display())).unwrap();
    let command = format!("sh {}", script.display());
    let arguments = ["--region", "eu-west-1", "--function", &command, "--env", "OWN=own", "--schedule", "1h"];
    let (mut child, line) = serve(folder.path(), &arguments);
    until(|| file.exists()).await;
    let written = std::fs::read_to_string(file).unwrap();
    let words: Vec<_> = written.split_whitespace().collect();
    assert_eq!(words[1..5], [line.trim_start_matches("listening on "), "eu-west-1", "local", "own"]);
    assert!(words[5].starts_with("127.0.0.1:"), "{written}");
    terminate(&child);
    assert!(child.wait().unwrap().success());
    until(|| !is_running(words[0])).await;
}

#[tokio::test]
async fn worker_finds_the_emulator_and_ends_with_it() {
    let folder = tempfile::tempdir().unwrap();
    let script = folder.path().join("worker.sh");
    let file = folder.path().join("started");
    // The sleep is in another session, and its parent has ended.
    let text = "setsid sh -c 'sleep 600 & echo $! > daemon' > log 2>&1
        echo $$ $AWS_ENDPOINT_URL $AWS_REGION $AWS_ACCESS_KEY_ID ${AWS_PROFILE:-none} $(cat daemon) > new\nmv new started\nsleep 600\n";
    std::fs::write(&script, format!("cd {}\n{text}", folder.path().display())).unwrap();
    let worker = format!("sh {}", script.display());
    let serve = ["serve", "--port", "0", "--region", "eu-west-1", "--worker", &worker];
    let mut child = program(folder.path(), &serve).env("AWS_PROFILE", "real").spawn().unwrap();
    let mut line = String::new();
    BufReader::new(child.stdout.as_mut().unwrap()).read_line(&mut line).unwrap();
    until(|| file.exists()).await;
    let written = std::fs::read_to_string(file).unwrap();
    let words: Vec<_> = written.split_whitespace().collect();
    assert_eq!(words[1..5], [line.trim().trim_start_matches("listening on "), "eu-west-1", "local", "none"]);
    assert!(is_running(words[0]) && is_running(words[5]));
    terminate(&child);
    assert!(child.wait().unwrap().success());
    assert!(!is_running(words[0]) && !is_running(words[5]));
}

#[tokio::test]
async fn output_that_is_not_read_stops_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let script = folder.path().join("worker.sh");
    let file = folder.path().join("written");
    // More than the pipe and the emulator keep.
    let text = format!("seq 1000000; touch {}; sleep 600\n", file.display());
    std::fs::write(&script, text).unwrap();
    let worker = format!("sh {}", script.display());
    let (mut child, line) = serve(folder.path(), &["--worker", &worker, "--function", &worker]);
    until(|| file.exists()).await;
    let address = line.trim_start_matches("listening on http://");
    assert_eq!(status(address, "X-Amz-Target: CodePipeline_20150709.ListPipelines\r\n"), Some(200));
    terminate(&child);
    assert!(child.wait().unwrap().success());
}

#[tokio::test]
async fn last_words_of_a_worker_are_written() {
    let folder = tempfile::tempdir().unwrap();
    let script = folder.path().join("worker.sh");
    let file = folder.path().join("started");
    let text = format!("trap 'echo bye; echo error >&2; exit' TERM; touch {}; sleep 600 & wait\n", file.display());
    std::fs::write(&script, text).unwrap();
    let (mut child, _) = serve(folder.path(), &["--worker", &format!("sh {}", script.display())]);
    until(|| file.exists()).await;
    terminate(&child);
    let mut output = String::new();
    std::io::Read::read_to_string(child.stdout.as_mut().unwrap(), &mut output).unwrap();
    assert!(child.wait().unwrap().success());
    assert!(output.contains("bye\n") && output.contains("error\n"), "{output}");
}

/// A bootstrap in bash that takes one event and writes it to the file `event`.
fn takes_one_event(folder: &Path) -> String {
    let script = folder.join("bootstrap.sh");
    let text = format!(
        "cd {}\nexec 3<>\"/dev/tcp/${{AWS_LAMBDA_RUNTIME_API/://}}\"\n\
         printf 'GET /2018-06-01/runtime/invocation/next HTTP/1.1\\r\\nHost: h\\r\\nConnection: close\\r\\n\\r\\n' >&3\n\
         cat <&3 > new\nmv new event\nsleep 600\n",
        folder.display()
    );
    std::fs::write(&script, text).unwrap();
    format!("bash {}", script.display())
}

#[tokio::test]
async fn without_schedule_only_events_invoke_the_function() {
    let folder = tempfile::tempdir().unwrap();
    let command = takes_one_event(folder.path());
    // A tick would come before the event.
    let arguments = ["--function", &command, "--schedule", "never", "--max-concurrency", "1"];
    let (mut child, line) = serve(folder.path(), &arguments);
    let address = line.trim_start_matches("listening on http://");
    let call = |operation: &str, body: &str| {
        ask(address, "/", &format!("X-Amz-Target: CodePipeline_20150709.{operation}\r\n"), body)
    };
    let counts = |least: u8| format!(r#"{{"minimumCount": {least}, "maximumCount": {least}}}"#);
    let type_of = |category: &str, outputs: u8| {
        format!(
            r#"{{"category": "{category}", "provider": "Own", "version": "1", "inputArtifactDetails": {}, "outputArtifactDetails": {}}}"#,
            counts(0),
            counts(outputs)
        )
    };
    assert_eq!(call("CreateCustomActionType", &type_of("Source", 1)), Some(200));
    assert_eq!(call("CreateCustomActionType", &type_of("Test", 0)), Some(200));
    let action = |category: &str, outputs: &str| {
        format!(
            r#"[{{"name": "A", "actionTypeId": {{"category": "{category}", "owner": "Custom", "provider": "Own", "version": "1"}}, "outputArtifacts": {outputs}}}]"#
        )
    };
    let pipeline = format!(
        r#"{{"pipeline": {{"name": "p", "roleArn": "arn:aws:iam::123456789012:role/any", "artifactStore": {{"type": "S3", "location": "artifacts"}},
           "stages": [{{"name": "S", "actions": {}}}, {{"name": "T", "actions": {}}}]}}}}"#,
        action("Source", r#"[{"name": "Out"}]"#),
        action("Test", "[]")
    );
    // The pipeline and its source action start at once.
    assert_eq!(call("CreatePipeline", &pipeline), Some(200));
    let file = folder.path().join("event");
    until(|| file.exists()).await;
    let written = std::fs::read_to_string(file).unwrap();
    assert!(written.contains("CodePipeline Action Execution State Change") && written.contains("STARTED"), "{written}");
    terminate(&child);
    assert!(child.wait().unwrap().success());
}

#[test]
fn function_that_keeps_failing_to_start_is_logged() {
    let folder = tempfile::tempdir().unwrap();
    let arguments = ["--function", "sh -c 'exit 3'", "--schedule", "1ms"];
    let (mut child, _) = serve(folder.path(), &arguments);
    let log = BufReader::new(child.stderr.take().unwrap());
    let line = log.lines().map(Result::unwrap).find(|line| line.contains("3 times in a row"));
    let line = line.expect("the log has the line");
    assert!(line.contains("ERROR") && line.contains("sh") && line.contains("exit status: 3"), "{line}");
    terminate(&child);
    assert!(child.wait().unwrap().success());
}
