//! Runs the program with its command line.
#![allow(clippy::unwrap_used, reason = "a test whose set-up fails has failed")]

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

const PROGRAM: &str = env!("CARGO_BIN_EXE_codepipeline-local");

/// The program with these arguments. Its temporary files are in the folder.
fn program(folder: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(PROGRAM);
    command.args(arguments).env("TMPDIR", folder).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

/// Starts the program and reads its first line.
fn serve(folder: &Path, arguments: &[&str]) -> (Child, String) {
    let mut child = program(folder, &[&["serve", "--port", "0"], arguments].concat()).spawn().unwrap();
    let mut line = String::new();
    BufReader::new(child.stdout.as_mut().unwrap()).read_line(&mut line).unwrap();
    (child, line.trim_end().to_owned())
}

/// Sends SIGTERM as the shell's `kill` does.
fn terminate(child: &Child) {
    assert!(Command::new("kill").arg(child.id().to_string()).status().unwrap().success());
}

/// A zombie does not run.
fn is_running(pid: &str) -> bool {
    std::fs::read_to_string(Path::new("/proc").join(pid).join("stat")).is_ok_and(|stat| !stat.contains(") Z "))
}

async fn until(condition: impl Fn() -> bool) {
    while !condition() {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

#[test]
fn first_line_has_the_address_and_a_signal_ends_serve() {
    let folder = tempfile::tempdir().unwrap();
    let (mut child, line) = serve(folder.path(), &[]);
    let address = line.strip_prefix("listening on http://").expect(&line);
    std::net::TcpStream::connect(address).unwrap();
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
    terminate(&child);
    assert!(child.wait().unwrap().success());
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0, "the temporary folder is gone");
}

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

#[tokio::test]
async fn second_signal_kills_the_worker_at_once() {
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str| folder.path().join(name);
    let script = "trap 'touch signalled' TERM\necho $$ > new\nmv new started\nwhile :; do sleep 600 & wait; done\n";
    std::fs::write(file("worker.sh"), format!("cd {}\n{script}", folder.path().display())).unwrap();
    let (mut child, _) = serve(folder.path(), &["--worker", &format!("sh {}", file("worker.sh").display())]);
    until(|| file("started").exists()).await;
    terminate(&child);
    until(|| file("signalled").exists()).await;
    terminate(&child);
    let mut log = String::new();
    std::io::Read::read_to_string(child.stderr.as_mut().unwrap(), &mut log).unwrap();
    assert!(child.wait().unwrap().success());
    assert!(!log.contains("did not end within"), "{log}");
    let worker = std::fs::read_to_string(file("started")).unwrap();
    until(|| !is_running(worker.trim())).await;
}

#[test]
fn faults_and_throttles_fire_and_are_logged() {
    let folder = tempfile::tempdir().unwrap();
    let arguments =
        ["--fault", "ListPipelines:2:error", "--fault", "s3:*:1:reset", "--throttle", "ListActionTypes:0.001"];
    let (mut child, line) = serve(folder.path(), &arguments);
    let address = line.trim_start_matches("listening on http://");
    let list = |operation: &str| status(address, &format!("X-Amz-Target: CodePipeline_20150709.{operation}\r\n"));
    let listed = ["ListPipelines", "ListPipelines", "ListPipelines"].map(list);
    assert_eq!(listed, [Some(200), Some(500), Some(200)]);
    assert_eq!(["ListActionTypes", "ListActionTypes"].map(list), [Some(200), Some(400)]);
    assert_eq!(status(address, ""), None, "the call to S3 is reset");
    terminate(&child);
    let mut log = String::new();
    std::io::Read::read_to_string(child.stderr.as_mut().unwrap(), &mut log).unwrap();
    child.wait().unwrap();
    let lines: Vec<_> = log.lines().filter(|line| line.contains("fault")).collect();
    assert!(lines.len() == 3 && lines[0].contains("error") && lines[0].contains("ListPipelines"), "{lines:?}");
    assert!(lines[1].contains("throttle") && lines[2].contains("reset"), "{lines:?}");
}

#[tokio::test]
async fn signal_lets_no_later_action_start() {
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str| folder.path().join(name);
    // The worker lets the source end, and gives the deployment two seconds.
    let worker = "trap 'touch go; for i in $(seq 200); do [ -e shipped ] && break; sleep 0.01; done; exit' TERM\nsleep 600 & wait\n";
    std::fs::write(file("worker.sh"), format!("cd {}\n{worker}", folder.path().display())).unwrap();
    let source = "touch began; while [ ! -e go ]; do sleep 0.01; done";
    let source = format!("Source/AWS/CodeCommit/1=cd {}; {source}", folder.path().display());
    let ship = format!("Deploy/AWS/ECS/1=touch {}", file("shipped").display());
    let (data, worker) = (file("data"), format!("sh {}", file("worker.sh").display()));
    let flags = ["--data", data.to_str().unwrap(), "--provider", &source, "--provider", &ship, "--worker", &worker];
    let (mut child, line) = serve(folder.path(), &flags);
    let call = |line: &str, operation: &str, body: &str| {
        let address = line.trim_start_matches("listening on http://");
        reply(address, "/", &format!("X-Amz-Target: CodePipeline_20150709.{operation}\r\n"), body).unwrap()
    };
    let action = |category: &str, provider: &str, artifacts: &str| {
        format!(
            r#"{{"name": "{category}", "actions": [{{"name": "A",
               "configuration": {{"RepositoryName": "app", "BranchName": "main"}}, "{artifacts}": [{{"name": "App"}}], "actionTypeId":
               {{"category": "{category}", "owner": "AWS", "provider": "{provider}", "version": "1"}}}}]}}"#
        )
    };
    let pipeline = format!(
        r#"{{"pipeline": {{"name": "p", "roleArn": "arn:aws:iam::123456789012:role/any",
           "artifactStore": {{"type": "S3", "location": "artifacts"}}, "stages": [{}, {}]}}}}"#,
        action("Source", "CodeCommit", "outputArtifacts"),
        action("Deploy", "ECS", "inputArtifacts")
    );
    let created = call(&line, "CreatePipeline", &pipeline);
    assert!(created.starts_with("HTTP/1.1 200"), "{created}");
    until(|| file("began").exists()).await;
    terminate(&child);
    assert!(child.wait().unwrap().success());
    assert!(file("go").exists() && !file("shipped").exists());
    let (mut child, line) = serve(folder.path(), &flags);
    let actions = call(&line, "ListActionExecutions", r#"{"pipelineName": "p"}"#);
    // The source was interrupted, and no deployment is known.
    assert!(actions.matches("actionExecutionId").count() == 1 && actions.contains("Abandoned"), "{actions}");
    terminate(&child);
    assert!(child.wait().unwrap().success());
    assert!(!file("shipped").exists());
}

