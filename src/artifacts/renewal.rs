//! A job's credentials, renewed before they expire and when S3 says that they have.
//!
//! They live for about 15 minutes (a comment in AWS's Jenkins plugin; undocumented), and a large artifact may take
//! longer. Only this file caches them: each try of each request asks here.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, MutexGuard, PoisonError};
use std::time::Duration;

use aws_credential_types::Credentials as SdkCredentials;
use aws_credential_types::provider::{ProvideCredentials, future};
use aws_sdk_s3::config::interceptors::InterceptorContext;
use aws_sdk_s3::config::retry::{ClassifyRetry, RetryAction};
use secrecy::ExposeSecret;
use tokio::sync::Mutex;
use tokio::time::Instant;

use crate::job::Credentials;

/// The age at which credentials are renewed, as in the Jenkins plugin.
const RENEW_AFTER: Duration = Duration::from_secs(14 * 60);

/// How long the worker uses the old credentials after a failed renewal. Each renewal may take 20 s, and every request
/// waits for it.
const REST: Duration = Duration::from_secs(15);

/// Fetches fresh credentials for the job, from its details. The error is safe to log and holds no secret.
pub trait Renew: Send + Sync {
    /// Fetches credentials.
    fn renew(&self) -> Pin<Box<dyn Future<Output = Result<Credentials, String>> + Send + '_>>;
}

/// The credentials that a job's S3 client signs with.
#[derive(Clone)]
pub(super) struct Renewing(Arc<Inner>);

struct Inner {
    current: Mutex<Current>,
    /// The number of the current credentials, for code that can't wait for the lock.
    number: AtomicU64,
    /// The number of the newest credentials that S3 called expired.
    expired: AtomicU64,
    renew: Arc<dyn Renew>,
    /// All credentials so far. Requests were signed with them, and a server may repeat them.
    given_out: std::sync::Mutex<Vec<SdkCredentials>>,
}

struct Current {
    credentials: SdkCredentials,
    since: Instant,
    /// No renewal begins before this moment, after one that failed.
    rest_until: Option<Instant>,
    /// Counts from 1.
    number: u64,
}

impl Renewing {
    /// Begins with `credentials`, which the job has used since `since`.
    pub(super) fn new(credentials: &Credentials, since: Instant, renew: Arc<dyn Renew>) -> Self {
        let credentials = for_sdk(credentials);
        let given_out = vec![credentials.clone()].into();
        let current = Mutex::new(Current { credentials, since, rest_until: None, number: 1 });
        Self(Arc::new(Inner { current, number: AtomicU64::new(1), expired: AtomicU64::new(0), renew, given_out }))
    }

    /// Requests wait at the lock, so one renewal serves them all.
    async fn provide(&self) -> SdkCredentials {
        let mut current = self.0.current.lock().await;
        let refused = current.number <= self.0.expired.load(Ordering::Acquire);
        let resting = current.rest_until.is_some_and(|until| Instant::now() < until);
        if resting || !refused && current.since.elapsed() < RENEW_AFTER {
            return current.credentials.clone();
        }
        let since = Instant::now();
        match self.0.renew.renew().await {
            Ok(fresh) => {
                tracing::info!("renewed the job's credentials");
                let number = current.number + 1;
                let credentials = for_sdk(&fresh);
                self.issued().push(credentials.clone());
                *current = Current { credentials, since, rest_until: None, number };
                self.0.number.store(number, Ordering::Release);
                current.credentials.clone()
            }
            // The old credentials may still be valid. If not, S3's refusal names the problem best.
            Err(reason) => {
                tracing::warn!(
                    reason,
                    "could not renew the job's credentials; the old ones serve until S3 refuses them"
                );
                current.rest_until = Some(Instant::now() + REST);
                current.credentials.clone()
            }
        }
    }

    /// All credentials that have signed requests.
    pub(super) fn given_out(&self) -> Vec<SdkCredentials> {
        self.issued().clone()
    }

