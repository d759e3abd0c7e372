//! The execution of a run: from the creation of its pipeline to the end of its workers and functions.

use std::collections::BTreeMap;
use std::pin::pin;
use std::time::Duration;

use super::approvals::{Approvals, Approver};
use super::flags::{RunFlags, Wanted};
use super::functions::{self, Functions};
use super::inputs;
use super::mistake::joined;
use super::outputs::{self, OutputFolder, Written};
use super::plan::Plan;
use super::progress::{Change, Progress};
use super::runner::Runner;
use super::screen::{Colour, Screen};
use super::setup;
use crate::cli::shown::noted;
use crate::cli::signals::Signals;
use crate::cli::worker::{Workers, killed};
use crate::server::Emulator;
use crate::template::{Pipeline, Project};

/// How long workers and functions may take to end before the user learns how to kill them.
const PATIENCE: Duration = Duration::from_millis(500);

/// A run whose emulator is up.
pub(super) struct Run<'a> {
    pub(super) flags: &'a RunFlags,
    pub(super) wanted: &'a Wanted,
    pub(super) plan: &'a Plan,
    pub(super) project: &'a Project,
    pub(super) output: Option<OutputFolder>,
    pub(super) screen: Screen,
    pub(super) emulator: &'a Emulator,
}

impl Run<'_> {
    /// Creates everything, runs the execution, and stops workers and functions.
    pub(super) async fn execution(&self, pipeline: &Pipeline, signals: &mut Signals) -> Result<(), String> {
        let notes = tokio::select! {
            notes = setup::create(self.emulator, self.plan, pipeline, (self.project, self.wanted)) => notes?,
            signal = signals.next() => return Err(stopped(signal)),
        };
        notes.iter().for_each(|note| self.screen.say(Colour::Yellow, "note", note));
        let others =
            [self.plan.notes(), inputs::notes(self.plan), functions::notes(self.project, self.wanted)].concat();
        others.iter().for_each(|note| self.screen.say(Colour::Yellow, "note", note));
        let name = &self.plan.pipeline;
        if self.flags.dry_run {
            self.screen.say(Colour::Green, "ready", &format!("the emulator accepts {name}; run it without --dry-run"));
            return Ok(());
        }
        let environment = crate::cli::environment::environment(self.emulator, self.wanted.env.clone());
        let (mut workers, functions) = self.helpers(&environment)?;
        let ended = tokio::select! {
            ended = self.watched(&mut workers) => ended,
            signal = signals.next() => Err(stopped(signal)),
        };
        self.stop(workers, functions, signals).await;
        ended
    }

    /// Stops the pipeline, the workers and the functions. A signal ends the wait for workers and functions, and they are killed.
    async fn stop(&self, workers: Workers, functions: Functions, signals: &mut Signals) {
        self.emulator.halt();
        let mut stop = pin!(async { tokio::join!(workers.stop(), functions.stop()).0 });
        let mut is_told = false;
        loop {
            tokio::select! {
                late = &mut stop => {
                    return late.iter().for_each(|name| self.screen.say(Colour::Yellow, "note", &killed(name)));
                }
                _ = signals.next() => return,
                () = tokio::time::sleep(PATIENCE), if !is_told => {
                    is_told = true;
                    self.screen.say(Colour::Yellow, "note", "a worker or function has not ended yet; Ctrl-C kills it");
                }
            }
        }
    }

    fn helpers(&self, environment: &BTreeMap<String, String>) -> Result<(Workers, Functions), String> {
        let parts = (self.plan, self.project, self.wanted);
        let screen = self.screen.clone();
        let show = noted(self.emulator, move |name, line| screen.output(name, &functions::readable(line)));
        let functions = Functions::start(self.emulator, parts, environment, &show);
        let functions = functions.map_err(|error| error.to_string())?;
        Ok((Workers::start(&self.wanted.workers, environment, &show)?, functions))
    }

    /// Starts the execution and follows it to its end.
    async fn watched(&self, workers: &mut Workers) -> Result<(), String> {
        let name = &self.plan.pipeline;
        let mut events = self.emulator.events();
        let execution = setup::start(self.emulator, name, &self.wanted.variables).await?;
        let id = execution["pipelineExecutionId"].clone();
        self.screen.line(&format!("{name} runs on {}", self.emulator.endpoint()));
        if let Some(page) = self.emulator.page_address() {
            self.screen.line(&format!("page: {page}"));
        }
        let mut progress = Progress::new(name, id, self.screen.clone());
        let approver = Approver::of(self.flags.yes);
        let mut approvals = Approvals::new(approver, name, self.emulator, self.screen.clone());
        let (succeeded, status) = loop {
            tokio::select! {
                event = events.recv() => {
                    let event = event.ok_or("the emulator has ended")?;
                    match progress.event(self.emulator, &event).await? {
                        Change::Shown => {}
                        Change::Approval(pending) => approvals.begin(self.emulator, pending).await?,
                        Change::Answered { stage, action } => approvals.ended(&stage, &action),
                        Change::Ended { succeeded, status } => break (succeeded, status),
                    }
                }
                line = approvals.line() => approvals.answered(self.emulator, line.as_deref()).await?,
                ended = workers.ended() => self.worker_ended(&ended, workers)?,
            }
        };
        let kept = self.kept(&execution).await;
        if succeeded {
            self.screen.say(Colour::Green, &status, name);
            return kept;
        }
        let failed = format!("{name} {}", progress.ended(&status));
        Err(joined(&[Some(failed), kept.err()].into_iter().flatten().collect::<Vec<_>>()))
    }

    /// Writes the artifacts into the folder of `--output`, if there is one.
    async fn kept(&self, execution: &serde_json::Value) -> Result<(), String> {
        let Some(folder) = &self.output else { return Ok(()) };
        let Written { names, problems } = outputs::write(self.emulator, execution, folder).await?;
        if !names.is_empty() {
            self.screen.say(Colour::Grey, "artifacts", &format!("{} in {}", names.join(", "), folder.path().display()));
        }
        if problems.is_empty() { Ok(()) } else { Err(joined(&problems)) }
    }

    /// The custom actions would wait for ever without a worker.
    fn worker_ended(&self, ended: &str, workers: &Workers) -> Result<(), String> {
        let is_needed = self.plan.actions().any(|(_, action)| matches!(action.runner, Runner::Worker));
        if is_needed && workers.is_empty() {
            return Err(format!(
                "{ended} before the pipeline did, and no other is left; a worker polls until it gets SIGTERM"
            ));
        }
        self.screen.say(Colour::Yellow, "note", ended);
        Ok(())
    }
}

fn stopped(signal: &str) -> String {
    format!("{signal}; stopped the run and all that it started")
}
