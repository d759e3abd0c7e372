//! What a command is given.

use std::collections::BTreeMap;
use std::os::unix::fs::PermissionsExt;

use codepipeline_worker::job::{FailureKind, PipelineContext};

use super::scenario::{Staged, describe, program, sh};

/// The environment that a process of `staged` began with, as the kernel has it.
async fn environment(staged: &Staged) -> BTreeMap<String, String> {
    staged.start().await.map_err(describe).unwrap();
    let environ = staged.written("environ");
    let pair = |line: &str| line.split_once('=').map(|(name, value)| (name.to_owned(), value.to_owned())).unwrap();
    environ.split_terminator('\0').map(pair).collect()
}

#[tokio::test]
async fn the_environment_is_exactly_what_is_documented() {
    let text = |text: &str| Some(text.to_owned());
    let staged = sh("cat /proc/$$/environ > $OUTPUT_OUT/environ")
        .inputs(&["Source", "My-lib"])
        .outputs(&["Out", "second_out"])
        .configured("Project Name", "wéb")
        .secret("ApiToken", "two\nlines")
        .pipeline(PipelineContext {
            pipeline_name: text("pipe"),
            stage_name: text("Stage.1"),
            action_name: text("Act"),
            pipeline_execution_id: text("2222"),
            action_execution_id: text("3333"),
            pipeline_arn: text("arn:aws:codepipeline:eu-west-1:123456789012:pipe"),
        })
        .account("123456789012")
        .region("eu-west-1")
        .revision("Source", "c0ffee")
        .stage();
    let root = staged.turn.workspace.root().to_str().unwrap().to_owned();
    let expected = [
        ("ACTION_EXECUTION_ID", "3333".to_owned()),
        ("ACTION_NAME", "Act".to_owned()),
        ("AWS_ACCOUNT_ID", "123456789012".to_owned()),
        ("AWS_DEFAULT_REGION", "eu-west-1".to_owned()),
        ("AWS_REGION", "eu-west-1".to_owned()),
        ("CONFIG_APITOKEN", "two\nlines".to_owned()),
        ("CONFIG_PROJECT_NAME", "wéb".to_owned()),
        ("EXTERNAL_EXECUTION_ID", format!("{root}/report/external-execution-id")),
        ("HOME", format!("{root}/home")),
        ("INPUT_MY_LIB", format!("{root}/in/My-lib")),
        ("INPUT_SOURCE", format!("{root}/in/Source")),
        ("INPUT_SOURCE_REVISION", "c0ffee".to_owned()),
        ("JOB_ID", "11111111-abcd-1111-abcd-111111abcdef".to_owned()),
        ("LANG", "C.UTF-8".to_owned()),
        ("LD_LIBRARY_PATH", "/opt/lib:/var/task/lib".to_owned()),
        ("OUTPUT_OUT", format!("{root}/out/Out")),
        ("OUTPUT_SECOND_OUT", format!("{root}/out/second_out")),
        ("OUTPUT_VARIABLES", format!("{root}/report/variables")),
        ("PATH", "/opt/bin:/var/task:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin".to_owned()),
        ("PIPELINE_ARN", "arn:aws:codepipeline:eu-west-1:123456789012:pipe".to_owned()),
        ("PIPELINE_EXECUTION_ID", "2222".to_owned()),
        ("PIPELINE_NAME", "pipe".to_owned()),
        ("REVISION", format!("{root}/report/revision")),
        ("STAGE_NAME", "Stage.1".to_owned()),
        ("SUMMARY", format!("{root}/report/summary")),
        ("TMPDIR", format!("{root}/tmp")),
    ];
    assert_eq!(environment(&staged).await, expected.map(|(name, value)| (name.to_owned(), value)).into());
}

#[tokio::test]
async fn what_the_job_lacks_is_left_out() {
    let id = Some("11111111-abcd-1111-abcd-111111abcdef".to_owned());
    // A Lambda Invoke job goes by its own id.
    let pipeline = PipelineContext { action_execution_id: id, ..PipelineContext::default() };
    let names = environment(&sh("cat /proc/$$/environ > $OUTPUT_OUT/environ").pipeline(pipeline).stage()).await;
    let names: Vec<_> = names.keys().map(String::as_str).collect();
    let told = ["PIPELINE", "STAGE", "ACTION", "AWS"];
    assert!(!names.iter().any(|name| told.iter().any(|prefix| name.starts_with(prefix))), "{names:?}");
    assert!(names.contains(&"JOB_ID") && !names.contains(&"INPUT_SOURCE_REVISION"));
}

#[tokio::test]
async fn a_revision_takes_no_artifacts_place() {
    sh("[ $INPUT_A_REVISION = ${INPUT_A%/A}/A-Revision ]")
        .inputs(&["A", "A-Revision"])
        .revision("A", "1")
        .succeed()
        .await;
}

#[tokio::test]
async fn a_command_runs_in_its_first_input_or_else_at_home() {
    sh("[ $(pwd) = $INPUT_FIRST ] && [ -d $INPUT_SECOND ] && [ -d $TMPDIR ]")
        .inputs(&["First", "Second"])
        .succeed()
        .await;
    sh("[ $(pwd) = $HOME ]").inputs(&[]).succeed().await;
}

