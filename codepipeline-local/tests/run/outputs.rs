//! `--output`

use std::collections::BTreeSet;
use std::path::Path;

use super::{commands, folder, run, text};

#[test]
fn output_inside_a_source_does_not_change_it() {
    let folder = folder(&[commands("Look", &["ls"])]);
    let arguments = ["--source", "App=app", "--output", "app/out"];
    let mut sources = Vec::new();
    for _ in 0..3 {
        let output = run(folder.path(), &arguments);
        assert!(output.status.success(), "{}{}", text(&output.stdout), text(&output.stderr));
        sources.push(names(&folder.path().join("app/out/App")));
    }
    let wanted = BTreeSet::from(["hello.txt".to_owned()]);
    assert!(sources.iter().all(|names| *names == wanted), "{sources:?}");
}

#[test]
fn source_inside_the_output_is_refused() {
    let folder = folder(&[commands("Look", &["ls"])]);
    assert!(run(folder.path(), &["--source", "App=app", "--output", "out"]).status.success());
    let output = run(folder.path(), &["--source", "App=out/App", "--output", "out"]);
    let error = text(&output.stderr);
    assert!(
        !output.status.success() && error.contains("--source App: out/App is in the folder of --output"),
        "{error}"
    );
    assert!(folder.path().join("out/App/hello.txt").exists());
}

fn names(folder: &Path) -> BTreeSet<String> {
    std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
}
