//! Stages artifacts as the worker does: with the library's own [`Store`] and the SDK's clients.

use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::sync::Arc;

use aws_config::{BehaviorVersion, SdkConfig};
use codepipeline_worker::artifacts::{Renew, Store, Stores, UnpackLimits};
use codepipeline_worker::job::{Artifact, Credentials};
use serde_json::{Value, json};
use tokio::task::JoinSet;
use tokio::time::Instant;

use crate::Failed;

#[derive(Clone, Copy)]
pub(crate) enum Direction {
    In,
    Out,
}

/// The limits are the worker's own, without a configuration.
const LIMITS: UnpackLimits = UnpackLimits { max_unpacked_bytes: 10 << 30, max_entries: 100_000 };

/// Stages all jobs at once, each a text `KEY=FOLDER`. The time begins when the clients exist, and ends with the last job.
pub(crate) fn run(direction: Direction, jobs: &[&str]) -> Result<Value, Failed> {
    let jobs: Vec<(String, PathBuf)> = jobs
        .iter()
        .map(|job| job.split_once('=').map(|(key, folder)| (key.to_owned(), folder.into())))
        .collect::<Option<_>>()
        .ok_or("a job is a text KEY=FOLDER")?;
    // The worker's runtime: `#[tokio::main]`.
    let seconds = tokio::runtime::Runtime::new()?.block_on(async {
        let config = aws_config::load_defaults(BehaviorVersion::v2026_01_12()).await;
        let stores: Vec<_> = jobs.iter().map(|_| store(&config)).collect();
        let began = Instant::now();
        let mut staging = JoinSet::new();
        for ((key, folder), store) in jobs.into_iter().zip(stores) {
            staging.spawn(async move { stage(direction, &store, key, &folder).await });
        }
        while let Some(staged) = staging.join_next().await {
            staged??;
        }
        Ok::<_, Failed>(began.elapsed().as_secs_f64())
    })?;
    Ok(json!({"seconds": seconds, "peakKib": peak_kib()?}))
}

async fn stage(direction: Direction, store: &Store, key: String, folder: &Path) -> Result<(), String> {
    let artifact = Artifact { name: "App".to_owned(), revision: None, bucket: "artifacts".to_owned(), key };
    let staged = match direction {
        Direction::In => store.stage_in(&artifact, folder, &LIMITS).await,
        Direction::Out => store.stage_out(&artifact, folder, None, &LIMITS).await,
    };
    store.finished().await;
    staged.map(drop).map_err(|error| error.to_string())
}

fn store(config: &SdkConfig) -> Store {
    struct NoRenewal;
    impl Renew for NoRenewal {
        fn renew(&self) -> Pin<Box<dyn Future<Output = Result<Credentials, String>> + Send + '_>> {
            Box::pin(async { Err("a benchmark renews nothing".to_owned()) })
        }
    }
    let (access_key_id, secret_access_key, session_token) = ("test".to_owned(), "test".into(), "test".into());
    let credentials = Credentials { access_key_id, secret_access_key, session_token };
    Stores::new(config).for_job(&credentials, Instant::now(), Arc::new(NoRenewal))
}

/// The most memory that this process has had.
fn peak_kib() -> Result<u64, Failed> {
    let status = std::fs::read_to_string("/proc/self/status")?;
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")?.trim().strip_suffix(" kB"));
    Ok(peak.ok_or("the system does not tell the peak of memory")?.parse()?)
}