#[tokio::test]
async fn a_program_of_the_package_comes_before_the_systems() {
    let package = tempfile::tempdir().unwrap();
    let path = package.path().join("ls");
    std::fs::write(&path, "#!/bin/sh\nexit 42\n").unwrap();
    std::fs::set_permissions(&path, PermissionsExt::from_mode(0o755)).unwrap();
    let failure = program(&["ls"]).package(package.path()).fail().await;
    assert_eq!(failure.message, "the command ended with exit code 42");
}

#[tokio::test]
async fn standard_input_is_empty() {
    sh("[ $(readlink /proc/$$/fd/0) = /dev/null ]").succeed().await;
}

#[tokio::test]
async fn placeholders_are_filled_in_and_never_split() {
    let script = "[ $# = 2 ] && [ \"$1\" = 'a  b; exit 1' ] && [ \"$2\" = 'x{}y' ]";
    let scenario = program(&["sh", "-c", script, "sh", "{Config:Text}", "x{}{Config:Y}"]);
    scenario.configured("Text", "a  b; exit 1").configured("Y", "y").succeed().await;
}

#[tokio::test]
async fn a_configuration_that_lacks_a_key_is_refused() {
    let failure = sh("{Config:Script}").configured("script", "true").fail().await;
    assert_eq!(failure.kind, FailureKind::ConfigurationError);
    assert_eq!(failure.message, "the action's configuration has no `Script`");
}

#[tokio::test]
async fn values_that_a_process_cannot_get_are_refused_and_not_repeated() {
    let nul = sh("true").configured("Key", "confidential\0").fail().await;
    assert_eq!(
        nul.message,
        "the value from the configuration key `Key` has a NUL character in it, which no environment variable can hold"
    );
    let argument = sh("{Config:Key}").configured("Key", "confidential\0").fail().await;
    assert_eq!(argument.message, "element 2 of the command has a NUL character in it, which no argument can hold");
    let empty = program(&["{Config:Key}"]).configured("Key", "").fail().await;
    assert_eq!(empty.message, "the command's program is empty once the action's configuration is filled in");
    let large = sh("true").configured("Key", &"x".repeat(200_000)).fail().await;
    let start = "the command's arguments and environment are too large: 200";
    assert!(large.message.starts_with(start) && large.message.contains("131072"), "{}", large.message);
    let many = (0..30).fold(sh("true"), |scenario, key| scenario.configured(&format!("K{key}"), &"x".repeat(100_000)));
    let many = many.fail().await;
    assert!(many.message.starts_with("the command's arguments and environment are too large: 300"), "{}", many.message);
    for failure in [nul, argument, empty, large, many] {
        assert_eq!(failure.kind, FailureKind::ConfigurationError);
    }
}

#[tokio::test]
async fn names_that_become_one_variable_are_refused() {
    let keys = sh("true").configured("api-key", "1").configured("API.KEY", "2").fail().await;
    assert_eq!(keys.kind, FailureKind::ConfigurationError);
    assert_eq!(
        keys.message,
        "the configuration key `API.KEY` and the configuration key `api-key` would both become the environment variable \
         `CONFIG_API_KEY`; rename one of them"
    );
    let artifact = sh("true").outputs(&["Variables"]).fail().await;
    assert_eq!(
        artifact.message,
        "the file for output variables and the output artifact `Variables` would both become the environment variable \
         `OUTPUT_VARIABLES`; rename one of them"
    );
}

#[tokio::test]
async fn programs_that_cannot_be_executed_are_the_configurations_mistake() {
    let missing = program(&["no-such-program"]).fail().await;
    assert!(
        missing.message.starts_with("the command's program `no-such-program` was not found"),
        "{}",
        missing.message
    );
    let folder = program(&["/etc"]).fail().await;
    assert!(folder.message.starts_with("the command's program `/etc` may not be executed"), "{}", folder.message);
    let without_right = program(&["/etc/passwd"]).fail().await;
    assert!(without_right.message.contains("`/etc/passwd` may not be executed"), "{}", without_right.message);
    let named = program(&["{Config:Program}"]).configured("Program", "confidential").fail().await;
    let start = "the command's program, which the action's configuration names, was not found";
    assert!(named.message.starts_with(start), "{}", named.message);
    for failure in [missing, folder, without_right, named] {
        assert_eq!(failure.kind, FailureKind::ConfigurationError);
        assert!(failure.output.is_none());
    }
}

#[tokio::test]
async fn a_script_of_the_input_artifact_can_be_the_program() {
    let staged = program(&["./build.sh"]).stage();
    let script = staged.turn.workspace.input("Source").join("build.sh");
    std::fs::write(&script, "#!/bin/sh\nexit 7\n").unwrap();
    std::fs::set_permissions(&script, PermissionsExt::from_mode(0o755)).unwrap();
    assert_eq!(staged.start().await.err().unwrap().message, "the command ended with exit code 7");

    for content in ["\0", "exit 7\n", ""] {
        std::fs::write(&script, content).unwrap();
        let message = staged.start().await.err().unwrap().message;
        assert!(message.contains("`./build.sh` is neither a binary for this machine"), "{content}: {message}");
    }
}
