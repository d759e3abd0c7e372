//! Stages artifacts between folders and the emulator's S3, with the worker's own clients over sockets.

use std::io::Write;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;
use std::sync::atomic::Ordering;
use std::time::Duration;

use aws_config::{BehaviorVersion, Region};
use aws_types::service_config::{LoadServiceConfig, ServiceConfigKey};
use codepipeline_worker::artifacts::{Problem, Stores};
use codepipeline_worker::job::{Artifact, FailureKind};
use http::Method;

use crate::support::artifact_store::{ArtifactStore, LIMITS, of_job, until};
use crate::support::children::Children;

mod uploads;

const MIB: usize = 1024 * 1024;

fn noise(length: usize) -> Vec<u8> {
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state as u8
    };
    (0..length).map(|_| next()).collect()
}

fn sample_folder(large: usize) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir_all(folder.path().join("bin")).unwrap();
    std::fs::create_dir_all(folder.path().join("empty/inner")).unwrap();
    std::fs::write(folder.path().join("bin/tool"), "#!/bin/sh\n").unwrap();
    std::fs::set_permissions(folder.path().join("bin/tool"), std::fs::Permissions::from_mode(0o755)).unwrap();
    std::fs::write(folder.path().join("large"), noise(large)).unwrap();
    symlink("bin/tool", folder.path().join("latest")).unwrap();
    folder
}

#[track_caller]
fn assert_same(one: &Path, other: &Path) {
    let _children = Children::of_the_test();
    let output =
        std::process::Command::new("diff").arg("-r").arg("--no-dereference").args([one, other]).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
    let mode = |root: &Path| std::fs::metadata(root.join("bin/tool")).unwrap().permissions().mode();
    assert_eq!(mode(one), mode(other));
}

fn names(folder: &Path) -> Vec<String> {
    std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
}

#[tokio::test]
async fn small_and_large_folders_come_back_unchanged() {
    let s3 = ArtifactStore::start().await;
    for (large, parts) in [(1000, 0), (23 * MIB, 5)] {
        let (from, to) = (sample_folder(large), tempfile::tempdir().unwrap());
        let job = s3.job();
        let before = s3.seen().len();
        let out = job.stage_out(&s3.output, from.path(), None, &LIMITS).await.unwrap();
        let sent = s3.seen().split_off(before);
        assert_eq!(sent.iter().filter(|request| request.path_and_query.contains("partNumber=")).count(), parts);
        let back = s3.next_job().stage_in(&s3.output, to.path(), &LIMITS).await.unwrap();
        assert_eq!(out, back);
        assert_eq!((out.bytes, out.entries), (large as u64 + 10, 6));
        assert_same(from.path(), to.path());
    }
}

#[tokio::test]
async fn the_same_folder_gives_the_same_object() {
    let s3 = ArtifactStore::start().await;
    let mut objects = Vec::new();
    for _ in 0..2 {
        let from = sample_folder(1000);
        s3.job().stage_out(&s3.output, from.path(), None, &LIMITS).await.unwrap();
        objects.push(s3.get(&s3.output).await);
    }
    assert_eq!(objects[0], objects[1]);
}

#[tokio::test]
async fn uploads_use_kms_with_the_jobs_key_if_it_has_one() {
    let s3 = ArtifactStore::start().await;
    for (large, key) in [(10, None), (10, Some("alias/mine")), (11 * MIB, None), (11 * MIB, Some("alias/mine"))] {
        let from = sample_folder(large);
        let before = s3.seen().len();
        s3.job().stage_out(&s3.output, from.path(), key, &LIMITS).await.unwrap();
        let begun = s3.seen().split_off(before);
        let begun = begun.iter().find(|request| !request.path_and_query.contains("uploadId")).unwrap();
        assert_eq!(begun.encryption.as_deref(), Some("aws:kms"));
        assert_eq!(begun.kms_key.as_deref(), key);
        assert_eq!(
            begun.path_and_query.split('?').next(),
            Some(format!("/{}/{}", s3.output.bucket, s3.output.key).as_str())
        );
    }
}

#[tokio::test]
async fn tar_tar_gz_and_single_files_are_staged_in() {
    let s3 = ArtifactStore::start().await;
    let from = sample_folder(3 * MIB);
    let mut archive = tar::Builder::new(Vec::new());
    archive.follow_symlinks(false);
    archive.append_dir_all(".", from.path()).unwrap();
    let tar = archive.into_inner().unwrap();
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    gzip.write_all(&tar).unwrap();
    for object in [tar, gzip.finish().unwrap()] {
        let to = tempfile::tempdir().unwrap();
        s3.put(&s3.input, object).await;
        s3.job().stage_in(&s3.input, to.path(), &LIMITS).await.unwrap();
        assert_same(from.path(), to.path());
    }
    for content in [Vec::new(), b"only this".to_vec(), noise(3 * MIB)] {
        let to = tempfile::tempdir().unwrap();
        s3.put(&s3.input, content.clone()).await;
        s3.job().stage_in(&s3.input, to.path(), &LIMITS).await.unwrap();
        assert_eq!(names(to.path()), ["App"]);
        assert!(std::fs::read(to.path().join("App")).unwrap() == content);
    }
}

