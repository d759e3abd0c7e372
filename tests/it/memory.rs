//! Peak memory does not grow with an artifact's size. Child processes stage the artifacts, because the peak belongs to a process.

use std::io::Write;
use std::path::Path;
use std::process::Stdio;

use codepipeline_local::{Emulator, Options};
use codepipeline_worker::artifacts::Stores;
use codepipeline_worker::job::Artifact;
use tokio::process::Command;

use crate::support::artifact_store::{LIMITS, anyones_client, anyones_credentials, config, of_job};
use crate::support::children::Children;

const NAME: &str = "memory::peak_memory_does_not_grow_with_the_artifact";
/// Tells a child process, which runs this test's binary, its role: `in` or `out`, the endpoint, the folder.
const ROLE: &str = "STAGING_MEMORY_ROLE";
const BLOCK: usize = 10_000_000;

#[test]
#[expect(clippy::disallowed_methods, reason = "the test tells its child process what to do")]
fn peak_memory_does_not_grow_with_the_artifact() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    match std::env::var(ROLE) {
        Ok(role) => runtime.block_on(stage(&role)),
        Err(_) => runtime.block_on(compare()),
    }
}

async fn compare() {
    let _children = Children::of_the_test();
    let emulator = Emulator::start(Options::default()).await.unwrap();
    let endpoint = emulator.endpoint();
    anyones_client(&config(&endpoint).await).create_bucket().bucket("artifacts").send().await.unwrap();
    let mut peaks = Vec::new();
    for (files, blocks_in_each) in [(1, 1), (10, 10)] {
        let (from, to) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        fill(from.path(), files, blocks_in_each);
        let out = peak_kib_of_child("out", &endpoint, from.path()).await;
        drop(from);
        let back = peak_kib_of_child("in", &endpoint, to.path()).await;
        let files = std::fs::read_dir(to.path()).unwrap();
        let bytes: u64 = files.map(|file| file.unwrap().metadata().unwrap().len()).sum();
        peaks.push((bytes, out, back));
    }
    let [(10_000_000, small_out, small_in), (1_000_000_000, large_out, large_in)] = peaks[..] else {
        panic!("staged other sizes: {peaks:?}")
    };
    println!("KiB at 10 MB and 1 GB: {small_out} and {large_out} out, {small_in} and {large_in} in");
    assert!(large_out <= small_out + 16 * 1024, "staging out: {small_out} KiB, then {large_out} KiB");
    assert!(large_in <= small_in + 16 * 1024, "staging in: {small_in} KiB, then {large_in} KiB");
}

/// Files that don't compress, so that the object is as large as they are.
fn fill(folder: &Path, files: usize, blocks_in_each: usize) {
    let mut block = vec![0; BLOCK];
    fastrand::Rng::with_seed(1).fill(&mut block);
    for number in 0..files {
        let mut file = std::fs::File::create(folder.join(format!("{number}"))).unwrap();
        for _ in 0..blocks_in_each {
            file.write_all(&block).unwrap();
        }
    }
}

async fn peak_kib_of_child(direction: &str, endpoint: &str, folder: &Path) -> u64 {
    let child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", NAME, "--nocapture"])
        .env(ROLE, format!("{direction} {endpoint} {}", folder.display()))
        .stdout(Stdio::piped())
        .output();
    let output = child.await.unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    let peak = text.lines().find_map(|line| line.split_once("VmHWM:")?.1.trim().strip_suffix(" kB")?.parse().ok());
    peak.unwrap_or_else(|| panic!("staging {direction} failed: {text}"))
}

/// Runs in the child process.
async fn stage(role: &str) {
    let [direction, endpoint, folder] = role.split(' ').collect::<Vec<_>>()[..] else { panic!("{role}") };
    let store = of_job(&Stores::new(&config(endpoint).await), &anyones_credentials());
    let (bucket, key) = ("artifacts".to_owned(), "object".to_owned());
    let artifact = Artifact { name: "App".to_owned(), revision: None, bucket, key };
    match direction {
        "out" => store.stage_out(&artifact, Path::new(folder), None, &LIMITS).await,
        _ => store.stage_in(&artifact, Path::new(folder), &LIMITS).await,
    }
    .unwrap();
    store.finished().await;
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    println!("{}", status.lines().find(|line| line.starts_with("VmHWM:")).unwrap());
}
