//! S3 clients: one for each job with its credentials, and one with the function's own.

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
use crate::calls::LogCalls;
use crate::job::Credentials;

/// The common part of all jobs' S3 clients: the HTTP client with its connections, region, endpoint, retries and
/// timeouts.
#[derive(Clone)]
pub struct Stores {
    settings: ClientSettings,
    own: OwnClient,
}

#[derive(Clone)]
struct ClientSettings {
    sdk_config: SdkConfig,
    timeouts: TimeoutConfig,
    path_style: bool,
}

impl ClientSettings {
    fn builder(&self) -> Builder {
        Builder::from(&self.sdk_config)
            .interceptor(LogCalls)
            .timeout_config(self.timeouts.clone())
            .force_path_style(self.path_style)
    }
}

/// A client with the function's own credentials. Created when it is first needed, because few kinds of action need it.
#[derive(Clone)]
pub(super) struct OwnClient {
    settings: ClientSettings,
    caller: Arc<OnceLock<Caller>>,
}

impl OwnClient {
    pub(super) fn get(&self) -> Caller {
        let provider = || self.settings.sdk_config.credentials_provider();
        let caller = || Caller::function(Client::from_conf(self.settings.builder().build()), provider());
        self.caller.get_or_init(caller).clone()
    }
}

impl Stores {
    /// Takes all but the timeouts from `sdk_config`. Its credentials are only for reading what [`Store::copy_out`]
    /// copies. If an endpoint is configured, for all services or for S3, URLs have the bucket in their path, because
    /// `bucket.localhost` does not resolve.
    pub fn new(sdk_config: &SdkConfig) -> Self {
        let path_style = sdk_config.endpoint_url().is_some() || has_endpoint_for_s3(sdk_config);
        Self::with(ClientSettings { sdk_config: sdk_config.clone(), timeouts: timeouts::usual(), path_style })
    }

    fn with(settings: ClientSettings) -> Self {
        Self { own: OwnClient { settings: settings.clone(), caller: Arc::default() }, settings }
    }

    /// A store with the job's rights to its artifacts and no others. It has used `credentials` since `since`, and gets
    /// new ones from `renew` when they are due. Only the store keeps them.
    pub fn for_job(&self, credentials: &Credentials, since: Instant, renew: Arc<dyn Renew>) -> Store {
        let renewing = Renewing::new(credentials, since, renew);
        // A quota of retries for each job. By default the SDK has one for the process, so one job's trouble with S3
        // would spend the retries of later jobs.
        let quota = RetryPartition::custom("job").token_bucket(TokenBucket::default()).build();
        let config = self
            .settings
            .builder()
            .retry_partition(quota)
            .credentials_provider(renewing.clone())
            .identity_cache(IdentityCache::no_cache())
            .retry_classifier(renewing.clone())
            .build();
        Store::new(Caller::job(Client::from_conf(config), renewing), self.own.clone())
    }
}

/// Whether `AWS_ENDPOINT_URL_S3` or the profile's `services` section has an endpoint. The S3 client finds it by the
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
    async fn silent_s3_is_unavailable() {
        // The system accepts connections, but no server reads from them.
        let silent = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let config = aws_config::defaults(BehaviorVersion::v2026_01_12())
            .region(Region::new("eu-central-1"))
            .retry_config(RetryConfig::disabled())
            .endpoint_url(format!("http://{}", silent.local_addr().unwrap()))
            .no_credentials()
            .load()
            .await;
        let stores = Stores::new(&config);
        let timeouts = stores.settings.timeouts.clone();
        assert_eq!(timeouts.connect_timeout(), Some(Duration::from_secs(3)));
        assert_eq!(timeouts.operation_attempt_timeout(), Some(Duration::from_secs(60)));
        // The same timeouts, but a shorter one for the test.
        assert_eq!(timeouts.read_timeout(), Some(Duration::from_secs(10)));
        let timeouts = timeouts.to_builder().read_timeout(Duration::from_millis(100)).build();
        let (access_key_id, secret_access_key, session_token) = ("x".to_owned(), "y".into(), "z".into());
        let stores = Stores::with(ClientSettings { timeouts, ..stores.settings });
        let credentials = Credentials { access_key_id, secret_access_key, session_token };
        let store = stores.for_job(&credentials, Instant::now(), Arc::new(NoRenewal));
        let artifact = Artifact { name: "App".into(), bucket: "b".into(), key: "k".into(), revision: None };
        let folder = tempfile::tempdir().unwrap();
        let limits = UnpackLimits { max_unpacked_bytes: 1, max_entries: 1 };
        let problem = store.stage_in(&artifact, folder.path(), &limits).await.unwrap_err().problem;
        let reason = "no response in time".to_owned();
        assert_eq!(problem, Problem::Unavailable { doing: "read the object", reason });
    }
}
