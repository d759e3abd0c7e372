//! The content of an entry and its JSON form, which has a version.

use std::collections::hash_map::RandomState;
use std::fmt;
use std::hash::BuildHasher;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::job::{ActionTypeId, Origin};

/// The only format so far. A worker does not touch an entry of another format: a newer worker has written it and
/// handles it.
const FORMAT: u64 = 1;

/// Only outcomes make entries large: their output variables have at most 122 880 bytes (API model), escaped twice.
pub(super) const LARGEST: usize = 4 << 20;

/// One invocation of the function. Lambda may send one event twice, so its request id is not unique.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct InvocationId(u128);

/// One write. A worker that finds it in an entry knows that this write took effect. Another try of the write keeps the
/// id.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct WriteId(u128);

impl InvocationId {
    /// A random id, which no other invocation has.
    pub fn random() -> Self {
        Self(random())
    }
}

impl WriteId {
    /// A random id, which no other write has.
    pub fn random() -> Self {
        Self(random())
    }
}

impl fmt::Display for InvocationId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:032x}", self.0)
    }
}

impl fmt::Display for WriteId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:032x}", self.0)
    }
}

/// 128 bits from the operating system's randomness. With the same ids, two workers would each take the other's writes
/// for their own. `fastrand` seeds itself from the time since boot, which two functions that start alike may share.
fn random() -> u128 {
    let keys = RandomState::new();
    u128::from(keys.hash_one(0_u8)) << 64 | u128::from(keys.hash_one(1_u8))
}

/// A job's progress.
#[derive(Clone, PartialEq, Eq)]
pub enum Phase {
    /// The worker is about to acknowledge the job.
    Claiming,
    /// The owner has acknowledged the job and runs it.
    Held,
    /// The work has ended, and its outcome is being reported.
    Reporting {
        /// The outcome, in the form that the reporter reads.
        outcome: String,
    },
}

/// The worker that runs a job, until when, and what a successor needs. It derives no `Debug`, because outcomes hold
/// text of actions.
#[derive(Clone, PartialEq, Eq)]
pub struct Entry {
    /// The job's id. The object's key may hold only a hash of it.
    pub job: String,
    /// The job's progress.
    pub phase: Phase,
    /// The invocation that runs it.
    pub owner: InvocationId,
    /// How long the entry protects the job, counted from this write. Written in whole milliseconds, rounded up.
    pub lease: Duration,
    /// How often it has been adopted.
    pub adoptions: u32,
    /// Whether CodePipeline offered no job of the type when this was written.
    pub marked: bool,
    /// Whether a worker adopted the job that could only infer its acknowledgement.
    pub inferred: bool,
    /// How the job came, which decides on the operations that it takes.
    pub origin: Origin,
    /// The action's type.
    pub action_type: ActionTypeId,
    /// The pipeline, if known. This and the next three are for the log of the worker that adopts the job.
    pub pipeline: Option<String>,
    /// The pipeline's execution, if known.
    pub pipeline_execution_id: Option<String>,
    /// The stage, if known.
    pub stage: Option<String>,
    /// The action's name in its stage, if known.
    pub action: Option<String>,
    /// The action's execution, if known.
    pub action_execution_id: Option<String>,
}

/// The content of an object in the ledger.
pub enum Content {
    /// A job that a worker has taken, and the write of this entry.
    Entry(Box<Entry>, WriteId),
    /// A job that was reported.
    Done,
    /// An object that this worker can't read and does not touch.
    Unreadable(Unreadable),
}

/// Why an entry can't be read. It shows nothing of the content.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unreadable {
    /// A worker of another version has written it.
    #[error(
        "it has the format {0}, and this worker reads format {FORMAT} only: is another version of the worker deployed on the same ledger?"
    )]
    Format(u64),
    /// Another program has written it.
    #[error("it is not an entry: has another program written into the ledger's folder `jobs/`?")]
    Garbled,
    /// Too large for an entry.
    #[error("it has {0} bytes, and an entry has at most {LARGEST}")]
    TooLarge(u64),
}

impl Entry {
    /// The id of the run. The first job of a Lambda Invoke action has only its own id, which stands for the run.
    pub fn execution_id(&self) -> &str {
        self.action_execution_id.as_deref().unwrap_or(&self.job)
    }