/// The status of the reply to an empty request, if any.
fn status(address: &str, header: &str) -> Option<u16> {
    ask(address, "/", header, "")
}

/// The status of the reply to a request with a body, if any.
fn ask(address: &str, path: &str, header: &str, body: &str) -> Option<u16> {
    reply(address, path, header, body)?.split(' ').nth(1)?.parse().ok()
}

fn reply(address: &str, path: &str, header: &str, body: &str) -> Option<String> {
    let mut stream = std::net::TcpStream::connect(address).unwrap();
    let length = body.len();
    let request = format!(
        "POST {path} HTTP/1.1\r\nHost: host\r\nConnection: close\r\nContent-Length: {length}\r\n{header}\r\n{body}"
    );
    std::io::Write::write_all(&mut stream, request.as_bytes()).unwrap();
    let mut reply = String::new();
    std::io::Read::read_to_string(&mut stream, &mut reply).ok()?;
    Some(reply)
}

#[test]
fn serve_that_runs_commands_refuses_hosts_of_web_pages() {
    let folder = tempfile::tempdir().unwrap();
    let status = |flags: &[&str]| {
        let (mut child, line) = serve(folder.path(), flags);
        let header = "X-Amz-Target: CodePipeline_20150709.ListPipelines\r\nHost: evil.example\r\n";
        let status = status(line.trim_start_matches("listening on http://"), header);
        terminate(&child);
        assert!(child.wait().unwrap().success());
        status
    };
    assert_eq!(status(&[]), Some(200));
    for flags in [&["--run-commands"][..], &["--provider", "Deploy/AWS/ECS/1=true"], &["--worker", "sleep 600"]] {
        assert_eq!(status(flags), Some(403), "{flags:?}");
    }
}

#[test]
fn flags_add_action_types_and_mark_stand_ins() {
    let folder = tempfile::tempdir().unwrap();
    let listed = |flags: &[&str]| {
        let (mut child, line) = serve(folder.path(), flags);
        let address = line.trim_start_matches("listening on http://");
        let target = "X-Amz-Target: CodePipeline_20150709.ListActionTypes\r\n";
        let listed = reply(address, "/", target, "{}").unwrap();
        terminate(&child);
        assert!(child.wait().unwrap().success());
        let mut log = String::new();
        std::io::Read::read_to_string(child.stderr.as_mut().unwrap(), &mut log).unwrap();
        (listed, log)
    };
    let (types, log) = listed(&[]);
    assert!(types.contains("\"S3\"") && !types.contains("CodeBuild") && !types.contains("stand-in"), "{types}");
    assert!(!log.contains("stands in"), "{log}");
    let stand_in = "Deploy/AWS/CodeDeploy/1=true";
    let (types, log) =
        listed(&["--run-commands", "--provider", stand_in, "--endpoint", "stepfunctions=http://127.0.0.1:1"]);
    let names = ["CodeBuild", "Commands", "StepFunctions", "https://stand-in.invalid/Deploy/AWS/CodeDeploy/1"];
    assert!(names.iter().all(|name| types.contains(name)), "{types}");
    assert!(log.contains("a command stands in for Deploy/AWS/CodeDeploy/1"), "{log}");
}

