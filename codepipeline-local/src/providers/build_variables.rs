//! The variables that CodeBuild gives to every build (User Guide, "Environment variables in build environments").

use std::collections::BTreeMap;

use secrecy::SecretString;

use super::build_folder::Sources;
use super::buildspec::environment::{Resolved, Value};
use super::{Secrets, Task, Workplace};
use crate::ids::random_uuid;

/// A build of a project.
pub(super) struct BuildId {
    pub(super) project: String,
    /// The id without the project's name.
    pub(super) id: String,
    /// Counted from 1 for each project.
    pub(super) number: u64,
    /// Milliseconds since the epoch.
    pub(super) start: u64,
}

impl BuildId {
    pub(super) fn new(project: &str, number: u64, start: u64) -> Self {
        Self { project: project.to_owned(), id: random_uuid(), number, start }
    }

    /// The id with the project's name.
    pub(super) fn full(&self) -> String {
        format!("{}:{}", self.project, self.id)
    }
}

/// The variables of a build that CodePipeline starts. Those of batch builds, webhooks and public builds are not set. An unknown image is
/// not set either. `HOME` is the user's.
pub(super) fn of_aws(task: &Task, build: &BuildId, sources: &Sources, image: Option<&str>) -> BTreeMap<String, Value> {
    let (region, account) = (&task.region, &task.account_id);
    let arn = |what: &str, id: &str| format!("arn:aws:codebuild:{region}:{account}:{what}/{id}");
    let primary = &sources.primary;
    let place =
        |artifact: &super::TaskArtifact| format!("arn:aws:s3:::{}/{}", artifact.place.bucket, artifact.place.key);
    let mut variables = vec![
        ("CODEBUILD_BUILD_ARN".to_owned(), arn("build", &build.full())),
        ("CODEBUILD_BUILD_ID".to_owned(), build.full()),
        ("CODEBUILD_BUILD_NUMBER".to_owned(), build.number.to_string()),
        ("CODEBUILD_INITIATOR".to_owned(), format!("codepipeline/{}", task.pipeline)),
        ("CODEBUILD_KMS_KEY_ID".to_owned(), format!("arn:aws:kms:{region}:{account}:alias/aws/s3")),
        ("CODEBUILD_LOG_PATH".to_owned(), build.id.clone()),
        ("CODEBUILD_PROJECT_ARN".to_owned(), arn("project", &build.project)),
        ("CODEBUILD_SOURCE_REPO_URL".to_owned(), String::new()),
        ("CODEBUILD_SOURCE_VERSION".to_owned(), place(primary)),
        ("CODEBUILD_SRC_DIR".to_owned(), sources.folder.to_string_lossy().into_owned()),
        ("CODEBUILD_START_TIME".to_owned(), build.start.to_string()),
    ];
    if let Some(image) = image {
        variables.push(("CODEBUILD_BUILD_IMAGE".to_owned(), image.to_owned()));
    }
    if let Some(revision) = &primary.revision {
        variables.push(("CODEBUILD_RESOLVED_SOURCE_VERSION".to_owned(), revision.clone()));
    }
    for (artifact, folder) in &sources.others {
        let name = &artifact.name;
        variables.push((format!("CODEBUILD_SRC_DIR_{name}"), folder.to_string_lossy().into_owned()));
        variables.push((format!("CODEBUILD_SOURCE_VERSION_{name}"), place(artifact)));
    }
    variables.into_iter().map(|(name, text)| (name, Value::Plain(text))).collect()
}

/// The variables that lead the AWS SDKs to the emulator. All others may replace them. Their region is one that CodeBuild sets.
pub(super) fn of_emulator(work: &Workplace) -> BTreeMap<String, Value> {
    work.environment().iter().map(|(name, value)| (name.clone(), Value::Plain(value.clone()))).collect()
}

/// The secrets among the variables, to mask them. A variable may be a part of what the user gave.
pub(super) fn secrets(environment: &Resolved) -> Secrets {
    let secret = environment.secret.iter().filter_map(|name| environment.variables.get_key_value(name));
    Secrets::new(secret.map(|(name, value)| (name.clone(), SecretString::from(value.as_str()))))
}
