//! Objects that outside work has left in S3, copied to output artifacts over sockets.

use std::sync::atomic::Ordering;

use aws_sdk_s3::config::Credentials as SdkCredentials;
use aws_sdk_s3::config::SharedCredentialsProvider;
use aws_sdk_s3::error::ProvideErrorMetadata;
use bytes::Bytes;
use codepipeline_worker::artifacts::{Problem, Staged, Stores};
use codepipeline_worker::job::{Artifact, FailureKind, ObjectPlace};
use http::Method;
use secrecy::ExposeSecret;

use crate::support::artifact_store::{ArtifactStore, anyones_client, of_job, until};

const MIB: usize = 1024 * 1024;
const BUCKET: &str = "results";

fn noise(length: usize) -> Vec<u8> {
    (0..length as u64).map(|i| (i.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 32) as u8).collect()
}

fn place(key: &str) -> ObjectPlace {
    ObjectPlace { bucket: BUCKET.to_owned(), key: key.to_owned() }
}

/// Leaves a result where the worker's own role may read it.
async fn leave(s3: &ArtifactStore, key: &str, content: impl Into<Bytes>) -> ObjectPlace {
    let client = s3.anyone();
    // The bucket exists already when a second result is left.
    let _ = client.create_bucket().bucket(BUCKET).send().await;
    let put = client.put_object().bucket(BUCKET).key(key).content_type("text/x-report");
    put.body(content.into().into()).send().await.unwrap();
    place(key)
}

#[tokio::test]
async fn result_of_any_size_is_copied_byte_for_byte() {
    let s3 = ArtifactStore::start().await;
    for (size, parts) in [(0, 0), (1, 0), (5 * MIB, 0), (5 * MIB + 1, 2), (23 * MIB, 5)] {
        let content = noise(size);
        let from = leave(&s3, "run 7/ü.bin", content.clone()).await;
        let before = s3.seen().len();
        let copied = s3.job().copy_out(&from, &s3.output, None).await.unwrap();
        assert_eq!(copied, Staged { bytes: size as u64, entries: 1 });
        let sent = s3.seen().split_off(before);
        assert_eq!(sent.iter().filter(|request| request.path_and_query.contains("partNumber=")).count(), parts);
        assert!(s3.get(&s3.output).await == content, "{size} bytes");
    }
}

#[tokio::test]
async fn copy_has_the_jobs_key_and_the_content_type() {
    let s3 = ArtifactStore::start().await;
    for size in [10, 6 * MIB] {
        let from = leave(&s3, "report", noise(size)).await;
        let before = s3.seen().len();
        s3.job().copy_out(&from, &s3.output, Some("alias/artifacts")).await.unwrap();
        let seen = s3.seen().split_off(before);
        let written: Vec<_> =
            seen.iter().filter_map(|it| Some((it.encryption.clone()?, it.kms_key.clone()?))).collect();
        assert_eq!(written, [("aws:kms".to_owned(), "alias/artifacts".to_owned())]);
        let head = s3.anyone().head_object().bucket(&s3.output.bucket).key(&s3.output.key).send().await.unwrap();
        assert_eq!(head.content_type(), Some("text/x-report"));
    }
}

/// The function's role may read results, and the job's credentials may not. Each does its own part.
#[tokio::test]
async fn copy_reads_with_the_role_and_writes_with_job_credentials() {
    let s3 = ArtifactStore::start().await;
    let from = leave(&s3, "report", "fine").await;
    let jobs = SdkCredentials::new(
        s3.credentials.access_key_id.as_str(),
        s3.credentials.secret_access_key.expose_secret(),
        Some(s3.credentials.session_token.expose_secret().to_owned()),
        None,
        "job",
    );
    let as_job = s3.config.to_builder().credentials_provider(SharedCredentialsProvider::new(jobs)).build();
    let refused = anyones_client(&as_job).get_object().bucket(BUCKET).key("report").send().await.unwrap_err();
    assert_eq!(refused.code(), Some("AccessDenied"));
    s3.job().copy_out(&from, &s3.output, None).await.unwrap();

    let error = of_job(&Stores::new(&as_job), &s3.credentials).copy_out(&from, &s3.output, None).await.unwrap_err();
    assert_eq!(error.failure_kind(), FailureKind::PermissionError);
    let said = error.to_string();
    let expected = "artifact `App` (s3://results/report): S3 denied the request to read the object with the function's own credentials, which come from the function's role (AccessDenied: A job's";
    assert!(said.starts_with(expected), "{said}");

    let foreign = Artifact { key: "foreign".to_owned(), ..s3.output.clone() };
    let error = s3.job().copy_out(&from, &foreign, None).await.unwrap_err();
    assert!(
        error.to_string().contains("/foreign): S3 denied the request to write the object with the job's credentials"),
        "{error}"
    );
}

