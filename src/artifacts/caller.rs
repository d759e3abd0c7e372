//! An S3 client with the credentials that sign its requests. A refusal names whose they are, but shows none of them.

use aws_credential_types::Credentials as SdkCredentials;
use aws_credential_types::provider::{ProvideCredentials, SharedCredentialsProvider};
use aws_sdk_s3::Client;
use aws_sdk_s3::config::http::HttpResponse;
use aws_sdk_s3::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_s3::operation::RequestId;

use super::error::Problem;
use super::renewal::Renewing;
use super::response::{self, Whose};

/// Sends requests to S3 for a job or for the function.
#[derive(Clone)]
pub(super) struct Caller {
    pub(super) client: Client,
    signer: Signer,
}

#[derive(Clone)]
enum Signer {
    Job(Renewing),
    Function(Option<SharedCredentialsProvider>),
}

impl Caller {
    /// A caller with a job's credentials.
    pub(super) fn job(client: Client, credentials: Renewing) -> Self {
        Self { client, signer: Signer::Job(credentials) }
    }

    /// A caller with the function's own credentials, from `provider`.
    pub(super) fn function(client: Client, provider: Option<SharedCredentialsProvider>) -> Self {
        Self { client, signer: Signer::Function(provider) }
    }

    /// Sorts the error of a request by what it means for a job. `doing` is the request, as a verb: `read the object`.
    pub(super) async fn problem<E>(&self, doing: &'static str, error: &SdkError<E, HttpResponse>) -> Problem
    where
        E: ProvideErrorMetadata + std::error::Error + 'static,
        SdkError<E, HttpResponse>: RequestId,
    {
        let mask = |text: &str, credentials: &[SdkCredentials]| credentials.iter().fold(text.to_owned(), masked);
        match &self.signer {
            Signer::Job(renewing) => {
                let credentials = renewing.given_out();
                response::problem(doing, Whose::Jobs, error, |text| mask(text, &credentials))
            }
            Signer::Function(provider) => {
                let credentials = match provider {
                    Some(provider) => provider.provide_credentials().await.ok(),
                    None => None,
                };
                response::problem(doing, Whose::Functions, error, |text| mask(text, credentials.as_slice()))
            }
        }
    }
}

/// The text without any part of the credentials. A server may repeat them.
fn masked(text: String, credentials: &SdkCredentials) -> String {
    let parts =
        [credentials.session_token().unwrap_or_default(), credentials.secret_access_key(), credentials.access_key_id()];
    parts.into_iter().filter(|part| !part.is_empty()).fold(text, |text, part| text.replace(part, "****"))
}
