//! A panic is logged by its place, without its message. The panic happens in a child process, because the panic hook belongs to
//! the process.

use std::process::Command;

use crate::support::children::Children;

const NAME: &str = "panics::a_panic_is_logged_by_place_without_its_message";
/// Set in the child process, which panics.
const ROLE: &str = "PANIC_TEST_CHILD";
const SECRET: &str = "MARKER-in-a-panic";

#[test]
#[expect(clippy::disallowed_methods, reason = "the test tells its child process what to do")]
fn a_panic_is_logged_by_place_without_its_message() {
    if std::env::var(ROLE).is_ok() {
        codepipeline_worker::telemetry::install(tracing::Level::TRACE);
        let panicked = std::panic::catch_unwind(|| panic!("{SECRET}"));
        assert!(panicked.is_err());
        return;
    }
    let _children = Children::of_the_test();
    let child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", NAME, "--nocapture"])
        .env(ROLE, "1")
        .env("RUST_BACKTRACE", "full")
        .output()
        .unwrap();
    let said = [child.stdout, child.stderr].concat();
    let said = String::from_utf8_lossy(&said);
    assert!(child.status.success(), "{said}");
    assert!(said.contains("\"panicLocation\":\"tests/it/panics.rs"), "{said}");
    assert!(!said.contains(SECRET), "{said}");
}

#[test]
fn a_worker_outside_lambda_names_the_missing_variables() {
    let _children = Children::of_the_test();
    let actions = r#"[{"actionType": {"category": "Test", "owner": "Custom", "provider": "P", "version": "1"},
        "run": {"command": ["true"]}}]"#;
    let others = ["AWS_LAMBDA_FUNCTION_NAME", "AWS_LAMBDA_FUNCTION_VERSION", "AWS_LAMBDA_FUNCTION_MEMORY_SIZE"];
    let all = format!("AWS_LAMBDA_RUNTIME_API, {} are not set", others.join(", "));
    for (set, words) in [(&[][..], all.as_str()), (&others[..], "AWS_LAMBDA_RUNTIME_API is not set")] {
        let mut worker = Command::new(env!("CARGO_BIN_EXE_codepipeline-worker"));
        worker.env_clear().env("ACTIONS", actions).envs(set.iter().map(|name| (name, "1")));
        let output = worker.output().unwrap();
        let said = String::from_utf8_lossy(&output.stdout);
        assert_eq!(output.status.code(), Some(1), "{said}");
        assert!(said.contains(words) && said.contains("cargo lambda watch"), "{said}");
        assert!(!said.contains("panicked"), "{said}");
    }
}
