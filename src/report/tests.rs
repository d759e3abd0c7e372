use super::*;

const RUN: &str = "e-1";
const SEARCH: &str = "(search the log for e-1)";

fn redactor() -> Redactor {
    Redactor::new(["hunter22"])
}

fn failure_report(failure: Failure) -> FailureReport {
    match report(Err(failure), RUN, &redactor()) {
        Report::Failure(failure) => failure,
        _ => panic!("not a failure"),
    }
}

fn finished(finished: Finished) -> Report {
    report(Ok(Outcome::Finished(finished)), RUN, &redactor())
}

#[test]
fn a_long_summary_is_cut_without_splitting_a_character() {
    let Report::Success(success) = finished(Finished { summary: Some("é".repeat(5000)), ..Finished::default() })
    else {
        panic!("not a success")
    };
    assert_eq!(success.details.summary.unwrap().chars().count(), SUMMARY);
}

#[test]
fn long_data_fails_the_job_and_is_not_cut() {
    let code = |report: Report| match report {
        Report::Failure(failure) => failure.code,
        _ => None,
    };
    let too_long = Some("OutcomeTooLong".to_owned());
    let id = |length| Finished { external_execution_id: Some("ü".repeat(length)), ..Finished::default() };
    assert_eq!(code(finished(id(1500))), None);
    assert_eq!(code(finished(id(1501))), too_long);
    let revision = |revision: usize, change: usize| Finished {
        revision: Some(Revision {
            revision: "r".repeat(revision),
            change_identifier: "c".repeat(change),
            summary: Some("s".repeat(9000)),
            created: None,
        }),
        ..Finished::default()
    };
    assert_eq!(code(finished(revision(1500, 100))), None);
    assert_eq!(code(finished(revision(1501, 100))), too_long);
    assert_eq!(code(finished(revision(1, 101))), too_long);
    let failure = Failure {
        external_execution_id: Some("x".repeat(1501)),
        ..Failure::new(FailureKind::JobFailed, FailureCode::new("Test"), "no")
    };
    assert_eq!(failure_report(failure).external_execution_id.as_deref(), Some(RUN));
}

#[test]
fn a_failure_keeps_its_message_and_the_end_of_its_output() {
    let output = format!("{}the last line\n", "x\n".repeat(9000));
    let failure = Failure {
        output: Some(output),
        ..Failure::new(FailureKind::JobFailed, FailureCode::new("Test"), "exit code 3")
    };
    let FailureReport { code, message, reason, .. } = failure_report(failure);
    assert_eq!((code.as_deref(), reason.as_str()), (Some("Test"), "exit code 3"));
    assert!(message.starts_with("Test: exit code 3:\n"), "{message}");
    assert!(message.ends_with(&format!("the last line\n{SEARCH}")), "{message}");
    assert_eq!(message.chars().count(), MESSAGE);
}

#[test]
fn a_code_takes_its_room_from_a_long_message() {
    let failure = Failure::new(FailureKind::JobFailed, FailureCode::new("Test"), "x".repeat(MESSAGE));
    let report = failure_report(failure);
    assert_eq!((report.reason.chars().count(), report.message.chars().count()), (MESSAGE, MESSAGE));
    assert!(report.message.starts_with("Test: xxx") && !report.has_output(), "{}", report.message);
    assert!(report.message.ends_with(&format!("x… {SEARCH}")), "{}", report.message);
}

#[test]
fn an_empty_message_is_replaced() {
    let failure = Failure::new(FailureKind::JobFailed, FailureCode::new("Test"), " ");
    assert_eq!(failure_report(failure).message, format!("Test: the action failed and gave no reason {SEARCH}"));
}

/// A report that a version without codes left in the ledger.
#[test]
fn a_report_without_a_code_is_still_read() {
    let text = r#"{"kind":"JobFailed","message":"no:\nprinted","reason":"no","external_execution_id":null}"#;
    let report: FailureReport = serde_json::from_str(text).unwrap();
    assert!(report.code.is_none() && report.has_output());
    let plain = FailureReport::in_own_words(report.kind, report.code, report.reason, report.run);
    assert_eq!((plain.message.as_str(), plain.has_output()), ("no", false));
}

#[test]
fn secrets_are_masked_in_prose_and_prose_is_plain() {
    let said = || Some("says \u{1b}[1mhunt\u{1b}[0mer22\r\n".to_owned());
    let failure = Failure {
        output: said(),
        ..Failure::new(FailureKind::JobFailed, FailureCode::new("Test"), "password hunter22")
    };
    assert_eq!(failure_report(failure).message, format!("Test: password ****:\nsays ****\n{SEARCH}"));

    let Report::Success(success) = finished(Finished {
        summary: said(),
        revision: Some(Revision {
            revision: "r".into(),
            change_identifier: "c".into(),
            summary: said(),
            created: Some(7),
        }),
        ..Finished::default()
    }) else {
        panic!("not a success")
    };
    assert_eq!(success.details.summary.as_deref(), Some("says ****"));
    let revision = success.revision.unwrap();
    assert_eq!((revision.summary.as_deref(), revision.created), (Some("says ****"), Some(7)));
}

