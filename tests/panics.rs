//! What a panic says stays unsaid. A binary of its own with one test, since the panic hook is the process's.

#![allow(clippy::unwrap_used, reason = "a scenario whose set-up fails has failed")]

use std::process::Command;

const NAME: &str = "a_panics_message_is_in_no_output_but_its_place_is";
/// Tells the test's own binary that it is the process that panics.
const ROLE: &str = "PANIC_TEST_CHILD";
const SECRET: &str = "MARKER-in-a-panic";

#[test]
#[expect(clippy::disallowed_methods, reason = "the test tells its child process what to do")]
fn a_panics_message_is_in_no_output_but_its_place_is() {
    if std::env::var(ROLE).is_ok() {
        codepipeline_worker::telemetry::install(tracing::Level::TRACE);
        let panicked = std::panic::catch_unwind(|| panic!("{SECRET}"));
        assert!(panicked.is_err());
        return;
    }
    let child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", NAME, "--nocapture"])
        .env(ROLE, "1")
        .env("RUST_BACKTRACE", "full")
        .output()
        .unwrap();
    let said = [child.stdout, child.stderr].concat();
    let said = String::from_utf8_lossy(&said);
    assert!(child.status.success(), "{said}");
    assert!(said.contains("\"panic.location\":\"tests/panics.rs"), "{said}");
    assert!(!said.contains(SECRET), "{said}");
}
