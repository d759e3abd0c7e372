//! Presigned requests for a job's artifacts, for services without an AWS SDK.

use std::time::Duration;

use aws_sdk_s3::presigning::{PresignedRequest, PresigningConfig};
use aws_sdk_s3::types::ServerSideEncryption;
use secrecy::SecretString;

use super::{Problem, StagingError, Store};
use crate::job::Artifact;

/// Longer than the lifetime of the credentials (about 15 minutes), which ends a link anyway.
const LIFE: Duration = Duration::from_secs(15 * 60);

/// A presigned request.
pub struct Presigned {
    /// The URL with its signature: a secret.
    pub url: SecretString,
    /// Signed headers that must be sent.
    pub headers: Vec<(String, String)>,
}

impl Store {
    /// A link that downloads the artifact's object.
    ///
    /// # Errors
    /// Returns an error if there are no credentials to sign with.
    pub async fn presign_download(&self, artifact: &Artifact) -> Result<Presigned, StagingError> {
        let request = self.caller.client.get_object().bucket(&artifact.bucket).key(&artifact.key);
        presigned(artifact, request.presigned(life(artifact)?).await)
    }

    /// A link that uploads the artifact's object. Its headers make S3 encrypt the object with `encryption_key`, or with
    /// the account's `aws/s3` key.
    ///
    /// # Errors
    /// Returns an error if there are no credentials to sign with.
    pub async fn presign_upload(
        &self,
        artifact: &Artifact,
        encryption_key: Option<&str>,
    ) -> Result<Presigned, StagingError> {
        let request = self
            .caller
            .client
            .put_object()
            .bucket(&artifact.bucket)
            .key(&artifact.key)
            .server_side_encryption(ServerSideEncryption::AwsKms)
            .set_ssekms_key_id(encryption_key.map(str::to_owned));
        presigned(artifact, request.presigned(life(artifact)?).await)
    }
}

fn life(artifact: &Artifact) -> Result<PresigningConfig, StagingError> {
    PresigningConfig::expires_in(LIFE).map_err(|_| unsigned(artifact))
}

fn presigned<E>(artifact: &Artifact, request: Result<PresignedRequest, E>) -> Result<Presigned, StagingError> {
    let request = request.map_err(|_| unsigned(artifact))?;
    // Every client sends its own Host.
    let headers = request.headers().filter(|(name, _)| !name.eq_ignore_ascii_case("host"));
    Ok(Presigned {
        url: request.uri().into(),
        headers: headers.map(|(name, value)| (name.to_owned(), value.to_owned())).collect(),
    })
}

fn unsigned(artifact: &Artifact) -> StagingError {
    let reason = "could not sign the request".to_owned();
    StagingError::new(artifact, Problem::Unavailable { doing: "make a link to the object", reason })
}
