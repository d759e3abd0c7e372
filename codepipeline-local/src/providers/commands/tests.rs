//! Commands actions with real shells.

use super::super::build_testing::{files, task_with, texts};
use super::super::testing::Place as Workshop;
use super::*;
use crate::engine::ActionTypeId;

async fn run(place: &Workshop, commands: &[&str], change: impl FnOnce(&mut Task)) -> Result<Done, Failed> {
    let inputs: [(&str, &[(&str, &str)]); 2] =
        [("Source", &[("dir/a.txt", "a"), ("b.txt", "b")]), ("Other", &[("c.txt", "c")])];
    let mut task = task_with(place, &inputs, &["Out"]).await;
    task.action_type = ActionTypeId::first("Compute", "AWS", "Commands");
    task.commands = commands.iter().map(|command| (*command).to_owned()).collect();
    change(&mut task);
    Commands::new(Notice::default(), Clock::machine()).run(task, &place.work).await
}

#[tokio::test]
async fn commands_share_a_shell_and_export_variables() {
    let place = Workshop::new();
    let done = run(&place, &["export MY_OUTPUT=my-key", "cd dir; PLAIN=$(cat a.txt)"], |task| {
        task.output_variables = ["MY_OUTPUT", "PLAIN", "CODEBUILD_BUILD_ID", "UNSET"].map(str::to_owned).into();
    });
    let variables = done.await.ok().unwrap().variables;
    assert_eq!((variables["MY_OUTPUT"].as_str(), variables["PLAIN"].as_str()), ("my-key", "a"));
    assert!(variables["CODEBUILD_BUILD_ID"].starts_with("AWSCodePipeline-web:") && variables.len() == 3);
    assert!(texts(&place).iter().any(|line| line.starts_with("UNSET is not exported")));
}

/// "Action declaration (example)" of the reference. The engine resolves the variable of the third command.
#[tokio::test]
async fn declared_example_runs() {
    let place = Workshop::new();
    let done = run(&place, &["ls", "echo hello", "echo pipeline Execution Id is 1b2c"], |task| {
        task.output_files = [("Out".to_owned(), vec!["**/".to_owned()])].into();
        task.output_variables = ["AWS_DEFAULT_REGION".to_owned()].into();
    });
    assert_eq!(done.await.ok().unwrap().variables["AWS_DEFAULT_REGION"], "us-east-1");
    let lines = texts(&place);
    assert!(
        ["b.txt", "dir", "hello", "pipeline Execution Id is 1b2c"]
            .iter()
            .all(|line| lines.contains(&(*line).to_owned()))
    );
    assert_eq!(files(&place, "Out").await, ["b.txt: b", "dir/a.txt: a"]);
}

#[tokio::test]
async fn output_artifact_has_the_chosen_files() {
    let place = Workshop::new();
    let done = run(&place, &["cp \"$CODEBUILD_SRC_DIR_Other/c.txt\" dir"], |task| {
        task.output_files = [("Out".to_owned(), vec!["dir/**".to_owned()])].into();
    });
    assert!(done.await.is_ok());
    assert_eq!(files(&place, "Out").await, ["dir/a.txt: a", "dir/c.txt: c"]);
}

#[tokio::test]
async fn output_artifact_without_files_has_all() {
    let place = Workshop::new();
    assert!(run(&place, &["true"], |_| ()).await.is_ok());
    assert_eq!(files(&place, "Out").await, ["b.txt: b", "dir/a.txt: a"]);
}

#[tokio::test]
async fn environment_has_texts_and_secrets() {
    let place = Workshop::with_secret("TestSecret", "hunter2");
    let variable =
        |name: &str, value: &str, kind| EnvironmentVariable { name: name.to_owned(), value: value.to_owned(), kind };
    let done = run(&place, &["echo \"$A and $B\"; test \"$B\" = hunter2"], |task| {
        task.environment = vec![
            variable("A", "text", EnvironmentVariableKind::Plaintext),
            variable("B", "TestSecret", EnvironmentVariableKind::SecretsManager),
        ];
    });
    assert!(done.await.is_ok());
    assert!(texts(&place).contains(&"text and ***".to_owned()), "{:?}", texts(&place));
}

#[tokio::test]
async fn failing_command_ends_the_action() {
    let place = Workshop::new();
    let failed = run(&place, &["echo one", "exit 3", "echo two"], |_| ()).await.err().unwrap();
    assert_eq!(failed.to_string(), "JobFailed: Error while executing command: exit 3. Reason: exit status 3");
    assert!(!texts(&place).contains(&"two".to_owned()));
}

#[tokio::test]
async fn mistakes_name_what_to_change() {
    let place = Workshop::new();
    let failed = run(&place, &["echo one\necho two"], |_| ()).await.err().unwrap().to_string();
    assert!(failed.starts_with("ConfigurationError: the command echo one; echo two has several lines"), "{failed}");
    let failed = run(&place, &["true"], |task| task.inputs.clear()).await.err().unwrap().to_string();
    assert_eq!(failed, "ConfigurationError: a Commands action needs an input artifact");
    let failed = run(&place, &["true"], |task| {
        task.output_files = [("Out".to_owned(), vec!["missing/*".to_owned()])].into();
    });
    let failed = failed.await.err().unwrap().to_string();
    assert!(
        failed.starts_with("JobFailed: could not store the output artifact Out: no matching artifact paths"),
        "{failed}"
    );
}
