//! Runs the phases of a build.

use std::collections::BTreeMap;
use std::path::Path;

use super::environment::{Resolved, is_name};
use super::phase::{Next, after};
use super::{Buildspec, Commands, FileSet, Phase, Version};
use crate::providers::shell::{Ended, Limits, Session, Settings, Shell, ShellError};

/// Whether the build has not failed yet: 1 or 0 (CodeBuild User Guide, "Environment variables in build environments").
const SUCCEEDING: &str = "CODEBUILD_BUILD_SUCCEEDING";

/// The longest text of a command in a message, in characters.
const LONGEST_COMMAND: usize = 200;

/// Where and how the commands run.
pub(crate) struct Place<'a> {
    /// The folder of the primary source.
    pub(crate) folder: &'a Path,
    /// A folder for the shell's own files.
    pub(crate) scratch: &'a Path,
    pub(crate) environment: &'a Resolved,
    pub(crate) limits: Limits,
    pub(crate) show: &'a (dyn Fn(&str) + Send + Sync),
}

impl<'a> Place<'a> {
    pub(crate) fn session(&self, shell: Shell) -> Session<'a> {
        Session::new(Settings {
            shell,
            folder: self.folder,
            scratch: self.scratch,
            environment: &self.environment.variables,
            limits: self.limits,
            show: self.show,
        })
    }
}

/// How a build ended.
#[derive(Debug)]
pub(crate) struct Built {
    /// Why the first failed phase failed.
    pub(crate) failure: Option<String>,
    /// The exported variables that are set.
    pub(crate) exported: BTreeMap<String, String>,
    /// The wanted file sets with their variables expanded. Empty if the build ended before its artifacts are uploaded.
    pub(crate) file_sets: Vec<FileSet>,
}

/// Runs a build, and expands the variables of these file sets at its end. Fails if the shell does, or the build takes too long.
pub(crate) async fn run(buildspec: &Buildspec, place: &Place<'_>, wanted: &[FileSet]) -> Result<Built, ShellError> {
    let mut session = place.session(buildspec.environment.shell);
    session.export(SUCCEEDING, "1").await?;
    let mut failure = None;
    let mut reaches_upload = true;
    for (phase, commands) in &buildspec.phases {
        (place.show)(&format!("Entering phase {}", phase.name()));
        let failed = run_phase(buildspec.version, commands, &mut session, place).await?;
        let state = if failed.is_some() { "FAILED" } else { "SUCCEEDED" };
        (place.show)(&format!("Phase complete: {} State: {state}", phase.name()));
        let next = after(*phase, failed.is_some(), commands.on_failure);
        if failure.is_none() {
            failure = failed.map(|failed| described(*phase, &failed));
        }
        reaches_upload = next != Next::End;
        if next != Next::Phase {
            break;
        }
    }
    let exported = exported_variables(&buildspec.environment.exported, &[], &mut session, place).await?;
    let mut file_sets = Vec::new();
    for set in wanted.iter().filter(|_| reaches_upload) {
        file_sets.push(expanded(set, &mut session).await?);
    }
    session.end().await;
    Ok(Built { failure, exported, file_sets })
}

/// The command that failed first, and how.
struct FailedCommand {
    command: String,
    ended: Ended,
}

/// Runs the commands until one fails, and those of `finally` in any case.
async fn run_phase(
    version: Version,
    commands: &Commands,
    session: &mut Session<'_>,
    place: &Place<'_>,
) -> Result<Option<FailedCommand>, ShellError> {
    let mut failed = None;
    for list in [&commands.commands, &commands.finally] {
        for command in list {
            (place.show)(&format!("Running command {}", command.trim_end()));
            let ended = match version {
                Version::Apart => session.run_apart(command).await?,
                Version::Shared => session.run(command).await?,
            };
            if ended.is_success() {
                continue;
            }
            (place.show)(&format!("Command did not exit successfully: {ended}"));
            session.export(SUCCEEDING, "0").await?;
            if failed.is_none() {
                failed = Some(FailedCommand { command: command.clone(), ended });
            }
            break;
        }
    }
    Ok(failed)
}

/// The message of a failed build, as CodePipeline shows it.
fn described(phase: Phase, failed: &FailedCommand) -> String {
    let shown = shortened(&failed.command);
    format!(
        "Build terminated with state: FAILED. Phase: {}, Code: COMMAND_EXECUTION_ERROR, Message: Error while executing command: {shown}. \
         Reason: {}",
        phase.name(),
        failed.ended
    )
}

/// A command in one line, and cut where it is too long.
pub(crate) fn shortened(command: &str) -> String {
    let line = command.trim().replace('\n', "; ");
    match line.char_indices().nth(LONGEST_COMMAND) {
        Some((end, _)) => format!("{}...", &line[..end]),
        None => line,
    }
}

/// The values of variables at this moment. Shows the names of those that are not set or can't be exported: secrets, and names that begin
/// with `AWS_` (`env/exported-variables`). The names in `of_aws` are excepted from the last rule.
pub(crate) async fn exported_variables(
    names: &[String],
    of_aws: &[&str],
    session: &mut Session<'_>,
    place: &Place<'_>,
) -> Result<BTreeMap<String, String>, ShellError> {
    let mut exported = BTreeMap::new();
    for name in names {
        if place.environment.secret.contains(name) {
            (place.show)(&format!("{name} is not exported, because its value is a secret"));
        } else if name.starts_with("AWS_") && !of_aws.contains(&name.as_str()) {
            (place.show)(&format!(
                "{name} is not exported, because CodeBuild exports no variable that begins with AWS_"
            ));
        } else if !is_name(name) {
            (place.show)(&format!("{name:?} is not exported, because it is not a name of a variable"));
        } else if let Some(value) = session.variable(name).await? {
            exported.insert(name.clone(), value);
        } else {
            (place.show)(&format!("{name} is not exported, because it is not set: let a command export it"));
        }
    }
    Ok(exported)
}

/// Expands variables and `$(commands)` in a file set: in its name as AWS documents at `artifacts/name`, and in its paths, as AWS's samples
/// use `$CODEBUILD_SRC_DIR`.
async fn expanded(set: &FileSet, session: &mut Session<'_>) -> Result<FileSet, ShellError> {
    let mut expanded = set.clone();
    for path in expanded.files.iter_mut().chain(&mut expanded.exclude_paths) {
        *path = session.expand(path).await?;
    }
    for text in [&mut expanded.base_directory, &mut expanded.name].into_iter().flatten() {
        *text = session.expand(text).await?;
    }
    Ok(expanded)
}
