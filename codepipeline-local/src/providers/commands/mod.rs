//! AWS's Commands action: runs commands in one shell of this machine (CodePipeline User Guide, "action-reference-Commands").

use std::collections::BTreeMap;
use std::time::Duration;

use async_trait::async_trait;

use super::build_folder::{self, Sources};
use super::build_variables::{BuildId, of_aws, secrets};
use super::buildspec::FileSet;
use super::buildspec::environment::Value;
use super::buildspec::run::{Place, exported_variables, shortened};
use super::buildspec::secret::Reference;
use super::code_build::resolve;
use super::needs::Needs;
use super::notice::Notice;
use super::shell::{Limits, Session, Shell, ShellError};
use super::{Done, EnvironmentVariable, EnvironmentVariableKind, Failed, Provider, Secrets, Task, Workplace};
use crate::clock::Clock;

#[cfg(test)]
mod tests;

/// How long the commands may take (the reference, "Considerations").
const TIME: Duration = Duration::from_secs(55 * 60);

/// The variables of AWS that an action may export. The reference's example exports the first.
const EXPORTED_OF_AWS: [&str; 2] = ["AWS_DEFAULT_REGION", "AWS_REGION"];

/// Runs Commands actions.
pub struct Commands {
    notice: Notice,
    clock: Clock,
}

impl Commands {
    /// Creates the provider. The clock gives the start of builds.
    pub fn new(notice: Notice, clock: Clock) -> Self {
        Self { notice, clock }
    }

    /// The secrets that an action with these environment variables needs.
    pub(crate) fn needs(environment: &[EnvironmentVariable], secrets: &Secrets) -> Needs {
        Needs::of(vec![variables(environment)], secrets)
    }
}

#[async_trait]
impl Provider for Commands {
    async fn run(&self, task: Task, work: &Workplace) -> Result<Done, Failed> {
        if let Some(lines) = task.commands.iter().find(|command| command.trim().contains('\n')) {
            let shown = shortened(lines);
            return Err(Failed::configuration(format!(
                "the command {shown} has several lines, which AWS does not support: write a command for each, or a script in the source"
            )));
        }
        self.notice.show(work);
        let sources = Sources::stage(&task, work, primary(&task)?).await?;
        let build = BuildId::new(&format!("AWSCodePipeline-{}", task.pipeline), 1, self.clock.now().0);
        let environment = resolve([variables(&task.environment), of_aws(&task, &build, &sources, None)], work)?;

        let secrets = secrets(&environment);
        let show = |line: &str| work.line(&secrets.mask(line));
        let scratch = build_folder::scratch(work).await?;
        let limits = Limits::of(TIME.min(task.timeout));
        let place =
            Place { folder: &sources.folder, scratch: &scratch, environment: &environment, limits, show: &show };
        let mut session = place.session(Shell::Sh);
        run_all(&task.commands, &mut session, &place).await?;
        let exported = exported_variables(&task.output_variables, &EXPORTED_OF_AWS, &mut session, &place);
        let variables = exported.await.map_err(|error| failed(&error))?;
        session.end().await;
        for output in &task.outputs {
            let files = task.output_files.get(&output.name).filter(|files| !files.is_empty()).cloned();
            let set = FileSet { files: files.unwrap_or_else(|| vec!["**/*".to_owned()]), ..FileSet::default() };
            let stored = build_folder::upload(work, &sources.folder, &set, output).await;
            let count = stored.map_err(|message| {
                Failed::job(format!("could not store the output artifact {}: {message}", output.name))
            })?;
            work.line(&format!("stored {count} files as the artifact {}", output.name));
        }
        Ok(Done { variables, external_id: Some(build.full()), ..Done::default() })
    }
}

/// Runs the commands until one fails.
async fn run_all(commands: &[String], session: &mut Session<'_>, place: &Place<'_>) -> Result<(), Failed> {
    for command in commands {
        (place.show)(&format!("Running command {command}"));
        let ended = session.run(command).await.map_err(|error| failed(&error))?;
        if !ended.is_success() {
            let shown = shortened(command);
            return Err(Failed::job(format!("Error while executing command: {shown}. Reason: {ended}")));
        }
    }
    Ok(())
}

/// The input artifact in whose folder the commands run: the first one, because AWS names no setting for it.
fn primary(task: &Task) -> Result<&str, Failed> {
    let first = task.inputs.first().map(|input| input.name.as_str());
    first.ok_or_else(|| Failed::configuration("a Commands action needs an input artifact"))
}

fn variables(declared: &[EnvironmentVariable]) -> BTreeMap<String, Value> {
    let value = |variable: &EnvironmentVariable| match variable.kind {
        EnvironmentVariableKind::Plaintext => Value::Plain(variable.value.clone()),
        EnvironmentVariableKind::SecretsManager => Value::Secret(Reference::Secret(variable.value.clone())),
    };
    declared.iter().map(|variable| (variable.name.clone(), value(variable))).collect()
}

fn failed(error: &ShellError) -> Failed {
    Failed::job(error.to_string())
}
