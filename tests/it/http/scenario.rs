//! A job and an `http` action for it.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, UNIX_EPOCH};

use codepipeline_worker::actions::http::{HttpAction, HttpSettings, Retries};
use codepipeline_worker::actions::{Abandoned, Action, BoxFuture, Link, Links, Turn};
use codepipeline_worker::job::{
    ActionTypeId, Artifact, Continuation, Failure, Finished, Job, Outcome, PipelineContext,
};
use codepipeline_worker::redact::{Learned, Redactor};
use codepipeline_worker::workspace::Workspace;
use tempfile::TempDir;
use tokio::time::Instant;

use super::service::{Response, Service};

pub(crate) const KEY: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
pub(crate) const SECRET: &str = "hunter22-the-token";
/// 2026-01-31T12:00:00Z.
pub(crate) const NOW: u64 = 1_769_860_800;

pub(crate) struct Scenario {
    pub(crate) service: Service,
    pub(crate) action: HttpAction,
    deadline: Duration,
    pipeline: PipelineContext,
    links: Arc<NumberedLinks>,
    work_folder: TempDir,
}

/// An action whose service sends these responses.
pub(crate) async fn answering(responses: impl IntoIterator<Item = Response>) -> Scenario {
    let service = Service::answering(responses).await;
    Scenario {
        action: action(service.origin(), Duration::from_secs(30)),
        service,
        deadline: Duration::from_secs(600),
        pipeline: PipelineContext {
            pipeline_name: Some("web".to_owned()),
            stage_name: Some("Test".to_owned()),
            action_name: Some("Links".to_owned()),
            action_execution_id: Some("execution-1".to_owned()),
            pipeline_arn: None,
            pipeline_execution_id: None,
        },
        links: Arc::default(),
        work_folder: tempfile::tempdir().unwrap(),
    }
}

/// An action that posts to `/jobs?of=web`.
pub(crate) fn action(origin: &str, request_timeout: Duration) -> HttpAction {
    let settings = HttpSettings {
        url: format!("{origin}/jobs?of=web"),
        secret: KEY.into(),
        request_timeout,
        clock: || UNIX_EPOCH + Duration::from_secs(NOW),
    };
    let pause = Duration::from_millis(1);
    let retries = Retries { tries: 4, first_pause: pause, longest_pause: pause };
    HttpAction::new(settings).map_err(|mistake| mistake.to_string()).unwrap().with_retries(retries)
}

impl Scenario {
    pub(crate) fn request_timeout(self, timeout: Duration) -> Self {
        Self { action: action(self.service.origin(), timeout), ..self }
    }

    /// Posts to this origin, and not to the scenario's own service.
    pub(crate) fn to(self, origin: &str) -> Self {
        Self { action: action(origin, Duration::from_secs(30)), ..self }
    }

    pub(crate) fn deadline(self, deadline: Duration) -> Self {
        Self { deadline, ..self }
    }

    fn turn(&self, job_id: &str) -> Turn {
        let artifact = |name: &str, revision: Option<&str>| Artifact {
            name: name.to_owned(),
            revision: revision.map(str::to_owned),
            bucket: "bucket".to_owned(),
            key: format!("web/{name}/AbC1234"),
        };
        let job = Job {
            id: job_id.to_owned(),
            account_id: None,
            action_type: ActionTypeId {
                category: "Test".to_owned(),
                owner: "Custom".to_owned(),
                provider: "LinkCheck".to_owned(),
                version: "1".to_owned(),
            },
            configuration: [("Url", "https://example.com/ü"), ("Token", SECRET)].into_iter().collect(),
            pipeline: self.pipeline.clone(),
            inputs: vec![artifact("Site", Some("abc")), artifact("Rules", None)],
            outputs: vec![artifact("Report", None)],
            encryption_key: None,
            continuation_token: None,
        };
        let workspace = Arc::new(Workspace::create(self.work_folder.path(), &job).unwrap());
        let links: Arc<dyn Links> = Arc::clone(&self.links) as Arc<dyn Links>;
        Turn {
            job: Arc::new(job),
            age: Duration::ZERO,
            workspace,
            deadline: Instant::now() + self.deadline,
            links,
            secret_keys: vec!["Token".to_owned()],
            redactor: Arc::new(Redactor::new([SECRET, KEY])),
            learned: Learned::default(),
        }
    }

    pub(crate) async fn start(&self) -> Result<Outcome, Failure> {
        self.action.start(self.turn("job-1")).await
    }

    pub(crate) async fn resume(&self, token: &str) -> Result<Outcome, Failure> {
        self.action.resume(self.turn("job-2"), token).await
    }

    pub(crate) async fn succeed(&self) -> Finished {
        finished(self.start().await)
    }

    pub(crate) async fn fail(&self) -> Failure {
        self.start().await.err().expect("the job to fail")
    }

    /// Starts work that outlasts the job.
    pub(crate) async fn start_long_work(&self) -> Continuation {
        continued(self.start().await)
    }

    pub(crate) async fn stop(&self, token: Option<&str>) {
        self.action.stop(&abandoned(token)).await.map_err(describe).unwrap();
    }

    pub(crate) async fn fail_to_stop(&self) -> Failure {
        self.action.stop(&abandoned(None)).await.expect_err("the stop fails")
    }
}

fn abandoned(token: Option<&str>) -> Abandoned {
    Abandoned { execution_id: "execution-1".to_owned(), token: token.map(str::to_owned) }
}

pub(crate) fn finished(result: Result<Outcome, Failure>) -> Finished {
    match result.map_err(describe).unwrap() {
        Outcome::Finished(finished) => finished,
        Outcome::Continue(_) => panic!("the work continues"),
    }
}

pub(crate) fn continued(result: Result<Outcome, Failure>) -> Continuation {
    match result.map_err(describe).unwrap() {
        Outcome::Continue(continuation) => continuation,
        Outcome::Finished(_) => panic!("the work finished"),
    }
}

pub(crate) fn describe(failure: Failure) -> String {
    format!("{:?}: {}: {} {}", failure.kind, failure.code, failure.message, failure.output.unwrap_or_default())
}

/// Links that differ each time, like presigned ones.
#[derive(Default)]
struct NumberedLinks(AtomicU32);

impl NumberedLinks {
    fn link(&self, method: &'static str, artifact: &Artifact, headers: &[(&str, &str)]) -> Result<Link, Failure> {
        let number = self.0.fetch_add(1, Ordering::Relaxed) + 1;
        let url = format!("https://bucket.s3.amazonaws.com/{}?X-Amz-Signature=5ecret{number}", artifact.key);
        let headers = headers.iter().map(|&(name, value)| (name.to_owned(), value.to_owned())).collect();
        Ok(Link { method, url: url.into(), headers })
    }
}

impl Links for NumberedLinks {
    fn to_read<'a>(&'a self, input: &'a Artifact) -> BoxFuture<'a, Result<Link, Failure>> {
        Box::pin(async { self.link("GET", input, &[]) })
    }

    fn to_write<'a>(&'a self, output: &'a Artifact) -> BoxFuture<'a, Result<Link, Failure>> {
        Box::pin(async { self.link("PUT", output, &[("x-amz-server-side-encryption", "aws:kms")]) })
    }
}
