//! S3 clients: each job's, with that job's credentials, and one with the function's own.

use std::sync::{Arc, OnceLock};

use aws_config::SdkConfig;
use aws_sdk_s3::Client;
use aws_sdk_s3::config::retry::{RetryPartition, TokenBucket};
use aws_sdk_s3::config::timeout::TimeoutConfig;
use aws_sdk_s3::config::{Builder, IdentityCache};
use aws_types::service_config::ServiceConfigKey;
use tokio::time::Instant;

use super::caller::Caller;
use super::renewal::{Renew, Renewing};
use super::{Store, timeouts};
use crate::job::Credentials;

/// What the S3 clients of all jobs share: the HTTP client with its connections, region, endpoint, retries and timeouts.
#[derive(Clone)]
pub struct Stores {
    shared: Shared,
    own: OwnClient,
}

#[derive(Clone)]
struct Shared {
    config: SdkConfig,
    timeouts: TimeoutConfig,
    path_style: bool,
}

impl Shared {
    fn builder(&self) -> Builder {
        Builder::from(&self.config).timeout_config(self.timeouts.clone()).force_path_style(self.path_style)
    }
}

/// A client with the function's own credentials, made when it is first needed: few kinds of action need it.
#[derive(Clone)]
pub(super) struct OwnClient {
    shared: Shared,
    caller: Arc<OnceLock<Caller>>,
}

impl OwnClient {
    pub(super) fn get(&self) -> Caller {
        let provider = || self.shared.config.credentials_provider();
        let caller = || Caller::function(Client::from_conf(self.shared.builder().build()), provider());
        self.caller.get_or_init(caller).clone()
    }
}

impl Stores {
    /// From the process's configuration, but for its timeouts. Its credentials read what [`Store::copy_out`] copies, and
    /// nothing else. Wherever an endpoint is configured, for all services or for S3 alone, buckets are named in the path,
    /// since `bucket.localhost` is no host.
    pub fn new(config: &SdkConfig) -> Self {
        let path_style = config.endpoint_url().is_some() || has_endpoint_for_s3(config);
        Self::with(Shared { config: config.clone(), timeouts: timeouts::usual(), path_style })
    }

    fn with(shared: Shared) -> Self {
        Self { own: OwnClient { shared: shared.clone(), caller: Arc::default() }, shared }
    }

    /// A store that has the job's rights to its artifacts and no others: with `credentials`, which it has had `since` then,
    /// and with what `renew` gives when these have had their time. Nothing caches them beyond the store.
    pub fn for_job(&self, credentials: &Credentials, since: Instant, renew: Arc<dyn Renew>) -> Store {
        let renewing = Renewing::new(credentials, since, renew);
        // The SDK's quota of retries is the process's by default: what one job's trouble with S3 had spent would be lacking
        // for every job after it.
        let quota = RetryPartition::custom("job").token_bucket(TokenBucket::default()).build();
        let config = self
            .shared
            .builder()
            .retry_partition(quota)
            .credentials_provider(renewing.clone())
            .identity_cache(IdentityCache::no_cache())
            .retry_classifier(renewing.clone())
            .build();
        Store::new(Caller::job(Client::from_conf(config), renewing), self.own.clone())
    }
}

/// Whether `AWS_ENDPOINT_URL_S3` or the profile's `services` section names an endpoint, which the S3 client finds by the
/// same key ("Service-specific endpoints", AWS SDKs and Tools reference).
fn has_endpoint_for_s3(config: &SdkConfig) -> bool {
    let key = ServiceConfigKey::builder().service_id("S3").env("AWS_ENDPOINT_URL").profile("endpoint_url").build();
    let endpoint = config.service_config().zip(key.ok()).and_then(|(services, key)| services.load_config(key));
    endpoint.is_some()
}

#[cfg(test)]
mod tests {
    use std::pin::Pin;
    use std::time::Duration;

    use aws_config::retry::RetryConfig;
    use aws_config::{BehaviorVersion, Region};

    use super::super::{Problem, UnpackLimits};
    use super::*;
    use crate::job::Artifact;

    struct NoRenewal;

    impl Renew for NoRenewal {
        fn renew(&self) -> Pin<Box<dyn Future<Output = Result<Credentials, String>> + Send + '_>> {
            unreachable!("the credentials are fresh")
        }
    }

    #[tokio::test]
    async fn an_s3_that_takes_requests_but_never_answers_is_reported_as_unavailable() {
        // Connections are made by the system; nobody accepts them.
        let silent = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let config = aws_config::defaults(BehaviorVersion::v2026_01_12())
            .region(Region::new("eu-central-1"))
            .retry_config(RetryConfig::disabled())
            .endpoint_url(format!("http://{}", silent.local_addr().unwrap()))
            .no_credentials()
            .load()
            .await;
        let stores = Stores::new(&config);
        let shared = stores.shared.timeouts.clone();
        assert_eq!(shared.connect_timeout(), Some(Duration::from_secs(3)));
        assert_eq!(shared.operation_attempt_timeout(), Some(Duration::from_secs(60)));
        // The same, but sooner than the test would want to wait.
        assert_eq!(shared.read_timeout(), Some(Duration::from_secs(10)));
        let timeouts = shared.to_builder().read_timeout(Duration::from_millis(100)).build();
        let (access_key_id, secret_access_key, session_token) = ("x".to_owned(), "y".into(), "z".into());
        let stores = Stores::with(Shared { timeouts, ..stores.shared });
        let credentials = Credentials { access_key_id, secret_access_key, session_token };
        let store = stores.for_job(&credentials, Instant::now(), Arc::new(NoRenewal));
        let artifact = Artifact { name: "App".into(), bucket: "b".into(), key: "k".into(), revision: None };
        let folder = tempfile::tempdir().unwrap();
        let limits = UnpackLimits { max_unpacked_bytes: 1, max_entries: 1 };
        let problem = store.stage_in(&artifact, folder.path(), &limits).await.unwrap_err().problem;
        let reason = "no answer in time".to_owned();
        assert_eq!(problem, Problem::Unavailable { doing: "read the object", reason });
    }
}