#[test]
fn data_is_reported_unchanged() {
    let data = "a\u{1b}[1mb hunter22\r\nc".to_owned();
    let Report::Success(success) = finished(Finished {
        variables: [("Key".to_owned(), data.clone())].into(),
        external_execution_id: Some(data.clone()),
        ..Finished::default()
    }) else {
        panic!("not a success")
    };
    assert_eq!((&success.variables["Key"], success.details.external_execution_id), (&data, Some(data.clone())));
}

#[test]
fn invalid_variables_fail_the_job_with_the_reason() {
    let named = |name: &str, value: String| {
        finished(Finished { variables: [(name.to_owned(), value)].into(), ..Finished::default() })
    };
    let Report::Failure(failure) = named("a b", String::new()) else { panic!("accepted") };
    assert_eq!(failure.code.as_deref(), Some("InvalidVariableName"));
    assert!(failure.message.contains("'a b'"), "{}", failure.message);
    let Report::Failure(failure) = named("Big", "v".repeat(VARIABLES_BYTES)) else { panic!("accepted") };
    assert_eq!(failure.code.as_deref(), Some("VariablesTooLarge"));
    assert!(failure.message.contains("122883 bytes"), "{}", failure.message);
    assert!(matches!(named("Big", "v".repeat(VARIABLES_BYTES - 3)), Report::Success(_)));
}

#[test]
fn finished_work_is_complete_by_default() {
    for (given, reported) in [(None, 100), (Some(90), 90), (Some(250), 100)] {
        let Report::Success(success) = finished(Finished { percent_complete: given, ..Finished::default() }) else {
            panic!("not a success")
        };
        assert_eq!(success.details.percent_complete, Some(reported));
    }
}

#[test]
fn a_token_that_is_too_long_fails_the_job() {
    let token = |length| Continuation {
        token: "t".repeat(length),
        summary: None,
        external_execution_id: None,
        percent_complete: Some(250),
    };
    let going_on = |length| report(Ok(Outcome::Continue(token(length))), RUN, &redactor());
    assert!(matches!(going_on(0), Report::Failure(_)));
    assert!(matches!(going_on(2049), Report::Failure(_)));
    let Report::Continuation(continuation) = going_on(2048) else { panic!("refused") };
    assert_eq!(continuation.details.percent_complete, Some(100));
}

#[test]
fn id_of_the_run_stands_for_one_that_the_action_leaves_out() {
    let failure = |id: Option<&str>| {
        let external_execution_id = id.map(str::to_owned);
        let failure = Failure::new(FailureKind::JobFailed, FailureCode::new("Test"), "no");
        Err(Failure { external_execution_id, ..failure })
    };
    let finished = |id: Option<&str>| {
        Ok(Outcome::Finished(Finished { external_execution_id: id.map(str::to_owned), ..Finished::default() }))
    };
    let continued = |id: Option<&str>| {
        let external_execution_id = id.map(str::to_owned);
        let (token, summary, percent_complete) = ("t".to_owned(), None, None);
        Ok(Outcome::Continue(Continuation { token, summary, external_execution_id, percent_complete }))
    };
    for (given, reported) in [(None, RUN), (Some(" "), RUN), (Some("run-7"), "run-7")] {
        for result in [failure(given), finished(given), continued(given)] {
            assert_eq!(report(result, RUN, &redactor()).external_execution_id(), Some(reported));
        }
    }
}

#[test]
fn an_id_that_is_too_long_leaves_the_report_without_it() {
    let long = "r".repeat(EXTERNAL_EXECUTION_ID + 1);
    let failed = report(Err(Failure::new(FailureKind::JobFailed, FailureCode::new("Test"), "no")), &long, &redactor());
    let Report::Failure(failure) = failed else { panic!("not a failure") };
    assert_eq!((failure.message.as_str(), failure.external_execution_id), ("Test: no", None));
}

#[test]
fn too_long_run_id_is_left_out_of_the_message() {
    let kind = FailureKind::JobFailed;
    let with = |length| {
        FailureReport::in_own_words(kind, Some("Test".into()), "x".repeat(MESSAGE), Some("r".repeat(length))).message
    };
    assert!(with(EXTERNAL_EXECUTION_ID).ends_with("r)"));
    for length in [EXTERNAL_EXECUTION_ID, EXTERNAL_EXECUTION_ID + 1, MESSAGE + 1] {
        assert_eq!(with(length).chars().count(), MESSAGE, "{length}");
    }
    assert!(!with(MESSAGE + 1).contains("search the log"));
}
