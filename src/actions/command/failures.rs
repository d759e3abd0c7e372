//! The failures of a command that could not start or did not succeed.

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

/// Shells add this to a signal's number to get an exit code.
const SHELL_SIGNAL_BASE: i32 = 128;

/// The failure for an exit status. Returns `None` for exit code 0.
pub(super) fn of_exit(status: ExitStatus) -> Option<Failure> {
    let message = match (status.code(), status.signal()) {
        (Some(0), _) => return None,
        (Some(code), _) => match signal_name(code - SHELL_SIGNAL_BASE) {
            Some(name) => format!(
                "the command ended with exit code {code}, which in a shell means {name}{}",
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
    // The numbers are the same on both architectures of Lambda (signal(7)).
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
    if signal == 9 { "; if it needs more memory than the function has, raise the function's memory" } else { "" }
}

/// The failure for a timeout. `timeout` is the configured one. `ran` is the command's time if the invocation's deadline came first.
pub(super) fn of_timeout(timeout: Duration, ran: Option<Duration>) -> Failure {
    let message = match ran {
        None => format!(
            "the command was killed after its timeoutSeconds ({}) with everything that it started; raise timeoutSeconds if it needs more time",
            timeout.as_secs_f64()
        ),
        Some(ran) => format!(
            "the command was killed after {} s with everything that it started, because the invocation's time ended; its \
             timeoutSeconds ({}) exceed the function's timeout: raise the function's timeout or lower timeoutSeconds",
            ran.as_secs(),
            timeout.as_secs_f64()
        ),
    };
    let code = if ran.is_none() { COMMAND_TIMEOUT } else { COMMAND_OUT_OF_TIME };
    Failure::new(FailureKind::JobFailed, code, message)
}

/// The failure for a program that did not start. `program` is the first argument, unless it comes from a job's configuration, whose
/// values are not repeated.
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
                "{program} or the interpreter in its `#!` line was not found: check PATH, the first input artifact, and that the line ends with LF alone"
            ),
        ),
        Some(Errno::ACCESS | Errno::PERM) => {
            (PROGRAM_NOT_EXECUTABLE, format!("{program} is not executable: set its executable bit"))
        }
        Some(Errno::NOEXEC) => (
            PROGRAM_FORMAT_INVALID,
            format!(
                "{program} is not a binary for this machine and has no `#!` line: build it for the function's architecture or add the line"
            ),
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
    // Each ends with a NUL, and each variable contains a `=` (execve(2)).
    let variables = environment.iter().map(|(name, value)| name.len() + value.len() + 2);
    let sizes: Vec<usize> = arguments.iter().map(|argument| argument.len() + 1).chain(variables).collect();
    format!(
        "the command's arguments and environment have {} bytes in total, and the largest one has {}; Linux allows 131072 for one and a \
         quarter of the stack's limit in total: pass large values in an artifact",
        sizes.iter().sum::<usize>(),
        sizes.iter().max().copied().unwrap_or_default()
    )
}

/// The failure for a system error.
pub(super) fn of_system(what: &str, error: &io::Error) -> Failure {
    Failure::new(FailureKind::SystemUnavailable, COMMAND_SYSTEM_ERROR, format!("{what}: {error}"))
}

/// The failure for a command that got its slot too late.
pub(super) fn of_no_time(deadline: Instant, now: Instant) -> Failure {
    let left = deadline.saturating_duration_since(now).as_secs_f64();
    let message = format!("the command was not started, because the invocation has only {left:.1} s left");
    Failure::new(FailureKind::SystemUnavailable, COMMAND_OUT_OF_TIME, message)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(raw_status: i32) -> Option<String> {
        of_exit(ExitStatus::from_raw(raw_status)).map(|failure| failure.message)
    }

    #[test]
    fn exit_codes_and_signals_have_different_messages() {
        assert_eq!(message(0), None);
        assert_eq!(message(3 << 8).unwrap(), "the command ended with exit code 3");
        assert_eq!(message(255 << 8).unwrap(), "the command ended with exit code 255");
        assert_eq!(
            message(137 << 8).unwrap(),
            "the command ended with exit code 137, which in a shell means SIGKILL; if it needs more memory than the function has, raise the function's memory"
        );
        assert_eq!(
            message(9).unwrap(),
            "the command was killed by signal 9 (SIGKILL); if it needs more memory than the function has, raise the function's memory"
        );
        assert_eq!(message(11).unwrap(), "the command was killed by signal 11 (SIGSEGV)");
        assert_eq!(message(40).unwrap(), "the command was killed by signal 40");
    }

    #[test]
    fn a_timeout_names_the_setting_to_change() {
        let own = of_timeout(Duration::from_secs(600), None).message;
        assert!(own.contains("killed after its timeoutSeconds (600)"), "{own}");
        let other = of_timeout(Duration::from_secs(600), Some(Duration::from_secs(42))).message;
        assert!(other.contains("after 42 s") && other.contains("timeoutSeconds (600) exceed"), "{other}");
    }

    #[test]
    fn unknown_spawn_errors_are_the_systems() {
        let failure = of_spawn(&Errno::NOMEM.into(), Some("sh"), &[], &BTreeMap::new());
        assert_eq!(failure.kind, FailureKind::SystemUnavailable);
        assert!(
            failure.message.starts_with("the command's program `sh` could not be started: "),
            "{}",
            failure.message
        );
    }
}