    fn issued(&self) -> MutexGuard<'_, Vec<SdkCredentials>> {
        self.0.given_out.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Records that S3 calls the current credentials expired. If they have been renewed since the request was signed,
    /// the extra renewal does no harm.
    fn expired(&self) {
        self.0.expired.fetch_max(self.0.number.load(Ordering::Acquire), Ordering::AcqRel);
    }
}

fn for_sdk(credentials: &Credentials) -> SdkCredentials {
    SdkCredentials::new(
        credentials.access_key_id.as_str(),
        credentials.secret_access_key.expose_secret(),
        Some(credentials.session_token.expose_secret().to_owned()),
        None,
        "CodePipelineJob",
    )
}

impl fmt::Debug for Renewing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Renewing")
    }
}

impl ProvideCredentials for Renewing {
    fn provide_credentials<'a>(&'a self) -> future::ProvideCredentials<'a>
    where
        Self: 'a,
    {
        future::ProvideCredentials::new(async { Ok(self.provide().await) })
    }
}

/// Retries a request whose credentials had expired. Fresh ones sign the next try.
impl ClassifyRetry for Renewing {
    fn classify_retry(&self, context: &InterceptorContext) -> RetryAction {
        let body =
            context.response().filter(|response| response.status().as_u16() == 400).and_then(|it| it.body().bytes());
        if body.is_some_and(|body| memchr::memmem::find(body, b"<Code>ExpiredToken</Code>").is_some()) {
            self.expired();
            return RetryAction::server_error();
        }
        RetryAction::NoActionIndicated
    }

    fn name(&self) -> &'static str {
        "expired credentials"
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::AtomicU32;

    use super::*;

    /// Returns `key-1`, `key-2`, …, or fails.
    #[derive(Default)]
    struct Counting {
        renewals: AtomicU32,
        fails: bool,
    }

    impl Renew for Counting {
        fn renew(&self) -> Pin<Box<dyn Future<Output = Result<Credentials, String>> + Send + '_>> {
            Box::pin(async {
                let number = self.renewals.fetch_add(1, Ordering::SeqCst) + 1;
                if self.fails { Err("down".to_owned()) } else { Ok(credentials(&format!("key-{number}"))) }
            })
        }
    }

    fn credentials(key: &str) -> Credentials {
        Credentials {
            access_key_id: key.to_owned(),
            secret_access_key: "secret".to_owned().into(),
            session_token: "token".to_owned().into(),
        }
    }

    async fn key(renewing: &Renewing) -> String {
        renewing.provide().await.access_key_id().to_owned()
    }

    #[tokio::test(start_paused = true)]
    async fn credentials_are_renewed_after_14_minutes() {
        let renewing = Renewing::new(&credentials("polled"), Instant::now(), Arc::new(Counting::default()));
        tokio::time::advance(Duration::from_secs(14 * 60 - 1)).await;
        assert_eq!(key(&renewing).await, "polled");
        tokio::time::advance(Duration::from_secs(1)).await;
        assert_eq!(key(&renewing).await, "key-1");
        assert_eq!(key(&renewing).await, "key-1");
        tokio::time::advance(Duration::from_secs(14 * 60)).await;
        assert_eq!(key(&renewing).await, "key-2");
    }

    #[tokio::test(start_paused = true)]
    async fn expired_credentials_are_renewed_once() {
        let renewing = Renewing::new(&credentials("polled"), Instant::now(), Arc::new(Counting::default()));
        renewing.expired();
        renewing.expired();
        assert_eq!(key(&renewing).await, "key-1");
        assert_eq!(key(&renewing).await, "key-1");
    }

    #[tokio::test(start_paused = true)]
    async fn failed_renewal_leaves_the_old_credentials() {
        let failing = Arc::new(Counting { fails: true, ..Counting::default() });
        let renewing = Renewing::new(&credentials("polled"), Instant::now(), failing);
        tokio::time::advance(RENEW_AFTER).await;
        assert_eq!(key(&renewing).await, "polled");
        renewing.expired();
        assert_eq!(key(&renewing).await, "polled");
    }
}
