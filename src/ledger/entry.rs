//! What an entry says, and how it is written: JSON with a version.

use std::collections::hash_map::RandomState;
use std::fmt;
use std::hash::BuildHasher;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::job::{ActionTypeId, Origin};

/// The only format so far. A worker leaves an entry of any other format alone: a newer worker has written it, and will look
/// after it.
const FORMAT: u64 = 1;

/// Entries are small but for outcomes, whose output variables have at most 122 880 bytes (API model), escaped twice.
pub(super) const LARGEST: usize = 4 << 20;

/// One invocation of the function. Lambda may deliver one event twice, so its request id won't do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct InvocationId(u128);

/// One write: who finds it in an entry knows that this write took effect. A write that is tried again keeps its id.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct WriteId(u128);

impl InvocationId {
    /// One that nobody else has.
    pub fn random() -> Self {
        Self(random())
    }
}

impl WriteId {
    /// One that nobody else has.
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

/// 128 bits that depend on randomness of the operating system's. Two workers with the same ids would each take the other's
/// writes for its own, and `fastrand`, which is otherwise random enough here, seeds itself from the time since boot: two
/// functions that start alike may well have the same.
fn random() -> u128 {
    let keys = RandomState::new();
    u128::from(keys.hash_one(0_u8)) << 64 | u128::from(keys.hash_one(1_u8))
}

/// How far a job has come.
#[derive(Clone, PartialEq, Eq)]
pub enum Phase {
    /// About to be acknowledged.
    Claiming,
    /// Acknowledged, and run by the owner.
    Held,
    /// Over; its result is being reported.
    Reporting {
        /// What is reported, in whatever form the reporter reads again.
        outcome: String,
    },
}

/// Who runs a job, until when, and what a successor needs. It derives no `Debug`: outcomes hold what actions say.
#[derive(Clone, PartialEq, Eq)]
pub struct Entry {
    /// The job's id, which its key need not show.
    pub job: String,
    /// How far the job has come.
    pub phase: Phase,
    /// Who runs it.
    pub owner: InvocationId,
    /// For how long, from this very write on, in whole milliseconds (a finer lease is written rounded up).
    pub lease: Duration,
    /// How often it has been adopted.
    pub adoptions: u32,
    /// Whether no job of the type was on offer when this was written.
    pub marked: bool,
    /// Whether it was adopted by somebody who could only infer that it had been acknowledged.
    pub inferred: bool,
    /// How the job came, and so which operations it takes.
    pub origin: Origin,
    /// The action's type.
    pub action_type: ActionTypeId,
    /// The run of the pipeline, where it is known.
    pub pipeline_execution_id: Option<String>,
    /// The run of the action, where it is known.
    pub action_execution_id: Option<String>,
}

/// What an object in the ledger says.
pub enum Content {
    /// A job that somebody has taken, and the write that says so.
    Entry(Box<Entry>, WriteId),
    /// A job that is done and reported.
    Done,
    /// Something that this worker can't read, and leaves alone.
    Unreadable(Unreadable),
}

/// Why an entry can't be read. Nothing of its content shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unreadable {
    /// A newer worker has written it, or an older one.
    #[error(
        "it has the format {0}, and this worker reads format {FORMAT} only: is another version of the worker deployed on the same ledger?"
    )]
    Format(u64),
    /// Something else has written it.
    #[error("it is no entry: has something other than the worker written into the ledger's folder `jobs/`?")]
    Garbled,
    /// Too large for an entry.
    #[error("it has {0} bytes, and an entry has at most {LARGEST}")]
    TooLarge(u64),
}

impl Entry {
    /// The object's body.
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
            pipeline_execution_id: self.pipeline_execution_id.clone(),
            action_execution_id: self.action_execution_id.clone(),
            outcome,
        };
        serde_json::to_vec(&written).expect("a struct of strings and numbers is always JSON")
    }
}

impl Content {
    /// What the object's body says.
    pub(super) fn of(body: &[u8]) -> Self {
        if body.is_empty() {
            return Self::Done;
        }
        // Only the format, so that one that this worker does not know is told from what is no entry.
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

/// The entry as JSON has it. Members that are not known are passed over.
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
    pipeline_execution_id: Option<String>,
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
            pipeline_execution_id: self.pipeline_execution_id,
            action_execution_id: self.action_execution_id,
        };
        Some((entry, WriteId(id(&self.write)?)))
    }
}

fn id(text: &str) -> Option<u128> {
    // The parser would take a sign, too.
    let plain = text.len() == 32 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
    plain.then(|| u128::from_str_radix(text, 16).ok())?
}

#[cfg(test)]
mod tests;
