//! What a command says: output variables, summary, and what it prints.

use codepipeline_worker::job::FailureKind;

use crate::scenario::sh;

#[tokio::test]
async fn variables_and_summary_are_taken_over() {
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
async fn a_command_may_say_nothing() {
    let finished = sh("rm $SUMMARY").succeed().await;
    assert!(finished.summary.is_none() && finished.variables.is_empty());
}

#[tokio::test]
async fn secrets_are_masked_in_whatever_leaves() {
    let token = "correct-horse \"battery\"";
    let script = r#"
        echo "A=<$CONFIG_TOKEN>" > "$OUTPUT_VARIABLES"
        echo "<$CONFIG_TOKEN>" > "$SUMMARY"
    "#;
    let finished = sh(script).secret("Token", token).succeed().await;
    assert_eq!((finished.summary.as_deref(), finished.variables["A"].as_str()), (Some("<****>"), "<****>"));

    let script = r#"echo "<$CONFIG_TOKEN>"; printf %s "$CONFIG_TOKEN" | base64 >&2; exit 1"#;
    let failure = sh(script).secret("Token", token).fail().await;
    assert_eq!(failure.output.as_deref(), Some("<****>\n****"));
}

#[tokio::test]
async fn values_that_are_not_secret_are_shown() {
    let failure = sh("echo $CONFIG_URL; exit 1").configured("Url", "https://example.com").fail().await;
    assert_eq!(failure.output.as_deref(), Some("https://example.com"));
}

#[tokio::test]
async fn malformed_variables_fail_the_job_and_are_not_repeated() {
    let failure = sh("printf 'A=1\nconfidential' > $OUTPUT_VARIABLES; echo printed").fail().await;
    assert_eq!(failure.kind, FailureKind::JobFailed);
    assert_eq!(failure.message, "line 2 of the file OUTPUT_VARIABLES is neither `KEY=value` nor `KEY<<EOF`");
    assert_eq!(failure.output.as_deref(), Some("printed"));
}

#[tokio::test]
async fn too_many_variables_fail_the_job() {
    let failure = sh("{ printf A=; head -c 122880 /dev/zero | tr '\\0' x; } > $OUTPUT_VARIABLES").fail().await;
    assert_eq!(failure.kind, FailureKind::JobFailed);
    assert!(failure.message.starts_with("the output variables have 122881 bytes"), "{}", failure.message);
}

#[tokio::test]
async fn links_and_pipes_in_the_place_of_a_report_are_not_read() {
    for script in [
        "rm $SUMMARY; ln -s /etc/passwd $SUMMARY",
        "rm $SUMMARY; mkfifo $SUMMARY",
        "rm $OUTPUT_VARIABLES; ln -s /etc/passwd $OUTPUT_VARIABLES",
        "rm $OUTPUT_VARIABLES; mkdir $OUTPUT_VARIABLES",
    ] {
        let failure = sh(script).fail().await;
        assert_eq!(failure.kind, FailureKind::JobFailed);
        assert!(failure.message.ends_with("that is not a regular file"), "{script}: {}", failure.message);
    }
}

#[tokio::test]
async fn of_a_flood_of_output_the_end_is_shown() {
    let failure = sh("yes | head -c 300000000; echo the end >&2; exit 1").fail().await;
    let output = failure.output.unwrap();
    assert!(output.starts_with("…y\n") || output.starts_with("…\ny"), "{}", &output[..10]);
    assert!(output.ends_with("y\nthe end"));
    assert!(output.len() < 100_000);
}

#[tokio::test]
async fn both_outputs_come_in_the_order_in_which_they_were_written() {
    let failure = sh("echo 1; echo 2 >&2; echo 3; echo 4 >&2; exit 1").fail().await;
    assert_eq!(failure.output.as_deref(), Some("1\n2\n3\n4"));
}

#[tokio::test]
async fn a_command_that_closes_its_output_is_waited_for() {
    let failure = sh("exec >&- 2>&-; i=0; while [ $i -lt 20000 ]; do i=$((i+1)); done; exit 4").fail().await;
    assert_eq!(failure.message, "the command ended with exit code 4");
    assert!(failure.output.is_none());
}
