//! Runs commands in a shell of this machine.
//!
//! A [`Session`] is one shell for several commands, in a process group of its own. Each command's status comes through a socket, so a
//! child in the background that keeps the output open delays nothing. The children in the background live as long as the session or until a
//! command ends the shell, and end with it. Dropping a session kills everything that it started.

use std::io;
use std::path::Path;

use tokio::fs;
use tokio::time::Instant;

use crate::ids::random_uuid;
pub(crate) use ended::{Ended, ShellError};
use output::Output;
use process::Process;
pub(crate) use settings::{Limits, Settings, Shell};

mod driver;
mod ended;
mod lines;
mod output;
mod process;
mod settings;
#[cfg(test)]
mod tests;

/// A shell that runs several commands. It starts with the first one.
pub(crate) struct Session<'a> {
    settings: Settings<'a>,
    deadline: Instant,
    output: Output<'a>,
    /// `None` before the first command, and after a command that ended the shell.
    process: Option<Process>,
    commands: u32,
}

impl<'a> Session<'a> {
    pub(crate) fn new(settings: Settings<'a>) -> Self {
        let output = Output::new(settings.limits.output, settings.show);
        Self { deadline: Instant::now() + settings.limits.time, output, process: None, commands: 0, settings }
    }

    /// Runs a command, which may have several lines, in the session's shell. Later commands find the variables, functions and working
    /// directory that it leaves. After a command that ends the shell, as `exit` does, they find the exported variables and the working
    /// directory.
    pub(crate) async fn run(&mut self, command: &str) -> Result<Ended, ShellError> {
        let file = self.write(command).await?;
        self.perform(&file).await
    }

    /// Runs a command in a shell of its own, which gets the session's exported variables and working directory.
    pub(crate) async fn run_apart(&mut self, command: &str) -> Result<Ended, ShellError> {
        let file = self.write(command).await?;
        self.run(&driver::apart(&file)).await
    }

    /// Sets an environment variable for the following commands. `name` is a name of the shell's language.
    pub(crate) async fn export(&mut self, name: &str, value: &str) -> Result<(), ShellError> {
        self.run(&driver::export(name, value)).await.map(drop)
    }

    /// Expands variables and `$(commands)` in a text, as between double quotes. Quotes stay as they are.
    pub(crate) async fn expand(&mut self, text: &str) -> Result<String, ShellError> {
        if !text.contains(['$', '`', '\\']) {
            return Ok(text.to_owned());
        }
        let end = format!("END_{}", random_uuid());
        let value = self.value(&driver::expand(text, &end)).await?.unwrap_or_default();
        Ok(value.strip_suffix('\n').unwrap_or(&value).to_owned())
    }

    /// The value of a variable of the shell, exported or not. `None` if it is not set. `name` is a name of the shell's language.
    pub(crate) async fn variable(&mut self, name: &str) -> Result<Option<String>, ShellError> {
        self.value(&driver::read(name)).await
    }

    /// Kills what still runs, and waits for the end of the shell.
    pub(crate) async fn end(mut self) {
        if let Some(process) = &mut self.process {
            process.end().await;
        }
    }

    async fn value(&mut self, command: &str) -> Result<Option<String>, ShellError> {
        let file = self.settings.scratch.join(driver::VALUE);
        remove(&file).await?;
        self.run(command).await?;
        match fs::read(&file).await {
            Ok(value) => Ok(Some(String::from_utf8_lossy(&value).into_owned())),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    /// Writes a command's file and returns its name.
    async fn write(&mut self, command: &str) -> Result<String, ShellError> {
        self.commands += 1;
        let name = format!("{}.sh", self.commands);
        fs::write(self.settings.scratch.join(&name), format!("{command}\n")).await?;
        Ok(name)
    }

    async fn perform(&mut self, file: &str) -> Result<Ended, ShellError> {
        let process = match &mut self.process {
            Some(process) => process,
            none => none.insert(Process::start(&self.settings).await?),
        };
        let end = process.run(file, &mut self.output, self.deadline).await;
        match end {
            Ok(process::End::Answered(status)) => Ok(Ended::Exited(status)),
            Ok(process::End::Shell(ended)) => {
                self.process = None;
                Ok(ended)
            }
            Err(problem) => {
                process.stop(self.settings.limits.grace, &mut self.output).await;
                self.process = None;
                Err(match problem {
                    process::Problem::Time => ShellError::TimedOut(self.settings.limits.time),
                    process::Problem::Output => ShellError::TooMuchOutput(self.settings.limits.output),
                    process::Problem::Io(error) => error.into(),
                })
            }
        }
    }
}

/// Removes a file if it exists.
async fn remove(file: &Path) -> io::Result<()> {
    match fs::remove_file(file).await {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}
