//! Objects that providers read into files, and store from files.

use std::fs::File;
use std::path::Path;

use http::HeaderValue;
use s3s::dto::{PutObjectInput, ServerSideEncryption, StreamingBlob};
use s3s::{S3Error, S3ErrorCode, S3Result};

use super::catalog::internal;
use super::objects::contents;
use super::storage::own_request;
use super::store::Store;
use crate::types::ObjectRef;

/// How a provider stores an object.
#[derive(Clone, Debug, Default)]
pub(crate) struct Upload {
    pub(crate) content_type: String,
    pub(crate) cache_control: Option<String>,
    /// A canned ACL, such as `public-read`.
    pub(crate) acl: Option<String>,
    /// The KMS key that encrypts the object. Without it, the bucket decides.
    pub(crate) kms_key: Option<String>,
}

/// Why an object could not be read or stored.
#[derive(Debug, thiserror::Error)]
pub(crate) enum FileError {
    /// The bucket or object does not exist.
    #[error("s3://{bucket}/{key}: {code}")]
    NotFound { bucket: String, key: String, code: String },
    /// S3 refuses the request, or the disk failed.
    #[error("s3://{bucket}/{key}: {why}")]
    Failed { bucket: String, key: String, why: String },
}

impl Store {
    /// Opens the file with the object's bytes, and returns its size. The file stays readable when the object is replaced. Blocks.
    pub(crate) fn open_file(&self, place: &ObjectRef) -> Result<(File, u64), FileError> {
        let open = || {
            let object = self.storage.catalog.get(&place.bucket, &place.key)?;
            object.record.details.check_readable()?;
            let file = File::open(object.blob.file()).map_err(internal)?;
            Ok((file, object.record.size))
        };
        open().map_err(|error| explained(place, &error))
    }

    /// Copies the object's bytes into a new file.
    pub(crate) async fn read_into(&self, place: &ObjectRef, file: &Path) -> Result<(), FileError> {
        let read = async {
            let object = self.storage.catalog.get(&place.bucket, &place.key)?;
            object.record.details.check_readable()?;
            // The object keeps its file until this function drops it.
            tokio::fs::copy(object.blob.file(), file).await.map_err(internal)?;
            Ok(())
        };
        read.await.map_err(|error| explained(place, &error))
    }

    /// Stores a file as an object, as `PutObject` does. In an artifact store, SSE-KMS with the store's own `artifact_key` encrypts it.
    pub(crate) async fn store_file(
        &self,
        file: &Path,
        place: &ObjectRef,
        upload: Upload,
        artifact_key: Option<&str>,
    ) -> Result<(), FileError> {
        let stored = self.put_file(file, place, upload, artifact_key).await;
        stored.map_err(|error| explained(place, &error))
    }

    /// Stores a zip as an object, encrypted as its bucket demands.
    pub(crate) async fn store_zip(&self, zip: &Path, place: &ObjectRef) -> Result<(), FileError> {
        let upload = Upload { content_type: "application/zip".to_owned(), ..Upload::default() };
        self.store_file(zip, place, upload, None).await
    }

    async fn put_file(
        &self,
        file: &Path,
        place: &ObjectRef,
        upload: Upload,
        artifact_key: Option<&str>,
    ) -> S3Result<()> {
        let size = tokio::fs::metadata(file).await.map_err(internal)?.len();
        let bytes = contents(file.to_owned(), 0, size).await.map_err(internal)?;
        let artifact = self.permissions.is_artifact_store(&place.bucket);
        let kms_key = if artifact { artifact_key.map(str::to_owned) } else { upload.kms_key };
        let kms =
            (artifact || kms_key.is_some()).then(|| ServerSideEncryption::from_static(ServerSideEncryption::AWS_KMS));
        let input = PutObjectInput {
            bucket: place.bucket.clone(),
            key: place.key.clone(),
            body: Some(StreamingBlob::wrap(bytes)),
            content_type: Some(upload.content_type),
            cache_control: upload.cache_control,
            server_side_encryption: kms,
            ssekms_key_id: kms_key,
            ..PutObjectInput::default()
        };
        let mut request = own_request(input);
        if let Some(acl) = upload.acl {
            let invalid = |_| S3Error::with_message(S3ErrorCode::InvalidArgument, "the ACL is not a header value");
            request.headers.insert("x-amz-acl", HeaderValue::try_from(acl).map_err(invalid)?);
        }
        self.storage.put(request).await?;
        Ok(())
    }
}

fn explained(place: &ObjectRef, error: &S3Error) -> FileError {
    let ObjectRef { bucket, key } = place.clone();
    let code = error.code().as_str().to_owned();
    match error.code() {
        S3ErrorCode::NoSuchBucket | S3ErrorCode::NoSuchKey => FileError::NotFound { bucket, key, code },
        _ => FileError::Failed { bucket, key, why: error.message().map_or(code, str::to_owned) },
    }
}
