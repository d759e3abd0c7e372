//! One archive of generator/generate.py: unpacks it with the worker and compares it with the reference.

use std::fs;
use std::ops::Range;
use std::path::{Path, PathBuf};

use codepipeline_worker::artifacts::{Staged, StagingError, Stores};
use codepipeline_worker::job::Artifact;
use serde::Deserialize;

use super::tree::{differences, list};
use crate::support::artifact_store::{ArtifactStore, LIMITS, of_job};

/// The generator's description of an archive.
#[derive(Debug, Deserialize)]
pub(crate) struct Case {
    pub(crate) name: String,
    pub(crate) tool: String,
    /// The tool's error if it could not write the archive.
    pub(crate) unwritten: Option<String>,
    #[serde(default)]
    pub(crate) tree: String,
    #[serde(default)]
    folder: PathBuf,
    /// The exit code of the reference tool.
    #[serde(default)]
    exit: i32,
    /// The end of the reference tool's output.
    #[serde(default)]
    output: String,
    /// The reason if the worker refuses an archive that the reference tool unpacks, or empty.
    #[serde(default)]
    pub(crate) refused: String,
    /// The reason if the worker's result differs on purpose, or empty. The reference tool then unpacked a different archive.
    #[serde(default)]
    pub(crate) differs: String,
}

/// A job with its store. Creates clients once, because reading the certificates takes longer than an archive.
pub(crate) struct Bench {
    s3: ArtifactStore,
    client: aws_sdk_s3::Client,
    stores: Stores,
}

impl Bench {
    pub(crate) async fn start() -> Self {
        let s3 = ArtifactStore::start().await;
        Self { client: s3.anyone(), stores: Stores::new(&s3.config), s3 }
    }

    async fn unpack(&self, archive: Vec<u8>, into: &Path) -> Result<Staged, StagingError> {
        let Artifact { bucket, key, .. } = &self.s3.input;
        let request = self.client.put_object().bucket(bucket).key(key).body(archive.into());
        request.server_side_encryption("aws:kms".into()).send().await.unwrap();
        of_job(&self.stores, &self.s3.credentials).stage_in(&self.s3.input, into, &LIMITS).await
    }
}

pub(crate) enum Verdict {
    /// The trees are equal, with this many entries.
    Same(usize),
    /// The reference tool also fails. This is the worker's message.
    BothRefuse(String),
    /// The worker refuses it for the reason in the case.
    RefusedOnPurpose,
    Wrong(String),
}

impl Case {
    /// Unpacks the archive with the worker, compares, and removes the case's folder.
    pub(crate) async fn judge(&self, bench: &Bench, now: &Range<i64>) -> Verdict {
        let ours = self.folder.join("ours");
        fs::create_dir(&ours).unwrap();
        let staged = bench.unpack(fs::read(self.folder.join("archive")).unwrap(), &ours).await;
        let failed = self.exit > 1;
        let verdict = match staged {
            Err(error) if failed => Verdict::BothRefuse(error.to_string()),
            Err(_) if !self.refused.is_empty() => Verdict::RefusedOnPurpose,
            Err(error) => Verdict::Wrong(format!("refused: {error}")),
            Ok(_) if !self.refused.is_empty() => Verdict::Wrong(format!("unpacked, though {}", self.refused)),
            Ok(_) => {
                let reference = list(&self.folder.join("reference"));
                let lines = differences(&reference, &list(&ours), now);
                if lines.is_empty() { Verdict::Same(reference.len()) } else { Verdict::Wrong(self.summary(&lines)) }
            }
        };
        fs::remove_dir_all(&self.folder).unwrap();
        verdict
    }

    fn summary(&self, lines: &[String]) -> String {
        let more = lines.len().saturating_sub(5);
        let exit = if self.exit == 0 {
            String::new()
        } else {
            format!(" (the reference exits {}: {})", self.exit, self.output)
        };
        format!(
            "{}{}{exit}",
            lines[..lines.len() - more].join("; "),
            if more > 0 { format!("; {more} more") } else { String::new() }
        )
    }
}