#[tokio::test]
async fn an_interrupted_download_continues_where_it_stopped() {
    let s3 = ArtifactStore::start().await;
    let content = noise(4 * MIB);
    s3.put(&s3.input, content.clone()).await;
    s3.faults.breaks.store(3, Ordering::SeqCst);
    let to = tempfile::tempdir().unwrap();
    s3.job().stage_in(&s3.input, to.path(), &LIMITS).await.unwrap();
    assert!(std::fs::read(to.path().join("App")).unwrap() == content);
    assert_eq!(s3.faults.breaks.load(Ordering::SeqCst), 0);
}

#[tokio::test]
async fn a_download_that_always_breaks_off_ends_with_an_error() {
    let s3 = ArtifactStore::start().await;
    s3.put(&s3.input, noise(MIB)).await;
    s3.faults.breaks.store(usize::MAX, Ordering::SeqCst);
    let to = tempfile::tempdir().unwrap();
    let error = s3.job().stage_in(&s3.input, to.path(), &LIMITS).await.unwrap_err();
    assert!(error.to_string().contains("broke off 5 times"), "{error}");
    assert_eq!(error.failure_kind(), FailureKind::SystemUnavailable);
}

#[tokio::test]
async fn throttling_is_retried_and_reported_when_it_lasts() {
    let s3 = ArtifactStore::start().await;
    s3.put(&s3.input, "content").await;
    let to = tempfile::tempdir().unwrap();
    s3.faults.refusals.store(2, Ordering::SeqCst);
    s3.job().stage_in(&s3.input, to.path(), &LIMITS).await.unwrap();
    s3.faults.refusals.store(usize::MAX, Ordering::SeqCst);
    let error = s3.job().stage_in(&s3.input, to.path(), &LIMITS).await.unwrap_err();
    assert!(matches!(error.problem, Problem::Unavailable { .. }), "{error}");
    assert!(error.to_string().contains("HTTP 503"), "{error}");
}

#[tokio::test]
async fn each_refusal_of_s3_has_its_own_failure() {
    let s3 = ArtifactStore::start().await;
    let to = tempfile::tempdir().unwrap();
    let read = async |artifact: &Artifact| s3.job().stage_in(artifact, to.path(), &LIMITS).await.unwrap_err();
    let foreign = Artifact { key: "foreign".to_owned(), ..s3.input.clone() };
    s3.put(&foreign, "content").await;
    assert_eq!(read(&foreign).await.failure_kind(), FailureKind::PermissionError);
    s3.anyone().delete_object().bucket(&s3.input.bucket).key(&s3.input.key).send().await.unwrap();
    assert_eq!(read(&s3.input).await.failure_kind(), FailureKind::RevisionUnavailable);
    let from = sample_folder(1);
    let error = s3.job().stage_out(&s3.input, from.path(), None, &LIMITS).await.unwrap_err();
    let expected = "S3 denied the request to write the object with the job's credentials, which come from the pipeline's role \
                    (AccessDenied: A job's credentials reach only its own artifacts";
    assert!(error.to_string().contains(expected), "{error}");

    s3.time.advance(Duration::from_secs(901));
    assert_eq!(read(&s3.input).await.problem, Problem::Expired);
    for large in [1, 11 * MIB] {
        let from = sample_folder(large);
        let error = s3.job().stage_out(&s3.output, from.path(), None, &LIMITS).await.unwrap_err();
        assert_eq!(error.problem, Problem::Expired);
    }
}

#[tokio::test]
async fn a_closed_endpoint_is_reported_as_unavailable() {
    let s3 = ArtifactStore::start().await;
    let (job, input) = (s3.job(), s3.input.clone());
    drop(s3);
    let to = tempfile::tempdir().unwrap();
    let error = job.stage_in(&input, to.path(), &LIMITS).await.unwrap_err();
    assert!(matches!(error.problem, Problem::Unavailable { .. }), "{error}");
}