#[tokio::test]
async fn missing_result_is_named() {
    let s3 = ArtifactStore::start().await;
    leave(&s3, "report", "fine").await;
    let error = s3.job().copy_out(&place("missing"), &s3.output, None).await.unwrap_err();
    assert_eq!(error.failure_kind(), FailureKind::RevisionUnavailable);
    assert_eq!(error.object, "s3://results/missing");
    let nowhere = ObjectPlace { bucket: "no-such-bucket".to_owned(), key: "report".to_owned() };
    let error = s3.job().copy_out(&nowhere, &s3.output, None).await.unwrap_err();
    assert_eq!(error.failure_kind(), FailureKind::RevisionUnavailable);
}

#[tokio::test]
async fn interrupted_read_resumes_up_to_a_limit() {
    let s3 = ArtifactStore::start().await;
    let content = noise(12 * MIB);
    let from = leave(&s3, "report", content.clone()).await;
    s3.faults.breaks.store(3, Ordering::SeqCst);
    s3.job().copy_out(&from, &s3.output, None).await.unwrap();
    assert!(s3.get(&s3.output).await == content);

    let (job, before) = (s3.job(), s3.seen().len());
    s3.faults.hold.send_replace(true);
    let copying = job.copy_out(&from, &s3.output, None);
    let breaking = async {
        // The first range arrives whole, so the copying fails and not the opening.
        until(async || s3.seen().split_off(before).iter().filter(|request| request.method == Method::GET).count() >= 2)
            .await;
        s3.faults.breaks.store(usize::MAX, Ordering::SeqCst);
        s3.faults.hold.send_replace(false);
    };
    let (copied, ()) = tokio::join!(copying, breaking);
    let error = copied.unwrap_err();
    assert_eq!(error.object, "s3://results/report");
    assert!(matches!(error.problem, Problem::Unavailable { .. }), "{error}");
    job.finished().await;
    s3.faults.breaks.store(0, Ordering::SeqCst);
    assert!(s3.get(&s3.output).await == content);
}

#[tokio::test]
async fn result_replaced_during_the_copy_aborts_the_upload() {
    let s3 = ArtifactStore::start().await;
    let from = leave(&s3, "report", noise(40 * MIB)).await;
    let before = s3.seen().len();
    let job = s3.job();
    s3.faults.hold.send_replace(true);
    let copying = job.copy_out(&from, &s3.output, None);
    let replacing = async {
        until(async || s3.seen().split_off(before).iter().filter(|request| request.method == Method::GET).count() >= 2)
            .await;
        leave(&s3, "report", noise(41 * MIB)).await;
        s3.faults.hold.send_replace(false);
    };
    let (copied, ()) = tokio::join!(copying, replacing);
    let error = copied.unwrap_err();
    assert_eq!((error.problem, error.object.as_str()), (Problem::Replaced, "s3://results/report"));
    job.finished().await;
    let nothing = s3.anyone().head_object().bucket(&s3.output.bucket).key(&s3.output.key).send().await;
    assert!(nothing.is_err());
}

#[tokio::test]
async fn cancelled_copy_aborts_before_the_store_finishes() {
    let s3 = ArtifactStore::start().await;
    let from = leave(&s3, "report", noise(40 * MIB)).await;
    s3.faults.parts_hang.store(1, Ordering::SeqCst);
    let job = s3.job();
    let sending = async {
        until(async || s3.seen().iter().any(|request| request.path_and_query.contains("partNumber="))).await;
    };
    tokio::select! {
        _ = job.copy_out(&from, &s3.output, None) => panic!("its parts are never answered"),
        () = sending => {}
    }
    job.finished().await;
    assert_eq!(s3.seen().iter().filter(|request| request.method == Method::DELETE).count(), 1);
}
