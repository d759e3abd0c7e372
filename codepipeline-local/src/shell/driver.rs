//! The driver, which advances the engine and performs its effects.

use tokio::sync::{mpsc, oneshot};

use super::runs::Finished;
use super::shared::Shared;
use crate::api;
use crate::engine::{Effect, Engine, SourceError, SourceId, SourceRevision};
use crate::invocation::JobInvocation;
use crate::s3::CopyError;
use crate::store::NotKept;
use crate::types::ObjectRef;

impl Shared {
    /// Advances the engine with time and performs its effects. A separate task does this, because a request ends when
    /// its client disconnects, and its effects must still happen.
    ///
    /// Each effect waits until the change behind it is saved. Returns an error if a change can't be saved.
    pub(crate) async fn drive(
        &self,
        mut changes: mpsc::UnboundedReceiver<oneshot::Sender<()>>,
        mut finished: mpsc::UnboundedReceiver<Finished>,
    ) -> Result<(), NotKept> {
        let mut waiting: Vec<oneshot::Sender<()>> = Vec::new();
        loop {
            let ((effects, due), pending) = self.engine.act(|engine| {
                engine.advance(self.clock.now());
                (engine.take_effects(), engine.next_due())
            });
            pending.kept().await?;
            if !effects.is_empty() {
                for effect in effects {
                    self.perform(effect).await?;
                }
                continue;
            }
            for done in waiting.drain(..) {
                // The request may be gone.
                let _ = done.send(());
            }
            tokio::select! {
                () = self.clock.reached(due) => {}
                Some(done) = changes.recv() => waiting.push(done),
                Some(Finished { id, result }) = finished.recv() => {
                    self.runs.forget(id);
                    let ((), pending) = self.engine.act(|engine| engine.run_finished(self.clock.now(), id, result));
                    pending.kept().await?;
                }
            }
            while let Ok(done) = changes.try_recv() {
                waiting.push(done);
            }
        }
    }

    async fn perform(&self, effect: Effect) -> Result<(), NotKept> {
        match effect {
            Effect::CreateBucket { bucket } => {
                if let Err(error) = self.store.create_bucket(&bucket) {
                    tracing::warn!(bucket, %error, "could not create an artifact store");
                }
            }
            Effect::CopySource { id, from, version, to, encryption_key } => {
                self.copy_source(id, (&from, version.as_deref()), &to, encryption_key).await?;
            }
            Effect::PollSource { id, object } => {
                let found = self.find_revision(&object);
                let ((), pending) = self.engine.act(|engine| engine.source_polled(self.clock.now(), id, found));
                pending.kept().await?;
            }
            Effect::RunAction { id, task, encryption_key } => self.runs.start(id, *task, encryption_key),
            Effect::EndRun { id } => self.runs.end(id),
            Effect::Event(event) => self.events.send(&event),
            Effect::InvokeFunction { function, job } => self.invoke(function, &job).await?,
            Effect::CheckOutputs { id, mut places } => {
                places.retain(|place| !self.store.has(place));
                let ((), pending) = self.engine.act(|engine| engine.outputs_checked(self.clock.now(), id, &places));
                pending.kept().await?;
            }
        }
        Ok(())
    }

    async fn invoke(&self, function: String, job: &str) -> Result<(), NotKept> {
        // The engine may have been halted after it asked for this.
        let event_of = |engine: &mut Engine| match engine.is_halted() {
            true => None,
            false => api::job_event(engine, self.clock.now(), job),
        };
        let (event, pending) = self.engine.act(event_of);
        let Some(event) = event else { return Ok(()) };
        pending.kept().await?;
        if self.invocations.is_empty() {
            tracing::warn!(job, "no function subscribes to Lambda Invoke jobs; the action will time out");
        }
        self.invocations.send(&JobInvocation { function, event });
        Ok(())
    }

    fn find_revision(&self, object: &ObjectRef) -> Result<String, SourceError> {
        let missing = || SourceError::NotFound(format!("{} in {}", object.key, object.bucket));
        self.store.revision(object).ok_or_else(missing)
    }

    async fn copy_source(
        &self,
        id: SourceId,
        from: (&ObjectRef, Option<&str>),
        to: &ObjectRef,
        key_id: Option<String>,
    ) -> Result<(), NotKept> {
        let result = match self.store.copy(from, to, key_id).await {
            // Without version ids, the ETag identifies the object's revision.
            Ok(copied) => Ok(SourceRevision {
                revision: copied.version_id.clone().unwrap_or_else(|| copied.e_tag.clone()),
                etag: Some(copied.e_tag),
                version_id: copied.version_id,
                summary: copied.revision_summary,
            }),
            Err(CopyError::NotFound(what)) => Err(SourceError::NotFound(what)),
            Err(CopyError::Failed(why)) => Err(SourceError::Other(why)),
        };
        let ((), pending) = self.engine.act(|engine| engine.source_finished(self.clock.now(), id, result));
        pending.kept().await
    }
}
