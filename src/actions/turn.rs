//! A turn at an action: one job, and everything that the action may use for it.

use std::sync::Arc;
use std::time::Duration;

use secrecy::SecretString;
use serde_json::{Map, Value, json};
use tokio::time::Instant;

use super::{BoxFuture, Log};
use crate::job::{Artifact, Failure, Job};
use crate::redact::{Learned, Redactor};
use crate::workspace::Workspace;

/// The last second before the deadline. The action ends its turn then: it reads the last results, or explains why it is late.
pub(crate) const CLOSING: Duration = Duration::from_secs(1);

/// One job's turn at an action.
///
/// # Examples
/// Reads a file of the input artifact, and writes one into the output artifact:
///
/// ```
/// use codepipeline_worker::actions::Turn;
/// use codepipeline_worker::job::{Failure, FailureCode, FailureKind, Finished, Outcome};
///
/// const VERSION_UNREADABLE: FailureCode = FailureCode::new("VersionUnreadable");
/// const NOTES_NOT_WRITTEN: FailureCode = FailureCode::new("NotesNotWritten");
///
/// async fn start(turn: Turn) -> Result<Outcome, Failure> {
///     let title = turn.job.configuration.required("Title")?;
///     let [input] = &turn.job.inputs[..] else { unreachable!("the action type has one input artifact") };
///     let [output] = &turn.job.outputs[..] else { unreachable!("the action type has one output artifact") };
///
///     // A name from the configuration could lead out of the artifact.
///     let version = tokio::fs::read_to_string(turn.workspace.input(&input.name).join("VERSION")).await;
///     let version = version.map_err(|error| {
///         let message = format!("could not read VERSION of the input artifact: {}", error.kind());
///         Failure::new(FailureKind::JobFailed, VERSION_UNREADABLE, message)
///     })?;
///     let notes = turn.workspace.output(&output.name).join("NOTES.md");
///     tokio::fs::write(notes, format!("# {title} {version}")).await.map_err(|error| {
///         let message = format!("could not write NOTES.md: {}", error.kind());
///         Failure::new(FailureKind::JobFailed, NOTES_NOT_WRITTEN, message)
///     })?;
///     turn.log().info(format_args!("wrote the notes of version {version}"));
///     Ok(Outcome::Finished(Finished { variables: [("Version".to_owned(), version)].into(), ..Finished::default() }))
/// }
/// ```
#[derive(Clone)]
pub struct Turn {
    /// The job to work on.
    pub job: Arc<Job>,
    /// The time since the first job of this run began, by the wall clocks of both workers.
    pub age: Duration,
    /// The job's folder. The worker stages the inputs in before the action starts, unless the action wants no files.
    pub workspace: Arc<Workspace>,
    /// When the action must have returned. At this moment the worker drops the action's future, and the job fails.
    pub deadline: Instant,
    /// Makes links to the job's artifacts for services outside.
    pub links: Arc<dyn Links>,
    /// The configuration keys whose values are secret.
    pub secret_keys: Vec<String>,
    /// Masks the values of these keys, and the action's own secrets ([`Action::secrets`](super::Action::secrets)).
    pub redactor: Arc<Redactor>,
    /// The job's credentials, and the secrets that the action learns during the turn. The report treats them as it treats the others.
    pub learned: Learned,
}

impl Turn {
    /// The id of the run: the same for all its jobs. It is the id of the action execution. CodePipeline does not tell a Lambda Invoke
    /// job its action execution, so there it is the id of the first job.
    pub fn execution_id(&self) -> &str {
        // The worker fills it in from the continuation token.
        self.job.pipeline.action_execution_id.as_deref().unwrap_or(&self.job.id)
    }

    /// When the action's work should have ended: one second before the deadline, so that the action can still explain why it is late.
    pub fn closing_time(&self) -> Instant {
        self.deadline.checked_sub(CLOSING).unwrap_or(self.deadline)
    }

    /// The log for lines about this job: with its ids, and with its secrets masked. Call it where the action runs, and clone the log
    /// into tasks and threads, because a task of the action's own has no ids.
    pub fn log(&self) -> Log {
        Log::of_current_job(Arc::clone(&self.redactor), self.learned.clone())
    }

    /// The job as JSON: the members `actionType`, `pipeline` and `configuration`. The configuration includes secrets.
    #[cfg(any(test, feature = "http"))]
    pub(crate) fn describe(&self) -> Map<String, Value> {
        self.describe_with(|_| true)
    }

    /// The job as JSON, without the secret keys of its configuration.
    pub fn describe_without_secrets(&self) -> Map<String, Value> {
        self.describe_with(|key| !self.secret_keys.iter().any(|secret| secret == key))
    }

