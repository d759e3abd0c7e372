//! The action of the new deployment.

use std::sync::{Arc, Mutex};

use codepipeline_worker::actions::{Abandoned, Action, Turn};
use codepipeline_worker::job::{Continuation, Failure, FailureCode, FailureKind, Finished, Outcome};

/// How the first turn of the action ends.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Ending {
    #[default]
    Success,
    Failure,
    Continuation,
    /// Never, so that the worker dies with it.
    Hangs,
}

/// A turn: its action execution and its continuation token.
type Turned = (String, Option<String>);

/// The action of the new deployment. It records its turns.
#[derive(Clone, Default)]
pub(super) struct Upgraded {
    ending: Ending,
    turns: Arc<Mutex<Vec<Turned>>>,
    pub(super) stopped: Arc<Mutex<Vec<Abandoned>>>,
}

impl Upgraded {
    /// An action whose first turn ends like this.
    pub(super) fn new(ending: Ending) -> Self {
        Self { ending, ..Self::default() }
    }

    fn note(&self, turn: &Turn, token: Option<&str>) {
        let execution = turn.job.pipeline.action_execution_id.clone().unwrap();
        self.turns.lock().unwrap().push((execution, token.map(str::to_owned)));
    }

    pub(super) fn turns(&self) -> Vec<Turned> {
        self.turns.lock().unwrap().clone()
    }
}

fn finished() -> Outcome {
    let variables = [("Key".to_owned(), "value".to_owned())].into();
    let (summary, external_execution_id) = (Some("ran".to_owned()), Some("x-1".to_owned()));
    Outcome::Finished(Finished { summary, external_execution_id, variables, ..Finished::default() })
}

impl Action for Upgraded {
    async fn start(&self, turn: Turn) -> Result<Outcome, Failure> {
        self.note(&turn, None);
        let external_execution_id = Some("x-1".to_owned());
        match self.ending {
            Ending::Success => Ok(finished()),
            Ending::Failure => {
                let failure = Failure::new(FailureKind::JobFailed, FailureCode::new("Test"), "no");
                Err(Failure { output: Some("printed".into()), external_execution_id, ..failure })
            }
            Ending::Continuation => Ok(Outcome::Continue(Continuation {
                token: "build 17".to_owned(),
                summary: Some("half".to_owned()),
                external_execution_id,
                percent_complete: Some(50),
            })),
            Ending::Hangs => std::future::pending().await,
        }
    }

    async fn resume(&self, turn: Turn, token: &str) -> Result<Outcome, Failure> {
        self.note(&turn, Some(token));
        Ok(finished())
    }

    async fn stop(&self, abandoned: &Abandoned) -> Result<(), Failure> {
        self.stopped.lock().unwrap().push(abandoned.clone());
        Ok(())
    }

    fn wants_files(&self) -> bool {
        false
    }
}