#[test]
fn taken_port_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port().to_string();
    let output = program(folder.path(), &["serve", "--port", &port]).output().unwrap();
    let error = String::from_utf8(output.stderr).unwrap();
    assert!(!output.status.success() && output.stdout.is_empty());
    assert!(error.contains(&format!("127.0.0.1:{port}")) && error.contains("another port"), "{error}");
}

#[test]
fn malformed_connections_file_is_named_without_tokens() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("connections.json");
    std::fs::write(&file, r#"[{"clientId": "1", "clientToken": "s3cret", "actionType": {}}]"#).unwrap();
    let file = file.to_str().unwrap();
    let output = program(folder.path(), &["serve", "--port", "0", "--connections", file]).output().unwrap();
    let error = String::from_utf8(output.stderr).unwrap();
    assert!(!output.status.success() && error.contains(file) && error.contains("connection 1"), "{error}");
    assert!(!error.contains("s3cret"));
}

#[test]
fn malformed_variable_is_refused_without_its_value() {
    let folder = tempfile::tempdir().unwrap();
    for wrong in ["=MARKER", "MARKER"] {
        let arguments = ["serve", "--port", "0", "--function", "true", "--env", wrong];
        let output = program(folder.path(), &arguments).output().unwrap();
        let error = String::from_utf8(output.stderr).unwrap();
        assert!(!output.status.success() && error.contains("NAME=VALUE") && !error.contains("MARKER"), "{error}");
    }
}

#[test]
fn wrong_argument_is_named_with_a_fix() {
    let folder = tempfile::tempdir().unwrap();
    for (arguments, named) in [
        (["--credential-life", "15d"], "30s"),
        (["--reoffer-delay", "soon"], "never"),
        (["--source-poll", "0s"], "never"),
        (["--account", "12"], "twelve digits"),
        (["--nonce", "prime"], "counter"),
        (["--env", "A=b"], "--function"),
        (["--event-pattern", "{\"source\": [\"aws.codepipeline\"]}"], "--function"),
        (["--max-concurrency", "0"], "max-concurrency"),
        (["--s3-bytes-per-second", "0"], "s3-bytes-per-second"),
        (["--connections", "no-such-file"], "no-such-file"),
        (["--schedule", "0s"], "or never"),
        (["--timeout", "0"], "1ms or more"),
        (["--action-timeout", "0s"], "1ms or more"),
        (["--invoke-timeout", "0ms"], "1ms or more"),
        (["--credential-life", "0s"], "1ms or more"),
        (["--schedule", "never"], "--function"),
        (["--function", "sh -c 'exit"], "quote"),
        (["--event-pattern", "{\"a\": [{\"wildcard\": \"**\"}]}"], "/a/0"),
        (["--endpoint", "stepfunctions"], "SERVICE=URL"),
        (["--endpoint", "s3=http://127.0.0.1:9000"], "can't be forwarded"),
        (["--endpoint", "sfn=http://me:MARKER-password@127.0.0.1:9000"], "--endpoint"),
        (["--env", "MARKER-without-a-value"], "--env"),
        (["--fault", "PollForJob:1:reset"], "AcknowledgeJob, "),
        (["--fault", "PollForJobs:first:reset"], "3+"),
        (["--fault", "PollForJobs:1:explode"], "lose-answer"),
        (["--fault", "PollForJobs:1:delay=1d"], "30s"),
        (["--throttle", "PollForJobs:-1"], "above 0"),
    ] {
        let output = program(folder.path(), &[&["serve"], &arguments[..]].concat()).output().unwrap();
        let error = String::from_utf8(output.stderr).unwrap();
        assert!(!output.status.success() && error.contains(named), "{error}");
        assert!(!error.contains("MARKER"), "the error shows a secret: {error}");
    }
}

