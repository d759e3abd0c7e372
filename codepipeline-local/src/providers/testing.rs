//! A workplace for the tests of providers.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use secrecy::SecretString;
use tempfile::TempDir;

use super::{ActionTypeId, ObjectRef, Output, OutputLine, Secrets, Task, TaskArtifact, Workplace};
use crate::client_environment::client_environment;
use crate::clock::Clock;
use crate::request_log::RequestLog;
use crate::s3::{Folder, S3Pace, Store, StoreSettings};
use crate::types::{Grant, Permissions};

/// The bucket that is an artifact store. Its KMS key is [`KEY`].
pub(crate) const STORE: &str = "artifacts";
/// Another bucket.
pub(crate) const OTHER: &str = "site";
/// The KMS key of the artifact store.
pub(crate) const KEY: &str = "a-key";

/// A workplace with an artifact store and another bucket. It keeps the lines that it shows.
pub(crate) struct Place {
    pub(crate) work: Workplace,
    lines: Arc<Mutex<Vec<OutputLine>>>,
}

struct NoJobs;

impl Permissions for NoJobs {
    fn grant(&self, _: &str) -> Option<Grant> {
        None
    }

    fn is_artifact_store(&self, bucket: &str) -> bool {
        bucket == STORE
    }
}

impl Place {
    pub(crate) fn new() -> Self {
        Self::with(Secrets::default())
    }

    pub(crate) fn with_secret(key: &str, value: &str) -> Self {
        Self::with(Secrets::new([(key.to_owned(), SecretString::from(value))]))
    }

    pub(crate) fn with(secrets: Secrets) -> Self {
        let settings = StoreSettings {
            account_id: "123456789012".to_owned(),
            region: "us-east-1".to_owned(),
            pace: S3Pace::default(),
            accept_unencrypted_uploads: false,
        };
        let folder = Folder::Temporary(TempDir::new().unwrap());
        let store = Store::open(folder, Clock::machine(), Arc::new(NoJobs), RequestLog::default(), settings).unwrap();
        for bucket in [STORE, OTHER] {
            store.create_bucket(bucket).unwrap();
        }
        let lines = Arc::default();
        let output = {
            let lines: Arc<Mutex<Vec<OutputLine>>> = Arc::clone(&lines);
            Output::new(move |line| lines.lock().unwrap().push(line))
        };
        let place = (store, Some(KEY.to_owned()));
        let environment = client_environment("http://127.0.0.1:4566", "us-east-1", None);
        let work = Workplace::create(&task(), place, (output, Arc::new(secrets)), environment).unwrap();
        Self { work, lines }
    }

    /// The lines that the action showed.
    pub(crate) fn lines(&self) -> Vec<OutputLine> {
        self.lines.lock().unwrap().clone()
    }
}

/// An artifact whose object need not exist.
pub(crate) fn object(name: &str) -> TaskArtifact {
    let place = ObjectRef { bucket: STORE.to_owned(), key: format!("web/{name}/abcdefg") };
    TaskArtifact { name: name.to_owned(), place, revision: None, maker: None }
}

/// A task of a CodeBuild action without artifacts or configuration.
pub(crate) fn task() -> Task {
    Task {
        action_type: ActionTypeId::first("Build", "AWS", "CodeBuild"),
        pipeline: "web".to_owned(),
        stage: "Test".to_owned(),
        action: "Unit".to_owned(),
        pipeline_execution_id: "11111111-2222-4333-8444-555555555555".to_owned(),
        action_execution_id: "66666666-2222-4333-8444-555555555555".to_owned(),
        region: "us-east-1".to_owned(),
        account_id: "123456789012".to_owned(),
        configuration: BTreeMap::new(),
        variables: BTreeMap::new(),
        inputs: Vec::new(),
        outputs: Vec::new(),
        commands: Vec::new(),
        output_variables: Vec::new(),
        output_files: BTreeMap::new(),
        environment: Vec::new(),
        timeout: Duration::from_secs(60),
    }
}
