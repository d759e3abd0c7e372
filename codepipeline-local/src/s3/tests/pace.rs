//! A slow S3.

use std::num::NonZeroU64;

use super::*;

fn bytes_per_second(number: u64) -> S3Pace {
    S3Pace { bytes_per_second: NonZeroU64::new(number), ..S3Pace::default() }
}

async fn with_input(pace: S3Pace, content: &str) -> Server {
    let server = Server::with(StoreSettings { pace, ..StoreSettings::default() }).await;
    let put = server.anyone().put_object().bucket("artifacts").key("in");
    put.server_side_encryption(ServerSideEncryption::AwsKms).body(body(content)).send().await.unwrap();
    server
}

#[tokio::test]
async fn delayed_response_survives_expired_credentials() {
    let server = with_input(S3Pace { delay: Duration::from_secs(90), ..S3Pace::default() }, "content").await;
    server.anyone().get_object().bucket("artifacts").key("in").send().await.unwrap();
    let job = server.job("ASIAJOB");
    let getting = tokio::spawn(job.get_object().bucket("artifacts").key("in").send());
    server.waiting().await;
    server.time.advance(Duration::from_secs(89));
    tokio::task::yield_now().await;
    assert!(!getting.is_finished());
    server.time.advance(Duration::from_secs(1));
    getting.await.unwrap().unwrap();
    let again = tokio::spawn(job.get_object().bucket("artifacts").key("in").send());
    server.waiting().await;
    server.time.advance(Duration::from_secs(90));
    assert_eq!(code(again.await.unwrap()), "ExpiredToken");
}

#[tokio::test]
async fn pace_limits_both_directions() {
    let server = with_input(bytes_per_second(10), &"x".repeat(100)).await;
    let job = server.job("ASIAJOB");
    let got = job.get_object().bucket("artifacts").key("in").send().await.unwrap();
    assert_eq!(got.content_length(), Some(100));
    let reading = tokio::spawn(got.body.collect());
    server.waiting().await;
    server.time.advance(Duration::from_millis(9999));
    tokio::task::yield_now().await;
    assert!(!reading.is_finished());
    server.time.advance(Duration::from_millis(1));
    assert_eq!(reading.await.unwrap().unwrap().to_vec().len(), 100);

    let put = job.put_object().bucket("artifacts").key("out").server_side_encryption(ServerSideEncryption::AwsKms);
    let putting = tokio::spawn(put.body(body(&"y".repeat(100))).send());
    server.waiting().await;
    server.time.advance(Duration::from_secs(9));
    tokio::task::yield_now().await;
    assert!(!putting.is_finished());
    server.time.advance(Duration::from_secs(60));
    putting.await.unwrap().unwrap();
    let kept = server.anyone().get_object().bucket("artifacts").key("out").send().await.unwrap();
    assert_eq!(kept.body.collect().await.unwrap().to_vec(), "y".repeat(100).as_bytes());
}

impl Server {
    /// Returns once a task waits for the clock.
    async fn waiting(&self) {
        while self.time.waiters() == 0 {
            tokio::task::yield_now().await;
        }
    }
}
