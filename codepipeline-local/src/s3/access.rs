//! Access control: a job's temporary credentials reach that job's objects, and an ordinary user reaches everything.

use std::sync::Arc;

use http::{HeaderMap, Uri};
use s3s::access::{S3Access, S3AccessContext};
use s3s::auth::{S3Auth, SecretKey};
use s3s::{S3Error, S3ErrorCode, S3Result, s3_error};
use secrecy::{ExposeSecret, SecretString};

use super::signature::{ORDINARY_SECRET, query_values};
use crate::access_keys::REFUSED;
use crate::clock::Clock;
use crate::request_log::RequestLog;
use crate::types::{Grant, ObjectRef, Permissions, User};

/// The prefix of temporary access keys (IAM User Guide, "IAM identifiers").
const TEMPORARY: &str = "ASIA";

/// The headers with the expected owners of the bucket and of the source bucket.
const EXPECTED_OWNERS: [&str; 2] = ["x-amz-expected-bucket-owner", "x-amz-source-expected-bucket-owner"];

/// Marks a request with a job's credentials.
#[derive(Clone)]
pub(super) struct JobCaller {
    /// The KMS key that the job's uploads must name, if any.
    pub(super) encryption_key: Option<String>,
}

/// The owner of an access key.
pub(super) enum Caller {
    Job(Grant),
    /// A user who must sign with this secret.
    Known(SecretString),
    Ordinary,
}

/// Finds the owner of an access key. Returns an error for a temporary key that belongs to no job, and for an unknown key.
pub(super) fn caller(permissions: &dyn Permissions, access_key_id: &str) -> S3Result<Caller> {
    if let Some(grant) = permissions.grant(access_key_id) {
        return Ok(Caller::Job(grant));
    }
    match permissions.user(access_key_id) {
        User::Known(secret) => Ok(Caller::Known(secret)),
        User::Unknown => Err(S3Error::with_message(S3ErrorCode::InvalidAccessKeyId, REFUSED)),
        User::Anyone if access_key_id.starts_with(TEMPORARY) => {
            Err(s3_error!(InvalidAccessKeyId, "The AWS Access Key Id you provided does not exist in our records."))
        }
        User::Anyone => Ok(Caller::Ordinary),
    }
}

pub(super) struct Auth(pub(super) Arc<dyn Permissions>);

#[async_trait::async_trait]
impl S3Auth for Auth {
    async fn get_secret_key(&self, access_key: &str) -> S3Result<SecretKey> {
        Ok(match caller(&*self.0, access_key)? {
            Caller::Job(grant) => SecretKey::from(grant.secret_access_key),
            Caller::Known(secret) => SecretKey::from(secret.expose_secret()),
            Caller::Ordinary => SecretKey::from(ORDINARY_SECRET),
        })
    }
}

#[derive(Clone)]
pub(super) struct Access {
    pub(super) permissions: Arc<dyn Permissions>,
    /// The account that owns every bucket.
    pub(super) account_id: String,
    pub(super) clock: Clock,
    pub(super) log: RequestLog,
}

#[async_trait::async_trait]
impl S3Access for Access {
    async fn check(&self, cx: &mut S3AccessContext<'_>) -> S3Result<()> {
        let object = cx.s3_path().as_object();
        let object = object.map(|(bucket, key)| ObjectRef { bucket: bucket.to_owned(), key: key.to_owned() });
        let access_key = cx.credentials().map(|credentials| credentials.access_key.as_str());
        let job = self.authorize(cx.s3_op().name(), access_key, (cx.uri(), cx.headers()), object.as_ref())?;
        if let Some(job) = job {
            cx.extensions_mut().insert(job);
        }
        Ok(())
    }
}

impl Access {
    /// Logs and authorizes the operation. Returns the job, if a job calls.
    pub(super) fn authorize(
        &self,
        operation: &str,
        access_key: Option<&str>,
        (uri, headers): (&Uri, &HeaderMap),
        object: Option<&ObjectRef>,
    ) -> S3Result<Option<JobCaller>> {
        self.log.add(operation);
        let Some(access_key) = access_key else {
            // The location shows whether the host or the path named the bucket.
            let place = object.map(|object| format!(" to s3://{}/{}", object.bucket, object.key)).unwrap_or_default();
            let message = format!("This request{place} is not signed: sign it with any access key and secret");
            return Err(S3Error::with_message(S3ErrorCode::AccessDenied, message));
        };
        let caller = caller(&*self.permissions, access_key)?;
        self.check_owner(headers)?;
        let Caller::Job(grant) = caller else { return Ok(None) };
        let in_header = headers.get("x-amz-security-token").and_then(|value| value.to_str().ok());
        let in_query = query_values(uri).remove("X-Amz-Security-Token");
        if in_header.or(in_query.as_deref()) != Some(grant.session_token.as_str()) {
            return Err(s3_error!(InvalidToken, "The provided token is malformed or otherwise invalid."));
        }
        if self.clock.now() >= grant.expires {
            return Err(s3_error!(ExpiredToken, "The provided token has expired."));
        }
        if !object.is_some_and(|object| allowed(&grant, operation, object)) {
            let message = format!("A job's credentials reach only its own artifacts: {operation} is denied here");
            return Err(S3Error::with_message(S3ErrorCode::AccessDenied, message));
        }
        Ok(Some(JobCaller { encryption_key: grant.encryption_key }))
    }

    /// Returns an error if the request expects another owner of a bucket (S3 User Guide, "Verifying bucket ownership
    /// with bucket owner condition").
    fn check_owner(&self, headers: &HeaderMap) -> S3Result<()> {
        for name in EXPECTED_OWNERS {
            if headers.get(name).is_some_and(|owner| owner.as_bytes() != self.account_id.as_bytes()) {
                let message = format!(
                    "Access Denied: account {} owns every bucket, but {name} names another account",
                    self.account_id
                );
                return Err(S3Error::with_message(S3ErrorCode::AccessDenied, message));
            }
        }
        Ok(())
    }
}

fn allowed(grant: &Grant, operation: &str, object: &ObjectRef) -> bool {
    match operation {
        "GetObject" | "HeadObject" => grant.readable.contains(object),
        "PutObject"
        | "CreateMultipartUpload"
        | "UploadPart"
        | "CompleteMultipartUpload"
        | "AbortMultipartUpload"
        | "ListParts" => grant.writable.contains(object),
        _ => false,
    }
}
