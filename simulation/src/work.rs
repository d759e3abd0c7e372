//! The actions: they take simulated time and end as their seed decides.

use std::sync::Arc;

use codepipeline_worker::actions::{Abandoned, Action, Turn};
use codepipeline_worker::job::{Continuation, Failure, FailureCode, FailureKind, Finished, Outcome};
use tokio::sync::oneshot;

use crate::lambda;
use crate::load;
use crate::scenario::{Kind, SOURCE};
use crate::trace::MARKER;
use crate::witness::{self, Manner};
use crate::world::World;

/// The code of a failure that the seed asks for.
pub(crate) const PLANNED: FailureCode = FailureCode::new("Planned");
/// The code of a failure that no seed asks for.
const UNPLANNED: FailureCode = FailureCode::new("Unplanned");

/// How many milliseconds longer than planned an action may take.
const SLACK: u64 = 200;

/// How an action's turn ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ending {
    Success,
    Failure,
    Continuation,
    Panic,
}

/// The work of one action type in one worker process.
pub(crate) struct Work {
    pub(crate) world: Arc<World>,
    pub(crate) process: usize,
    pub(crate) kind: Kind,
}

/// The plan of an action execution.
struct Plan {
    /// How often the action continues.
    continuations: u64,
    last: Ending,
}

impl Work {
    fn plan(&self, execution: &str) -> Plan {
        if self.world.lot.load.is_some() {
            return Plan { continuations: 0, last: Ending::Success };
        }
        let mut random = self.world.random(&format!("plan {execution}"));
        let last = match random.range(0, 99) {
            0..15 => Ending::Failure,
            15..18 => Ending::Panic,
            _ => Ending::Success,
        };
        let continuations = if self.kind.continues && random.chance(600) { random.range(1, 3) } else { 0 };
        Plan { continuations, last }
    }

    async fn turn(&self, turn: &Turn, number: u64) -> Result<Outcome, Failure> {
        let Some(invocation) = lambda::current(&self.world, self.process) else {
            self.world.broken(format!("P{:03} runs {} outside of any invocation", self.process, turn.job.id));
            return Err(Failure::new(FailureKind::JobFailed, UNPLANNED, "no invocation"));
        };
        let execution = turn.job.pipeline.action_execution_id.clone().unwrap_or_default();
        let mut random = self.world.random(&format!("turn {execution} {number}"));
        let most = self.kind.longest * 1000;
        // One of fifty takes longer than its timeout.
        let takes = match self.world.lot.load {
            Some(_) => load::duration(&self.world, &mut random),
            None if random.chance(20) => most * 2,
            None => random.range(1, most),
        };
        // Every event takes at least a millisecond, so an action that takes nearly as long as its timeout may exceed
        // it.
        let overlong = takes + SLACK > most;
        let running =
            witness::begins(&self.world, &turn.job.id, invocation, Manner { overlong, alone: self.kind.alone });
        if self.kind.alone {
            self.look_for_other_folders(turn);
        }
        if self.kind.files {
            self.look_at_inputs(turn);
        }
        let steps = random.range(1, 3);
        for step in 0..steps {
            let (sender, receiver) = oneshot::channel();
            let name = format!("P{:03} I{invocation:04} works on {} step {step}", self.process, turn.job.id);
            self.world.after(takes / steps, name, |_| {
                let _ = sender.send(());
            });
            let _ = receiver.await;
        }
        let plan = self.plan(&execution);
        let ending = if number < plan.continuations { Ending::Continuation } else { plan.last };
        if self.kind.files && ending == Ending::Success {
            self.leave_outputs(turn)?;
        }
        self.world.trace.line(format_args!("I{invocation:04} is done with {}: {ending:?}", turn.job.id));
        running.returns(ending);
        match ending {
            Ending::Success => {
                let summary = Some(format!("after {number} continuations"));
                Ok(Outcome::Finished(Finished { summary, ..Finished::default() }))
            }
            Ending::Failure => {
                let output = Some(format!("printed {MARKER}"));
                Err(Failure { output, ..Failure::new(FailureKind::JobFailed, PLANNED, "this was to fail") })
            }
            Ending::Continuation => Ok(Outcome::Continue(Continuation {
                token: format!("{MARKER} {}", number + 1),
                summary: None,
                external_execution_id: None,
                percent_complete: Some(50),
            })),
            // The payload says nothing, and a hook is set that stays silent about it.
            Ending::Panic => std::panic::resume_unwind(Box::new(())),
        }
    }

    /// A job that runs alone finds no other job's folder.
    fn look_for_other_folders(&self, turn: &Turn) {
        let folders = turn.workspace.root().parent().and_then(|parent| std::fs::read_dir(parent).ok());
        let folders = folders.map_or(0, Iterator::count);
        if folders != 1 {
            self.world.broken(format!("the job {} runs alone, but there are {folders} folders", turn.job.id));
        }
    }

    fn look_at_inputs(&self, turn: &Turn) {
        for input in &turn.job.inputs {
            let folder = turn.workspace.input(&input.name);
            let content = std::fs::read(folder.join(&input.name));
            if content.is_ok_and(|content| content == SOURCE.as_bytes()) {
                continue;
            }
            self.world.broken(format!("the job {} found another input than the source", turn.job.id));
        }
    }

    fn leave_outputs(&self, turn: &Turn) -> Result<(), Failure> {
        for output in &turn.job.outputs {
            let path = turn.workspace.output(&output.name).join("made");
            std::fs::write(path, &turn.job.id).map_err(|error| {
                Failure::new(FailureKind::JobFailed, UNPLANNED, format!("could not write: {error}"))
            })?;
        }
        Ok(())
    }
}

impl Action for Work {
    async fn start(&self, turn: Turn) -> Result<Outcome, Failure> {
        self.turn(&turn, 0).await
    }

    async fn resume(&self, turn: Turn, token: &str) -> Result<Outcome, Failure> {
        let number = token.strip_prefix(MARKER).and_then(|number| number.trim().parse().ok());
        match number {
            Some(number) => self.turn(&turn, number).await,
            None => {
                self.world.broken(format!("the job {} came with another token", turn.job.id));
                Err(Failure::new(FailureKind::JobFailed, UNPLANNED, "another token"))
            }
        }
    }

    async fn stop(&self, abandoned: &Abandoned) -> Result<(), Failure> {
        self.world.trace.line(format_args!("P{:03} stops the work of {}", self.process, abandoned.execution_id));
        Ok(())
    }

    fn wants_files(&self) -> bool {
        self.kind.files
    }
}
