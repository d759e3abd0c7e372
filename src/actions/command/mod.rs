//! The `command` action: runs a program on the staged files.
//!
//! The program runs in the first input artifact's folder, or in an empty `HOME` if the action has no input. It gets an environment
//! of its own. docs/actions/command.md lists the variables and the files in which it may report more than its exit code.
//!
//! The program's output is logged line by line. Exit code 0 is success. Any other exit code fails the job, with the end of the output.
//! When the program ends, times out or is cancelled, the worker kills everything that it started.
//!
//! A command runs as the worker's own user and can reach everything that this user can, Lambda's Runtime API on loopback included.
//! So one function serves one trust domain, as docs/security.md explains.

mod config;
mod environment;
mod failures;
#[cfg(feature = "fuzzing")]
#[doc(hidden)]
pub mod fuzzing;
mod harden;
mod line_ends;
mod notation;
mod outcome;
mod output;
mod pipes;
mod process_tree;
mod processes;
mod report_files;
mod revision;
mod role;
mod supervise;
mod tail;
mod variables;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use tokio::process::Command;
use tokio::time::{Instant, timeout_at};

pub use self::config::CommandMistake;
pub(super) use self::config::KIND;
use self::config::mistakes;
use self::environment::WorkerFacts;
pub use self::harden::harden_process;
use self::line_ends::LineEnds;
pub use self::output::LogOutput;
use self::output::{Ended, Output};
pub use self::process_tree::kill_descendants;
use self::report_files::ReportFiles;
pub use self::role::{Role, RoleArn, RoleMistake};
use self::supervise::{Deadlines, Ending, SuperviseError};
use super::{Action, CLOSING, Turn};
use crate::job::{CONFIGURATION_KEY_MISSING, Failure, FailureCode, FailureKind, Job, Outcome};
use crate::placeholder::Template;

const NUL_IN_ARGUMENT: FailureCode = FailureCode::new("NulInArgument");
const PROGRAM_EMPTY: FailureCode = FailureCode::new("ProgramEmpty");

/// How long a command may take to end after SIGTERM.
const GRACE: Duration = Duration::from_secs(5);

/// How long a command may take to start.
const BEGINNING: Duration = Duration::from_secs(1);
/// The time that a command needs in addition to its timeout: to start, to end after SIGTERM, and for the worker to kill what remains
/// and read its output.
pub const ENDING: Duration = BEGINNING.saturating_add(GRACE).saturating_add(CLOSING);

/// Runs a program for each job of an action type.
pub struct CommandAction {
    arguments: Vec<Template>,
    timeout: Duration,
    grace: Duration,
    package: PathBuf,
    region: Option<String>,
    role: Option<Role>,
    log_output: LogOutput,
}

impl CommandAction {
    /// A command. `arguments` starts with the program. `secrets` are the configuration keys that no argument may name. `timeout` is
    /// how long the command may run. `package` is the folder of the function's code (`LAMBDA_TASK_ROOT`), which is on `PATH`.
    ///
    /// # Errors
    /// Returns an error if there is no program, or if an argument names a secret.
    pub fn new(
        arguments: Vec<Template>,
        secrets: &[String],
        timeout: Duration,
        package: PathBuf,
    ) -> Result<Self, CommandMistake> {
        if arguments.is_empty() {
            return Err(CommandMistake::Empty);
        }
        let mistakes = arguments.iter().enumerate().flat_map(|(index, argument)| mistakes(index, argument, secrets));
        if let Some(mistake) = mistakes.into_iter().next() {
            return Err(mistake);
        }
        Ok(Self { arguments, timeout, grace: GRACE, package, region: None, role: None, log_output: LogOutput::All })
    }

    /// Sets the AWS region that commands find in `AWS_REGION`.
    #[must_use]
    pub fn in_region(self, region: Option<String>) -> Self {
        Self { region, ..self }
    }

    /// Sets the role whose credentials commands get. Without one, they get none.
    #[must_use]
    pub fn with_role(self, role: Option<Role>) -> Self {
        Self { role, ..self }
    }

    /// Sets how much of the output of commands is logged (default: all).
    #[must_use]
    pub fn logging(self, log_output: LogOutput) -> Self {
        Self { log_output, ..self }
    }

