//! Builds the environment of a command.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::ffi::{OsStr, OsString};
use std::path::Path;

use secrecy::ExposeSecret;

use super::report_files::{self, ReportFiles};
use super::role::Session;
use crate::actions::Turn;
use crate::job::{Failure, FailureCode, FailureKind, Job};

const NUL_IN_ENVIRONMENT: FailureCode = FailureCode::new("NulInEnvironment");
const ENVIRONMENT_NAME_CLASH: FailureCode = FailureCode::new("EnvironmentNameClash");

/// The folders for programs, after `/opt/bin` (Lambda layers) and the function's package.
const SYSTEM_PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// The variables of a command, each with its origin. A message about two variables of the same name contains their origins.
#[derive(Default)]
struct Variables(BTreeMap<String, (OsString, String)>);

/// Facts about the worker. They complement those of the job.
pub(super) struct WorkerFacts<'a> {
    /// The folder of the function's code.
    pub(super) package: &'a Path,
    /// The folder for temporary files.
    pub(super) temporary: &'a Path,
    /// The command's report files.
    pub(super) report: &'a ReportFiles,
    /// The AWS region that the function polls.
    pub(super) region: Option<&'a str>,
}

/// Builds the environment for the command of this turn. The command inherits no variable, because the worker's own environment
/// contains the function's AWS credentials. `LANG` is `C.UTF-8`, because output variables must be UTF-8. Without `TZ`, the time is UTC.
pub(super) fn build(turn: &Turn, facts: &WorkerFacts<'_>) -> Result<BTreeMap<String, OsString>, Failure> {
    let mut variables = Variables::default();
    variables.set("PATH", search_path(facts.package), "the worker")?;
    variables.set("HOME", turn.workspace.home(), "the worker")?;
    variables.set("TMPDIR", facts.temporary, "the worker")?;
    variables.set("LANG", "C.UTF-8", "the worker")?;
    variables.set("LD_LIBRARY_PATH", library_path(facts.package), "the worker")?;
    for file in report_files::ALL {
        variables.set(file.variable, facts.report.path(file), file.purpose)?;
    }
    for (name, value) in job_variables(&turn.job, facts.region) {
        if let Some(value) = value {
            variables.set(name, value, "the job")?;
        }
    }
    for artifact in &turn.job.inputs {
        let origin = format!("the input artifact `{}`", artifact.name);
        variables.set(&variable_name("INPUT", &artifact.name), turn.workspace.input(&artifact.name), &origin)?;
    }
    for artifact in &turn.job.outputs {
        let origin = format!("the output artifact `{}`", artifact.name);
        variables.set(&variable_name("OUTPUT", &artifact.name), turn.workspace.output(&artifact.name), &origin)?;
    }
    for (key, value) in turn.job.configuration.iter() {
        variables.set(&variable_name("CONFIG", key), value, &format!("the configuration key `{key}`"))?;
    }
    for artifact in &turn.job.inputs {
        let name = variable_name("INPUT", &artifact.name) + "_REVISION";
        // The folder of an artifact may use this name already. It takes precedence.
        if let Some(revision) = &artifact.revision
            && !variables.0.contains_key(&name)
        {
            variables.set(&name, revision, &format!("the revision of the input artifact `{}`", artifact.name))?;
        }
    }
    Ok(variables.0.into_iter().map(|(name, (value, _))| (name, value)).collect())
}

/// Adds the credentials of the command's role. No other variable has one of these names.
pub(super) fn add_credentials(environment: &mut BTreeMap<String, OsString>, session: &Session) {
    let values = [
        ("AWS_ACCESS_KEY_ID", &session.access_key_id),
        ("AWS_SECRET_ACCESS_KEY", &session.secret_access_key),
        ("AWS_SESSION_TOKEN", &session.session_token),
    ];
    environment.extend(values.map(|(name, value)| (name.to_owned(), value.expose_secret().into())));
}

/// The variables that describe the job. A variable without a value is not set.
fn job_variables<'a>(job: &'a Job, region: Option<&'a str>) -> [(&'static str, Option<&'a str>); 10] {
    let pipeline = &job.pipeline;
    // A Lambda Invoke job has no action execution id. The worker uses the job's id instead.
    let action_execution = pipeline.action_execution_id.as_deref().filter(|id| *id != job.id);
    [
        ("AWS_REGION", region),
        ("AWS_DEFAULT_REGION", region),
        ("AWS_ACCOUNT_ID", job.account_id.as_deref()),
        ("JOB_ID", Some(job.id.as_str())),
        ("PIPELINE_NAME", pipeline.pipeline_name.as_deref()),
        ("PIPELINE_ARN", pipeline.pipeline_arn.as_deref()),
        ("PIPELINE_EXECUTION_ID", pipeline.pipeline_execution_id.as_deref()),
        ("STAGE_NAME", pipeline.stage_name.as_deref()),
        ("ACTION_NAME", pipeline.action_name.as_deref()),
        ("ACTION_EXECUTION_ID", action_execution),
    ]
}

impl Variables {
    fn set(&mut self, name: &str, value: impl AsRef<OsStr>, origin: &str) -> Result<(), Failure> {
        let value = value.as_ref();
        if value.as_encoded_bytes().contains(&0) {
            let message = format!(
                "the value from {origin} contains a NUL character, which an environment variable can't; remove it"
            );
            return Err(Failure::new(FailureKind::ConfigurationError, NUL_IN_ENVIRONMENT, message));
        }
        match self.0.entry(name.to_owned()) {
            Entry::Vacant(free) => {
                free.insert((value.to_owned(), origin.to_owned()));
                Ok(())
            }
            Entry::Occupied(taken) => {
                let message = format!(
                    "{} and {origin} would both become the environment variable `{name}`; rename one of them",
                    taken.get().1
                );
                Err(Failure::new(FailureKind::ConfigurationError, ENVIRONMENT_NAME_CLASH, message))
            }
        }
    }
}

/// `PREFIX_NAME` in upper case. Every character except ASCII letters and digits becomes `_`, because shells accept no others.
fn variable_name(prefix: &str, name: &str) -> String {
    let plain = |c: char| if c.is_ascii_alphanumeric() { c.to_ascii_uppercase() } else { '_' };
    format!("{prefix}_{}", name.chars().map(plain).collect::<String>())
}

fn search_path(package: &Path) -> OsString {
    let mut path = OsString::from("/opt/bin:");
    path.push(package);
    path.push(":");
    path.push(SYSTEM_PATH);
    path
}

/// The folders for the libraries of layers and of the package, as in Lambda's own environment.
fn library_path(package: &Path) -> OsString {
    let mut path = OsString::from("/opt/lib:");
    path.push(package.join("lib"));
    path
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn variable_names_are_valid_in_shells() {
        assert_eq!(variable_name("INPUT", "Source-artifact_2"), "INPUT_SOURCE_ARTIFACT_2");
        assert_eq!(variable_name("CONFIG", "Api.Token ü=1"), "CONFIG_API_TOKEN___1");
    }

    #[test]
    fn a_clash_of_names_shows_both_origins() {
        let mut variables = Variables::default();
        variables.set("CONFIG_A_B", "secret 1", "the configuration key `a-b`").ok().unwrap();
        let failure = variables.set("CONFIG_A_B", "secret 2", "the configuration key `A.B`").err().unwrap();
        assert_eq!(
            failure.message,
            "the configuration key `a-b` and the configuration key `A.B` would both become the environment variable \
             `CONFIG_A_B`; rename one of them"
        );
    }
}
