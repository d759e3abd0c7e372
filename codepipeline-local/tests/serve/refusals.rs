//! Arguments that `serve` refuses.

use super::program;

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
