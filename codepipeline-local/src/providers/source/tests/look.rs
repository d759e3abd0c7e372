//! Files that are looked for before a source runs.

use super::super::look::{Look, SourceFolder};
use super::*;

impl Place {
    async fn look(&self, folder: &str, is_clone: bool, path: &str) -> Look {
        SourceFolder { folder: &self.path(folder), is_clone }.look(path).await
    }
}

#[tokio::test]
async fn ignored_file_is_left_out_of_the_files() {
    let place = Place::with(&[("a.yml", ""), ("ci/a.yml", ""), (".gitignore", "*.local\n/out/\n")]);
    place.write(&[("new.yml", ""), ("ci/b.local", ""), ("out/b.yml", ""), ("kept.local", "")]);
    place.git(&["add", "--force", "kept.local"]);
    for path in ["ci/b.local", "./ci/b.local", "out/b.yml"] {
        assert_eq!(place.look("repository", false, path).await, Look::Ignored, "{path}");
    }
    for path in ["a.yml", "new.yml", "kept.local", "missing.local", "../a.yml"] {
        let file = place.path("repository").join(path);
        assert_eq!(place.look("repository", false, path).await, Look::Folder(file), "{path}");
    }
    // A folder that is ignored as a whole is packed as a whole.
    let file = place.path("repository/out/b.yml");
    assert_eq!(place.look("repository/out", false, "b.yml").await, Look::Folder(file));
    assert_eq!(place.look("repository/ci", false, "b.local").await, Look::Ignored);
}

#[tokio::test]
async fn clone_has_only_what_is_committed() {
    let place = Place::with(&[("a.yml", "one"), ("ci/b.yml", "two"), (":c.yml", "three")]);
    symlink("ci", place.path("repository/link")).unwrap();
    place.commit("link");
    place.write(&[("a.yml", "changed"), ("new.yml", "")]);
    let committed = |text: &str| Look::Committed(text.to_owned());
    for (path, found) in [
        ("a.yml", committed("one")),
        ("./ci/b.yml", committed("two")),
        ("new.yml", Look::NotCommitted),
        ("ci/missing.yml", Look::NotCommitted),
        ("link/b.yml", Look::Unknown),
        ("ci", Look::Unknown),
        ("../a.yml", Look::Unknown),
    ] {
        assert_eq!(place.look("repository", true, path).await, found, "{path}");
    }
    // The clone is one of the whole repository.
    assert_eq!(place.look("repository/ci", true, "a.yml").await, committed("one"));
    assert_eq!(place.look("repository/ci", true, "b.yml").await, Look::NotCommitted);
}

#[tokio::test]
async fn folder_outside_of_git_has_its_files() {
    let place = Place::new();
    place.write(&[("a.yml", "")]);
    let file = place.path("repository/a.yml");
    assert_eq!(place.look("repository", false, "a.yml").await, Look::Folder(file));
    assert_eq!(place.look("repository", true, "a.yml").await, Look::Unknown);
}
