//! What is said when a command can't be started or doesn't end well.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::io;
use std::os::unix::process::ExitStatusExt;
use std::process::ExitStatus;
use std::time::Duration;

use rustix::io::Errno;
use tokio::time::Instant;

use crate::job::{Failure, FailureCode, FailureKind};

const COMMAND_FAILED: FailureCode = FailureCode::new("CommandFailed");
const COMMAND_KILLED: FailureCode = FailureCode::new("CommandKilled");
const COMMAND_TIMEOUT: FailureCode = FailureCode::new("CommandTimeout");
const COMMAND_OUT_OF_TIME: FailureCode = FailureCode::new("CommandOutOfTime");
const COMMAND_NOT_STARTED: FailureCode = FailureCode::new("CommandNotStarted");
const PROGRAM_NOT_FOUND: FailureCode = FailureCode::new("ProgramNotFound");
const PROGRAM_NOT_EXECUTABLE: FailureCode = FailureCode::new("ProgramNotExecutable");
const PROGRAM_FORMAT_INVALID: FailureCode = FailureCode::new("ProgramFormatInvalid");
const ARGUMENTS_TOO_LARGE: FailureCode = FailureCode::new("ArgumentsTooLarge");
const COMMAND_SYSTEM_ERROR: FailureCode = FailureCode::new("CommandSystemError");

/// What shells add to a signal's number to make an exit code of it.
const SHELL_SIGNAL_BASE: i32 = 128;

/// `None` for exit code 0.
pub(super) fn of_exit(status: ExitStatus) -> Option<Failure> {
    let message = match (status.code(), status.signal()) {
        (Some(0), _) => return None,
        (Some(code), _) => match signal_name(code - SHELL_SIGNAL_BASE) {
            Some(name) => format!(
                "the command ended with exit code {code}, a shell's way to say {name}{}",
                hint(code - SHELL_SIGNAL_BASE)
            ),
            None => format!("the command ended with exit code {code}"),
        },
        (None, Some(signal)) => match signal_name(signal) {
            Some(name) => format!("the command was killed by signal {signal} ({name}){}", hint(signal)),
            None => format!("the command was killed by signal {signal}"),
        },
        (None, None) => "the command ended without an exit code".to_owned(),
    };
    let code = if status.signal().is_some() { COMMAND_KILLED } else { COMMAND_FAILED };
    Some(Failure::new(FailureKind::JobFailed, code, message))
}

fn signal_name(signal: i32) -> Option<&'static str> {
    // The same numbers on every architecture that Lambda has (signal(7)).
    Some(match signal {
        1 => "SIGHUP",
        2 => "SIGINT",
        3 => "SIGQUIT",
        4 => "SIGILL",
        5 => "SIGTRAP",
        6 => "SIGABRT",
        7 => "SIGBUS",
        8 => "SIGFPE",
        9 => "SIGKILL",
        11 => "SIGSEGV",
        13 => "SIGPIPE",
        14 => "SIGALRM",
        15 => "SIGTERM",
        24 => "SIGXCPU",
        25 => "SIGXFSZ",
        31 => "SIGSYS",
        _ => return None,
    })
}

fn hint(signal: i32) -> &'static str {
    if signal == 9 { "; it may have needed more memory than the function has" } else { "" }
}

/// `timeout` is the configured one; `ran` is how long the command had if the invocation's end came first.
pub(super) fn of_timeout(timeout: Duration, ran: Option<Duration>) -> Failure {
    let message = match ran {
        None => format!(
            "the command was still running after its timeoutSeconds ({}) and was killed with everything that it started",
            timeout.as_secs_f64()
        ),
        Some(ran) => format!(
            "the command was still running after {} s, when the invocation had no more time, and was killed with everything \
             that it started; its timeoutSeconds ({}) do not fit into the function's timeout",
            ran.as_secs(),
            timeout.as_secs_f64()
        ),
    };
    let code = if ran.is_none() { COMMAND_TIMEOUT } else { COMMAND_OUT_OF_TIME };
    Failure::new(FailureKind::JobFailed, code, message)
}

