//! S3 clients: each job's, with that job's credentials, and one with the function's own.

use std::sync::{Arc, OnceLock};

use aws_config::SdkConfig;
use aws_sdk_s3::Client;
use aws_sdk_s3::config::{Builder, IdentityCache};
use tokio::time::Instant;

use super::Store;
use super::renewal::{Renew, Renewing};
use crate::job::Credentials;

/// What the S3 clients of all jobs share: the HTTP client with its connections, region, endpoint, retries and timeouts.
#[derive(Clone)]
pub struct Stores {
    config: SdkConfig,
    own: OwnClient,
}

/// A client with the function's own credentials, made when it is first needed: few kinds of action need it.
#[derive(Clone)]
pub(super) struct OwnClient {
    config: SdkConfig,
    client: Arc<OnceLock<Client>>,
}

impl OwnClient {
    pub(super) fn get(&self) -> Client {
        self.client.get_or_init(|| Client::from_conf(builder(&self.config).build())).clone()
    }
}

/// Wherever an endpoint is configured, buckets are named in the path, since `bucket.127.0.0.1` is no host.
fn builder(config: &SdkConfig) -> Builder {
    Builder::from(config).force_path_style(config.endpoint_url().is_some())
}

impl Stores {
    /// From the process's configuration. Its credentials read what [`Store::copy_out`] copies, and nothing else.
    pub fn new(config: &SdkConfig) -> Self {
        Self { config: config.clone(), own: OwnClient { config: config.clone(), client: Arc::default() } }
    }

    /// A store that has the job's rights to its artifacts and no others: with `credentials`, which it has had `since` then,
    /// and with what `renew` gives when these have had their time. Nothing caches them beyond the store.
    pub fn for_job(&self, credentials: &Credentials, since: Instant, renew: Arc<dyn Renew>) -> Store {
        let renewing = Renewing::new(credentials, since, renew);
        let config = builder(&self.config)
            .credentials_provider(renewing.clone())
            .identity_cache(IdentityCache::no_cache())
            .retry_classifier(renewing)
            .build();
        Store::new(Client::from_conf(config), self.own.clone())
    }
}
