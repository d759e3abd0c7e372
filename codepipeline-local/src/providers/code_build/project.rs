//! CodeBuild projects.

use std::collections::BTreeMap;
use std::io;
use std::path::Path;
use std::time::Duration;

use super::super::Failed;
use super::super::buildspec::environment::Value;
use super::configuration;

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
        let value = configuration::variable(name, value.to_owned(), kind)?;
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
        let given = self.buildspec.as_deref().map(str::trim).filter(|given| !given.is_empty());
        match given {
            Some(text) if is_text(text) => Ok((text.to_owned(), "the project's buildspec".to_owned())),
            Some(arn) if arn.starts_with("arn:") => Err(Failed::configuration(format!(
                "the project's buildspec is {arn}, but codepipeline-local reads no buildspec from S3: put it into the source"
            ))),
            Some(path) => read(source, path, "set the project's buildspec to its path in the source").await,
            None => read(source, DEFAULT, "add it, or set the project's buildspec to another path").await,
        }
    }
}

/// Whether this is the text of a buildspec and not a path.
fn is_text(given: &str) -> bool {
    given.contains(['\n', '{']) || given.starts_with("version:")
}

async fn read(source: &Path, path: &str, change: &str) -> Result<(String, String), Failed> {
    match tokio::fs::read_to_string(source.join(path)).await {
        Ok(text) => Ok((text, path.to_owned())),
        Err(error) => {
            let why = match error.kind() {
                io::ErrorKind::NotFound => format!("does not exist: {change}"),
                _ => format!("can't be read: {error}"),
            };
            Err(Failed::job(super::yaml_error(&format!("{path} in the primary source {why}"))))
        }
    }
}
