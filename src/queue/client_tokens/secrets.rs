//! The texts of secrets in AWS Secrets Manager. Only this file names `aws_sdk_secretsmanager`.

use std::sync::OnceLock;
use std::time::Duration;

use aws_config::SdkConfig;
use aws_sdk_secretsmanager::Client;
use aws_sdk_secretsmanager::config::retry::{RetryPartition, TokenBucket};
use aws_sdk_secretsmanager::config::timeout::TimeoutConfig;
use aws_sdk_secretsmanager::error::SdkError;
use aws_sdk_secretsmanager::operation::get_secret_value::GetSecretValueError;
use secrecy::SecretString;

use super::problem::TokenProblem;
use crate::calls::{ErrorResponse, LogCalls, sort};

/// All tries of one look-up together. The SDK's three would take 3 × 3 s and pauses of at most 1 + 2 s, 12 s in all;
/// this cuts them short. The caller's own deadline may end them earlier.
const LOOK_UP: Duration = Duration::from_secs(6);
const TRY: Duration = Duration::from_secs(3);

/// A client of Secrets Manager.
pub(super) struct Secrets {
    sdk_config: SdkConfig,
    /// Created at the first look-up, because most workers serve no third-party jobs.
    client: OnceLock<Client>,
}

impl Secrets {
    pub(super) fn new(sdk_config: SdkConfig) -> Self {
        Self { sdk_config, client: OnceLock::new() }
    }

    /// The text of the secret `name`. `None` if the secret holds no text.
    pub(super) async fn text(&self, name: &str) -> Result<Option<SecretString>, TokenProblem> {
        let response = self.client().get_secret_value().secret_id(name).send().await;
        match response {
            Ok(value) => Ok(value.secret_string().map(SecretString::from)),
            Err(error)
                if error.as_service_error().is_some_and(GetSecretValueError::is_resource_not_found_exception) =>
            {
                Err(TokenProblem::NoSecret(name.to_owned()))
            }
            Err(error) => Err(TokenProblem::Unreadable { secret: name.to_owned(), reason: reason(&error) }),
        }
    }

    fn client(&self) -> &Client {
        self.client.get_or_init(|| {
            let timeouts = TimeoutConfig::builder().operation_timeout(LOOK_UP).operation_attempt_timeout(TRY).build();
            // A quota of retries of its own. An action's own clients of Secrets Manager spend the process's quota.
            let quota = RetryPartition::custom("client tokens").token_bucket(TokenBucket::default()).build();
            let config = aws_sdk_secretsmanager::config::Builder::from(&self.sdk_config)
                .interceptor(LogCalls)
                .timeout_config(timeouts)
                .retry_partition(quota)
                .build();
            Client::from_conf(config)
        })
    }
}

/// The error's code and HTTP status with what to change, or how the connection failed. An SDK error's own text may hold
/// a body.
fn reason(error: &SdkError<GetSecretValueError>) -> String {
    let failed = sort(error, |response| (response.meaning(), advice(response))).with_credentials_hint();
    format!("{}{}", failed.reason, failed.detail.unwrap_or_default())
}

fn advice(response: &ErrorResponse<'_>) -> &'static str {
    match response.code {
        Some("AccessDeniedException") => {
            ": the function's role needs secretsmanager:GetSecretValue for it, and kms:Decrypt for its key if that is its own"
        }
        Some("DecryptionFailure") => ": the function's role needs kms:Decrypt for its key",
        _ => "",
    }
}
