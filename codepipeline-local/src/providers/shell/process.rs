//! The process of a session's shell, and everything that it starts.

use std::ffi::OsString;
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::process::ExitStatusExt;
use std::path::PathBuf;
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use tokio::io::{AsyncBufReadExt, AsyncRead, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::UnixStream;
use tokio::process::{ChildStderr, ChildStdout, Command};
use tokio::time::Instant;

use super::driver;
use super::ended::{Ended, ShellError};
use super::output::{Output, Stream, TooMuch};
use super::settings::Settings;
use crate::family::Family;

/// The variables of the emulator that commands inherit: what finds programs, the user's files, the network and a container engine. All
/// others stay out, because the emulator's environment may hold the values of secrets. `NO_PROXY` comes with the emulator's endpoint.
pub(super) const INHERITED: [&str; 20] = [
    "PATH",
    "HOME",
    "USER",
    "LOGNAME",
    "SHELL",
    "LANG",
    "LC_ALL",
    "LC_CTYPE",
    "TZ",
    "TMPDIR",
    "XDG_RUNTIME_DIR",
    "DOCKER_HOST",
    "JAVA_HOME",
    "SSL_CERT_FILE",
    "SSL_CERT_DIR",
    "HTTP_PROXY",
    "HTTPS_PROXY",
    "http_proxy",
    "https_proxy",
    "NIX_SSL_CERT_FILE",
];

/// How many bytes a pipe holds at most. An administrator may allow more than this, the default of `/proc/sys/fs/pipe-max-size`.
const PIPE: usize = 1 << 20;

/// How a command ended, unless it was stopped.
pub(super) enum End {
    /// The shell answered with the command's status, and waits for the next one.
    Answered(i32),
    /// The command ended the shell.
    Shell(Ended),
}

/// Why a command must be stopped.
pub(super) enum Problem {
    Time,
    Output,
    Io(io::Error),
}

impl From<TooMuch> for Problem {
    fn from(_: TooMuch) -> Self {
        Self::Output
    }
}

impl From<io::Error> for Problem {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

/// A running shell. Dropping it kills it and everything that it started.
pub(super) struct Process {
    family: Family,
    stdout: ChildStdout,
    stderr: ChildStderr,
    commands: BufReader<UnixStream>,
}

impl Process {
    pub(super) async fn start(settings: &Settings<'_>) -> Result<Self, ShellError> {
        let folder = saved_folder(settings).await.unwrap_or_else(|| settings.folder.to_owned());
        let program = settings.shell.program();
        Self::spawn(settings, &folder).map_err(|source| ShellError::Start { program, folder, source })
    }

    fn spawn(settings: &Settings<'_>, folder: &PathBuf) -> io::Result<Self> {
        let (ours, theirs) = std::os::unix::net::UnixStream::pair()?;
        ours.set_nonblocking(true)?;
        let program = settings.shell.program();
        let mut command = Command::new(program);
        command
            .args(["-c", driver::DRIVER, program])
            .arg(settings.scratch)
            .arg(program)
            .env_clear()
            .envs(inherited())
            .envs(settings.environment)
            .current_dir(folder)
            .stdin(Stdio::from(OwnedFd::from(theirs)))
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let mut family = Family::spawn(&mut command)?;
        let (Some(stdout), Some(stderr)) = family.pipes() else {
            return Err(io::Error::other("the shell has no pipes"));
        };
        let commands = BufReader::new(UnixStream::from_std(ours)?);
        Ok(Self { family, stdout, stderr, commands })
    }

    /// Lets the shell run the command in this file of the scratch folder, and shows its output.
    pub(super) async fn run(&mut self, file: &str, output: &mut Output<'_>, deadline: Instant) -> Result<End, Problem> {
        // A child in the background may have killed the shell. The loop below notices that.
        let _ = self.commands.get_mut().write_all(format!("{file}\n").as_bytes()).await;
        let end = self.watch(output, deadline).await?;
        // The command's output arrived before its status did. A child in the background may still write.
        drain(&self.stdout, Stream::Stdout, output)?;
        drain(&self.stderr, Stream::Stderr, output)?;
        output.finish();
        if matches!(end, End::Shell(_)) {
            self.family.kill();
        }
        Ok(end)
    }

    async fn watch(&mut self, output: &mut Output<'_>, deadline: Instant) -> Result<End, Problem> {
        let (mut from_stdout, mut from_stderr) = (vec![0; 32 << 10], vec![0; 32 << 10]);
        let (mut reads_stdout, mut reads_stderr, mut reads_status) = (true, true, true);
        let mut status = Vec::new();
        loop {
            tokio::select! {
                () = tokio::time::sleep_until(deadline) => return Err(Problem::Time),
                read = self.stdout.read(&mut from_stdout), if reads_stdout => {
                    let read = read?;
                    reads_stdout = read > 0;
                    output.take(Stream::Stdout, &from_stdout[..read])?;
                }
                read = self.stderr.read(&mut from_stderr), if reads_stderr => {
                    let read = read?;
                    reads_stderr = read > 0;
                    output.take(Stream::Stderr, &from_stderr[..read])?;
                }
                read = self.commands.read_until(b'\n', &mut status), if reads_status => {
                    reads_status = matches!(read, Ok(read) if read > 0);
                    let answer = std::str::from_utf8(&status).ok().and_then(|text| text.strip_suffix('\n'));
                    if let Some(status) = answer.and_then(|text| text.parse().ok()) {
                        return Ok(End::Answered(status));
                    }
                }
                exit = self.family.exited() => return Ok(End::Shell(ended(exit?))),
            }
        }
    }

    /// Sends SIGTERM, waits until no process has the output open, but at most `grace`, and kills what is left.
    pub(super) async fn stop(&mut self, grace: Duration, output: &mut Output<'_>) {
        if !self.family.is_killed() {
            self.family.terminate();
            let rest = async { tokio::join!(discard(&mut self.stdout), discard(&mut self.stderr)) };
            let _ = tokio::time::timeout(grace, rest).await;
        }
        output.finish();
        self.end().await;
    }

    /// Kills the shell and everything that it started, and waits for its end.
    pub(super) async fn end(&mut self) {
        let _ = self.family.end().await;
    }
}

/// The working directory at the end of the last command.
async fn saved_folder(settings: &Settings<'_>) -> Option<PathBuf> {
    let saved = tokio::fs::read_to_string(settings.scratch.join(driver::FOLDER)).await.ok()?;
    let folder = PathBuf::from(saved.strip_suffix('\n')?);
    tokio::fs::metadata(&folder).await.is_ok_and(|data| data.is_dir()).then_some(folder)
}

#[expect(clippy::disallowed_methods, reason = "commands find programs and files as the emulator's user does")]
fn inherited() -> impl Iterator<Item = (&'static str, OsString)> {
    INHERITED.into_iter().filter_map(|name| Some((name, std::env::var_os(name)?)))
}

fn ended(status: ExitStatus) -> Ended {
    // A process that was waited for has one of the two.
    status.code().map_or_else(|| Ended::Killed(status.signal().unwrap_or_default()), Ended::Exited)
}

/// Reads until no process has the pipe open.
async fn discard(pipe: &mut (impl AsyncRead + Unpin)) {
    let mut buffer = vec![0; 32 << 10];
    while matches!(pipe.read(&mut buffer).await, Ok(read) if read > 0) {}
}

/// Shows what is in the pipe, and does not wait for more. Reads no more than a pipe holds, because a child in the background may write on.
fn drain(pipe: impl AsFd, stream: Stream, output: &mut Output<'_>) -> Result<(), Problem> {
    let mut buffer = vec![0; 32 << 10];
    let mut total = 0;
    while total < PIPE {
        match rustix::io::read(&pipe, &mut buffer) {
            Ok(0) | Err(rustix::io::Errno::AGAIN) => break,
            Ok(read) => {
                output.take(stream, &buffer[..read])?;
                total += read;
            }
            Err(rustix::io::Errno::INTR) => {}
            Err(error) => return Err(Problem::Io(error.into())),
        }
    }
    Ok(())
}