    /// Changes how long a command may take to end between SIGTERM and SIGKILL (default: 5 s).
    #[must_use]
    pub fn with_grace(self, grace: Duration) -> Self {
        Self { grace, ..self }
    }

    /// The arguments for `job`.
    fn render(&self, job: &Job) -> Result<Vec<String>, Failure> {
        let mistake = |code, message| Failure::new(FailureKind::ConfigurationError, code, message);
        let mut rendered = Vec::with_capacity(self.arguments.len());
        for (index, argument) in self.arguments.iter().enumerate() {
            let text = argument
                .render(&job.configuration)
                .map_err(|missing| mistake(CONFIGURATION_KEY_MISSING, missing.to_string()))?;
            if text.contains('\0') {
                let message =
                    format!("element {index} of the command contains a NUL character, which an argument can't hold");
                return Err(mistake(NUL_IN_ARGUMENT, message));
            }
            rendered.push(text);
        }
        if rendered[0].is_empty() {
            return Err(mistake(
                PROGRAM_EMPTY,
                "the command's program is empty after its placeholders are filled in: set the configuration keys that it names".to_owned(),
            ));
        }
        Ok(rendered)
    }

    /// When a command that starts `now` gets SIGTERM and SIGKILL, in a turn that closes at `closing_time`.
    fn deadlines(&self, now: Instant, closing_time: Instant) -> Deadlines {
        let latest = closing_time.max(now);
        let in_time = latest.checked_sub(self.grace).unwrap_or(now).max(now);
        let terminate_at = now.checked_add(self.timeout).map_or(in_time, |own| own.min(in_time));
        let kill_at = terminate_at.checked_add(self.grace).map_or(latest, |end| end.min(latest));
        Deadlines { terminate_at, kill_at }
    }
}

impl Action for CommandAction {
    async fn start(&self, turn: Turn) -> Result<Outcome, Failure> {
        let arguments = self.render(&turn.job)?;
        let line_ends = LineEnds::of(&self.arguments, &turn.job.configuration);
        self.execute(&turn, &arguments, &line_ends).await.map_err(|failure| line_ends.add_to(failure))
    }
}

impl CommandAction {
    async fn execute(&self, turn: &Turn, arguments: &[String], line_ends: &LineEnds) -> Result<Outcome, Failure> {
        let temporary = turn.workspace.root().join("tmp");
        std::fs::create_dir_all(&temporary)
            .map_err(|error| failures::of_system("could not create the folder for temporary files", &error))?;
        let report = ReportFiles::create(turn.workspace.report_folder())
            .map_err(|error| failures::of_system("could not create the files for the command's report", &error))?;
        let facts = WorkerFacts {
            package: &self.package,
            temporary: &temporary,
            report: &report,
            region: self.region.as_deref(),
        };
        let mut environment = environment::build(turn, &facts)?;

        let mut command = Command::new(&arguments[0]);
        command.args(&arguments[1..]);
        command.current_dir(match turn.job.inputs.first() {
            Some(artifact) => turn.workspace.input(&artifact.name),
            None => turn.workspace.home(),
        });

        let slot = timeout_at(turn.deadline, supervise::slot())
            .await
            .map_err(|_| failures::of_no_time(turn.deadline, Instant::now()))?;
        let mut redactor = Arc::clone(&turn.redactor);
        if let Some(role) = &self.role {
            let until = turn.closing_time().checked_sub(self.grace).unwrap_or_else(Instant::now);
            let session = role.assume(turn, self.timeout, until).await?;
            environment::add_credentials(&mut environment, &session);
            redactor = Arc::new(redactor.and(session.secrets()));
        }
        command.env_clear().envs(&environment);
        turn.workspace.list_surroundings().await;
        let started = Instant::now();
        let deadlines = self.deadlines(started, turn.closing_time());
        if deadlines.terminate_at <= started {
            return Err(failures::of_no_time(turn.deadline, started));
        }
        let mut output = Output::new(self.log_output, Arc::clone(&redactor)).map_err(|error| {
            failures::of_system("could not start the thread that logs the command's output", &error)
        })?;
        let ending = supervise::run(slot, command, &deadlines, &mut output).await.map_err(|error| match error {
            SuperviseError::Spawn(error) => {
                failures::of_spawn(&error, self.arguments[0].literal(), arguments, &environment)
            }
            SuperviseError::Harden(error) => {
                failures::of_system("could not protect the worker from the command", &error)
            }
            SuperviseError::System(error) => failures::of_system("could not supervise the command", &error),
        })?;

        let result = match ending {
            Ending::TimedOut => {
                let ran = deadlines.terminate_at - started;
                Err(failures::of_timeout(self.timeout, (ran < self.timeout).then_some(ran)))
            }
            Ending::Exited(status) => failures::of_exit(status).map_or_else(
                || outcome::finished(&report, &redactor, started.elapsed(), line_ends, &turn.job.action_type),
                Err,
            ),
        };
        // The report needs some of the time after that.
        let latest = turn.deadline.checked_sub(CLOSING / 2).unwrap_or(turn.deadline);
        let output = output.end(ended(&ending, result.is_err()), latest).await;
        if let Ending::Exited(status) = ending {
            // The field of the job's span, for each later line of the job.
            tracing::Span::current().record("exitCode", status.code());
        }
        result.map_err(|failure| Failure { output, ..outcome::failed(failure, &report) })
    }
}