#[test]
fn unusable_function_ends_serve_with_an_error() {
    let folder = tempfile::tempdir().unwrap();
    let plain = folder.path().join("plain");
    std::fs::write(&plain, "echo").unwrap();
    let missing = folder.path().join("missing").display().to_string();
    for (command, named) in [
        (missing.as_str(), "does not exist"),
        ("no-such-bootstrap --now", "PATH"),
        (plain.to_str().unwrap(), "chmod +x"),
        (folder.path().to_str().unwrap(), "is a folder"),
    ] {
        let output = program(folder.path(), &["serve", "--port", "0", "--function", command]).output().unwrap();
        let error = String::from_utf8(output.stderr).unwrap();
        assert!(!output.status.success() && output.stdout.is_empty(), "{command}");
        assert!(error.contains("--function") && error.contains(named), "{error}");
        assert!(error.contains(command.split(' ').next().unwrap()), "{error}");
    }
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

#[test]
fn verbose_logs_each_request_with_its_outcome() {
    for (flags, wanted) in [(vec!["-v"], true), (vec![], false)] {
        let folder = tempfile::tempdir().unwrap();
        let (mut child, line) = serve(folder.path(), &flags);
        let address = line.trim_start_matches("listening on http://");
        let target = |operation: &str| format!("X-Amz-Target: CodePipeline_20150709.{operation}\r\nX-Own: MARKER\r\n");
        let job = r#"{"jobId": "11111111-2222-4333-8444-555555555555", "nonce": "MARKER"}"#;
        ask(address, "/", &target("AcknowledgeJob"), job);
        ask(address, "/", &target("GetPipeline"), r#"{"name": "web"}"#);
        ask(address, "/", &target("ListPipelines"), "{}");
        ask(address, "/bucket/a%20key?uploads&x-id=MARKER", "", "");
        terminate(&child);
        let mut log = String::new();
        std::io::Read::read_to_string(child.stderr.as_mut().unwrap(), &mut log).unwrap();
        child.wait().unwrap();
        let lines = [
            "AcknowledgeJob job 11111111-2222-4333-8444-555555555555: 400 JobNotFoundException, ",
            "GetPipeline web: 400 PipelineNotFoundException, ",
            "ListPipelines: 200, ",
            "CreateMultipartUpload s3://bucket/a key: 403 AccessDenied, ",
        ];
        for line in lines {
            assert_eq!(log.contains(line), wanted, "{line}\n{log}");
        }
        assert!(!log.contains("MARKER"), "{log}");
        assert!(wanted || log.is_empty(), "the log is quiet: {log}");
    }
}

/// A client of S3 at the address that the first line names.
fn s3(line: &str) -> aws_sdk_s3::Client {
    let config = aws_sdk_s3::Config::builder()
        .behavior_version(aws_sdk_s3::config::BehaviorVersion::latest())
        .region(aws_sdk_s3::config::Region::new("us-east-1"))
        .endpoint_url(line.trim_start_matches("listening on "))
        .force_path_style(true)
        .credentials_provider(aws_sdk_s3::config::Credentials::new("x", "any", None, None, "test"));
    aws_sdk_s3::Client::from_conf(config.build())
}

#[tokio::test]
async fn kill_loses_no_answered_part() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let arguments = ["--data", data.to_str().unwrap()];
    let (mut child, line) = serve(folder.path(), &arguments);
    let client = s3(&line);
    client.create_bucket().bucket("bucket").send().await.unwrap();
    let begun = client.create_multipart_upload().bucket("bucket").key("key").send().await.unwrap();
    let id = begun.upload_id().unwrap();
    let mut uploading = tokio::task::JoinSet::new();
    for number in 1..=40 {
        let part = client.upload_part().bucket("bucket").key("key").upload_id(id).part_number(number);
        uploading.spawn(async move { (number, part.body(vec![b'x'; 100_000].into()).send().await) });
    }
    let mut answered = Vec::new();
    while let Some(part) = uploading.join_next().await {
        if let (number, Ok(part)) = part.unwrap() {
            answered.push((number, part.e_tag().unwrap().to_owned()));
        }
        if answered.len() == 10 {
            child.kill().unwrap();
            child.wait().unwrap();
        }
    }
    let (mut child, line) = serve(folder.path(), &arguments);
    let listed = s3(&line).list_parts().bucket("bucket").key("key").upload_id(id).send().await.unwrap();
    let kept: Vec<_> = listed.parts().iter().map(|part| (part.part_number(), part.e_tag(), part.size())).collect();
    for (number, e_tag) in &answered {
        assert!(kept.contains(&(Some(*number), Some(e_tag), Some(100_000))), "part {number} is lost");
    }
    assert!(answered.len() >= 10);
    s3(&line).abort_multipart_upload().bucket("bucket").key("key").upload_id(id).send().await.unwrap();
    terminate(&child);
    child.wait().unwrap();
    assert_eq!(std::fs::read_dir(data.join("uploads")).unwrap().count(), 0);
}
