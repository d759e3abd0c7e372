//! The S3 deploy action (User Guide, "action-reference-S3Deploy").
//!
//! Buckets are the emulator's own. The KMS key, the ACL and `Cache-Control` are stored with each object and enforce nothing.

mod plan;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use async_trait::async_trait;

use self::plan::Plan;
use super::archive::{ArchiveProblem, Limits, files_of, in_background, unpack};
use super::source::BUNDLE;
use super::{Done, Failed, Provider, Task, Workplace};
use crate::clock::Clock;
use crate::counted::counted;
use crate::ids::random_uuid;

/// Runs S3 deploy actions.
pub struct DeployS3 {
    clock: Clock,
    creates_buckets: bool,
}

impl DeployS3 {
    /// The clock tells the time in keys with `{datetime}`.
    pub fn new(clock: Clock) -> Self {
        Self { clock, creates_buckets: false }
    }

    /// Creates a bucket that does not exist. Without this, the action fails, as on AWS.
    #[must_use]
    pub fn creating_buckets(self) -> Self {
        Self { creates_buckets: true, ..self }
    }

    /// Checks the configuration of the action with this name, as the pipeline declares it. Returns the mistake that no variable of the
    /// pipeline cures.
    pub(crate) fn mistake(action: &str, declared: &BTreeMap<String, String>) -> Option<String> {
        Plan::mistake(action, declared)
    }
}

#[async_trait]
impl Provider for DeployS3 {
    async fn run(&self, task: Task, work: &Workplace) -> Result<Done, Failed> {
        let plan = Plan::of(&task.action, &task.configuration, self.clock.now(), &random_uuid())?;
        let Some(input) = task.inputs.first() else {
            let message = format!("The action {} has no input artifact: add one to the pipeline", task.action);
            return Err(Failed::configuration(message));
        };
        let artifact = work.read_input(input).await?;
        if self.creates_buckets {
            work.create_bucket(&plan.bucket)?;
        }
        if !plan.extract {
            let place = plan.place(&plan.key)?;
            work.store_as(&artifact, &place, plan.stored_as("application/zip")).await?;
            work.line(&format!("deployed s3://{}/{}{}", place.bucket, place.key, plan.recorded()));
            return Ok(done(format!("1 object in s3://{}", place.bucket)));
        }
        let files = extracted(&artifact, work.folder()).await;
        let failed = |problem| Failed::job(format!("Could not extract the artifact {}: {problem}", input.name));
        let Extracted { files, links } = files.map_err(failed)?;
        if files.iter().any(|(name, _)| name == BUNDLE) {
            let message =
                "is a full clone, which only CodeBuild can read: leave out OutputArtifactFormat in the source action";
            return Err(Failed::configuration(format!("The artifact {} {message}", input.name)));
        }
        for link in links {
            work.line(&format!("left out {link}: S3 has no links"));
        }
        for (name, path) in &files {
            let place = plan.place(&plan.key_of(name))?;
            let kind = mime_guess::from_path(name).first_or_octet_stream();
            work.store_as(path, &place, plan.stored_as(kind.essence_str())).await?;
        }
        let summary = format!("{} in s3://{}/{}", counted(files.len(), "object"), plan.bucket, plan.key);
        work.line(&format!("deployed {summary}{}", plan.recorded()));
        Ok(done(summary))
    }
}

fn done(summary: String) -> Done {
    Done { summary: Some(summary), ..Done::default() }
}

/// The files of an artifact by name, and the names of its links.
struct Extracted {
    files: Vec<(String, PathBuf)>,
    links: Vec<String>,
}

