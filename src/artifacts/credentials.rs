//! S3 clients with a job's own credentials.

use aws_config::SdkConfig;
use aws_credential_types::Credentials as SdkCredentials;
use aws_sdk_s3::config::timeout::TimeoutConfig;
use aws_sdk_s3::config::{Builder, IdentityCache};
use aws_types::service_config::ServiceConfigKey;
use secrecy::ExposeSecret;

use super::{Store, timeouts};
use crate::job::Credentials;

/// What the S3 clients of all jobs share: the HTTP client with its connections, region, endpoint, retries and timeouts.
#[derive(Clone)]
pub struct Stores {
    config: SdkConfig,
    timeouts: TimeoutConfig,
    path_style: bool,
}

impl Stores {
    /// From the process's configuration; its credentials and timeouts are not used. Wherever an endpoint is configured, for
    /// all services or for S3 alone, buckets are named in the path, since `bucket.localhost` is no host.
    pub fn new(config: &SdkConfig) -> Self {
        let path_style = config.endpoint_url().is_some() || has_endpoint_for_s3(config);
        Self { config: config.clone(), timeouts: timeouts::usual(), path_style }
    }

    /// A store that has the job's rights and no others. Nothing caches the credentials beyond the store.
    pub fn for_job(&self, credentials: &Credentials) -> Store {
        let credentials = SdkCredentials::new(
            credentials.access_key_id.as_str(),
            credentials.secret_access_key.expose_secret(),
            Some(credentials.session_token.expose_secret().to_owned()),
            None,
            "CodePipelineJob",
        );
        let config = Builder::from(&self.config)
            .credentials_provider(credentials)
            .identity_cache(IdentityCache::no_cache())
            .timeout_config(self.timeouts.clone())
            .force_path_style(self.path_style)
            .build();
        Store::new(aws_sdk_s3::Client::from_conf(config))
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
    use std::time::Duration;

    use aws_config::retry::RetryConfig;
    use aws_config::{BehaviorVersion, Region};

    use super::super::{Limits, Problem};
    use super::*;
    use crate::job::Artifact;

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
        let shared = stores.timeouts.clone();
        assert_eq!(shared.connect_timeout(), Some(Duration::from_secs(3)));
        assert_eq!(shared.operation_attempt_timeout(), Some(Duration::from_secs(60)));
        // The same, but sooner than the test would want to wait.
        assert_eq!(shared.read_timeout(), Some(Duration::from_secs(10)));
        let timeouts = shared.to_builder().read_timeout(Duration::from_millis(100)).build();
        let (access_key_id, secret_access_key, session_token) = ("x".to_owned(), "y".into(), "z".into());
        let store =
            Stores { timeouts, ..stores }.for_job(&Credentials { access_key_id, secret_access_key, session_token });
        let artifact = Artifact { name: "App".into(), bucket: "b".into(), key: "k".into(), revision: None };
        let folder = tempfile::tempdir().unwrap();
        let limits = Limits { max_unpacked_bytes: 1, max_entries: 1 };
        let problem = store.stage_in(&artifact, folder.path(), &limits).await.unwrap_err().problem;
        let reply = "no answer in time".to_owned();
        assert_eq!(problem, Problem::Unavailable { doing: "read the object", reply });
    }
}
