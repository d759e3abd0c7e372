//! The end of multipart uploads.

use std::sync::atomic::Ordering;
use std::time::Duration;

use http::Method;

use super::{MIB, assert_same, sample_folder};
use crate::support::artifact_store::{ArtifactStore, Instead, LIMITS, Seen, until};

fn is_of_upload(request: &Seen, method: &Method) -> bool {
    request.method == *method && request.path_and_query.contains("uploadId=")
}

/// S3's response for an upload that is completed or aborted.
const GONE: Instead = Instead { after_effect: false, status: 404, code: "NoSuchUpload" };
/// An error after the request took effect.
const FAILED_AFTER: Instead = Instead { after_effect: true, status: 500, code: "InternalError" };
const FAILED: Instead = Instead { after_effect: false, ..FAILED_AFTER };

/// Whether the job may read the object that it writes. Usually it may not.
const MAY_LOOK: [bool; 2] = [true, false];

#[tokio::test]
async fn a_failed_upload_is_aborted_and_the_old_object_stays() {
    let refused = Instead { after_effect: false, status: 403, code: "AccessDenied" };
    for (parts, completions, aborts, doing, requests) in [
        (vec![refused], vec![], vec![], "S3 denied the request to upload a part with the job's credentials", (0, 1)),
        (
            vec![],
            vec![refused],
            vec![],
            "S3 denied the request to complete the upload with the job's credentials",
            (1, 1),
        ),
        (vec![], vec![FAILED; 5], vec![], "could not complete the upload: InternalError: On purpose, HTTP 500", (5, 1)),
        // The second abort gets NoSuchUpload because the first one took effect.
        (
            vec![],
            vec![FAILED; 5],
            vec![FAILED_AFTER],
            "could not complete the upload: InternalError: On purpose, HTTP 500",
            (5, 2),
        ),
    ] {
        let s3 = ArtifactStore::start().await;
        s3.put(&s3.output, "from before").await;
        *s3.faults.parts.lock().unwrap() = parts.into();
        *s3.faults.completions.lock().unwrap() = completions.into();
        *s3.faults.aborts.lock().unwrap() = aborts.into();
        let from = sample_folder(6 * MIB);
        let error = s3.job().stage_out(&s3.output, from.path(), None, &LIMITS).await.unwrap_err();
        assert!(error.to_string().contains(doing), "{error}");
        let sent = |method| s3.seen().iter().filter(|request| is_of_upload(request, &method)).count();
        assert_eq!((sent(Method::POST), sent(Method::DELETE)), requests, "{doing}");
        assert_eq!(s3.unfinished_uploads().await, 0, "{doing}");
        assert_eq!(s3.get(&s3.output).await, "from before");
    }
}

#[tokio::test]
async fn a_completed_upload_succeeds_if_its_responses_are_lost() {
    // Either the second try gets NoSuchUpload, or no try gets a response and the abort gets NoSuchUpload.
    for (may_look, lost, aborts) in MAY_LOOK
        .into_iter()
        .flat_map(|may_look| [(may_look, vec![FAILED_AFTER], 0), (may_look, vec![FAILED_AFTER; 5], 1)])
    {
        let s3 = ArtifactStore::start().await;
        s3.put(&s3.output, "from before").await;
        *s3.faults.completions.lock().unwrap() = lost.into();
        let (from, to) = (sample_folder(6 * MIB), tempfile::tempdir().unwrap());
        let store = if may_look { s3.next_job() } else { s3.job() };
        store.stage_out(&s3.output, from.path(), None, &LIMITS).await.unwrap();
        assert_eq!(s3.seen().iter().filter(|request| is_of_upload(request, &Method::DELETE)).count(), aborts);
        assert_eq!(s3.seen().iter().filter(|request| request.method == Method::HEAD).count(), 1);
        s3.next_job().stage_in(&s3.output, to.path(), &LIMITS).await.unwrap();
        assert_same(from.path(), to.path());
    }
}

