//! The report files and the output of a command.

use codepipeline_worker::job::FailureKind;

use super::scenario::sh;

#[tokio::test]
async fn variables_and_summary_are_reported() {
    let script = r#"
        echo A=1 >> "$OUTPUT_VARIABLES"
        printf 'B<<END\none\ntwo\nEND\n' >> "$OUTPUT_VARIABLES"
        echo "checked 3 links" > "$SUMMARY"
    "#;
    let finished = sh(script).succeed().await;
    assert_eq!(finished.summary.as_deref(), Some("checked 3 links"));
    let variables: Vec<_> = finished.variables.iter().map(|(key, value)| (key.as_str(), value.as_str())).collect();
    assert_eq!(variables, [("A", "1"), ("B", "one\ntwo")]);
}

#[tokio::test]
async fn without_a_summary_exit_code_and_time_are_reported() {
    for script in ["rm $SUMMARY", "true", "printf ' \\n\\033[0m' > $SUMMARY"] {
        let finished = sh(script).succeed().await;
        let summary = finished.summary.unwrap();
        assert!(summary.starts_with("exit code 0 after ") && summary.ends_with(" s"), "{script}: {summary}");
        assert!(finished.variables.is_empty() && finished.revision.is_none());
        assert!(finished.external_execution_id.is_none());
    }
}

#[tokio::test]
async fn a_revision_and_an_external_id_are_reported() {
    let script = r#"
        printf 'revision=c0ffee\nsummary<<EOF\nfix "it"\n\nbody\nEOF\ncreated=2015-10-21T09:28:00+02:00\n' > "$REVISION"
        echo run-7 > "$EXTERNAL_EXECUTION_ID"
    "#;
    let finished = sh(script).succeed().await;
    assert_eq!(finished.external_execution_id.as_deref(), Some("run-7"));
    let revision = finished.revision.unwrap();
    assert_eq!((revision.revision.as_str(), revision.change_identifier.as_str()), ("c0ffee", "c0ffee"));
    assert_eq!((revision.summary.as_deref(), revision.created), (Some("fix \"it\"\n\nbody"), Some(1_445_412_480)));

    let failure = sh("echo run-7 > $EXTERNAL_EXECUTION_ID; exit 3").fail().await;
    assert_eq!((failure.code.as_str(), failure.external_execution_id.as_deref()), ("CommandFailed", Some("run-7")));
    let failure = sh("echo revision > $REVISION").fail().await;
    assert_eq!(failure.code.as_str(), "ReportFileInvalid");
    assert!(failure.message.contains("line 1 of the file REVISION"), "{}", failure.message);
}

#[tokio::test]
async fn secrets_are_masked_in_prose_and_left_in_data() {
    let token = "correct-horse \"battery\"";
    let script = r#"
        echo "A=<$CONFIG_TOKEN>" > "$OUTPUT_VARIABLES"
        echo "<$CONFIG_TOKEN>" > "$SUMMARY"
    "#;
    let finished = sh(script).secret("Token", token).succeed().await;
    assert_eq!(finished.summary.as_deref(), Some("<****>"));
    // The job will fail. The worker searches data for secrets when it reports a job of any kind.
    assert_eq!(finished.variables["A"], format!("<{token}>"));

    let script = r#"echo "<$CONFIG_TOKEN>"; printf %s "$CONFIG_TOKEN" | base64 >&2; exit 1"#;
    let failure = sh(script).secret("Token", token).fail().await;
    assert_eq!(failure.output.as_deref(), Some("<****>\n****"));
}

#[tokio::test]
async fn output_is_reported_as_plain_text() {
    for (script, expected) in [
        (r"printf '\033[31;1mtests failed\033[0m\n'; exit 1", "tests failed"),
        (
            r"for i in 10 50 100; do printf '\rprogress %s%%' $i; done; printf '\n\033[2K\033[1Afailed\n'; exit 1",
            "progress 100%\nfailed",
        ),
        (r"printf '\033]8;;https://x.example\033\\link\033]8;;\033\\\n'; exit 1", "link"),
        (r"printf 'a\000b \2331mc\r\n'; exit 1", "ab c"),
    ] {
        assert_eq!(sh(script).fail().await.output.as_deref(), Some(expected), "{script}");
    }
    let finished = sh(r"printf '\033[32mok\033[0m' > $SUMMARY").succeed().await;
    assert_eq!(finished.summary.as_deref(), Some("ok"));
    let coloured = r#"printf '\033[1m%s\033[2m%s\n' hun ter22; exit 1"#;
    assert_eq!(sh(coloured).secret("Token", "hunter22").fail().await.output.as_deref(), Some("****"));
}

