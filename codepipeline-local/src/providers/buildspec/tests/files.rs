//! The files of artifacts.

use std::os::unix::fs::symlink;
use std::path::Path;

use super::*;

const FILES: [&str; 6] =
    [".hidden/a.txt", "a.txt", "dist/index.html", "dist/js/app.js", "dist/js/lib/app.js.map", "dist/.env"];

fn folder(files: &[&str]) -> TempDir {
    let folder = TempDir::new().unwrap();
    for file in files {
        let path = folder.path().join(file);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, file).unwrap();
    }
    folder
}

fn found(folder: &Path, set: &FileSet) -> Vec<String> {
    match artifacts::find(folder, set) {
        Ok(found) => found.files.into_iter().map(|(name, _)| name).collect(),
        Err(error) => vec![error.to_string()],
    }
}

fn set(files: &[&str]) -> FileSet {
    FileSet { files: files.iter().map(|file| (*file).to_owned()).collect(), ..FileSet::default() }
}

#[test]
fn patterns_match_as_in_code_build() {
    let folder = folder(&FILES);
    let mut all = FILES;
    all.sort_unstable();
    for (pattern, names) in [
        ("**/*", &all[..]),
        ("a.txt", &["a.txt"]),
        ("./a.txt", &["a.txt"]),
        ("dist/*", &["dist/.env", "dist/index.html"]),
        ("dist/**/*", &["dist/.env", "dist/index.html", "dist/js/app.js", "dist/js/lib/app.js.map"]),
        ("dist/**", &["dist/.env", "dist/index.html", "dist/js/app.js", "dist/js/lib/app.js.map"]),
        ("*/*/*.js", &["dist/js/app.js"]),
        ("**/*.{js,html}", &["dist/index.html", "dist/js/app.js"]),
        ("dist/[i-j]*/app.??", &["dist/js/app.js"]),
        ("**.*", &["a.txt"]),
    ] {
        assert_eq!(found(folder.path(), &set(&[pattern])), names, "{pattern}");
    }
}

#[test]
fn excluded_paths_are_left_out() {
    let folder = folder(&FILES);
    let set = FileSet {
        base_directory: Some("dist".to_owned()),
        exclude_paths: vec!["**/*.map".to_owned(), "./js/app.js".to_owned()],
        ..set(&["**/*"])
    };
    assert_eq!(found(folder.path(), &set), [".env", "index.html"]);
}

#[test]
fn absolute_paths_below_the_base_directory_match() {
    let folder = folder(&FILES);
    let absolute = folder.path().join("dist").to_str().unwrap().to_owned();
    let set = FileSet { base_directory: Some(absolute.clone()), ..set(&[&format!("{absolute}/js/*")]) };
    assert_eq!(found(Path::new("/nowhere"), &set), ["js/app.js"]);
}

#[test]
fn artifact_without_files_is_explained() {
    let folder = folder(&FILES);
    for (set, message) in [
        (set(&["dist"]), "no matching artifact paths found: no file matches dist. dist is a folder: write dist/**/*"),
        (set(&["x", "y/*"]), "no matching artifact paths found: no file matches x, y/*"),
        (set(&[]), "the artifact has no files: write artifacts/files"),
        (
            FileSet { base_directory: Some("out*".to_owned()), ..set(&["*"]) },
            "no matching base directory path found for out*",
        ),
        (set(&["a[b"]), "the path a[b is not a pattern"),
    ] {
        let found = found(folder.path(), &set).remove(0);
        assert!(found.starts_with(message), "{found}");
    }
}

#[test]
fn pattern_without_a_file_is_reported_next_to_others() {
    let folder = folder(&FILES);
    let set = FileSet { exclude_paths: vec!["**/*.js".to_owned()], ..set(&["a.txt", "x", "dist", "dist/js/*.js"]) };
    let found = artifacts::find(folder.path(), &set).unwrap();
    let unmatched: Vec<_> = found.unmatched.chunks(1).map(artifacts::described).collect();
    let wanted = ["no file matches x", "no file matches dist. dist is a folder: write dist/**/* for the files in it"];
    assert_eq!((found.files.len(), unmatched), (1, wanted.map(str::to_owned).to_vec()));
}

#[test]
fn links_are_followed_unless_they_are_enabled() {
    let folder = folder(&["real/a.txt"]);
    symlink("real/a.txt", folder.path().join("file")).unwrap();
    symlink("real", folder.path().join("folder")).unwrap();
    symlink("missing", folder.path().join("broken")).unwrap();
    let followed = artifacts::find(folder.path(), &set(&["**/*"])).unwrap().files;
    assert_eq!(followed.iter().map(|(name, _)| name.as_str()).collect::<Vec<_>>(), ["file", "real/a.txt"]);
    assert!(followed.iter().all(|(_, path)| path.symlink_metadata().unwrap().is_file()));
    let kept = artifacts::find(folder.path(), &FileSet { enable_symlinks: true, ..set(&["**/*"]) }).unwrap().files;
    assert_eq!(
        kept.iter().map(|(name, _)| name.as_str()).collect::<Vec<_>>(),
        ["broken", "file", "folder", "real/a.txt"]
    );
    assert!(kept[1].1.symlink_metadata().unwrap().is_symlink());
}

#[tokio::test]
async fn paths_may_have_variables() {
    let text = "version: 0.2\nphases:\n  build:\n    commands:\n      - NAME=a\nartifacts:\n  files:\n    - $NAME.txt\n    - $(echo b).txt\n  \
        base-directory: $CODEBUILD_SRC_DIR/out\n";
    assert_eq!(build(text, &["out/a.txt", "out/b.txt", "out/c.txt"]).await.files, [["a.txt", "b.txt"]]);
}
