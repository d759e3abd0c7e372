//! CodeBuild projects.

use std::collections::BTreeMap;
use std::io;
use std::path::Path;
use std::time::Duration;

use super::super::Failed;
use super::super::buildspec::environment::Value;
use super::super::source::{Look, SourceFolder};
use super::environment_variables;
use crate::quoted::word;

/// The default name of a buildspec ("Buildspec file name and storage location").
const DEFAULT: &str = "buildspec.yml";

/// The default time limit of a build (CodeBuild User Guide, "Quotas").
const TIME: Duration = Duration::from_secs(60 * 60);

/// A CodeBuild project. Holds values of variables, so it has no `Debug`.
#[derive(Clone, Default)]
pub struct Project {
    buildspec: Option<String>,
    variables: BTreeMap<String, Value>,
    image: Option<String>,
    timeout: Option<Duration>,
}

impl Project {
    /// Sets the buildspec: its text, or its path in the primary source. The default is `buildspec.yml`.
    #[must_use]
    pub fn with_buildspec(self, text_or_path: impl Into<String>) -> Self {
        Self { buildspec: Some(text_or_path.into()), ..self }
    }

    /// Adds a variable of the type `PLAINTEXT`, `PARAMETER_STORE` or `SECRETS_MANAGER`. The value of the last two is the name of a
    /// parameter or secret. Returns an error if the name or the type is wrong.
    pub fn with_variable(mut self, name: &str, value: &str, kind: &str) -> Result<Self, String> {
        let value = environment_variables::variable(name, value.to_owned(), kind)?;
        self.variables.insert(name.to_owned(), value);
        Ok(self)
    }

    /// Sets the image of the build's container. Nothing here runs it, and the build finds its name in `CODEBUILD_BUILD_IMAGE`.
    #[must_use]
    pub fn with_image(self, image: impl Into<String>) -> Self {
        Self { image: Some(image.into()), ..self }
    }

    /// Sets how long a build may take; an hour by default.
    #[must_use]
    pub fn with_timeout(self, timeout: Duration) -> Self {
        Self { timeout: Some(timeout), ..self }
    }

    pub(super) fn image(&self) -> Option<&str> {
        self.image.as_deref()
    }

    pub(super) fn variables(&self) -> BTreeMap<String, Value> {
        self.variables.clone()
    }

    pub(super) fn time(&self) -> Duration {
        self.timeout.unwrap_or(TIME)
    }

    /// The buildspec's text, and its name in messages.
    pub(super) async fn buildspec(&self, source: &Path) -> Result<(String, String), Failed> {
        match self.place() {
            Place::Text(text) => Ok((text.to_owned(), OWN.to_owned())),
            Place::Object(arn) => Err(Failed::configuration(in_s3(arn))),
            Place::File(path, change) => {
                read(&source.join(path), path, change).await.map_err(|why| Failed::job(super::yaml_error(&why)))
            }
        }
    }

    /// As [`buildspec`](Self::buildspec), before a run. `None` if the artifact that has the buildspec is not known.
    pub(super) async fn known_buildspec(
        &self,
        source: Option<SourceFolder<'_>>,
    ) -> Option<Result<(String, String), String>> {
        let (path, change) = match self.place() {
            Place::Text(text) => return Some(Ok((text.to_owned(), OWN.to_owned()))),
            Place::Object(arn) => return Some(Err(in_s3(arn))),
            Place::File(path, change) => (path, change),
        };
        match source?.look(path).await {
            Look::Folder(file) => Some(read(&file, path, change).await),
            Look::Committed(text) => Some(Ok((text, path.to_owned()))),
            Look::Ignored => Some(Err(format!(
                "{path} in the primary source is not in its artifact, because git ignores it: change .gitignore, or run `git add --force {}`",
                word(path)
            ))),
            Look::NotCommitted => Some(Err(format!(
                "{path} in the primary source is not in its current git commit, and a full clone (CODEBUILD_CLONE_REF) holds only commits: \
                 add and commit it"
            ))),
            Look::Unknown => None,
        }
    }

    fn place(&self) -> Place<'_> {
        let given = self.buildspec.as_deref().map(str::trim).filter(|given| !given.is_empty());
        match given {
            Some(text) if is_text(text) => Place::Text(text),
            Some(arn) if arn.starts_with("arn:") => Place::Object(arn),
            Some(path) => Place::File(path, "set the project's buildspec to its path in the source"),
            None => Place::File(DEFAULT, "add it, or set the project's buildspec to another path"),
        }
    }
}

/// The name of a project's own text in messages.
const OWN: &str = "the project's buildspec";

/// The place of a buildspec.
enum Place<'p> {
    /// The project has the text.
    Text(&'p str),
    /// The ARN of an object.
    Object(&'p str),
    /// A path in the source, and what to change if it does not exist.
    File(&'p str, &'static str),
}

/// Whether this is the text of a buildspec and not a path.
fn is_text(given: &str) -> bool {
    given.contains(['\n', '{']) || given.starts_with("version:")
}

fn in_s3(arn: &str) -> String {
    format!(
        "the project's buildspec is {arn}, but codepipeline-local reads no buildspec from S3: put it into the source"
    )
}

/// Reads the file at this path of the source. `change` says what to change if it does not exist.
async fn read(file: &Path, path: &str, change: &str) -> Result<(String, String), String> {
    // A pipe or a device could block.
    let is_special = tokio::fs::metadata(file).await.is_ok_and(|found| !found.is_file() && !found.is_dir());
    if is_special {
        return Err(format!("{path} in the primary source is not a regular file: replace it"));
    }
    match tokio::fs::read_to_string(file).await {
        Ok(text) => Ok((text, path.to_owned())),
        Err(error) => {
            let why = match error.kind() {
                io::ErrorKind::NotFound => format!("does not exist: {change}"),
                _ => format!("can't be read: {error}"),
            };
            Err(format!("{path} in the primary source {why}"))
        }
    }
}
