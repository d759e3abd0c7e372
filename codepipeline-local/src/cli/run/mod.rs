//! `run` runs one execution of a pipeline of a file, and stops everything again.

use std::collections::BTreeMap;
use std::pin::pin;
use std::time::Duration;

use approvals::{Approvals, Approver};
use chosen::chosen;
pub(super) use flags::RunFlags;
use flags::Wanted;
use functions::Functions;
use outputs::OutputFolder;
use plan::Plan;
use progress::{Change, Progress};
use runner::Runner;
use screen::{Colour, Screen, printable};

use super::shown::noted;
use super::signals::Signals;
use super::worker::{Workers, killed};
use crate::access_keys::AccessKeys;
use crate::options::Options;
use crate::page::PageMode;
use crate::providers::{Output, OutputLine, Secrets};
use crate::server::Emulator;
use crate::template::{Opened, Pipeline, Project};

mod approvals;
mod builds;
mod check;
mod chosen;
mod declared;
mod emulated;
mod flags;
mod functions;
mod given;
mod listing;
mod mistake;
mod names;
mod only;
mod outputs;
mod plan;
mod progress;
mod provided;
mod runner;
mod screen;
mod setup;
#[cfg(test)]
mod tests;

/// How long workers and functions may take to end before the user learns how to kill them.
const PATIENCE: Duration = Duration::from_millis(500);

/// Runs the command. Returns an error unless the execution succeeded, or the check or the listing that the flags ask for.
pub(super) async fn run(flags: RunFlags) -> Result<(), String> {
    super::logging::start(false);
    let mut wanted = flags.wanted()?;
    let parameters = flags.parameters()?;
    let opened = Opened::open(flags.file.as_deref()).map_err(|problems| printable(&joined(&problems)))?;
    wanted.hide_parameters(opened.hidden(&parameters));
    let no_colour = variable("NO_COLOR").is_some_and(|value| !value.is_empty());
    let keys = AccessKeys::random().map_err(|error| error.to_string())?;
    let own = ("own".to_owned(), keys.secret_access_key().clone());
    let hidden_keys = Secrets::new(wanted.secret_env().chain([own]));
    let screen = Screen::new(no_colour, wanted.all_secrets(), hidden_keys);
    let ended = match opened.project(&parameters) {
        Ok(project) => planned(&flags, &wanted, &project, keys, &screen).await,
        Err(problems) => Err(joined(&problems)),
    };
    // Names in errors come from the file, and may have values of parameters.
    ended.map_err(|problem| screen.plain(&problem))
}

/// Plans the run of the project's pipeline, checks the plan, and runs it.
async fn planned(
    flags: &RunFlags,
    wanted: &Wanted,
    project: &Project,
    keys: AccessKeys,
    screen: &Screen,
) -> Result<(), String> {
    let pipeline = chosen(project, flags.pipeline.as_deref())?;
    let plan = Plan::of(pipeline, project, wanted).map_err(|problems| joined(&problems))?;
    project.notes.iter().for_each(|note| screen.say(Colour::Yellow, "note", &note.to_string()));
    let mut mistakes = check::mistakes(&plan, pipeline, wanted, flags.output.as_deref());
    let mut builds = builds::check(&plan, project, wanted).await;
    mistakes.append(&mut builds.mistakes);
    // A build shows these notes itself.
    let ignored = builds.ignored.iter().filter(|_| flags.list || flags.dry_run);
    ignored.chain(&builds.unused).for_each(|note| screen.say(Colour::Yellow, "note", note));
    if flags.list {
        let file = project.file.display().to_string();
        screen.line(listing::picture(&plan, &file, &mistakes, |text| screen.plain(text)).trim_end());
        return Ok(());
    }
    if !mistakes.is_empty() {
        return Err(joined(&mistakes));
    }
    // Listen for signals before anything starts that a signal must end.
    let mut signals = Signals::listen().map_err(|error| error.to_string())?;
    let output = flags.output.as_deref().filter(|_| !flags.dry_run).map(OutputFolder::open).transpose()?;
    let emulator = started(&plan, project, wanted, keys, screen).await?;
    let run = Run { flags, wanted, plan: &plan, project, output, screen: screen.clone(), emulator: &emulator };
    let ended = run.execution(pipeline, &mut signals).await;
    emulator.stop().await;
    ended
}

/// Starts an emulator on a free port, with a temporary folder. Only clients with the keys may call it.
async fn started(
    plan: &Plan,
    project: &Project,
    wanted: &Wanted,
    keys: AccessKeys,
    screen: &Screen,
) -> Result<Emulator, String> {
    let output = {
        let screen = screen.clone();
        Output::new(move |OutputLine { action, text, .. }| screen.output(&action, &text))
    };
    let providers = provided::providers(plan, project, wanted, (output, screen.secrets()))?;
    let options = Options {
        engine: setup::settings(),
        providers,
        endpoints: wanted.endpoints.clone(),
        page: PageMode::Run,
        local_hosts_only: true,
        keys: Some(keys),
        ..Options::default()
    };
    Emulator::start(options).await.map_err(|error| error.to_string())
}

struct Run<'a> {
    flags: &'a RunFlags,
    wanted: &'a Wanted,
    plan: &'a Plan,
    project: &'a Project,
    output: Option<OutputFolder>,
    screen: Screen,
    emulator: &'a Emulator,
}

impl Run<'_> {
    /// Creates everything, runs the execution, and stops workers and functions.
    async fn execution(&self, pipeline: &Pipeline, signals: &mut Signals) -> Result<(), String> {
        let notes = tokio::select! {
            notes = setup::create(self.emulator, self.plan, pipeline, self.project) => notes?,
            signal = signals.next() => return Err(stopped(signal)),
        };
        notes.iter().for_each(|note| self.screen.say(Colour::Yellow, "note", note));
        let others = [self.plan.notes(), functions::notes(self.project, self.wanted)].concat();
        others.iter().for_each(|note| self.screen.say(Colour::Yellow, "note", note));
        let name = &self.plan.pipeline;
        if self.flags.dry_run {
            self.screen.say(Colour::Green, "ready", &format!("the emulator accepts {name}; run it without --dry-run"));
            return Ok(());
        }
        let environment = super::environment::environment(self.emulator, self.wanted.env.clone());
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
        let names = outputs::write(self.emulator, execution, folder).await?;
        self.screen.say(Colour::Grey, "artifacts", &format!("{} in {}", names.join(", "), folder.path().display()));
        Ok(())
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

fn joined(problems: &[impl ToString]) -> String {
    problems.iter().map(ToString::to_string).collect::<Vec<_>>().join("\ncodepipeline-local: ")
}

#[expect(clippy::disallowed_methods, reason = "NO_COLOR is for all programs")]
fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok()
}
