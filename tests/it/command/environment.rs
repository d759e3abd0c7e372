//! The environment, the folder and the arguments of a command.

use std::collections::BTreeMap;
use std::os::unix::fs::PermissionsExt;

use codepipeline_worker::job::{FailureCode, FailureKind, PipelineContext};

use super::scenario::{Staged, describe, program, sh};

/// The initial environment of a process of `staged`, as the kernel reports it.
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
async fn missing_facts_of_the_job_set_no_variable() {
    let id = Some("11111111-abcd-1111-abcd-111111abcdef".to_owned());
    // For a Lambda Invoke job, the worker uses the job's id.
    let pipeline = PipelineContext { action_execution_id: id, ..PipelineContext::default() };
    let names = environment(&sh("cat /proc/$$/environ > $OUTPUT_OUT/environ").pipeline(pipeline).stage()).await;
    let names: Vec<_> = names.keys().map(String::as_str).collect();
    let prefixes = ["PIPELINE", "STAGE", "ACTION", "AWS"];
    assert!(!names.iter().any(|name| prefixes.iter().any(|prefix| name.starts_with(prefix))), "{names:?}");
    assert!(names.contains(&"JOB_ID") && !names.contains(&"INPUT_SOURCE_REVISION"));
}

#[tokio::test]
async fn an_artifacts_folder_wins_over_a_revision() {
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
async fn the_packages_programs_precede_the_systems() {
    let package = tempfile::tempdir().unwrap();
    let path = package.path().join("ls");
    std::fs::write(&path, "#!/bin/sh\nexit 42\n").unwrap();
    std::fs::set_permissions(&path, PermissionsExt::from_mode(0o755)).unwrap();
    let failure = program(&["ls"]).package(package.path()).fail().await;
    assert!(failure.message.ends_with("exit code 42"), "{}", failure.message);
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
async fn a_missing_configuration_key_is_refused() {
    let failure = sh("{Config:Script}").configured("script", "true").fail().await;
    assert_eq!((failure.kind, failure.code.as_str()), (FailureKind::ConfigurationError, "ConfigurationKeyMissing"));
    assert!(failure.message.contains("`Script`"), "{}", failure.message);
}

#[tokio::test]
async fn invalid_values_are_refused_and_not_shown() {
    let nul = sh("true").configured("Key", "confidential\0").fail().await;
    assert_eq!(nul.code.as_str(), "NulInEnvironment");
    assert!(nul.message.contains("the configuration key `Key`"), "{}", nul.message);
    let argument = sh("{Config:Key}").configured("Key", "confidential\0").fail().await;
    assert_eq!(argument.code.as_str(), "NulInArgument");
    assert!(argument.message.contains("element 2"), "{}", argument.message);
    let empty = program(&["{Config:Key}"]).configured("Key", "").fail().await;
    assert_eq!(empty.code.as_str(), "ProgramEmpty");
    let large = sh("true").configured("Key", &"x".repeat(200_000)).fail().await;
    assert!(large.message.contains("have 200") && large.message.contains("131072"), "{}", large.message);
    let many = (0..30).fold(sh("true"), |scenario, key| scenario.configured(&format!("K{key}"), &"x".repeat(100_000)));
    let many = many.fail().await;
    assert!(many.message.contains("have 300"), "{}", many.message);
    assert_eq!([large.code, many.code].map(FailureCode::as_str), ["ArgumentsTooLarge"; 2]);
    for failure in [nul, argument, empty, large, many] {
        assert_eq!(failure.kind, FailureKind::ConfigurationError);
        assert!(!failure.message.contains("confidential"), "{}", failure.message);
    }
}

#[tokio::test]
async fn names_that_become_the_same_variable_are_refused() {
    let keys = sh("true").configured("api-key", "1").configured("API.KEY", "2").fail().await;
    assert_eq!((keys.kind, keys.code.as_str()), (FailureKind::ConfigurationError, "EnvironmentNameClash"));
    for name in ["`API.KEY`", "`api-key`", "`CONFIG_API_KEY`"] {
        assert!(keys.message.contains(name), "{}", keys.message);
    }
    let artifact = sh("true").outputs(&["Variables"]).fail().await;
    assert_eq!(artifact.code.as_str(), "EnvironmentNameClash");
    assert!(artifact.message.contains("the output artifact `Variables`"), "{}", artifact.message);
}

#[tokio::test]
async fn a_program_that_cannot_run_is_a_configuration_error() {
    let missing = program(&["no-such-program"]).fail().await;
    assert_eq!(missing.code.as_str(), "ProgramNotFound");
    assert!(missing.message.contains("`no-such-program`"), "{}", missing.message);
    let folder = program(&["/etc"]).fail().await;
    assert_eq!(folder.code.as_str(), "ProgramNotExecutable");
    let without_right = program(&["/etc/passwd"]).fail().await;
    assert_eq!(without_right.code.as_str(), "ProgramNotExecutable");
    let named = program(&["{Config:Program}"]).configured("Program", "confidential").fail().await;
    assert_eq!(named.code.as_str(), "ProgramNotFound");
    assert!(!named.message.contains("confidential"), "{}", named.message);
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
    assert!(staged.start().await.err().unwrap().message.ends_with("exit code 7"));

    for content in ["\0", "exit 7\n", ""] {
        std::fs::write(&script, content).unwrap();
        let failure = staged.start().await.err().unwrap();
        assert_eq!(failure.code.as_str(), "ProgramFormatInvalid", "{content}: {}", failure.message);
    }
}
