//! The parts of the emulator that a running action may use.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use secrecy::SecretString;
use tempfile::TempDir;

use super::removal::remove_all;
use super::{Failed, Maker, ObjectRef, Output, OutputLine, Secrets, Task, TaskArtifact};
use crate::s3::{FileError, Store, Upload};

/// The folder, the artifacts, the output and the secrets of one action.
pub struct Workplace {
    /// Removed with this value.
    root: TempDir,
    folder: PathBuf,
    /// How many objects were read.
    read: AtomicUsize,
    store: Store,
    encryption_key: Option<String>,
    /// The action's names, without text.
    names: OutputLine,
    output: Output,
    secrets: Arc<Secrets>,
    environment: BTreeMap<String, String>,
}

/// How an object is stored outside the artifact store.
#[derive(Clone, Debug, Default)]
pub struct StoredAs {
    /// The content type, such as `text/html`.
    pub content_type: String,
    /// The header `Cache-Control`.
    pub cache_control: Option<String>,
    /// A canned ACL, such as `public-read`. S3 stores it and does not enforce it.
    pub acl: Option<String>,
    /// The KMS key that encrypts the object. Without it, the bucket decides.
    pub kms_key: Option<String>,
}

impl Workplace {
    pub(super) fn create(
        task: &Task,
        (store, encryption_key): (Store, Option<String>),
        (output, secrets): (Output, Arc<Secrets>),
        environment: BTreeMap<String, String>,
    ) -> Result<Self, Failed> {
        let failed = |error: io::Error| {
            Failed::job(format!("could not create a temporary folder: {error}; free some disk space, or set TMPDIR"))
        };
        let root = TempDir::with_prefix("codepipeline-local-action-").map_err(failed)?;
        let folder = root.path().join("work");
        std::fs::create_dir(&folder).map_err(failed)?;
        std::fs::create_dir(root.path().join("objects")).map_err(failed)?;
        let names = OutputLine {
            pipeline: task.pipeline.clone(),
            stage: task.stage.clone(),
            action: task.action.clone(),
            action_execution_id: task.action_execution_id.clone(),
            text: String::new(),
        };
        Ok(Self { root, folder, read: AtomicUsize::new(0), store, encryption_key, names, output, secrets, environment })
    }

    /// An empty folder of this action alone. It is removed after the run, with all that is in it.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Reads an object into a new file outside [`Workplace::folder`]. Fails if the object does not exist, or can't be read.
    pub async fn read(&self, place: &ObjectRef) -> Result<PathBuf, Failed> {
        self.read_object(place).await.map_err(|error| failed("read", &error))
    }

    /// Reads an input artifact into a new file outside [`Workplace::folder`]. If it does not exist, the error names the action that stored
    /// none.
    pub async fn read_input(&self, artifact: &TaskArtifact) -> Result<PathBuf, Failed> {
        self.read_object(&artifact.place).await.map_err(|error| match error {
            FileError::NotFound { .. } => not_stored(artifact),
            FileError::Failed { .. } => failed("read", &error),
        })
    }

    async fn read_object(&self, place: &ObjectRef) -> Result<PathBuf, FileError> {
        let number = self.read.fetch_add(1, Ordering::Relaxed);
        let file = self.root.path().join("objects").join(number.to_string());
        self.store.read_into(place, &file).await?;
        Ok(file)
    }

    /// Stores a file as an artifact's object, encrypted as the artifact store demands. Replaces an object that exists.
    pub async fn store(&self, from: &Path, place: &ObjectRef, content_type: &str) -> Result<(), Failed> {
        let stored_as = StoredAs { content_type: content_type.to_owned(), ..StoredAs::default() };
        self.store_as(from, place, stored_as).await
    }

    /// Stores a file as an object of any bucket. In an artifact store, the store's own key encrypts it.
    pub async fn store_as(&self, from: &Path, place: &ObjectRef, stored_as: StoredAs) -> Result<(), Failed> {
        let StoredAs { content_type, cache_control, acl, kms_key } = stored_as;
        let upload = Upload { content_type, cache_control, acl, kms_key };
        let stored = self.store.store_file(from, place, upload, self.encryption_key.as_deref()).await;
        stored.map_err(|error| failed("store", &error))
    }

    /// Creates a bucket if it does not exist. Fails if its name is invalid.
    pub(super) fn create_bucket(&self, name: &str) -> Result<(), Failed> {
        self.store.create_bucket(name).map_err(|error| {
            let message = format!("could not create the bucket {name}: {error}");
            match error.kind() {
                io::ErrorKind::InvalidInput => Failed::configuration(message),
                _ => Failed::job(message),
            }
        })
    }

    /// Shows the text to the user, line by line and with the secrets masked.
    pub fn line(&self, text: &str) {
        for line in self.secrets.mask(text).split('\n') {
            let text = line.strip_suffix('\r').unwrap_or(line).to_owned();
            self.output.show(OutputLine { text, ..self.names.clone() });
        }
    }

    /// The value of the user's secret with this key. Buildspecs and environment variables call secrets of Secrets Manager and parameters
    /// of Parameter Store by these keys.
    pub fn secret(&self, key: &str) -> Option<&SecretString> {
        self.secrets.get(key)
    }