    /// The body of the entry's object.
    pub(super) fn to_bytes(&self, write: &WriteId) -> Vec<u8> {
        let (phase, outcome) = match &self.phase {
            Phase::Claiming => ("claiming", None),
            Phase::Held => ("held", None),
            Phase::Reporting { outcome } => ("reporting", Some(outcome.clone())),
        };
        let (kind, client_id) = match &self.origin {
            Origin::Polled => ("own", None),
            Origin::PolledForClient { client_id } => ("thirdParty", Some(client_id.clone())),
            Origin::Invoked => ("invoke", None),
        };
        let ActionTypeId { category, owner, provider, version } = self.action_type.clone();
        let written = EntryJson {
            format: FORMAT,
            write: write.to_string(),
            job: self.job.clone(),
            phase: phase.into(),
            owner: self.owner.to_string(),
            // Rounded up: a lease must not end before the worker does.
            lease_ms: u64::try_from(self.lease.as_nanos().div_ceil(1_000_000)).unwrap_or(u64::MAX),
            adoptions: self.adoptions,
            marked: self.marked,
            inferred: self.inferred,
            kind: kind.into(),
            client_id,
            action_type: ActionTypeJson { category, owner, provider, version },
            pipeline: self.pipeline.clone(),
            pipeline_execution_id: self.pipeline_execution_id.clone(),
            stage: self.stage.clone(),
            action: self.action.clone(),
            action_execution_id: self.action_execution_id.clone(),
            outcome,
        };
        serde_json::to_vec(&written).expect("a struct of strings and numbers is always JSON")
    }
}

impl Content {
    /// Reads the body of an object.
    pub(super) fn of(body: &[u8]) -> Self {
        if body.is_empty() {
            return Self::Done;
        }
        // Reads the format first, so that an unknown format is not mistaken for garbage.
        match serde_json::from_slice(body) {
            Ok(Format { format: FORMAT }) => {}
            Ok(Format { format }) => return Self::Unreadable(Unreadable::Format(format)),
            Err(_) => return Self::Unreadable(Unreadable::Garbled),
        }
        let entry = serde_json::from_slice(body).ok().and_then(EntryJson::read);
        entry.map_or(Self::Unreadable(Unreadable::Garbled), |(entry, write)| Self::Entry(Box::new(entry), write))
    }
}

#[derive(Deserialize)]
struct Format {
    format: u64,
}

/// The entry's JSON form. Unknown members are ignored.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct EntryJson {
    format: u64,
    write: String,
    job: String,
    phase: String,
    owner: String,
    lease_ms: u64,
    adoptions: u32,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    marked: bool,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    inferred: bool,
    kind: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    client_id: Option<String>,
    action_type: ActionTypeJson,
    #[serde(skip_serializing_if = "Option::is_none")]
    pipeline: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pipeline_execution_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    stage: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    action: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    action_execution_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    outcome: Option<String>,
}

#[derive(Serialize, Deserialize)]
struct ActionTypeJson {
    category: String,
    owner: String,
    provider: String,
    version: String,
}

impl EntryJson {
    fn read(self) -> Option<(Entry, WriteId)> {
        let phase = match (self.phase.as_str(), self.outcome) {
            ("claiming", None) => Phase::Claiming,
            ("held", None) => Phase::Held,
            ("reporting", Some(outcome)) => Phase::Reporting { outcome },
            _ => return None,
        };
        let origin = match (self.kind.as_str(), self.client_id) {
            ("own", None) => Origin::Polled,
            ("thirdParty", Some(client_id)) => Origin::PolledForClient { client_id },
            ("invoke", None) => Origin::Invoked,
            _ => return None,
        };
        let ActionTypeJson { category, owner, provider, version } = self.action_type;
        let entry = Entry {
            job: self.job,
            phase,
            owner: InvocationId(id(&self.owner)?),
            lease: Duration::from_millis(self.lease_ms),
            adoptions: self.adoptions,
            marked: self.marked,
            inferred: self.inferred,
            origin,
            action_type: ActionTypeId { category, owner, provider, version },
            pipeline: self.pipeline,
            pipeline_execution_id: self.pipeline_execution_id,
            stage: self.stage,
            action: self.action,
            action_execution_id: self.action_execution_id,
        };
        Some((entry, WriteId(id(&self.write)?)))
    }
}

fn id(text: &str) -> Option<u128> {
    // The parser would accept a sign as well.
    let plain = text.len() == 32 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
    plain.then(|| u128::from_str_radix(text, 16).ok())?
}

#[cfg(test)]
mod tests;