#[tokio::test]
async fn an_upload_that_another_client_ended_fails() {
    let s3 = ArtifactStore::start().await;
    let from = sample_folder(6 * MIB);
    // After an unanswered try, the worker asks for the object. It is missing at first, and then another upload's. Otherwise it does not ask.
    for (answers, asks) in [(vec![FAILED, GONE], 1), (vec![FAILED, GONE], 1), (vec![GONE], 0)] {
        *s3.faults.completions.lock().unwrap() = answers.into();
        let before = s3.seen().len();
        let error = s3.next_job().stage_out(&s3.output, from.path(), None, &LIMITS).await.unwrap_err();
        assert!(error.to_string().contains("S3 refused to complete the upload (NoSuchUpload: "), "{error}");
        let sent = s3.seen().split_off(before);
        assert_eq!(sent.iter().filter(|request| request.method == Method::HEAD).count(), asks);
        // The object of another upload.
        s3.job().stage_out(&s3.output, from.path(), None, &LIMITS).await.unwrap();
    }
}

#[tokio::test]
async fn a_failed_completion_is_retried() {
    let s3 = ArtifactStore::start().await;
    let from = sample_folder(6 * MIB);
    for instead in [
        Instead { after_effect: false, status: 200, code: "InternalError" },
        Instead { after_effect: false, status: 200, code: "SlowDown" },
        Instead { after_effect: false, status: 503, code: "SlowDown" },
        Instead { after_effect: false, status: 400, code: "ExpiredToken" },
    ] {
        *s3.faults.completions.lock().unwrap() = [instead].into();
        let before = s3.seen().len();
        s3.job().stage_out(&s3.output, from.path(), None, &LIMITS).await.unwrap();
        let sent = s3.seen().split_off(before);
        assert_eq!(sent.iter().filter(|request| is_of_upload(request, &Method::POST)).count(), 2, "{}", instead.code);
        assert!(!sent.iter().any(|request| request.method == Method::HEAD));
    }
}

#[tokio::test]
async fn a_cancelled_upload_is_aborted() {
    let s3 = ArtifactStore::start().await;
    s3.faults.parts_hang.store(1, Ordering::SeqCst);
    let from = sample_folder(40 * MIB);
    let job = s3.job();
    let sending = async {
        until(async || s3.seen().iter().any(|request| request.path_and_query.contains("partNumber="))).await;
    };
    tokio::select! {
        _ = job.stage_out(&s3.output, from.path(), None, &LIMITS) => panic!("its parts never get a response"),
        () = sending => {}
    }
    job.finished().await;
    assert_eq!(s3.seen().iter().filter(|request| request.method == Method::DELETE).count(), 1);
    assert_eq!(s3.unfinished_uploads().await, 0);
}

#[tokio::test]
async fn a_cancelled_upload_waits_briefly_for_a_silent_s3() {
    for abort_hangs in [true, false] {
        let s3 = ArtifactStore::start().await;
        let (hanging, last) =
            if abort_hangs { (&s3.faults.aborts_hang, "partNumber=") } else { (&s3.faults.begins_hang, "uploads") };
        hanging.store(1, Ordering::SeqCst);
        s3.faults.parts_hang.store(1, Ordering::SeqCst);
        let from = sample_folder(20 * MIB);
        let job = s3.job();
        let sending = async {
            until(async || s3.seen().iter().any(|request| request.path_and_query.contains(last))).await;
        };
        tokio::select! {
            _ = job.stage_out(&s3.output, from.path(), None, &LIMITS) => panic!("it never gets a response"),
            () = sending => {}
        }
        // The worker waits 2 s for a cancelled job.
        let finished = tokio::time::timeout(Duration::from_secs(2), job.finished()).await;
        assert!(finished.is_ok(), "{last}");
        assert_eq!(s3.seen().iter().any(|request| request.method == Method::DELETE), abort_hangs);
    }
}
