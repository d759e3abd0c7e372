//! The flags of `run`, and what they mean.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use clap::Args;
use secrecy::SecretString;

use crate::cli::providers::{secret, stand_in};
use crate::cli::serve::endpoints;
use crate::cli::words::{Words, words};
use crate::endpoints::Endpoints;
use crate::providers::{ActionTypeId, Secrets};
use crate::template::Parameters;

/// The end of `run --help`.
const EXAMPLES: &str = "\
Examples:
  Show who runs each action, and the flags that are missing:
    codepipeline-local run template.yaml --list
  Run the only pipeline of this folder or of cdk.out, with its source in a folder, and approve everything:
    codepipeline-local run --source App=. --yes
  Run a pipeline that AWS has, with a worker for its custom actions, and keep the artifacts:
    aws codepipeline get-pipeline --name web > pipeline.json
    codepipeline-local run pipeline.json --source Source=. --worker 'python3 worker.py' --output artifacts
  Let a command stand in for a provider that does not run here, and skip an action:
    codepipeline-local run pipeline.json --source Source=. --provider 'Deploy/AWS/ECS/1=sh deploy.sh' --skip Notify";

/// Run a pipeline on this machine, from a template or the JSON of get-pipeline
///
/// Starts an emulator on a free port, creates what the pipeline needs, runs one execution, and stops everything again. The exit code is 0
/// only if the execution succeeded. Commands of builds run on this machine, with your rights.
#[derive(Args)]
#[command(after_help = EXAMPLES)]
pub(in crate::cli) struct RunFlags {
    /// The JSON of get-pipeline, a template of CloudFormation, SAM or the CDK, or a folder with one of these [default: this folder]
    pub(super) file: Option<PathBuf>,
    /// Name or logical id of the pipeline, if the file has several
    #[arg(long, value_name = "NAME")]
    pub(super) pipeline: Option<String>,
    /// Folder that stands for a source action. In a git work tree, git's ignored files are left out. Folders of --output always are.
    /// Repeatable
    #[arg(long = "source", value_name = "ACTION=DIR")]
    sources: Vec<String>,
    /// Command that polls for the jobs of custom actions, quoted as in a shell. Its environment leads the AWS SDKs to the emulator.
    /// Repeatable
    #[arg(long = "worker", value_name = "COMMAND")]
    workers: Vec<String>,
    /// Bootstrap of the Lambda function with this name, quoted as in a shell. Lambda Invoke actions invoke it. If no action names it, a
    /// schedule of 5 s and the events of custom actions do. Repeatable
    #[arg(long = "function", value_name = "NAME=COMMAND")]
    functions: Vec<String>,
    /// A variable of the environment of all functions and workers. Commands of builds and stand-ins get those that begin with AWS_.
    /// Repeatable
    #[arg(long, value_name = "NAME=VALUE")]
    env: Vec<String>,
    /// Command that stands in for an action type. A shell runs it in the folder of the first input artifact. Repeatable
    #[arg(long = "provider", value_name = "CATEGORY/OWNER/PROVIDER/VERSION=COMMAND")]
    providers: Vec<String>,
    /// Action that succeeds at once, with empty output artifacts: ACTION, or STAGE/ACTION. Repeatable
    #[arg(long = "skip", value_name = "ACTION")]
    skipped: Vec<String>,
    /// The stage or action to run. All other actions are skipped, except sources that have a --source
    #[arg(long, value_name = "STAGE|ACTION")]
    only: Option<String>,
    /// Value of a parameter, an import, an attribute or a dynamic reference of the template. Repeatable
    #[arg(long = "parameter", value_name = "KEY=VALUE")]
    parameters: Vec<String>,
    /// Value of a variable of the pipeline. NAMESPACE.KEY=VALUE is a variable of a git source, or of an action that is skipped. Repeatable
    #[arg(long = "variable", value_name = "KEY=VALUE")]
    variables: Vec<String>,
    /// Secret of Secrets Manager or Parameter Store, with the variable of this environment that has its value. STAGE/ACTION.KEY is a value
    /// that get-pipeline masks. Output masks it. Repeatable
    #[arg(long = "secret", value_name = "KEY=ENV")]
    secrets: Vec<String>,
    /// Forward the requests for another service, as in stepfunctions=http://127.0.0.1:5000. Repeatable
    #[arg(long = "endpoint", value_name = "SERVICE=URL")]
    endpoints: Vec<String>,
    /// Folder that gets the artifacts, each unpacked into a folder of its name. A later run replaces them
    #[arg(long, value_name = "DIR")]
    pub(super) output: Option<PathBuf>,
    /// Approve every manual approval
    #[arg(long)]
    pub(super) yes: bool,
    /// Print the pipeline as a picture, and run nothing
    #[arg(long, conflicts_with = "dry_run")]
    pub(super) list: bool,
    /// Check the template, the flags, the buildspecs of sources and the pipeline, and run nothing
    #[arg(long)]
    pub(super) dry_run: bool,
}

/// Begins the keys of parameters among the secrets. No secret of AWS has a space in its name.
const HIDDEN: &str = "parameter ";

/// Variables of the AWS SDKs whose values are secret.
const KEYS_OF_AWS: [&str; 2] = ["AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"];
/// The shortest value of these, in bytes, that is hidden. Secret access keys of AWS have 40.
const SHORTEST_KEY: usize = 16;

