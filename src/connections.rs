//! Connections of the SDK's clients, which end with the invocation. Lambda freezes the process between invocations, and
//! a server meanwhile closes idle connections. The first request on such a connection would fail or hang.
//!
//! An idle timeout does not help: Lambda does not say whether its clock runs while the process is frozen.

use std::sync::{Arc, PoisonError, RwLock};

use aws_smithy_http_client::proxy::ProxyConfig;
use aws_smithy_http_client::tls::Provider;
use aws_smithy_http_client::tls::rustls_provider::CryptoMode;
use aws_smithy_http_client::{Builder, ConnectorBuilder};
use aws_smithy_runtime_api::client::http::{HttpClient, HttpConnectorSettings, SharedHttpClient, SharedHttpConnector};
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;

/// An HTTP client for all SDK clients. It can drop all of its connections at once.
#[derive(Clone, Debug)]
pub(crate) struct Connections(Arc<RwLock<SharedHttpClient>>);

impl Connections {
    pub(crate) fn new() -> Self {
        Self(Arc::new(RwLock::new(client())))
    }

    /// Drops all connections. Requests under way keep theirs; later ones open new connections.
    pub(crate) fn give_up(&self) {
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = client();
    }
}

impl HttpClient for Connections {
    /// The SDK asks for a connector for each request.
    fn http_connector(&self, settings: &HttpConnectorSettings, components: &RuntimeComponents) -> SharedHttpConnector {
        self.0.read().unwrap_or_else(PoisonError::into_inner).http_connector(settings, components)
    }
}

/// Builds the client like the SDK's default one, with proxy variables. It reads and connects nothing before the first
/// request.
fn client() -> SharedHttpClient {
    Builder::new().build_with_connector_fn(|settings, components| {
        let mut builder = ConnectorBuilder::default().tls_provider(Provider::Rustls(CryptoMode::AwsLc));
        builder.set_connector_settings(settings.cloned());
        builder.set_sleep_impl(components.and_then(RuntimeComponents::sleep_impl));
        builder.set_proxy_config(Some(ProxyConfig::from_env()));
        builder.build()
    })
}
