//! A job with a command.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use codepipeline_worker::actions::command::{CommandAction, LogOutput, Role};
use codepipeline_worker::actions::{Action, BoxFuture, Link, Links, Turn};
use codepipeline_worker::job::{ActionTypeId, Artifact, Failure, Finished, Job, Outcome, PipelineContext};
use codepipeline_worker::placeholder::Template;
use codepipeline_worker::redact::{Learned, Redactor};
use codepipeline_worker::workspace::Workspace;
use tempfile::TempDir;
use tokio::time::Instant;

use crate::support::children::Children;

pub(crate) struct Scenario {
    arguments: Vec<String>,
    configuration: Vec<(String, String)>,
    secrets: Vec<String>,
    inputs: Vec<String>,
    outputs: Vec<String>,
    timeout: Duration,
    grace: Duration,
    deadline: Duration,
    package: PathBuf,
    pipeline: PipelineContext,
    account: Option<String>,
    region: Option<String>,
    log_output: LogOutput,
    revisions: Vec<(String, String)>,
    role: Option<Role>,
}

/// A scenario with its folders, which tests can read while and after the command runs.
pub(crate) struct Staged {
    action: CommandAction,
    pub(crate) turn: Turn,
    _work_folder: TempDir,
}

/// `sh -c SCRIPT`.
pub(crate) fn sh(script: &str) -> Scenario {
    program(&["sh", "-c", script])
}

pub(crate) fn program(arguments: &[&str]) -> Scenario {
    Scenario {
        arguments: arguments.iter().map(|&argument| argument.to_owned()).collect(),
        configuration: Vec::new(),
        secrets: Vec::new(),
        inputs: vec!["Source".to_owned()],
        outputs: vec!["Out".to_owned()],
        timeout: Duration::from_secs(600),
        grace: Duration::from_secs(600),
        deadline: Duration::from_secs(3600),
        package: PathBuf::from("/var/task"),
        pipeline: PipelineContext::default(),
        account: None,
        region: None,
        log_output: LogOutput::All,
        revisions: Vec::new(),
        role: None,
    }
}

impl Scenario {
    pub(crate) fn configured(mut self, key: &str, value: &str) -> Self {
        self.configuration.push((key.to_owned(), value.to_owned()));
        self
    }

    pub(crate) fn secret(mut self, key: &str, value: &str) -> Self {
        self.secrets.push(key.to_owned());
        self.configured(key, value)
    }

    pub(crate) fn inputs(mut self, names: &[&str]) -> Self {
        self.inputs = names.iter().map(|&name| name.to_owned()).collect();
        self
    }

    pub(crate) fn outputs(mut self, names: &[&str]) -> Self {
        self.outputs = names.iter().map(|&name| name.to_owned()).collect();
        self
    }

    pub(crate) fn timeout(self, timeout: Duration) -> Self {
        Self { timeout, ..self }
    }

    pub(crate) fn grace(self, grace: Duration) -> Self {
        Self { grace, ..self }
    }

    pub(crate) fn deadline(self, deadline: Duration) -> Self {
        Self { deadline, ..self }
    }

    pub(crate) fn package(self, package: &Path) -> Self {
        Self { package: package.to_owned(), ..self }
    }

    pub(crate) fn pipeline(self, pipeline: PipelineContext) -> Self {
        Self { pipeline, ..self }
    }

    pub(crate) fn account(self, id: &str) -> Self {
        Self { account: Some(id.to_owned()), ..self }
    }

    pub(crate) fn logging(self, log_output: LogOutput) -> Self {
        Self { log_output, ..self }
    }

    pub(crate) fn region(self, region: &str) -> Self {
        Self { region: Some(region.to_owned()), ..self }
    }

    pub(crate) fn role(self, role: Role) -> Self {
        Self { role: Some(role), ..self }
    }

    /// Sets the revision of an artifact.
    pub(crate) fn revision(mut self, artifact: &str, revision: &str) -> Self {
        self.revisions.push((artifact.to_owned(), revision.to_owned()));
        self
    }

