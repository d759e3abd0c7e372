//! Replies of `serve`, and its log.

use super::{ask, reply, serve, status, terminate};

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