/// `program` is the first argument where the operator wrote it; one that comes from a job's configuration isn't repeated.
pub(super) fn of_spawn(
    error: &io::Error,
    program: Option<&str>,
    arguments: &[String],
    environment: &BTreeMap<String, OsString>,
) -> Failure {
    let program = match program {
        Some(program) => format!("the command's program `{program}`"),
        None => "the command's program, which the action's configuration names,".to_owned(),
    };
    let (code, message) = match error.raw_os_error().map(Errno::from_raw_os_error) {
        Some(Errno::NOENT | Errno::NOTDIR) => (
            PROGRAM_NOT_FOUND,
            format!(
                "{program} was not found, neither in PATH nor in the first input artifact, or the interpreter that its `#!` line names was not; does that line end with LF alone?"
            ),
        ),
        Some(Errno::ACCESS | Errno::PERM) => {
            (PROGRAM_NOT_EXECUTABLE, format!("{program} may not be executed; does it have the executable bit?"))
        }
        Some(Errno::NOEXEC) => (
            PROGRAM_FORMAT_INVALID,
            format!("{program} is neither a binary for this machine nor does it begin with a `#!` line"),
        ),
        Some(Errno::TOOBIG) => (ARGUMENTS_TOO_LARGE, too_big(arguments, environment)),
        _ => {
            let message = format!("{program} could not be started: {error}");
            return Failure::new(FailureKind::SystemUnavailable, COMMAND_NOT_STARTED, message);
        }
    };
    Failure::new(FailureKind::ConfigurationError, code, message)
}

fn too_big(arguments: &[String], environment: &BTreeMap<String, OsString>) -> String {
    // Each has a NUL at its end, each variable a `=` in it (execve(2)).
    let variables = environment.iter().map(|(name, value)| name.len() + value.len() + 2);
    let sizes: Vec<usize> = arguments.iter().map(|argument| argument.len() + 1).chain(variables).collect();
    format!(
        "the command's arguments and environment are too large: {} bytes in all, the largest one {}; Linux takes at most 131072 \
         for one and a quarter of the stack's limit for all; pass large values in an artifact",
        sizes.iter().sum::<usize>(),
        sizes.iter().max().copied().unwrap_or_default()
    )
}

/// Something that a command needs did not work, which is nobody's mistake.
pub(super) fn of_system(what: &str, error: &io::Error) -> Failure {
    Failure::new(FailureKind::SystemUnavailable, COMMAND_SYSTEM_ERROR, format!("{what}: {error}"))
}

/// The command's turn never came, or too late.
pub(super) fn of_no_time(deadline: Instant, now: Instant) -> Failure {
    let left = deadline.saturating_duration_since(now).as_secs_f64();
    let message =
        format!("the invocation has only {left:.1} s left, too little to run a command in; it was not started");
    Failure::new(FailureKind::SystemUnavailable, COMMAND_OUT_OF_TIME, message)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(raw_status: i32) -> Option<String> {
        of_exit(ExitStatus::from_raw(raw_status)).map(|failure| failure.message)
    }

    #[test]
    fn exit_codes_and_signals_are_told_apart() {
        assert_eq!(message(0), None);
        assert_eq!(message(3 << 8).unwrap(), "the command ended with exit code 3");
        assert_eq!(message(255 << 8).unwrap(), "the command ended with exit code 255");
        assert_eq!(
            message(137 << 8).unwrap(),
            "the command ended with exit code 137, a shell's way to say SIGKILL; it may have needed more memory than the function has"
        );
        assert_eq!(
            message(9).unwrap(),
            "the command was killed by signal 9 (SIGKILL); it may have needed more memory than the function has"
        );
        assert_eq!(message(11).unwrap(), "the command was killed by signal 11 (SIGSEGV)");
        assert_eq!(message(40).unwrap(), "the command was killed by signal 40");
    }

    #[test]
    fn a_timeout_says_whose_it_was() {
        let own = of_timeout(Duration::from_secs(600), None).message;
        assert!(own.contains("its timeoutSeconds (600) and was killed"), "{own}");
        let other = of_timeout(Duration::from_secs(600), Some(Duration::from_secs(42))).message;
        assert!(other.contains("after 42 s") && other.contains("timeoutSeconds (600) do not fit"), "{other}");
    }

    #[test]
    fn unknown_reasons_are_the_systems() {
        let failure = of_spawn(&Errno::NOMEM.into(), Some("sh"), &[], &BTreeMap::new());
        assert_eq!(failure.kind, FailureKind::SystemUnavailable);
        assert!(
            failure.message.starts_with("the command's program `sh` could not be started: "),
            "{}",
            failure.message
        );
    }
}
