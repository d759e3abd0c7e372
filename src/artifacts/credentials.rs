//! S3 clients with a job's own credentials.

use aws_config::SdkConfig;
use aws_credential_types::Credentials as SdkCredentials;
use aws_sdk_s3::config::{Builder, IdentityCache};
use secrecy::ExposeSecret;

use super::Store;
use crate::job::Credentials;

/// What the S3 clients of all jobs share: the HTTP client with its connections, region, endpoint, retries and timeouts.
#[derive(Clone)]
pub struct Stores {
    config: SdkConfig,
}

impl Stores {
    /// From the process's configuration; its credentials are not used. Wherever an endpoint is configured, buckets are
    /// named in the path, since `bucket.127.0.0.1` is no host.
    pub fn new(config: &SdkConfig) -> Self {
        Self { config: config.clone() }
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
            .force_path_style(self.config.endpoint_url().is_some())
            .build();
        Store::new(aws_sdk_s3::Client::from_conf(config))
    }
}
