//! Sources from folders, with the real git.

use std::collections::{BTreeMap, BTreeSet};
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;

use super::gather::{BUNDLE, Format, Gathered, NoArtifact, gather};
use super::*;
use crate::providers::archive::{Limits, unpack};

mod look;

/// A folder with a repository in `repository`, and a work folder.
struct Place(TempDir);

impl Place {
    fn new() -> Self {
        let place = Self(TempDir::new().unwrap());
        std::fs::create_dir(place.path("work")).unwrap();
        std::fs::create_dir(place.path("repository")).unwrap();
        place
    }

    /// With a commit of these files.
    fn with(files: &[(&str, &str)]) -> Self {
        let place = Self::new();
        place.git(&["init", "--quiet", "--initial-branch=main"]);
        place.write(files);
        place.commit("first\n\nwith a body");
        place
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn write(&self, files: &[(&str, &str)]) {
        for (name, content) in files {
            let path = self.path("repository").join(name);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, content).unwrap();
        }
    }

    fn commit(&self, message: &str) {
        self.git(&["add", "--all"]);
        self.git(&["commit", "--quiet", "--message", message]);
    }

    fn git(&self, arguments: &[&str]) -> String {
        git(&self.path("repository"), arguments)
    }

    async fn gather(&self, folder: &str, format: Format) -> Result<Gathered, NoArtifact> {
        gather(&self.path(folder), format, &self.path("work")).await
    }

    /// The names of the artifact's files.
    async fn names(&self, folder: &str) -> BTreeSet<String> {
        let gathered = self.gather(folder, Format::Files).await.unwrap();
        let file = std::fs::File::open(gathered.zip).unwrap();
        let zip = ::zip::ZipArchive::new(file).unwrap();
        zip.file_names().map(|name| name.unwrap().into_owned()).collect()
    }
}

