//! `run` runs one execution of a pipeline of a file, and stops everything again.

use chosen::chosen;
use execution::Run;
pub(super) use flags::RunFlags;
use flags::Wanted;
use mistake::joined;
use outputs::OutputFolder;
use plan::Plan;
use screen::{Colour, Screen, printable};

use super::signals::Signals;
use crate::access_keys::AccessKeys;
use crate::options::Options;
use crate::page::PageMode;
use crate::providers::{Output, OutputLine, Secrets};
use crate::server::Emulator;
use crate::template::{Opened, Project};

mod action_types;
mod approvals;
mod builds;
mod check;
mod chosen;
mod configured;
mod declared;
mod emulated;
mod execution;
mod flags;
mod functions;
mod given;
mod inputs;
mod listing;
mod masked;
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
    configured::secret_values(&plan, project).for_each(|value| screen.secrets().hide(value));
    project.notes.iter().for_each(|note| screen.say(Colour::Yellow, "note", &note.to_string()));
    let mut builds = builds::check(&plan, project, wanted, masked::keys(&plan, pipeline)).await;
    let mut mistakes = check::mistakes(&plan, pipeline, wanted, flags.output.as_deref());
    mistakes.extend(given::mistakes(&plan, wanted, &builds.exported));
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

#[expect(clippy::disallowed_methods, reason = "NO_COLOR is for all programs")]
fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok()
}