#[tokio::test]
async fn a_failure_names_values_with_windows_line_ends() {
    let command = "mkdir -p out\r\necho hi > out/x\r\n";
    let failure = sh("{Config:Command}").configured("Command", command).fail().await;
    assert!(failure.message.contains("`Command` has Windows line ends"), "{}", failure.message);
    let program = super::scenario::program(&["{Config:Program}"]).configured("Program", "ls\r\n").fail().await;
    assert_eq!(program.code.as_str(), "ProgramNotFound");
    assert!(program.message.contains("`Program` has Windows line ends"), "{}", program.message);
}

#[tokio::test]
async fn a_default_summary_names_windows_line_ends() {
    let lost = sh("{Config:Command}").configured("Command", "echo done > $SUMMARY\r\n").succeed().await;
    let summary = lost.summary.unwrap();
    assert!(
        summary.starts_with("exit code 0 after ") && summary.contains("`Command` has Windows line ends"),
        "{summary}"
    );
    let unnamed = sh("true").configured("Certificate", "a\r\nb\r\n").succeed().await;
    assert!(!unnamed.summary.unwrap().contains("Windows"));
}

#[tokio::test]
async fn values_that_are_not_secret_are_not_masked() {
    let failure = sh("echo $CONFIG_URL; exit 1").configured("Url", "https://example.com").fail().await;
    assert_eq!(failure.output.as_deref(), Some("https://example.com"));
}

#[tokio::test]
async fn malformed_variables_fail_the_job_and_stay_hidden() {
    let failure = sh("printf 'A=1\nconfidential' > $OUTPUT_VARIABLES; echo printed").fail().await;
    assert_eq!((failure.kind, failure.code.as_str()), (FailureKind::JobFailed, "ReportFileInvalid"));
    let message = &failure.message;
    assert!(message.contains("line 2 of the file OUTPUT_VARIABLES") && !message.contains("confidential"), "{message}");
    assert_eq!(failure.output.as_deref(), Some("printed"));
}

#[tokio::test]
async fn too_many_variables_fail_the_job() {
    let failure = sh("{ printf A=; head -c 122880 /dev/zero | tr '\\0' x; } > $OUTPUT_VARIABLES").fail().await;
    assert_eq!((failure.kind, failure.code.as_str()), (FailureKind::JobFailed, "ReportFileInvalid"));
    assert!(failure.message.contains("122881 bytes"), "{}", failure.message);
}

#[tokio::test]
async fn links_and_pipes_instead_of_report_files_are_not_read() {
    for script in [
        "rm $SUMMARY; ln -s /etc/passwd $SUMMARY",
        "rm $SUMMARY; ln -s /proc/self/environ $SUMMARY",
        "ln -sf /proc/self/environ $REVISION",
        "ln -sf /etc/hostname $EXTERNAL_EXECUTION_ID",
        "rm $EXTERNAL_EXECUTION_ID; mkfifo $EXTERNAL_EXECUTION_ID",
        "rm $SUMMARY; mkfifo $SUMMARY",
        "rm $OUTPUT_VARIABLES; ln -s /etc/passwd $OUTPUT_VARIABLES",
        "rm $OUTPUT_VARIABLES; mkdir $OUTPUT_VARIABLES",
    ] {
        let failure = sh(script).fail().await;
        assert_eq!((failure.kind, failure.code.as_str()), (FailureKind::JobFailed, "ReportFileInvalid"), "{script}");
        assert!(failure.message.contains("not a regular file"), "{script}: {}", failure.message);
    }
}

#[tokio::test]
async fn only_the_end_of_a_flood_of_output_is_reported() {
    let failure = sh("yes | head -c 300000000; echo the end >&2; exit 1").fail().await;
    let output = failure.output.unwrap();
    assert!(output.starts_with("…y\n") || output.starts_with("…\ny"), "{}", &output[..10]);
    assert!(output.ends_with("y\nthe end"));
    assert!(output.len() < 100_000);
}

#[tokio::test]
async fn each_stream_keeps_its_order_in_the_message() {
    let failure = sh("echo 1; echo 2 >&2; echo 3; echo 4 >&2; exit 1").fail().await;
    let output = failure.output.unwrap();
    let mut lines: Vec<_> = output.lines().collect();
    let at = |line: &str| lines.iter().position(|found| *found == line).unwrap();
    // The two streams are two pipes. The worker reads one after the other, so a fast command's lines may change places between them.
    assert!(at("1") < at("3") && at("2") < at("4"), "{output}");
    lines.sort_unstable();
    assert_eq!(lines, ["1", "2", "3", "4"]);
}

#[tokio::test]
async fn the_worker_waits_for_a_command_that_closes_its_output() {
    let failure = sh("exec >&- 2>&-; i=0; while [ $i -lt 20000 ]; do i=$((i+1)); done; exit 4").fail().await;
    assert!(failure.message.ends_with("exit code 4"), "{}", failure.message);
    assert!(failure.output.is_none());
}
