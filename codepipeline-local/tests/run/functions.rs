//! Functions that end without a result of their job.

use std::io::{BufRead, BufReader};

use serde_json::json;

use super::{action, folder, program, run, terminate, text};

/// A bootstrap. It handles each event as its argument says.
const BOOTSTRAP: &str = r#"
call() {
    exec 3<>"/dev/tcp/${1/:/\/}"
    printf '%s HTTP/1.1\r\nHost: %s\r\n%sConnection: close\r\nContent-Length: %s\r\n\r\n%s' "$2" "$1" "$3" "${#4}" "$4" >&3
    cat <&3
    exec 3>&-
}
runtime() { call "$AWS_LAMBDA_RUNTIME_API" "$1" '' "$2"; }
while event=$(runtime 'GET /2018-06-01/runtime/invocation/next'); do
    request=$(grep -io 'aws-request-id: [^[:space:]]*' <<< "$event")
    reply="POST /2018-06-01/runtime/invocation/${request#*: }"
    case $1 in
        exit) exit 3 ;;
        fail) runtime "$reply/error" '{"errorType": "Broken", "errorMessage": "it broke"}' ;;
        answer) runtime "$reply/response" '{}' ;;
        report)
            job=$(grep -o '"id":"[^"]*"' <<< "$event" | head -n 1)
            service=$'Content-Type: application/x-amz-json-1.1\r\nX-Amz-Target: CodePipeline_20150709.PutJobSuccessResult\r\n'
            scope="$AWS_ACCESS_KEY_ID/20270101/us-east-1/codepipeline/aws4_request"
            signed="${service}Authorization: AWS4-HMAC-SHA256 Credential=$scope, SignedHeaders=host, Signature=0"$'\r\n'
            call "${AWS_ENDPOINT_URL#http://}" 'POST /' "$signed" "{\"jobId\":${job#*:}}"
            runtime "$reply/response" '{}'
            ;;
    esac
done
"#;

/// A folder whose pipeline invokes the function `slow`, and the flags that run it like this.
fn invoking(how: &str) -> (tempfile::TempDir, [String; 4]) {
    let folder = folder(&[action("Slow", "Invoke/AWS/Lambda/1", &json!({"configuration": {"FunctionName": "slow"}}))]);
    std::fs::write(folder.path().join("bootstrap"), BOOTSTRAP).unwrap();
    let function = format!("slow=bash bootstrap {how}");
    (folder, ["--source", "App=app", "--function", &function].map(str::to_owned))
}

#[test]
fn function_that_ends_without_a_result_is_told_once() {
    let retried = "; Lambda invokes a failed function up to two more times, which codepipeline-local does not";
    for (how, why, retried) in [
        ("exit", "[slow] the process ended without a response (exit status: 3)\n", retried),
        ("fail", "[slow] the invocation failed: Broken: it broke\n", retried),
        ("answer", "", ""),
    ] {
        let (folder, arguments) = invoking(how);
        let mut child = program(folder.path(), &arguments.each_ref().map(String::as_str)).spawn().unwrap();
        let mut shown = String::new();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        while !shown.contains("Ctrl-C") {
            shown += &(lines.next().expect("the run waits").unwrap() + "\n");
        }
        terminate(&child);
        shown.extend(lines.map(Result::unwrap));
        child.wait().unwrap();
        assert_eq!(shown.matches("waits for the job's result").count(), 1, "{shown}");
        let missing =
            "UTC (20 min): the function ended, and put-job-success-result or put-job-failure-result is missing";
        for part in
            [format!("{why}[slow] Work/Slow waits for the job's result until "), format!("{missing}{retried}; Ctrl-C")]
        {
            assert!(shown.contains(&part), "{part}\n{shown}");
        }
    }
}

#[test]
fn function_that_reports_a_result_is_not_waited_for() {
    let (folder, arguments) = invoking("report");
    let output = run(folder.path(), &arguments.each_ref().map(String::as_str));
    let shown = text(&output.stdout);
    assert!(output.status.success(), "{shown}{}", text(&output.stderr));
    assert!(!shown.contains("waits for"), "{shown}");
}
