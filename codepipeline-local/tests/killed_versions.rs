//! Versions of objects after a kill during writes.
#![allow(clippy::unwrap_used, reason = "a test whose set-up fails has failed")]

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use aws_sdk_s3::Client;
use aws_sdk_s3::config::{BehaviorVersion, Credentials, Region, retry::RetryConfig};
use aws_sdk_s3::types::{BucketVersioningStatus, VersioningConfiguration};

const KILLS: usize = 4;
const WRITERS: usize = 4;
/// How many answers come before the kill.
const ANSWERS: usize = 60;

/// The program with this data folder, and a client without retries.
fn serve(data: &Path) -> (Child, Client) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_codepipeline-local"));
    command.args(["serve", "--port", "0", "--data"]).arg(data).stdout(Stdio::piped()).stderr(Stdio::null());
    let mut child = command.spawn().unwrap();
    let mut line = String::new();
    BufReader::new(child.stdout.as_mut().unwrap()).read_line(&mut line).unwrap();
    let endpoint = line.trim().strip_prefix("listening on ").unwrap();
    let config = aws_sdk_s3::Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new("us-east-1"))
        .endpoint_url(endpoint)
        .force_path_style(true)
        .retry_config(RetryConfig::disabled())
        .credentials_provider(Credentials::new("x", "y", None, None, "test"));
    (child, Client::from_conf(config.build()))
}

/// One writer's key, according to the answers.
#[derive(Clone, Default)]
struct Key {
    name: String,
    /// The ids that must be listed, the oldest first. A delete marker has one, too.
    versions: Vec<String>,
    /// The ids whose deletion was answered.
    deleted: Vec<String>,
    /// The id whose deletion was unanswered.
    unanswered: Option<String>,
}

/// Puts objects and deletes objects and versions until the emulator is gone.
async fn write(client: Client, mut key: Key, answers: Arc<AtomicUsize>) -> Key {
    for step in 0_usize.. {
        let deleted = match step % 4 {
            2 => key.versions.get(key.versions.len() / 2).cloned(),
            _ => None,
        };
        let made = match (step % 4, &deleted) {
            (_, Some(version)) => {
                let delete = client.delete_object().bucket("bucket").key(&key.name).version_id(version);
                delete.send().await.ok().map(|_| None)
            }
            (3, None) => {
                let delete = client.delete_object().bucket("bucket").key(&key.name).send().await;
                delete.ok().map(|marker| marker.version_id)
            }
            _ => {
                let put =
                    client.put_object().bucket("bucket").key(&key.name).body(key.name.clone().into_bytes().into());
                put.send().await.ok().map(|put| put.version_id)
            }
        };
        let Some(made) = made else {
            key.unanswered = deleted;
            return key;
        };
        answers.fetch_add(1, Ordering::Relaxed);
        key.versions.extend(made);
        key.versions.retain(|version| Some(version) != deleted.as_ref());
        key.deleted.extend(deleted);
    }
    unreachable!("steps never end")
}

/// All ids of the key, the oldest first. Also reads the bytes of each version that is not a marker.
async fn listed(client: &Client, key: &str) -> Vec<String> {
    let page = client.list_object_versions().bucket("bucket").prefix(key).send().await.unwrap();
    assert_eq!(page.is_truncated(), Some(false));
    let mut found = Vec::new();
    for it in page.versions() {
        let id = it.version_id().unwrap();
        let got = client.get_object().bucket("bucket").key(key).version_id(id).send().await.unwrap();
        assert_eq!(got.body.collect().await.unwrap().to_vec(), key.as_bytes());
        found.push((place(id), id.to_owned()));
    }
    found.extend(page.delete_markers().iter().filter_map(|it| it.version_id()).map(|id| (place(id), id.to_owned())));
    found.sort();
    found.into_iter().map(|(_, id)| id).collect()
}

/// An id ends with the version's commit number.
fn place(id: &str) -> Vec<Option<usize>> {
    let digits = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ._abcdefghijklmnopqrstuvwxyz";
    id[20..].chars().map(|digit| digits.find(digit)).collect()
}

#[tokio::test]
async fn kill_loses_no_answered_version() {
    let folder = tempfile::tempdir().unwrap();
    let (mut child, mut client) = serve(folder.path());
    client.create_bucket().bucket("bucket").send().await.unwrap();
    let enabled = VersioningConfiguration::builder().status(BucketVersioningStatus::Enabled).build();
    client.put_bucket_versioning().bucket("bucket").versioning_configuration(enabled).send().await.unwrap();
    let mut keys: Vec<_> =
        (0..WRITERS).map(|writer| Key { name: format!("writer{writer}"), ..Key::default() }).collect();
    for _ in 0..KILLS {
        let answers = Arc::new(AtomicUsize::new(0));
        let writers: Vec<_> =
            keys.drain(..).map(|key| tokio::spawn(write(client.clone(), key, Arc::clone(&answers)))).collect();
        while answers.load(Ordering::Relaxed) < ANSWERS {
            tokio::task::yield_now().await;
        }
        child.kill().unwrap();
        child.wait().unwrap();
        for writer in writers {
            keys.push(writer.await.unwrap());
        }
        (child, client) = serve(folder.path());
        for key in &mut keys {
            let found = listed(&client, &key.name).await;
            let unanswered = key.unanswered.take();
            let kept = |id: &&String| found.contains(id) || Some(*id) != unanswered.as_ref();
            let expected: Vec<_> = key.versions.iter().filter(kept).cloned().collect();
            assert_eq!(found[..expected.len().min(found.len())], expected, "{}", key.name);
            assert!(found.len() <= expected.len() + 1, "at most one change was unanswered: {found:?}");
            assert!(key.deleted.iter().all(|id| !found.contains(id)), "a deleted version has returned");
            key.versions = found;
        }
    }
    child.kill().unwrap();
    child.wait().unwrap();
}
