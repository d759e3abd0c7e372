//! A job for a state machine.

use std::sync::Arc;
use std::time::Duration;

use aws_config::SdkConfig;
use codepipeline_worker::actions::state_machine::{StateMachineAction, StateMachineArn};
use codepipeline_worker::actions::{Action, BoxFuture, Link, Links, Turn};
use codepipeline_worker::job::{
    ActionTypeId, Artifact, Continuation, Failure, Finished, Job, Outcome, PipelineContext,
};
use codepipeline_worker::redact::Learned;
use codepipeline_worker::workspace::Workspace;
use tempfile::TempDir;
use tokio::time::Instant;

pub(crate) const JOB: &str = "11111111-abcd-1111-abcd-111111abcdef";
pub(crate) const NAME: &str = "22222222-abcd-1111-abcd-111111abcdef";

pub(crate) struct Scenario {
    pub(crate) action: StateMachineAction,
    /// How long each turn may take.
    pub(crate) deadline: Duration,
    /// How long ago the first job began.
    pub(crate) age: Duration,
    pub(crate) action_execution_id: Option<String>,
    pub(crate) configuration: Vec<(String, String)>,
    pub(crate) folder: TempDir,
}

impl Scenario {
    pub(crate) fn new(config: &SdkConfig, machine: &str) -> Self {
        let machine = StateMachineArn::parse(machine).unwrap();
        Self {
            action: StateMachineAction::new(config, machine),
            deadline: Duration::from_secs(60),
            age: Duration::from_secs(60),
            action_execution_id: Some(NAME.to_owned()),
            configuration: vec![("Target".into(), "blue".into()), ("ApiToken".into(), "hunter22".into())],
            folder: tempfile::tempdir().unwrap(),
        }
    }

    fn turn(&self) -> Turn {
        let artifact = |name: &str, key: &str| Artifact {
            name: name.to_owned(),
            revision: None,
            bucket: "store".to_owned(),
            key: key.to_owned(),
        };
        let job = Job {
            id: JOB.to_owned(),
            account_id: None,
            action_type: ActionTypeId {
                category: "Deploy".to_owned(),
                owner: "Custom".to_owned(),
                provider: "Rollout".to_owned(),
                version: "1".to_owned(),
            },
            configuration: self.configuration.iter().cloned().collect(),
            pipeline: PipelineContext {
                pipeline_name: Some("web".to_owned()),
                action_execution_id: self.action_execution_id.clone(),
                ..PipelineContext::default()
            },
            inputs: vec![artifact("Source", "web/Source/a1")],
            outputs: vec![artifact("Report", "web/Report/b2")],
            encryption_key: None,
            continuation_token: None,
        };
        let workspace = Arc::new(Workspace::create(self.folder.path(), &job).unwrap());
        let (deadline, links) = (Instant::now() + self.deadline, Arc::new(NoLinks));
        let secret_keys = vec!["ApiToken".to_owned()];
        Turn {
            job: Arc::new(job),
            age: self.age,
            workspace,
            deadline,
            links,
            secret_keys,
            redactor: Arc::default(),
            learned: Learned::default(),
        }
    }

    pub(crate) async fn start(&self) -> Result<Outcome, Failure> {
        self.action.start(self.turn()).await
    }

    pub(crate) async fn resume(&self, token: &str) -> Result<Outcome, Failure> {
        self.action.resume(self.turn(), token).await
    }
}

pub(crate) fn continued(outcome: Result<Outcome, Failure>) -> Continuation {
    match outcome {
        Ok(Outcome::Continue(continuation)) => continuation,
        Ok(Outcome::Finished(_)) => panic!("the work finished"),
        Err(failure) => panic!("the work failed: {}", describe(&failure)),
    }
}

pub(crate) fn finished(outcome: Result<Outcome, Failure>) -> Finished {
    match outcome {
        Ok(Outcome::Finished(finished)) => finished,
        Ok(Outcome::Continue(_)) => panic!("the work continues"),
        Err(failure) => panic!("the work failed: {}", describe(&failure)),
    }
}

pub(crate) fn failed(outcome: Result<Outcome, Failure>) -> Failure {
    outcome.err().expect("a failure")
}

pub(crate) fn describe(failure: &Failure) -> String {
    format!("{:?}: {}: {} {:?}", failure.kind, failure.code, failure.message, failure.output)
}

/// A state machine gets the places of the artifacts, and no links.
struct NoLinks;

impl Links for NoLinks {
    fn to_read<'a>(&'a self, _: &'a Artifact) -> BoxFuture<'a, Result<Link, Failure>> {
        unreachable!("the action needs no link")
    }

    fn to_write<'a>(&'a self, _: &'a Artifact) -> BoxFuture<'a, Result<Link, Failure>> {
        unreachable!("the action needs no link")
    }
}