#[tokio::test]
async fn an_object_replaced_during_download_is_detected() {
    let s3 = ArtifactStore::start().await;
    s3.put(&s3.input, noise(20 * MIB)).await;
    let to = tempfile::tempdir().unwrap();
    let job = s3.job();
    s3.faults.hold.send_replace(true);
    let staging = job.stage_in(&s3.input, to.path(), &LIMITS);
    let replacing = async {
        // The first range determines the object. The second request follows it.
        until(async || s3.seen().iter().filter(|request| request.method == Method::GET).count() >= 2).await;
        s3.put(&s3.input, noise(21 * MIB)).await;
        s3.faults.hold.send_replace(false);
    };
    let (staged, ()) = tokio::join!(staging, replacing);
    assert_eq!(staged.unwrap_err().problem, Problem::Replaced);
}

#[tokio::test]
async fn a_folder_that_cannot_be_packed_sends_no_request() {
    let s3 = ArtifactStore::start().await;
    s3.put(&s3.output, "from before").await;
    let from = sample_folder(30 * MIB);
    // The name sorts after the large file, but the worker finds it before it sends a request.
    let name = std::ffi::OsStr::from_bytes(b"zz\xff");
    std::fs::write(from.path().join(name), "").unwrap();
    let before = s3.seen().len();
    let error = s3.job().stage_out(&s3.output, from.path(), None, &LIMITS).await.unwrap_err();
    assert_eq!(error.failure_kind(), FailureKind::JobFailed);
    assert_eq!(s3.seen().len(), before);
    assert_eq!(s3.get(&s3.output).await, "from before");
}

#[tokio::test]
async fn links_around_an_output_folder_are_not_followed() {
    let s3 = ArtifactStore::start().await;
    let job = tempfile::tempdir().unwrap();
    let elsewhere = sample_folder(1);
    for target in ["/proc/self", elsewhere.path().parent().unwrap().to_str().unwrap()] {
        // A command can replace the parent of its output folders.
        std::os::unix::fs::symlink(target, job.path().join("out")).unwrap();
        let name =
            if target == "/proc/self" { "task" } else { elsewhere.path().file_name().unwrap().to_str().unwrap() };
        let from = job.path().join("out").join(name);
        assert!(from.is_dir(), "{from:?}");
        let before = s3.seen().len();
        let error = s3.job().stage_out(&s3.output, &from, None, &LIMITS).await.unwrap_err();
        assert!(
            error
                .to_string()
                .contains("the command replaced the output folder, or one of its parents, by a file or a link"),
            "{error}"
        );
        assert_eq!(s3.seen().len(), before);
        std::fs::remove_file(job.path().join("out")).unwrap();
    }
}

#[tokio::test]
async fn an_endpoint_for_s3_alone_uses_path_style() {
    let s3 = ArtifactStore::start().await;
    s3.put(&s3.input, "content").await;
    #[derive(Debug)]
    struct OnlyS3(String);
    impl LoadServiceConfig for OnlyS3 {
        fn load_config(&self, key: ServiceConfigKey<'_>) -> Option<String> {
            ((key.service_id(), key.env()) == ("S3", "AWS_ENDPOINT_URL")).then(|| self.0.clone())
        }
    }
    // For an IP address, the SDK always uses path style.
    let endpoint = s3.config.endpoint_url().unwrap().replace("127.0.0.1", "localhost");
    let config = aws_config::defaults(BehaviorVersion::latest()).region(Region::new("us-east-1"));
    let config = config.no_credentials().load().await.into_builder().service_config(OnlyS3(endpoint)).build();
    let store = of_job(&Stores::new(&config), &s3.credentials);
    let to = tempfile::tempdir().unwrap();
    store.stage_in(&s3.input, to.path(), &LIMITS).await.unwrap();
    assert_eq!(names(to.path()), ["App"]);
}

#[tokio::test]
async fn a_cancelled_download_writes_nothing_after_finished() {
    let s3 = ArtifactStore::start().await;
    let large = sample_folder(60 * MIB);
    s3.job().stage_out(&s3.output, large.path(), None, &LIMITS).await.unwrap();
    let to = tempfile::tempdir().unwrap();
    let job = s3.next_job();
    let begun = async {
        until(async || !names(to.path()).is_empty()).await;
    };
    tokio::select! {
        _ = job.stage_in(&s3.output, to.path(), &LIMITS) => panic!("it can't have finished already"),
        () = begun => {}
    }
    job.finished().await;
    let requests = s3.seen().len();
    let written = std::fs::metadata(to.path().join("large")).map_or(0, |file| file.len());
    assert!(written < 60 * MIB as u64);
    // The worker now removes the job's folder. A thread that still wrote would make this fail or create the folder again.
    std::fs::remove_dir_all(to.path()).unwrap();
    tokio::task::yield_now().await;
    assert!(!to.path().exists());
    assert_eq!(s3.seen().len(), requests);
}