    pub(crate) fn stage(self) -> Staged {
        let work_folder = tempfile::tempdir().unwrap();
        let artifact = |name: String| {
            let revision = self.revisions.iter().find(|(artifact, _)| *artifact == name).map(|(_, it)| it.clone());
            Artifact { name, revision, bucket: "b".to_owned(), key: "k".to_owned() }
        };
        let job = Job {
            id: "11111111-abcd-1111-abcd-111111abcdef".to_owned(),
            account_id: self.account,
            action_type: ActionTypeId {
                category: "Test".to_owned(),
                owner: "Custom".to_owned(),
                provider: "Shell".to_owned(),
                version: "1".to_owned(),
            },
            configuration: self.configuration.into_iter().collect(),
            pipeline: self.pipeline,
            inputs: self.inputs.into_iter().map(artifact).collect(),
            outputs: self.outputs.into_iter().map(artifact).collect(),
            encryption_key: None,
            continuation_token: None,
        };
        let workspace = Arc::new(Workspace::create(work_folder.path(), &job).unwrap());
        let redactor = Redactor::new(self.secrets.iter().filter_map(|key| job.configuration.get(key)));
        let arguments = self.arguments.iter().map(|argument| Template::parse(argument).ok().unwrap()).collect();
        let action = CommandAction::new(arguments, &self.secrets, self.timeout, self.package).ok().unwrap();
        let turn = Turn {
            job: Arc::new(job),
            age: Duration::ZERO,
            workspace,
            deadline: Instant::now() + self.deadline,
            links: Arc::new(NoLinks),
            secret_keys: self.secrets,
            redactor: Arc::new(redactor),
            learned: Learned::default(),
        };
        let action = action.with_grace(self.grace).in_region(self.region).with_role(self.role).logging(self.log_output);
        Staged { action, turn, _work_folder: work_folder }
    }

    pub(crate) async fn succeed(self) -> Finished {
        self.stage().start().await.map_err(describe).unwrap()
    }

    pub(crate) async fn fail(self) -> Failure {
        self.stage().start().await.err().expect("the command to fail")
    }
}

impl Staged {
    pub(crate) async fn start(&self) -> Result<Finished, Failure> {
        let _children = Children::of_commands();
        self.start_alone().await
    }

    /// The same, for a test that holds [`Children`] itself.
    pub(crate) async fn start_alone(&self) -> Result<Finished, Failure> {
        match self.action.start(self.turn.clone()).await? {
            Outcome::Finished(finished) => Ok(finished),
            Outcome::Continue(_) => panic!("a command never continues"),
        }
    }

    pub(crate) fn output(&self) -> PathBuf {
        self.turn.workspace.output("Out")
    }

    /// The content of a file in the command's output artifact.
    pub(crate) fn written(&self, file: &str) -> String {
        std::fs::read_to_string(self.output().join(file)).unwrap()
    }

    /// Waits until the command has written whole lines to this file.
    pub(crate) async fn wait_for(&self, file: &str) {
        while !std::fs::read_to_string(self.output().join(file)).is_ok_and(|text| text.ends_with('\n')) {
            tokio::task::yield_now().await;
        }
    }
}

pub(crate) fn describe(failure: Failure) -> String {
    format!("{:?}: {} {}", failure.kind, failure.message, failure.output.unwrap_or_default())
}

/// Whether the process exists, including a zombie.
pub(crate) fn exists(pid: &str) -> bool {
    Path::new("/proc").join(pid.trim()).exists()
}

/// Commands get files, not links.
struct NoLinks;

impl Links for NoLinks {
    fn to_read<'a>(&'a self, _: &'a Artifact) -> BoxFuture<'a, Result<Link, Failure>> {
        unreachable!("a command asks for no link")
    }

    fn to_write<'a>(&'a self, _: &'a Artifact) -> BoxFuture<'a, Result<Link, Failure>> {
        unreachable!("a command asks for no link")
    }
}
