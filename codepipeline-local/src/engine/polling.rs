//! Polling of S3 sources: every minute, unless `PollForSourceChanges` is `false` (User Guide, "action-reference-S3").

use std::collections::BTreeMap;

use super::{
    Effect, Engine, PollId, SourceError,
    s3_source::{NOT_FOUND, object_of},
    starts::{Start, variable_values},
    state::{
        ActionDeclaration, ActionNumber, Known, Pipeline, PipelineDeclaration, PolledSource, RequestedRevisions,
        Trigger, TriggerType, Watch,
    },
};
use crate::types::{ObjectRef, Timestamp};

impl Engine {
    /// Starts to poll the sources of the pipeline's latest version. An unchanged source keeps its known revision. A
    /// new source is polled from `first` on.
    pub(super) fn watch_sources(&mut self, first: Timestamp, pipeline: &str) {
        let Some(declaration) = self.pipelines.get(pipeline).map(|pipeline| pipeline.latest().clone()) else { return };
        if self.settings.source_poll.is_none() {
            return;
        }
        let mut before: BTreeMap<_, _> = self.watches.extract_if(.., |(name, _), _| name == pipeline).collect();
        for action in polled_sources(&declaration) {
            let object = object_of(&action.configuration);
            let key = (pipeline.to_owned(), action.name.clone());
            let watch =
                before.remove(&key).filter(|_| self.polled.get(&key).is_some_and(|source| source.object == object));
            self.watches.insert(key.clone(), watch.unwrap_or(Watch { next: first, pending: None }));
            if self.polled.get(&key).is_none_or(|source| source.object != object) {
                let known = self.last_known(pipeline, &action.name, &object);
                self.polled.insert(key, PolledSource { object, known });
            }
        }
        let watches = &self.watches;
        self.polled.retain(|key, _| key.0 != pipeline || watches.contains_key(key));
    }

    /// The time of the next poll.
    pub(super) fn next_source_poll(&self) -> Option<Timestamp> {
        self.watches.values().filter_map(Watch::due).min()
    }

    /// Requests a poll of each source that is due.
    pub(super) fn poll_sources(&mut self, due: Timestamp) {
        for (key, watch) in self.watches.iter_mut().filter(|(_, watch)| watch.due().is_some_and(|at| at <= due)) {
            let Some(source) = self.polled.get(key) else { continue };
            let id: PollId = self.numbers.next();
            watch.pending = Some(id);
            self.effects.push(Effect::PollSource { id, object: source.object.clone() });
        }
    }

    /// Takes the result of an [`Effect::PollSource`]: the object's version id, or its ETag in a bucket without
    /// versioning. A changed revision starts an execution. A late or repeated result has no effect.
    pub fn source_polled(&mut self, now: Timestamp, id: PollId, found: Result<String, SourceError>) {
        self.advance(now);
        let now = self.clock;
        let Some(interval) = self.settings.source_poll.filter(|_| !self.halted) else { return };
        let Some((key, watch)) = self.watches.iter_mut().find(|(_, watch)| watch.pending == Some(id)) else { return };
        watch.pending = None;
        watch.next = now.after(interval);
        let (pipeline, action) = key.clone();
        let Some(known) = self.polled.get(key).map(|source| source.known.clone()) else { return };
        // The copy in progress reports the revision that it consumed.
        if self.is_copying(&pipeline, &action) {
            return;
        }
        let known = match (found, known) {
            (Ok(revision), Known::Nothing) => Known::Revision(revision),
            (Ok(revision), Known::Revision(known)) if known == revision => return,
            // If the limit of executions prevents a start, the next poll tries again.
            (Ok(revision), _) if self.start_polled(now, &pipeline, &action) => Known::Revision(revision),
            (Err(SourceError::NotFound(_)), Known::Nothing) => Known::Missing,
            _ => return,
        };
        if let Some(source) = self.polled.get_mut(&(pipeline, action)) {
            source.known = known;
        }
    }

    /// Records the revision that a copy found, so that the next poll does not start another execution for it.
    pub(super) fn source_consumed(&mut self, number: ActionNumber) {
        let Some(action) = self.actions.get(&number).filter(|action| action.source_version.is_none()) else { return };
        let Some(execution) = self.executions.get(&action.execution) else { return };
        let key = (execution.pipeline.clone(), action.declaration.name.clone());
        let Some(source) = self.polled.get_mut(&key) else { return };
        if source.object != object_of(&action.configuration) {
            return;
        }
        match &action.revision {
            Some(revision) => source.known = Known::Revision(revision.id.clone()),
            None if source.known == Known::Nothing => source.known = Known::Missing,
            None => {}
        }
    }

    /// Starts an execution for a changed source. Returns false if the pipeline has too many executions.
    fn start_polled(&mut self, now: Timestamp, name: &str, action: &str) -> bool {
        let Some(declaration) = self.pipelines.get(name).map(Pipeline::latest).cloned() else { return true };
        // An execution needs a value for each variable.
        let Ok(variables) = variable_values(&declaration, &BTreeMap::new()) else { return true };
        if self.check_limit(name, &declaration).is_err() {
            return false;
        }
        let trigger = Trigger { kind: TriggerType::PollForSourceChanges, detail: action.to_owned() };
        self.start(now, name, &declaration, Start { trigger, variables, sources: RequestedRevisions::new() });
        true
    }

    /// Discards the revisions of interrupted source actions. The last consumed revisions count again.
    pub(super) fn forget_interrupted_copies(&mut self) {
        let actions = self.running.iter().filter_map(|number| self.actions.get(number));
        let interrupted: Vec<_> = actions
            .filter(|action| action.declaration.is_source())
            .filter_map(|action| {
                let execution = self.executions.get(&action.execution)?;
                Some((execution.pipeline.clone(), action.declaration.name.clone()))
            })
            .collect();
        for key in interrupted {
            self.polled.remove(&key);
        }
    }

    fn is_copying(&self, pipeline: &str, action: &str) -> bool {
        self.running.iter().filter_map(|number| self.actions.get(number)).any(|running| {
            running.declaration.name == action
                && running.declaration.is_source()
                && self.executions.get(&running.execution).is_some_and(|execution| execution.pipeline == pipeline)
        })
    }

    /// The last revision of the object that earlier executions found.
    fn last_known(&self, pipeline: &str, name: &str, object: &ObjectRef) -> Known {
        let mut known = Known::Nothing;
        for (_, _, action) in self.actions_of(pipeline) {
            let same = action.declaration.name == name
                && action.declaration.is_source()
                && action.source_version.is_none()
                && object_of(&action.configuration) == *object;
            match &action.revision {
                Some(revision) if same => return Known::Revision(revision.id.clone()),
                None if same && action.error.as_ref().is_some_and(|error| error.code == NOT_FOUND) => {
                    known = Known::Missing;
                }
                _ => {}
            }
        }
        known
    }
}

/// The S3 sources to poll. A location with variables is known only when an execution runs, so it is not polled.
fn polled_sources(declaration: &PipelineDeclaration) -> impl Iterator<Item = &ActionDeclaration> {
    declaration.actions().map(|(_, action)| action).filter(|action| {
        let configured = |key: &str| action.configuration.get(key);
        let place = [configured("S3Bucket"), configured("S3ObjectKey")];
        action.is_s3_source()
            && configured("PollForSourceChanges").is_none_or(|value| !value.eq_ignore_ascii_case("false"))
            && place.into_iter().all(|value| value.is_some_and(|value| !value.contains("#{")))
    })
}