fn git(folder: &Path, arguments: &[&str]) -> String {
    let mut command = Command::new("git");
    command.args(arguments).current_dir(folder).env("GIT_CONFIG_GLOBAL", "/dev/null");
    for name in ["AUTHOR", "COMMITTER"] {
        command.env(format!("GIT_{name}_NAME"), "A").env(format!("GIT_{name}_EMAIL"), "a@example.com");
    }
    command.env("GIT_AUTHOR_DATE", "1800000000 +0200").env("GIT_COMMITTER_DATE", "1800000001 -0700");
    let output = command.output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

fn set<const N: usize>(names: [&str; N]) -> BTreeSet<String> {
    names.map(str::to_owned).into()
}

#[tokio::test]
async fn tracked_and_unignored_files_are_packed() {
    let place =
        Place::with(&[("a", "1"), ("b/c", "2"), ("gone", "3"), ("swapped/d", "4"), (".gitignore", "*.log\n/out/\n")]);
    place.write(&[("new", ""), ("b/new", ""), ("x.log", ""), ("out/x", "")]);
    std::fs::remove_file(place.path("repository/gone")).unwrap();
    std::fs::remove_dir_all(place.path("repository/swapped")).unwrap();
    symlink("b", place.path("repository/swapped")).unwrap();
    std::fs::write(place.path("repository/b/d"), "").unwrap();
    let names = place.names("repository").await;
    assert_eq!(names, set([".gitignore", "a", "b/c", "b/d", "b/new", "new", "swapped"]));
}

#[tokio::test]
async fn folder_below_the_root_is_packed_alone() {
    let place = Place::with(&[("a", ""), ("web/b", ""), ("web/c/d", ""), (".gitignore", "*.log\n")]);
    place.write(&[("web/new", ""), ("web/x.log", "")]);
    assert_eq!(place.names("repository/web").await, set(["b", "c/d", "new"]));
}

#[tokio::test]
async fn ignored_folder_is_packed_whole() {
    let place = Place::with(&[("a", ""), (".gitignore", "out/\n")]);
    place.write(&[("out/b", ""), ("out/c/d", "")]);
    assert_eq!(place.names("repository/out").await, set(["b", "c/d"]));
}

#[tokio::test]
async fn folder_outside_of_git_is_packed_whole() {
    let place = Place::new();
    place.write(&[("a", "1"), (".hidden", ""), ("b/c", "")]);
    std::fs::create_dir(place.path("repository/empty")).unwrap();
    assert_eq!(place.names("repository").await, set([".hidden", "a", "b/c", "empty/"]));
    let first = place.gather("repository", Format::Files).await.unwrap();
    let same = place.gather("repository", Format::Files).await.unwrap();
    assert!(first.commit.is_none() && first.hash == same.hash && first.hash.len() == 40, "{}", first.hash);
    place.write(&[("a", "2")]);
    assert_ne!(place.gather("repository", Format::Files).await.unwrap().hash, first.hash);
    assert!(first.newest.0 > 1_600_000_000_000);
}

#[tokio::test]
async fn folder_of_output_is_left_out() {
    let outside = Place::new();
    let inside = Place::with(&[("a", "1"), ("kept/Site/page", "tracked")]);
    for (place, wanted) in [(outside, set(["a"])), (inside, set(["a", "kept/Site/page"]))] {
        place.write(&[
            ("a", "1"),
            ("out/.codepipeline-local", "{}"),
            ("out/App/a", "1"),
            ("kept/.codepipeline-local", "{}"),
        ]);
        assert_eq!(place.names("repository").await, wanted);
        let notes = place.gather("repository", Format::Files).await.unwrap().notes;
        assert_eq!(notes.last().unwrap(), "left out out: --output of an earlier run wrote it");
        assert_eq!(place.names("repository/out").await, set([".codepipeline-local", "App/a"]), "the user names it");
    }
}

#[tokio::test]
async fn modes_and_links_are_kept() {
    let place = Place::with(&[("run", "#!")]);
    std::fs::set_permissions(place.path("repository/run"), PermissionsExt::from_mode(0o755)).unwrap();
    symlink("run", place.path("repository/link")).unwrap();
    let gathered = place.gather("repository", Format::Files).await.unwrap();
    unpack(&gathered.zip, &place.path("into"), &Limits::default()).unwrap();
    assert_eq!(place.path("into/run").metadata().unwrap().permissions().mode() & 0o777, 0o755);
    assert_eq!(std::fs::read_link(place.path("into/link")).unwrap(), Path::new("run"));
}

#[tokio::test]
async fn submodules_and_other_repositories_are_left_out() {
    let place = Place::with(&[("a", "")]);
    place.git(&["clone", "--quiet", ".", "nested"]);
    place.git(&["-c", "protocol.file.allow=always", "submodule", "--quiet", "add", "./", "module"]);
    assert_eq!(place.names("repository").await, set([".gitmodules", "a"]));
    let notes = place.gather("repository", Format::Files).await.unwrap().notes;
    assert!(notes.len() == 2 && notes[0].contains("module") && notes[1].contains("nested"), "{notes:?}");
}

#[tokio::test]
async fn commit_is_the_revision() {
    let place = Place::with(&[("a", "")]);
    let id = place.git(&["rev-parse", "HEAD"]);
    let gathered = place.gather("repository", Format::Files).await.unwrap();
    assert_eq!(gathered.branch.as_deref(), Some("main"));
    let configuration = BTreeMap::from([("BranchName".to_owned(), "release".to_owned())]);
    let done = made(Provider::CodeCommit, &configuration, gathered, &[]).unwrap();
    let variable = |name: &str| done.variables[name].as_str();
    assert_eq!(variable("CommitId"), id);
    assert_eq!(variable("CommitMessage"), "first\n\nwith a body");
    assert_eq!(variable("BranchName"), "release");
    assert_eq!(variable("AuthorDate"), "2027-01-15T08:00:00Z");
    assert_eq!(variable("CommitterDate"), "2027-01-15T08:00:01Z");
    let revision = done.revision.unwrap();
    assert_eq!((revision.id, revision.summary.as_deref()), (id, Some("first\n\nwith a body")));
}

#[tokio::test]
async fn long_message_is_cut_in_the_summary_alone() {
    let place = Place::with(&[("a", "")]);
    let message = "ü".repeat(3000);
    place.git(&["commit", "--quiet", "--allow-empty", "--message", &message]);
    let gathered = place.gather("repository", Format::Files).await.unwrap();
    let done = made(Provider::Connection, &BTreeMap::new(), gathered, &[]).unwrap();
    assert_eq!(done.variables["CommitMessage"], message);
    assert_eq!(done.summary.unwrap().chars().count(), 2048);
    assert_eq!(done.variables["BranchName"], "main");
}

#[tokio::test]
async fn repository_without_a_commit_has_a_hash() {
    let place = Place::new();
    place.git(&["init", "--quiet"]);
    place.write(&[("a", "")]);
    let gathered = place.gather("repository", Format::Files).await.unwrap();
    assert!(gathered.commit.is_none());
    let error = place.gather("repository", Format::Clone).await.err().unwrap();
    assert!(error.to_string().contains("commit first"), "{error}");
}

#[tokio::test]
async fn full_clone_is_a_bundle_that_can_be_checked_out() {
    let place = Place::with(&[("a", "1")]);
    place.git(&["branch", "other"]);
    place.git(&["tag", "v1"]);
    place.write(&[("b", "2")]);
    place.commit("second");
    place.write(&[("uncommitted", "")]);
    let gathered = place.gather("repository", Format::Clone).await.unwrap();
    assert!(gathered.notes[0].contains("not committed"), "{:?}", gathered.notes);
    let (unpacked, clone) = (place.path("unpacked"), place.path("clone"));
    unpack(&gathered.zip, &unpacked, &Limits::default()).unwrap();
    assert_eq!(std::fs::read_dir(&unpacked).unwrap().count(), 1);
    assert!(check_out(&unpacked, &clone).await.unwrap_or_else(|failed| panic!("{}", failed.message)));
    assert_eq!(git(&clone, &["rev-parse", "HEAD"]), place.git(&["rev-parse", "HEAD"]));
    assert_eq!(git(&clone, &["rev-list", "--count", "HEAD"]), "2");
    assert_eq!(git(&clone, &["tag"]), "v1");
    assert_eq!(git(&clone, &["branch", "--remotes", "--list", "origin/other"]), "origin/other");
    assert!(clone.join("b").is_file() && !clone.join("uncommitted").exists());
}

#[tokio::test]
async fn other_artifacts_are_not_checked_out() {
    let place = Place::new();
    assert!(!check_out(&place.path("repository"), &place.path("clone")).await.unwrap_or(true));
    std::fs::write(place.path("repository").join(BUNDLE), "no bundle").unwrap();
    let failed = check_out(&place.path("repository"), &place.path("clone")).await.err().unwrap();
    assert!(failed.code == "JobFailed" && failed.message.contains("`git clone` failed"), "{}", failed.message);
}

#[tokio::test]
async fn full_clone_needs_a_whole_repository() {
    let place = Place::with(&[("a", "")]);
    place.git(&["commit", "--quiet", "--allow-empty", "--message", "second"]);
    let from = format!("file://{}", place.path("repository").display());
    git(place.0.path(), &["clone", "--quiet", "--depth", "1", &from, "shallow"]);
    let error = place.gather("shallow", Format::Clone).await.err().unwrap();
    assert!(error.to_string().contains("--unshallow"), "{error}");
    let outside = Place::new();
    let error = outside.gather("repository", Format::Clone).await.err().unwrap();
    assert!(error.to_string().contains("not in a git work tree"), "{error}");
}

#[tokio::test]
async fn missing_folder_is_named() {
    let place = Place::new();
    let error = place.gather("none", Format::Files).await.err().unwrap();
    assert!(matches!(error, NoArtifact::NoFolder(ref name) if name.ends_with("none")), "{error}");
}

#[tokio::test]
async fn programs_of_the_repository_do_not_run() {
    let place = Place::with(&[("a", "")]);
    let marker = place.path("ran");
    let program = place.path("program");
    std::fs::write(&program, format!("#!/bin/sh\ntouch {}\n", marker.display())).unwrap();
    std::fs::set_permissions(&program, PermissionsExt::from_mode(0o755)).unwrap();
    let path = program.to_str().unwrap();
    for key in ["core.fsmonitor", "gpg.program", "core.pager", "core.editor", "diff.external"] {
        place.git(&["-c", "core.fsmonitor=false", "config", key, path]);
    }
    place.git(&["-c", "core.fsmonitor=false", "config", "log.showSignature", "true"]);
    for hook in ["post-index-change", "post-checkout", "reference-transaction", "pre-auto-gc"] {
        std::fs::copy(&program, place.path("repository/.git/hooks").join(hook)).unwrap();
    }
    place.gather("repository", Format::Files).await.unwrap();
    place.gather("repository", Format::Clone).await.unwrap();
    assert!(!marker.exists());
}

#[test]
fn unknown_format_is_refused_without_its_value() {
    let of = |value: &str| format_of(&BTreeMap::from([("OutputArtifactFormat".to_owned(), value.to_owned())]));
    assert!(matches!(of("CODE_ZIP"), Ok(Format::Files)) && matches!(of("CODEBUILD_CLONE_REF"), Ok(Format::Clone)));
    let failed = of("MARKER").err().unwrap();
    assert_eq!(failed.code, "ConfigurationError");
    assert!(failed.message.contains("CODE_ZIP or CODEBUILD_CLONE_REF") && !failed.message.contains("MARKER"));
}

fn made(
    provider: Provider,
    configuration: &BTreeMap<String, String>,
    gathered: Gathered,
    given: &[(&str, &str)],
) -> Result<Done, String> {
    let found = found(provider, configuration, Path::new("x"), gathered);
    let given = given.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
    done(provider, configuration, found, Some(&given))
}

#[tokio::test]
async fn given_variables_replace_those_of_the_folder() {
    let place = Place::with(&[("a", "1")]);
    let gathered = || place.gather("repository", Format::Files);
    let given = [("CommitId", "abc"), ("AuthorDate", "yesterday")];
    let done = made(Provider::CodeCommit, &BTreeMap::new(), gathered().await.unwrap(), &given).unwrap();
    let variable = |name: &str| done.variables[name].as_str();
    assert_eq!((variable("CommitId"), variable("AuthorDate")), ("abc", "yesterday"));
    assert_eq!(variable("CommitMessage"), "first\n\nwith a body");
    assert_eq!(done.revision.unwrap().id, "abc");
    let wrong = made(Provider::Connection, &BTreeMap::new(), gathered().await.unwrap(), &[("CommitID", "abc")]);
    let why = wrong.err().unwrap();
    assert!(why.starts_with("has no variable CommitID; use one of AuthorDate, BranchName, CommitId, "), "{why}");
}