/// How a command ended for its output. A shell shows the signal that ended a program of its script as an exit code over 128.
fn ended(ending: &Ending, has_failed: bool) -> Ended {
    match ending {
        Ending::Exited(status) if status.code().is_some_and(|code| code <= 128) && has_failed => Ended::Failed,
        Ending::Exited(status) if status.code().is_some_and(|code| code <= 128) => Ended::Succeeded,
        _ => Ended::Killed,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn action(arguments: &[&str], secrets: &[&str]) -> Result<CommandAction, CommandMistake> {
        let arguments = arguments.iter().map(|argument| Template::parse(argument).ok().unwrap()).collect();
        let secrets: Vec<_> = secrets.iter().map(|&key| key.to_owned()).collect();
        CommandAction::new(arguments, &secrets, Duration::from_secs(600), PathBuf::from("/var/task"))
    }

    #[test]
    fn a_command_needs_a_program() {
        assert_eq!(action(&[], &[]).err(), Some(CommandMistake::Empty));
        assert_eq!(action(&["", "x"], &[]).err(), Some(CommandMistake::Empty));
    }

    #[test]
    fn an_argument_may_not_name_a_secret() {
        let mistake = action(&["sh", "-c", "curl {Config:Url} {Config:Token}"], &["Token"]).err().unwrap();
        assert_eq!(mistake, CommandMistake::SecretArgument { index: 2, key: "Token".to_owned() });
        assert!(mistake.to_string().starts_with("names `{Config:Token}`, which is in `secrets`"));
        assert!(action(&["sh", "-c", "curl {Config:Url}"], &["Token"]).is_ok());
    }

    #[test]
    fn a_timeout_beyond_all_clocks_ends_with_the_invocation() {
        let timeout = Duration::MAX;
        let action = CommandAction { timeout, ..action(&["sh"], &[]).ok().unwrap() };
        let now = Instant::now();
        let deadlines = action.deadlines(now, now + Duration::from_secs(99));
        assert_eq!(((deadlines.terminate_at - now).as_secs(), (deadlines.kill_at - now).as_secs()), (94, 99));
    }

    #[test]
    fn the_grace_and_the_closing_lie_within_the_deadline() {
        let action = action(&["sh"], &[]).ok().unwrap();
        let now = Instant::now();
        let seconds =
            |deadlines: &Deadlines| ((deadlines.terminate_at - now).as_secs(), (deadlines.kill_at - now).as_secs());
        for (closing_time, expected) in
            [(899, (600, 605)), (605, (600, 605)), (601, (596, 601)), (99, (94, 99)), (3, (0, 3)), (0, (0, 0))]
        {
            let deadlines = action.deadlines(now, now + Duration::from_secs(closing_time));
            assert_eq!(seconds(&deadlines), expected, "with a turn that closes in {closing_time} s");
        }
    }
}
