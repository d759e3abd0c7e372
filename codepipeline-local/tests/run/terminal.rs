//! Approvals at a terminal, which is a pseudo terminal of the test.

use std::fs::File;
use std::io::{BufRead, BufReader, Lines, Write};
use std::path::Path;
use std::process::{Child, ChildStdout};

use rustix::fs::{Mode, OFlags, open};
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use serde_json::json;

use super::{action, folder, program};

/// A run whose standard input is a terminal, with the side of the terminal where a person types.
struct AtTerminal {
    child: Child,
    lines: Lines<BufReader<ChildStdout>>,
    keyboard: File,
}

impl AtTerminal {
    /// Starts a run, and waits for its question.
    fn start(folder: &Path) -> Self {
        let keyboard = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC).unwrap();
        grantpt(&keyboard).unwrap();
        unlockpt(&keyboard).unwrap();
        let name = ptsname(&keyboard, Vec::new()).unwrap();
        // Without NOCTTY, it could become the terminal of the test's own process.
        let terminal = open(name, OFlags::RDWR | OFlags::NOCTTY | OFlags::CLOEXEC, Mode::empty()).unwrap();
        let mut child = program(folder, &["--source", "App=app"]).stdin(terminal).spawn().unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let mut run = Self { child, lines, keyboard: File::from(keyboard) };
        run.wait_for_the_question();
        run
    }

    fn wait_for_the_question(&mut self) {
        self.find("  Work/Ask: write approve or reject");
    }

    /// Reads lines up to the one that begins so.
    fn find(&mut self, start: &str) -> String {
        let mut found = self.lines.by_ref().map(|line| line.unwrap());
        found.find(|line| line.starts_with(start)).unwrap_or_else(|| panic!("no line begins with {start}"))
    }

    fn types(&mut self, keys: &str) {
        self.keyboard.write_all(keys.as_bytes()).unwrap();
    }

    /// Waits for the end. Returns the exit code, and the line about the approval.
    fn end(mut self, start: &str) -> (Option<i32>, String) {
        let line = self.find(start);
        self.lines.by_ref().for_each(drop);
        (self.child.wait().unwrap().code(), line)
    }
}

fn approval() -> tempfile::TempDir {
    folder(&[action("Ask", "Approval/AWS/Manual/1", &json!({}))])
}

#[test]
fn yes_approves_with_the_comment() {
    let folder = approval();
    let mut run = AtTerminal::start(folder.path());
    run.types("yes looks good\n");
    let (code, line) = run.end("succeeded Work/Ask");
    assert_eq!(code, Some(0));
    assert!(line.ends_with(": looks good"), "{line}");
}

#[test]
fn no_rejects_and_fails_the_run() {
    let folder = approval();
    let mut run = AtTerminal::start(folder.path());
    run.types("No the tests are missing\n");
    let (code, line) = run.end("failed Work/Ask");
    assert_eq!(code, Some(1));
    assert!(line.ends_with(": The approval was rejected"), "{line}");
}

#[test]
fn other_words_repeat_the_question() {
    let folder = approval();
    let mut run = AtTerminal::start(folder.path());
    for wrong in ["maybe\n", "\n"] {
        run.types(wrong);
        run.wait_for_the_question();
    }
    run.types("approve\n");
    assert_eq!(run.end("succeeded Work/Ask").0, Some(0));
}

#[test]
fn comment_that_is_too_long_repeats_the_question() {
    let folder = approval();
    let mut run = AtTerminal::start(folder.path());
    run.types(&format!("approve {}\n", "a".repeat(513)));
    assert_eq!(run.find("  the comment has"), "  the comment has 513 characters, and 512 are allowed: shorten it");
    run.wait_for_the_question();
    run.types("reject\n");
    assert_eq!(run.end("failed Work/Ask").0, Some(1));
}

#[test]
fn closed_terminal_shows_the_command_that_approves() {
    let folder = approval();
    let mut run = AtTerminal::start(folder.path());
    run.types("\x04");
    let command = run.find("  to approve: ");
    assert!(command.contains(" codepipeline put-approval-result "), "{command}");
    super::terminate(&run.child);
    assert!(!run.child.wait().unwrap().success());
}