async fn extracted(artifact: &Path, folder: &Path) -> Result<Extracted, ArchiveProblem> {
    let (artifact, into) = (artifact.to_owned(), folder.join("extracted"));
    in_background(move |stop| {
        unpack(&artifact, &into, &Limits { stop: stop.clone(), ..Limits::default() })?;
        let (links, others): (Vec<_>, Vec<_>) =
            files_of(&into, &stop)?.into_iter().partition(|(_, path)| path.is_symlink());
        // S3 has no folders, so empty ones are left out.
        let files = others.into_iter().filter(|(_, path)| path.is_file()).collect();
        Ok(Extracted { files, links: links.into_iter().map(|(name, _)| name).collect() })
    })
    .await
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::super::archive::{Stop, pack_folder};
    use super::super::testing::{OTHER, Place, object, task};
    use super::*;
    use crate::providers::ObjectRef;

    pub(super) fn deploy(configuration: &[(&str, &str)]) -> Task {
        let pairs = configuration.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned()));
        Task { configuration: pairs.collect(), inputs: vec![object("Site")], ..task() }
    }

    /// A place whose input artifact holds a site.
    async fn site() -> Place {
        let place = Place::new();
        let folder = place.work.folder().join("site");
        for (name, content) in [("index.html", "<p>"), ("a/app.js", ""), ("a/logo.SVG", ""), ("a/data", "")] {
            let path = folder.join(name);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, content).unwrap();
        }
        std::fs::create_dir(folder.join("empty")).unwrap();
        symlink("index.html", folder.join("link")).unwrap();
        let zip = place.work.folder().join("site.zip");
        pack_folder(&folder, &zip, &Stop::default()).unwrap();
        place.work.store(&zip, &object("Site").place, "application/zip").await.unwrap();
        place
    }

    async fn run(place: &Place, configuration: &[(&str, &str)]) -> Result<Done, Failed> {
        DeployS3::new(Clock::machine()).run(deploy(configuration), &place.work).await
    }

    async fn has(place: &Place, key: &str) -> bool {
        place.work.read(&ObjectRef { bucket: OTHER.to_owned(), key: key.to_owned() }).await.is_ok()
    }

    #[tokio::test]
    async fn extracted_files_get_the_key_as_their_folder() {
        let place = site().await;
        let done = run(&place, &[("BucketName", OTHER), ("Extract", "true"), ("ObjectKey", "v1/")]).await.unwrap();
        assert_eq!(done.summary.as_deref(), Some("4 objects in s3://site/v1/"));
        for key in ["v1/index.html", "v1/a/app.js", "v1/a/logo.SVG", "v1/a/data"] {
            assert!(has(&place, key).await, "{key}");
        }
        assert!(!has(&place, "v1/link").await && !has(&place, "v1/empty/").await);
        assert!(place.lines().iter().any(|line| line.text.contains("left out link: ")));
    }

    #[tokio::test]
    async fn extracted_files_need_no_key() {
        let place = site().await;
        let configuration = [("BucketName", OTHER), ("Extract", "TRUE"), ("CacheControl", "no-store")];
        let done = run(&place, &configuration).await.unwrap();
        assert_eq!(done.summary.as_deref(), Some("4 objects in s3://site/"));
        assert!(has(&place, "index.html").await && has(&place, "a/app.js").await);
        assert!(place.lines().last().unwrap().text.ends_with("; CacheControl recorded with the objects"));
    }

    #[tokio::test]
    async fn artifact_is_one_object_without_extraction() {
        let place = site().await;
        let configuration = [("BucketName", OTHER), ("Extract", "false"), ("ObjectKey", "js/site.zip")];
        run(&place, &configuration).await.unwrap();
        let read = |place_of| std::fs::read(place_of).unwrap();
        let artifact = place.work.read(&object("Site").place).await.unwrap();
        let deployed = ObjectRef { bucket: OTHER.to_owned(), key: "js/site.zip".to_owned() };
        assert_eq!(read(place.work.read(&deployed).await.unwrap()), read(artifact));
    }

    #[tokio::test]
    async fn missing_bucket_and_broken_artifact_are_named() {
        let place = site().await;
        let failed = run(&place, &[("BucketName", "no-such"), ("Extract", "true")]).await.err().unwrap();
        assert!(failed.code == "ConfigurationError" && failed.message.contains("no-such"), "{}", failed.message);
        let file = place.work.folder().join("text");
        std::fs::write(&file, "no archive").unwrap();
        place.work.store(&file, &object("Site").place, "text/plain").await.unwrap();
        let failed = run(&place, &[("BucketName", OTHER), ("Extract", "true")]).await.err().unwrap();
        assert!(failed.message.contains("artifact Site: the file is not a zip"), "{}", failed.message);
    }

    #[tokio::test]
    async fn missing_bucket_is_created_if_wanted() {
        let creating = DeployS3::new(Clock::machine()).creating_buckets();
        for name in ["new-bucket", OTHER] {
            let task = deploy(&[("BucketName", name), ("Extract", "true")]);
            let done = creating.run(task, &site().await.work).await.unwrap();
            assert_eq!(done.summary, Some(format!("4 objects in s3://{name}/")));
        }
        let place = site().await;
        let task = deploy(&[("BucketName", "Bad_Bucket!"), ("Extract", "true")]);
        let failed = creating.run(task, &place.work).await.err().unwrap();
        assert!(failed.code == "ConfigurationError", "{}", failed.message);
        let named = "could not create the bucket Bad_Bucket!: the name is invalid: it must have 3 to 63 characters";
        assert!(failed.message.contains(named), "{}", failed.message);
    }

    #[tokio::test]
    async fn full_clone_is_not_deployed() {
        let place = Place::new();
        let folder = place.work.folder().join("clone");
        std::fs::create_dir(&folder).unwrap();
        std::fs::write(folder.join(BUNDLE), "").unwrap();
        let zip = place.work.folder().join("clone.zip");
        pack_folder(&folder, &zip, &Stop::default()).unwrap();
        place.work.store(&zip, &object("Site").place, "application/zip").await.unwrap();
        let failed = run(&place, &[("BucketName", OTHER), ("Extract", "true")]).await.err().unwrap();
        assert!(failed.message.contains("leave out OutputArtifactFormat"), "{}", failed.message);
    }

    #[test]
    fn endings_decide_content_types() {
        let of = |name| mime_guess::from_path(name).first_or_octet_stream().essence_str().to_owned();
        let types: BTreeMap<_, _> = [
            ("a.html", "text/html"),
            ("a.css", "text/css"),
            ("a.js", "text/javascript"),
            ("a.SVG", "image/svg+xml"),
            ("a.json", "application/json"),
            ("a.wasm", "application/wasm"),
            ("a.woff2", "font/woff2"),
            ("a", "application/octet-stream"),
        ]
        .into();
        for (name, expected) in types {
            assert_eq!(of(name), expected, "{name}");
        }
    }
}