/// The flags, read. It holds values that may be secrets, so it has no `Debug`.
#[derive(Default)]
pub(super) struct Wanted {
    pub(super) sources: BTreeMap<String, PathBuf>,
    pub(super) workers: Vec<Words>,
    /// By the function's name.
    pub(super) functions: BTreeMap<String, Words>,
    pub(super) env: BTreeMap<String, String>,
    /// Commands of stand-ins by action type, for a shell.
    pub(super) providers: BTreeMap<ActionTypeId, String>,
    pub(super) skipped: BTreeSet<String>,
    pub(super) only: Option<String>,
    pub(super) variables: BTreeMap<String, String>,
    /// Output variables of skipped actions and git sources, by `NAMESPACE.KEY`.
    pub(super) outputs: BTreeMap<String, String>,
    pub(super) secrets: Vec<(String, SecretString)>,
    pub(super) endpoints: Endpoints,
}

impl RunFlags {
    /// The values of `--parameter`.
    pub(super) fn parameters(&self) -> Result<Parameters, String> {
        let given = self.parameters.iter().map(|text| text.parse());
        given.collect::<Result<_, String>>().map_err(|why| format!("--parameter: {why}"))
    }

    /// Reads the other flags.
    pub(super) fn wanted(&self) -> Result<Wanted, String> {
        let mut wanted =
            Wanted { only: self.only.clone(), endpoints: endpoints(&self.endpoints)?, ..Wanted::default() };
        for text in &self.sources {
            let (action, folder) = pair(text, "--source ACTION=DIR, as in --source App=.")?;
            once(&mut wanted.sources, "--source", action, folder.into())?;
        }
        for text in &self.workers {
            wanted.workers.push(words(text).map_err(|why| format!("--worker: {why}"))?);
        }
        for text in &self.functions {
            let (name, command) = pair(text, "--function NAME='COMMAND'")?;
            let command = words(command).map_err(|why| format!("--function {name}: {why}"))?;
            once(&mut wanted.functions, "--function", name, command)?;
        }
        for text in &self.providers {
            let (id, command) = stand_in(text).map_err(|why| format!("--provider: {why}"))?;
            let name = id.name();
            if wanted.providers.insert(id, command.to_owned()).is_some() {
                return Err(format!("--provider {name} is given twice; leave one out"));
            }
        }
        for text in &self.skipped {
            wanted.skipped.insert(text.clone());
        }
        for text in &self.env {
            let (name, value) = pair(text, "--env NAME=VALUE")?;
            wanted.env.insert(name.to_owned(), value.to_owned());
        }
        for text in &self.variables {
            let (name, value) = pair(text, "--variable KEY=VALUE, as in --variable Stage=test")?;
            // A name of a pipeline's variable has no period (API reference, "PipelineVariable").
            let variables = if name.contains('.') { &mut wanted.outputs } else { &mut wanted.variables };
            once(variables, "--variable", name, value.to_owned())?;
        }
        let mut secrets = BTreeMap::new();
        for text in &self.secrets {
            let (key, value) = secret(text).map_err(|why| format!("--secret: {why}"))?;
            once(&mut secrets, "--secret", &key, value)?;
        }
        wanted.secrets = secrets.into_iter().collect();
        Ok(wanted)
    }
}

impl Wanted {
    /// Adds parameters that must be hidden, by their keys, so that output masks them as it masks `--secret`.
    pub(super) fn hide_parameters(&mut self, hidden: BTreeMap<String, String>) {
        let hidden = hidden.into_iter().map(|(key, value)| (format!("{HIDDEN}{key}"), SecretString::from(value)));
        self.secrets.extend(hidden);
    }

    /// The secret access key and the session token of `--env`. Stand-ins for keys, such as `test`, are too short to be hidden: they are in
    /// any output.
    pub(super) fn secret_env(&self) -> impl Iterator<Item = (String, SecretString)> {
        let given = KEYS_OF_AWS.iter().filter_map(|name| self.env.get_key_value(*name));
        let long = given.filter(|(_, value)| value.len() >= SHORTEST_KEY);
        long.map(|(name, value)| (name.clone(), SecretString::from(value.as_str())))
    }

    /// The keys of `--secret`.
    pub(super) fn secret_keys(&self) -> impl Iterator<Item = &str> {
        let keys = self.secrets.iter().map(|(key, _)| key.as_str());
        keys.filter(|key| !key.starts_with(HIDDEN))
    }

    /// All secrets by their keys.
    pub(super) fn all_secrets(&self) -> Secrets {
        Secrets::new(self.secrets.iter().cloned())
    }
}

/// The parts around the first equals sign. The error does not repeat the value, which may be a secret.
fn pair<'t>(text: &'t str, form: &str) -> Result<(&'t str, &'t str), String> {
    let flag = form.split(' ').next().unwrap_or_default();
    match text.split_once('=') {
        Some((name, value)) if !name.is_empty() && !value.is_empty() => Ok((name, value)),
        _ => Err(format!("{flag} has no name or no value; write {form}")),
    }
}

fn once<T>(values: &mut BTreeMap<String, T>, flag: &str, key: &str, value: T) -> Result<(), String> {
    match values.insert(key.to_owned(), value) {
        None => Ok(()),
        Some(_) => Err(format!("{flag} {key} is given twice; leave one out")),
    }
}