    /// Variables for commands: the endpoint, the region and the keys of the emulator for the AWS SDKs, and what the user adds. They hold a
    /// secret access key.
    pub fn environment(&self) -> &BTreeMap<String, String> {
        &self.environment
    }

    /// Masks a value in all later output, also in that of other actions. It may be a part of a secret. Values of fewer than 4 characters are
    /// not masked.
    pub fn hide(&self, value: &str) {
        self.secrets.hide(value);
    }

    /// Replaces each secret in the text, as [`Workplace::line`] does.
    pub fn mask(&self, text: &str) -> String {
        self.secrets.mask(text).into_owned()
    }

    /// Removes the folder, and blocks no thread meanwhile. Dropping the workplace removes it too.
    pub(super) async fn remove(self) {
        let removed = tokio::task::spawn_blocking(move || remove_all(self.root));
        match removed.await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => tracing::warn!(%error, "could not remove the folder of an action"),
            Err(error) => tracing::warn!(%error, "could not remove the folder of an action"),
        }
    }
}

fn failed(what: &str, error: &FileError) -> Failed {
    match error {
        FileError::NotFound { .. } => Failed::configuration(format!("could not {what} {error}; create it first")),
        FileError::Failed { .. } => Failed::job(format!("could not {what} {error}")),
    }
}

fn not_stored(TaskArtifact { name, maker, .. }: &TaskArtifact) -> Failed {
    let why = match maker {
        None => "no action stored it; run the action that has it as its output artifact".to_owned(),
        Some(Maker { action, action_type }) if action_type.provider == "CodeBuild" => {
            format!("{action} stored no artifact; add artifacts to its buildspec")
        }
        Some(Maker { action, .. }) => format!("{action} stored no artifact; let it store one"),
    };
    Failed::configuration(format!("the input artifact {name} does not exist: {why}"))
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::super::ActionTypeId;
    use super::super::testing::{Place, object};
    use super::*;

    #[tokio::test]
    async fn stored_artifact_can_be_read_again() {
        let place = Place::new();
        let file = place.work.folder().join("a");
        std::fs::write(&file, "text").unwrap();
        let artifact = object("Site").place;
        place.work.store(&file, &artifact, "text/plain").await.unwrap();
        let read = place.work.read(&artifact).await.unwrap();
        assert_eq!(std::fs::read(&read).unwrap(), b"text");
        assert!(!read.starts_with(place.work.folder()));
        assert_ne!(place.work.read(&artifact).await.unwrap(), read);
    }

    #[tokio::test]
    async fn missing_object_and_bucket_are_named() {
        let place = Place::new();
        let missing = ObjectRef { key: "no/such".to_owned(), ..object("Site").place };
        let error = place.work.read(&missing).await.unwrap_err();
        assert_eq!(error.code, "ConfigurationError");
        assert!(error.message.contains("s3://artifacts/no/such"), "{error}");
        let elsewhere = ObjectRef { bucket: "no-such-bucket".to_owned(), key: "a".to_owned() };
        let file = place.work.folder().join("a");
        std::fs::write(&file, "text").unwrap();
        let error = place.work.store(&file, &elsewhere, "text/plain").await.unwrap_err();
        assert!(error.message.contains("no-such-bucket"), "{error}");
    }

    #[tokio::test]
    async fn missing_input_names_the_action_that_stored_none() {
        let place = Place::new();
        let maker = |provider| {
            let action_type = ActionTypeId::first("Build", "AWS", provider);
            Some(Maker { action: "Bld".to_owned(), action_type })
        };
        for (maker, why) in [
            (maker("CodeBuild"), "Bld stored no artifact; add artifacts to its buildspec"),
            (maker("Lambda"), "Bld stored no artifact; let it store one"),
            (None, "no action stored it; run the action that has it as its output artifact"),
        ] {
            let error = place.work.read_input(&TaskArtifact { maker, ..object("Out") }).await.unwrap_err();
            let expected = format!("ConfigurationError: the input artifact Out does not exist: {why}");
            assert_eq!(error.to_string(), expected);
        }
    }

    #[tokio::test]
    async fn lines_have_the_action_and_no_secret() {
        let place = Place::with_secret("TOKEN", "hunter2");
        place.work.line("a hunter2\r\nb");
        let lines = place.lines();
        assert_eq!(lines.iter().map(|line| line.text.as_str()).collect::<Vec<_>>(), ["a ***", "b"]);
        assert_eq!(lines[0].to_string(), "[Unit] a ***");
        assert!(place.work.secret("TOKEN").is_some() && place.work.secret("OTHER").is_none());
    }

    #[tokio::test]
    async fn folder_with_write_protected_folders_is_removed() {
        let place = Place::new();
        let root = place.work.root.path().to_owned();
        let protected = place.work.folder().join("module");
        std::fs::create_dir(&protected).unwrap();
        std::fs::write(protected.join("file"), "text").unwrap();
        std::fs::set_permissions(&protected, std::fs::Permissions::from_mode(0o500)).unwrap();
        place.work.remove().await;
        assert!(!root.exists());
    }
}
