//! Objects that providers store from files.

use super::*;

async fn stored(server: &Server, bucket: &str, upload: Upload) -> Result<ObjectRef, FileError> {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("page");
    std::fs::write(&file, "hello").unwrap();
    let place = ObjectRef { bucket: bucket.to_owned(), key: "a/page.html".to_owned() };
    server.store.store_file(&file, &place, upload, Some("store-key")).await.map(|()| place)
}

#[tokio::test]
async fn artifact_is_encrypted_with_the_stores_key() {
    let server = Server::start().await;
    let upload =
        Upload { content_type: "application/zip".into(), kms_key: Some("another".into()), ..Upload::default() };
    let place = stored(&server, "artifacts", upload).await.unwrap();
    let head = server.anyone().head_object().bucket("artifacts").key(&place.key).send().await.unwrap();
    assert_eq!(head.server_side_encryption(), Some(&ServerSideEncryption::AwsKms));
    assert_eq!(head.ssekms_key_id(), Some("store-key"));
    assert_eq!((head.content_type(), head.content_length()), (Some("application/zip"), Some(5)));
}

#[tokio::test]
async fn deployed_file_has_its_headers_and_acl() {
    let server = Server::start().await;
    let upload = Upload {
        content_type: "text/html".into(),
        cache_control: Some("max-age=60".into()),
        acl: Some("public-read".into()),
        kms_key: None,
    };
    let place = stored(&server, "bucket", upload.clone()).await.unwrap();
    let client = server.anyone();
    let head = client.head_object().bucket("bucket").key(&place.key).send().await.unwrap();
    assert_eq!(head.server_side_encryption(), Some(&ServerSideEncryption::Aes256));
    assert_eq!((head.content_type(), head.cache_control()), (Some("text/html"), Some("max-age=60")));
    let acl = client.get_object_acl().bucket("bucket").key(&place.key).send().await.unwrap();
    assert_eq!(acl.grants().len(), 2);
    let wrong = Upload { acl: Some("no-such-acl".into()), ..upload };
    assert!(matches!(stored(&server, "bucket", wrong).await, Err(FileError::Failed { .. })));
}

#[tokio::test]
async fn read_file_is_a_copy() {
    let server = Server::start().await;
    let upload = Upload { content_type: "text/plain".into(), ..Upload::default() };
    let place = stored(&server, "bucket", upload).await.unwrap();
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("copy");
    server.store.read_into(&place, &file).await.unwrap();
    std::fs::write(&file, "changed").unwrap();
    let object = server.anyone().get_object().bucket("bucket").key(&place.key).send().await.unwrap();
    assert_eq!(object.body.collect().await.unwrap().to_vec(), b"hello");
    let missing = ObjectRef { key: "b".to_owned(), ..place };
    assert!(matches!(server.store.read_into(&missing, &file).await, Err(FileError::NotFound { .. })));
}
