//! The state that the server's answers promise a client.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

/// Stands for an id of the server in an unanswered request.
pub(crate) const UNANSWERED_ID: &str = "?";

pub(crate) type Tags = BTreeMap<String, String>;

/// The whole state of one client.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Model {
    pub(crate) pipelines: BTreeMap<String, Pipeline>,
    /// The versions of the client's own action type.
    pub(crate) types: BTreeMap<String, Tags>,
    pub(crate) objects: BTreeMap<String, String>,
    /// The uploads, by key.
    pub(crate) uploads: BTreeMap<String, Upload>,
}

#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Pipeline {
    pub(crate) version: u64,
    /// A value in its action's configuration.
    pub(crate) command: String,
    pub(crate) tags: Tags,
    /// The reason of the disabled transition into its last stage.
    pub(crate) disabled: Option<String>,
    pub(crate) executions: BTreeMap<String, Execution>,
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Execution {
    pub(crate) status: &'static str,
    /// Its action executions. `None` until the client has read the final ones.
    pub(crate) actions: Option<Value>,
}

#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Upload {
    pub(crate) id: String,
    /// The entity tags of the parts.
    pub(crate) parts: BTreeMap<i32, String>,
}

impl Execution {
    pub(crate) fn new(status: &'static str) -> Self {
        Self { status, actions: None }
    }

    pub(crate) fn is_over(&self) -> bool {
        self.status != "InProgress"
    }
}

impl Pipeline {
    /// Ends the execution in progress.
    pub(crate) fn end(&mut self, status: &'static str) {
        for execution in self.executions.values_mut().filter(|execution| !execution.is_over()) {
            execution.status = status;
        }
    }

    pub(crate) fn in_progress(&self) -> Option<&String> {
        self.executions.iter().find(|(_, execution)| !execution.is_over()).map(|(id, _)| id)
    }
}

impl Model {
    /// The same after a restart of the server.
    pub(crate) fn restarted(mut self) -> Self {
        self.pipelines.values_mut().for_each(|pipeline| pipeline.end("Stopped"));
        self
    }

    /// The same, with unknown ids replaced by those that `seen` has and `before` lacks.
    pub(crate) fn with_ids_of(mut self, seen: &Self, before: &Self) -> Self {
        for (name, pipeline) in &mut self.pipelines {
            let Some(execution) = pipeline.executions.remove(UNANSWERED_ID) else { continue };
            let known: BTreeSet<_> = before.pipelines[name].executions.keys().collect();
            let new = seen.pipelines.get(name).and_then(|seen| seen.executions.keys().find(|id| !known.contains(id)));
            pipeline.executions.insert(new.map_or(UNANSWERED_ID, String::as_str).to_owned(), execution);
        }
        for (key, upload) in &mut self.uploads {
            let Some(seen) = seen.uploads.get(key) else { continue };
            if upload.id == UNANSWERED_ID {
                upload.id.clone_from(&seen.id);
            }
            let parts_before = before.uploads.get(key).map(|upload| &upload.parts);
            for (number, e_tag) in upload.parts.iter_mut().filter(|(_, e_tag)| *e_tag == UNANSWERED_ID) {
                let new =
                    seen.parts.get(number).filter(|tag| parts_before.and_then(|parts| parts.get(number)) != Some(tag));
                e_tag.clone_from(new.unwrap_or(&UNANSWERED_ID.to_owned()));
            }
        }
        self
    }

    /// The same without the action executions that `other` has not read.
    pub(crate) fn read_by(mut self, other: &Self) -> Self {
        for (name, pipeline) in &mut self.pipelines {
            for (id, execution) in &mut pipeline.executions {
                let read = other.pipelines.get(name).and_then(|other| other.executions.get(id));
                if read.is_some_and(|read| read.actions.is_none()) {
                    execution.actions = None;
                }
            }
        }
        self
    }
}
