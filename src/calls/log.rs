//! Logs each call to a service at DEBUG: service, operation, HTTP status and time. Never a body, a header or an SDK's error.

use std::sync::atomic::{AtomicBool, Ordering};

use aws_smithy_runtime_api::box_error::BoxError;
use aws_smithy_runtime_api::client::interceptors::Intercept;
use aws_smithy_runtime_api::client::interceptors::context::{
    BeforeTransmitInterceptorContextRef, FinalizerInterceptorContextRef,
};
use aws_smithy_runtime_api::client::orchestrator::Metadata;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::config_bag::{ConfigBag, Storable, StoreReplace};
use tokio::time::Instant;

use crate::telemetry::milliseconds;

/// A call under way. Dropped without a response, it logs that the caller cut it off.
#[derive(Debug)]
pub(crate) struct CallLog {
    service: String,
    operation: String,
    began: Instant,
    is_over: AtomicBool,
}

impl CallLog {
    pub(crate) fn begin(service: &str, operation: &str) -> Self {
        let (service, operation) = (service.to_owned(), operation.to_owned());
        Self { service, operation, began: Instant::now(), is_over: AtomicBool::new(false) }
    }

    /// Logs the end of the call. `None` if it got no response.
    pub(crate) fn ended(&self, status: Option<u16>) {
        self.is_over.store(true, Ordering::Relaxed);
        let (service, operation) = (self.service.as_str(), self.operation.as_str());
        let took = milliseconds(self.began.elapsed());
        match status {
            Some(status) => tracing::debug!(service, operation, status, durationMs = took, "called a service"),
            None => tracing::debug!(service, operation, durationMs = took, "a call got no response"),
        }
    }

    /// Logs nothing: the request was only signed, for a link.
    fn was_not_sent(&self) {
        self.is_over.store(true, Ordering::Relaxed);
    }
}

impl Drop for CallLog {
    fn drop(&mut self) {
        if !self.is_over.load(Ordering::Relaxed) {
            let (service, operation) = (self.service.as_str(), self.operation.as_str());
            let took = milliseconds(self.began.elapsed());
            tracing::debug!(service, operation, durationMs = took, "cut off a call");
        }
    }
}

impl Storable for CallLog {
    type Storer = StoreReplace<Self>;
}

/// Watches the requests of an SDK's client. One that the SDK repeats is several calls.
#[derive(Debug)]
pub(crate) struct LogCalls;

impl Intercept for LogCalls {
    fn name(&self) -> &'static str {
        "LogCalls"
    }

    fn read_before_transmit(
        &self,
        _: &BeforeTransmitInterceptorContextRef<'_>,
        _: &RuntimeComponents,
        config: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        if !tracing::enabled!(tracing::Level::DEBUG) {
            return Ok(());
        }
        let call = config.load::<Metadata>().map(|call| CallLog::begin(call.service(), call.name()));
        if let Some(call) = call {
            config.interceptor_state().store_put(call);
        }
        Ok(())
    }

    fn read_after_attempt(
        &self,
        context: &FinalizerInterceptorContextRef<'_>,
        _: &RuntimeComponents,
        config: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        if let Some(call) = config.load::<CallLog>() {
            match (context.response(), context.output_or_error()) {
                (Some(response), _) => call.ended(Some(response.status().as_u16())),
                (None, Some(_)) => call.ended(None),
                (None, None) => call.was_not_sent(),
            }
        }
        Ok(())
    }
}
