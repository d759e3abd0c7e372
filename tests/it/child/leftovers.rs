//! Files that a command leaves in the work folder outside the job's folder, with and without `CLEAN_TMP`.

use std::path::PathBuf;

use codepipeline_local::runtime_api::Invocation;
use serde_json::json;

use super::worker::Scene;

const CLEANING: [(&str, &str); 1] = [("CLEAN_TMP", "true")];

/// Leaves files of many types in the work folder, outside the worker's own folder.
const LITTER: &str = r#"
    cd "$HOME/../../.."
    mkdir -p locked/inner .hidden && echo x > locked/inner/file && chmod 000 locked/inner locked
    echo x > file && echo x > .hidden/file && ln -s /usr link && mkfifo pipe
    hundred=$(printf 'a-folder-within-a-folder/%.0s' $(seq 100))
    for chain in 1 2; do mkdir -p "$hundred" && cd -P "$hundred" || exit 9; done
"#;

/// The names in the work folder, without those of the worker.
fn names(scene: &Scene) -> Vec<String> {
    let entries = std::fs::read_dir(scene.world.work_folder()).unwrap();
    let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let mut names: Vec<_> = names.filter(|name| !name.starts_with("codepipeline-worker-0")).collect();
    names.sort();
    names
}

fn exists(scene: &Scene, path: &str) -> bool {
    let path: PathBuf = scene.world.work_folder().join(path);
    path.symlink_metadata().is_ok()
}

#[tokio::test(flavor = "multi_thread")]
async fn with_clean_tmp_the_next_job_has_an_empty_disk() {
    let mut scene = Scene::with(&CLEANING, Some(100_000_000)).await;
    let fill = r#"
        cd "$HOME/../../.." && mkdir junk && i=0
        while head -c 10000000 /dev/zero > "junk/$i"; do i=$((i+1)); done
        chmod 000 junk; exit 7
    "#;
    let message = scene.run(fill, &[]).await.failed();
    assert!(message.contains("exit code 7") && message.contains("No space left on device"), "{message}");
    let logged = scene.logged();
    let line = logged
        .lines()
        .find(|line| line.contains("removed the files that the command left"))
        .unwrap_or_else(|| panic!("{logged}"));
    let line: serde_json::Value = serde_json::from_str(line).unwrap();
    assert!(
        line["leftoverBytes"].as_u64().unwrap() > 50_000_000 && line["leftoverEntries"].as_u64().unwrap() > 5,
        "{line}"
    );
    assert!(line["jobId"].is_string(), "{line}");
    scene.run(r#"head -c 80000000 /dev/zero > "$TMPDIR/large""#, &[]).await.succeeded();
}

#[tokio::test(flavor = "multi_thread")]
async fn without_clean_tmp_a_full_disk_stops_polling() {
    let mut scene = Scene::with(&[("MIN_FREE_BYTES", "50000000")], Some(100_000_000)).await;
    scene.run(r#"head -c 60000000 /dev/zero > "$HOME/../../../junk""#, &[]).await.succeeded();
    scene.logged();
    let (_, invocation) = scene.invoke("true", &[]).await;
    let Invocation::Answered(summary) = invocation else { panic!("{invocation:?}") };
    assert_eq!((&summary["polled"], &summary["failedPolls"]), (&json!(0), &json!(0)), "{summary}");
    let logged = scene.logged();
    let low: Vec<_> = logged.lines().filter(|line| line.contains(r#""minFreeBytes":50000000"#)).collect();
    assert!(low.len() == 1 && logged.contains(r#""LowDisk":1"#), "{logged}");
}

#[tokio::test(flavor = "multi_thread")]
async fn only_leftovers_are_removed() {
    let mut scene = Scene::new(&CLEANING).await;
    std::fs::write(scene.world.work_folder().join("before"), "x").unwrap();
    scene.run(LITTER, &[]).await.succeeded();
    assert_eq!(names(&scene), ["before"]);
    scene.assert_clean();
}

#[tokio::test(flavor = "multi_thread")]
async fn without_clean_tmp_nothing_is_removed() {
    let mut scene = Scene::new(&[]).await;
    scene.run(r#"cd "$HOME/../../.." && mkdir left && echo x > left/file"#, &[]).await.succeeded();
    scene.run("true", &[]).await.succeeded();
    assert!(exists(&scene, "left/file"));
}

#[tokio::test(flavor = "multi_thread")]
async fn leftovers_of_a_worker_death_are_removed_at_start() {
    let mut scene = Scene::new(&CLEANING).await;
    std::fs::write(scene.world.work_folder().join("before"), "x").unwrap();
    scene.run_and_kill_worker(r#"cd "$HOME/../../.." && echo x > left; kill -KILL $PPID"#).await;
    assert_eq!(names(&scene), ["before", "left"]);
    scene.run("true", &[]).await.succeeded();
    assert_eq!(names(&scene), ["before"]);
}
