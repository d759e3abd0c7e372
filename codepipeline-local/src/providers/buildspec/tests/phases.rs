//! The order of the commands, and their environment.

use super::*;

/// A build whose phases run these commands, each with these further members.
fn text(version: &str, phases: &[(&str, &str, &str)]) -> String {
    let phases: String = phases
        .iter()
        .map(|(phase, command, members)| format!("  {phase}:\n    commands:\n      - {command}\n{members}"))
        .collect();
    format!("version: {version}\nphases:\n{phases}artifacts:\n  files: ['**/*']\n")
}

/// Names each phase that ran, and whether artifacts are uploaded.
async fn reached(failing: &str, on_failure: &str) -> (String, bool) {
    let member = if on_failure.is_empty() { String::new() } else { format!("    on-failure: {on_failure}\n") };
    let phases = ["install", "pre_build", "build", "post_build"]
        .map(|phase| if phase == failing { (phase, "exit 3", member.as_str()) } else { (phase, "echo", "") });
    let ran = build(&text("0.2", &phases), &["file"]).await;
    assert_eq!(ran.built.failure.is_some(), !failing.is_empty());
    let letters = ran.phases().iter().map(|phase| phase.chars().nth(1).unwrap()).collect();
    (letters, !ran.files.is_empty())
}

#[tokio::test]
async fn failed_phase_is_followed_as_aws_documents() {
    // I(N)STALL, P(R)E_BUILD, B(U)ILD, P(O)ST_BUILD.
    for (failing, on_failure, phases, uploads) in [
        ("", "", "NRUO", true),
        ("install", "", "N", false),
        ("pre_build", "", "NR", false),
        ("build", "", "NRUO", true),
        ("post_build", "", "NRUO", true),
        ("install", "CONTINUE", "NRUO", true),
        ("pre_build", "CONTINUE", "NRUO", true),
        ("build", "CONTINUE", "NRUO", true),
        ("build", "ABORT", "NRU", true),
        ("post_build", "ABORT", "NRUO", true),
    ] {
        assert_eq!(reached(failing, on_failure).await, (phases.to_owned(), uploads), "{failing} {on_failure}");
    }
}

#[tokio::test]
async fn failure_names_phase_command_and_status() {
    let ran = build(&text("0.2", &[("build", "exit 3", ""), ("post_build", "exit 4", "")]), &[]).await;
    assert_eq!(
        ran.built.failure.unwrap(),
        "Build terminated with state: FAILED. Phase: BUILD, Code: COMMAND_EXECUTION_ERROR, Message: Error while executing command: exit 3. \
         Reason: exit status 3"
    );
}

#[tokio::test]
async fn build_tells_whether_it_succeeds() {
    for version in ["0.1", "0.2"] {
        let echo = "echo $CODEBUILD_BUILD_SUCCEEDING";
        let finally = format!("    finally:\n      - {echo}\n");
        let phases = [("install", echo, ""), ("build", "exit 1", finally.as_str()), ("post_build", echo, "")];
        assert_eq!(build(&text(version, &phases), &[]).await.output(), ["1", "0", "0"], "{version}");
    }
}

#[tokio::test]
async fn commands_of_0_2_share_a_shell() {
    let phases = [("install", "cd sub; A=1; export B=2", ""), ("build", "cat file; echo $A $B", "")];
    assert_eq!(build(&text("0.2", &phases), &["sub/file"]).await.output(), ["sub/file1 2"]);
}

#[tokio::test]
async fn commands_of_0_1_have_a_shell_each() {
    let phases = [("install", "cd sub; export B=2", ""), ("build", "cat sub/file; echo \"${B-unset}\"", "")];
    assert_eq!(build(&text("0.1", &phases), &["sub/file"]).await.output(), ["sub/fileunset"]);
}

#[tokio::test]
async fn state_survives_a_command_that_exits() {
    let phases = [("build", "export A=1; cd sub; exit 1", ""), ("post_build", "cat file; echo $A", "")];
    assert_eq!(build(&text("0.2", &phases), &["sub/file"]).await.output(), ["sub/file1"]);
}

#[tokio::test]
async fn failing_finally_fails_its_phase() {
    let finally = "    finally:\n      - exit 5\n      - echo not reached\n";
    let ran = build(&text("0.2", &[("install", "echo a", finally), ("build", "echo b", "")]), &[]).await;
    assert_eq!(ran.output(), ["a"]);
    assert!(ran.built.failure.unwrap().ends_with("command: exit 5. Reason: exit status 5"));
}

#[tokio::test]
async fn command_may_have_several_lines() {
    let command = "|\n        if true; then\n          echo one\n        fi\n        echo two";
    let ran = build(&text("0.2", &[("build", command, "")]), &[]).await;
    assert_eq!(ran.output(), ["one", "two"]);
}

#[tokio::test]
async fn exported_variables_have_their_last_values() {
    let text = "version: 0.2\nenv:\n  variables: {A: first, KEPT: kept}\n  parameter-store: {SECRET: p}\n  \
        exported-variables: [A, KEPT, PLAIN, SECRET, AWS_REGION, UNSET]\nphases:\n  build:\n    commands:\n      \
        - A=second; PLAIN=\"two\n\n        lines\"\n";
    let ran = build_with(text, &[], |_| Some("hidden".to_owned())).await;
    let exported: Vec<_> = ran.built.exported.iter().map(|(name, value)| format!("{name}={value}")).collect();
    assert_eq!(exported, ["A=second", "KEPT=kept", "PLAIN=two\nlines"]);
    for reason in [
        "SECRET is not exported, because its value is a secret",
        "AWS_REGION is not",
        "UNSET is not exported, because it is not set",
    ] {
        assert!(ran.lines.iter().any(|line| line.starts_with(reason)), "{:?}", ran.lines);
    }
}

#[tokio::test]
async fn shell_of_the_environment_is_used() {
    let text = "version: 0.2\nenv:\n  shell: bash\nphases:\n  build:\n    commands:\n      - 'a=(1 2); echo ${a[1]} ${BASH_VERSION:+bash}'\n";
    assert_eq!(build(text, &[]).await.output(), ["2 bash"]);
}

#[tokio::test]
async fn variables_are_literal_texts() {
    let text = "version: 0.2\nenv:\n  variables:\n    A: $PATH:/bin\n    B: 1.10\n    C: \"a 'b' \\\"c\\\"\"\n    CODEBUILD_X: 1\nphases:\n  \
        build:\n    commands:\n      - echo \"$A $B $C ${CODEBUILD_X-unset}\"\n";
    let ran = build(text, &[]).await;
    assert_eq!(ran.output(), ["$PATH:/bin 1.10 a 'b' \"c\" unset"]);
    assert!(ran.notes[0].contains("env/variables/CODEBUILD_X is ignored"), "{:?}", ran.notes);
}

#[tokio::test]
async fn environment_of_0_1_has_its_old_names() {
    let text = "version: 0.1\nenvironment_variables:\n  plaintext:\n    A: a\n  parameter-store:\n    B: b\nphases:\n  build:\n    commands:\n      \
        - echo $A $B\n";
    assert_eq!(build_with(text, &[], |_| Some("p".to_owned())).await.output(), ["a p"]);
}