    fn describe_with(&self, shown: impl Fn(&str) -> bool) -> Map<String, Value> {
        let Job { action_type, pipeline, configuration, .. } = &*self.job;
        let action_type = json!({
            "category": action_type.category,
            "owner": action_type.owner,
            "provider": action_type.provider,
            "version": action_type.version,
        });
        let pipeline = json!({
            "name": pipeline.pipeline_name,
            "stage": pipeline.stage_name,
            "action": pipeline.action_name,
            "arn": pipeline.pipeline_arn,
            "executionId": pipeline.pipeline_execution_id,
        });
        let configuration = configuration.iter().filter(|(key, _)| shown(key));
        let configuration: Map<_, _> = configuration.map(|(key, value)| (key.to_owned(), value.into())).collect();
        let members = [("actionType", action_type), ("pipeline", pipeline), ("configuration", configuration.into())];
        members.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
    }
}

/// Presigned links to a job's artifacts. They expire with the job's credentials, some 15 minutes after CodePipeline made these. So
/// a service gets fresh links with every request.
pub trait Links: Send + Sync {
    /// A link to read the input artifact.
    fn to_read<'a>(&'a self, input: &'a Artifact) -> BoxFuture<'a, Result<Link, Failure>>;

    /// A link to write the output artifact, encrypted as CodePipeline demands.
    fn to_write<'a>(&'a self, output: &'a Artifact) -> BoxFuture<'a, Result<Link, Failure>>;
}

/// A presigned request. It is a secret: it needs no other credentials.
pub struct Link {
    /// `GET` or `PUT`.
    pub method: &'static str,
    /// The URL with its signature.
    pub url: SecretString,
    /// The names and values of signed headers, which must be sent.
    pub headers: Vec<(String, String)>,
}

/// Work outside whose action was abandoned, cancelled or failed, so that no job waits for it.
#[derive(Clone, Debug)]
pub struct Abandoned {
    /// The id of the run: [`Turn::execution_id`].
    pub execution_id: String,
    /// The token of the last [`Outcome::Continue`](crate::job::Outcome::Continue), if the worker knows it.
    pub token: Option<String>,
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::job::{Configuration, PipelineContext};

    struct NoLinks;

    impl Links for NoLinks {
        fn to_read<'a>(&'a self, _: &'a Artifact) -> BoxFuture<'a, Result<Link, Failure>> {
            unreachable!("no link is asked for")
        }

        fn to_write<'a>(&'a self, _: &'a Artifact) -> BoxFuture<'a, Result<Link, Failure>> {
            unreachable!("no link is asked for")
        }
    }

    /// A turn of an hour at `job`, whose folder is removed already.
    pub(crate) fn turn_at(job: Job, secret_keys: &[&str]) -> Turn {
        let folder = tempfile::tempdir().unwrap();
        Turn {
            age: Duration::ZERO,
            workspace: Arc::new(Workspace::create(folder.path(), &job).unwrap()),
            job: Arc::new(job),
            deadline: Instant::now() + Duration::from_secs(3600),
            links: Arc::new(NoLinks),
            secret_keys: secret_keys.iter().map(|&key| key.to_owned()).collect(),
            redactor: Arc::default(),
            learned: Learned::default(),
        }
    }

    fn job(configuration: Configuration, pipeline: PipelineContext) -> Job {
        Job { configuration, pipeline, ..Job::of_tests("Test", "LinkCheck") }
    }

    #[test]
    fn description_has_every_member_and_secrets_only_on_request() {
        let configuration = [("Url", "x"), ("Token", "hunter2")].into_iter().collect();
        let turn = turn_at(job(configuration, PipelineContext::default()), &["Token"]);
        let pipeline = json!({"name": null, "stage": null, "action": null, "arn": null, "executionId": null});
        let action_type = json!({"category": "Test", "owner": "Custom", "provider": "LinkCheck", "version": "1"});
        let described = |configuration: Value| json!({"actionType": action_type, "pipeline": pipeline, "configuration": configuration});
        assert_eq!(Value::from(turn.describe()), described(json!({"Url": "x", "Token": "hunter2"})));
        assert_eq!(Value::from(turn.describe_without_secrets()), described(json!({"Url": "x"})));
    }

    #[test]
    fn run_is_named_after_the_action_execution_or_the_first_job() {
        let execution = PipelineContext { action_execution_id: Some("e-1".to_owned()), ..PipelineContext::default() };
        assert_eq!(turn_at(job(Configuration::default(), execution), &[]).execution_id(), "e-1");
        let none = PipelineContext::default();
        assert_eq!(turn_at(job(Configuration::default(), none), &[]).execution_id(), "job");
    }

    #[test]
    fn closing_time_is_a_second_before_the_deadline() {
        let turn = turn_at(job(Configuration::default(), PipelineContext::default()), &[]);
        assert_eq!(turn.deadline - turn.closing_time(), Duration::from_secs(1));
    }
}
