//! Whole builds, with real shells.

use std::collections::BTreeMap;
use std::fs;
use std::sync::Mutex;
use std::time::Duration;

use tempfile::TempDir;

use super::environment::{self, Value};
use super::run::{Built, Place};
use super::{Buildspec, FileSet, artifacts, read, run};
use crate::providers::shell::Limits;

mod files;
mod mistakes;
mod phases;
mod reference;
mod reference_artifacts;
mod reference_pages;

/// The variables of AWS's that the examples use.
const VARIABLES: [(&str, &str); 2] = [("AWS_REGION", "us-east-1"), ("CODEBUILD_BUILD_NUMBER", "7")];

/// A build that ran.
struct Ran {
    built: Built,
    lines: Vec<String>,
    notes: Vec<String>,
    /// The names of the files of each artifact: the primary one, then the secondary ones by their identifiers.
    files: Vec<Vec<String>>,
}

impl Ran {
    /// The lines that commands wrote.
    fn output(&self) -> Vec<&str> {
        let own = ["Entering phase ", "Running command ", "Phase complete: ", "Command did not "];
        self.lines.iter().map(String::as_str).filter(|line| !own.iter().any(|own| line.starts_with(own))).collect()
    }

    /// The phases that ran, each with its state.
    fn phases(&self) -> Vec<&str> {
        self.lines.iter().filter_map(|line| line.strip_prefix("Phase complete: ")).collect()
    }

    /// The name of the primary artifact.
    fn name(&self) -> &str {
        self.built.file_sets[0].name.as_deref().unwrap_or_default()
    }
}

/// Runs a build in a folder with these files, which hold their own names.
async fn build(text: &str, files: &[&str]) -> Ran {
    build_with(text, files, |_| None).await
}

async fn build_with(text: &str, files: &[&str], secret: impl Fn(&str) -> Option<String>) -> Ran {
    let folder = TempDir::new().unwrap();
    let scratch = TempDir::new().unwrap();
    for file in files {
        let path = folder.path().join(file);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, file).unwrap();
    }
    let spec = read(text, "buildspec.yml").unwrap_or_else(|mistake| panic!("{mistake}"));
    let mut of_aws: BTreeMap<String, Value> =
        VARIABLES.map(|(name, value)| (name.to_owned(), Value::Plain(value.to_owned()))).into();
    of_aws.insert("CODEBUILD_SRC_DIR".to_owned(), Value::Plain(folder.path().to_str().unwrap().to_owned()));
    let layers = [spec.buildspec.environment.variables.clone(), of_aws];
    let environment = environment::resolve(layers, secret).unwrap_or_else(|missing| panic!("{missing:?}"));
    let lines = Mutex::new(Vec::new());
    let show = |line: &str| lines.lock().unwrap().push(line.to_owned());
    let limits = Limits::of(Duration::from_secs(60));
    let place =
        Place { folder: folder.path(), scratch: scratch.path(), environment: &environment, limits, show: &show };
    let wanted = file_sets(&spec.buildspec);
    let built = run::run(&spec.buildspec, &place, &wanted).await.unwrap();
    let names = |set: &FileSet| {
        let found = artifacts::find(folder.path(), set).map_err(|error| error.to_string());
        found.map_or_else(|error| vec![error], |found| found.files.into_iter().map(|(name, _)| name).collect())
    };
    let files = built.file_sets.iter().map(names).collect();
    Ran { built, lines: lines.into_inner().unwrap(), notes: spec.notes, files }
}

fn file_sets(buildspec: &Buildspec) -> Vec<FileSet> {
    let Some(artifacts) = &buildspec.artifacts else { return Vec::new() };
    [&artifacts.primary].into_iter().chain(artifacts.secondary.values()).cloned().collect()
}
