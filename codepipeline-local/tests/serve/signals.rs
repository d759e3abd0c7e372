//! Ends by a signal, and after a kill.

use super::{is_running, reply, serve, terminate, until};

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
