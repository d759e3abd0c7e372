//! Whether all promises were kept, and the figures.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::ops::AddAssign;

use aws_sdk_codepipeline::types::ActionExecutionStatus;
use codepipeline_worker::ledger::{Ledger, Listed};

use super::plan::Plan;
use super::rounds::Rounds;
use super::scenario::{KINDS, LEDGER, Scenario};
use super::step::Step;

/// What happened, in numbers.
#[derive(Clone, Copy, Default)]
pub(crate) struct Figures {
    rounds: usize,
    actions: usize,
    jobs: usize,
    /// Actions that began, counted again when they began again.
    runs: usize,
    pub(crate) adoptions: usize,
    results: usize,
    /// Results that the service refused, because the job had ended.
    refused: usize,
    succeeded: usize,
    failed: usize,
    unheld: usize,
}

impl AddAssign for Figures {
    fn add_assign(&mut self, other: Self) {
        self.rounds += other.rounds;
        self.actions += other.actions;
        self.jobs += other.jobs;
        self.runs += other.runs;
        self.adoptions += other.adoptions;
        self.results += other.results;
        self.refused += other.refused;
        self.succeeded += other.succeeded;
        self.failed += other.failed;
        self.unheld += other.unheld;
    }
}

impl fmt::Display for Figures {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { rounds, actions, jobs, runs, adoptions, results, refused, succeeded, failed, unheld } = self;
        write!(
            f,
            "{rounds} rounds; {actions} actions ({succeeded} succeeded, {failed} failed) with {jobs} jobs; {runs} runs begun; \
             {adoptions} adoptions; {results} results taken, {refused} refused; {unheld} events lost before the ledger knew"
        )
    }
}

/// Every broken promise in words, and the figures.
pub(crate) async fn verdict(rounds: &Rounds, plan: &Plan) -> (Vec<String>, Figures) {
    let scenario = &rounds.scenario;
    let mut broken: Vec<_> =
        rounds.failed.iter().map(|end| format!("an invocation that was not killed ended as {end}")).collect();
    let mut figures =
        Figures { rounds: rounds.rounds, actions: scenario.actions.len(), unheld: rounds.unheld, ..Figures::default() };
    reports(scenario, &mut broken, &mut figures);
    for (id, pipeline, _) in &scenario.actions {
        action(rounds, (id, pipeline), &mut broken, &mut figures).await;
    }
    for line in scenario.runs() {
        if !line.starts_with("begun ") && !line.starts_with("ended ") {
            broken.push(format!("an action's effect is `{line}`"));
        }
    }
    if figures.failed > usize::try_from(plan.kills()).unwrap() {
        broken.push(format!("{} actions failed, and {} workers were killed", figures.failed, plan.kills()));
    }
    let ledger = Ledger::new(&scenario.world.sdk_config, LEDGER.into());
    let listed = ledger.list().await.unwrap();
    broken.extend(
        listed.iter().filter(|entry| !entry.is_done()).map(|Listed { key, .. }| format!("{} is left", key.as_str())),
    );
    broken.extend(left_files(scenario));
    (broken, figures)
}

/// Checks that each job has one accepted result, and that no worker was refused a job that only others had before.
fn reports(scenario: &Scenario, broken: &mut Vec<String>, figures: &mut Figures) {
    let log = scenario.log.lock();
    let mut taken: BTreeMap<&str, usize> = log.jobs.keys().map(|job| (job.as_str(), 0)).collect();
    let mut adopted = BTreeSet::new();
    for record in &log.records {
        match (record.step, &record.job) {
            (Step::Report, Some(job)) if record.status.is_success() => *taken.entry(job).or_default() += 1,
            (Step::Report, _) => figures.refused += 1,
            (Step::Adopt | Step::Outcome, Some(job)) if record.adoptions > 0 && record.status.is_success() => {
                adopted.insert((job, record.adoptions));
            }
            _ => {}
        }
    }
    figures.adoptions = adopted.len();
    figures.jobs = taken.len();
    figures.results = taken.values().sum();
    for (job, taken) in taken.iter().filter(|(_, taken)| **taken != 1) {
        let action = log.jobs.get(*job).map_or("?", String::as_str);
        broken.push(format!("the job {job} of {action} has {taken} results"));
    }
}

async fn action(rounds: &Rounds, (id, pipeline): (&String, &str), broken: &mut Vec<String>, figures: &mut Figures) {
    let scenario = &rounds.scenario;
    let name = id.split('-').nth(1).unwrap();
    let execution = scenario.world.action(pipeline, name).await.unwrap();
    let runs = scenario.runs();
    let lines = |what: &str| {
        let line = format!("{what} {id}");
        let of_it: Vec<_> = runs.iter().filter(|it| **it == line || it.starts_with(&format!("{line} "))).collect();
        // Each job of an action that continues is a run.
        let mut of_jobs = BTreeMap::<&str, usize>::new();
        for it in of_it {
            *of_jobs.entry(it.as_str()).or_default() += 1;
        }
        (of_jobs.values().sum::<usize>(), of_jobs.values().max().copied().unwrap_or(0))
    };
    let ((begun, most), (ended, _)) = (lines("begun"), lines("ended"));
    figures.runs += begun;
    let may_run_again = KINDS.into_iter().any(|(kind, may_run_again)| may_run_again && id.ends_with(kind));
    let limit = if may_run_again { 4 } else { 1 };
    if most > limit {
        broken.push(format!("{id} ran {most} times"));
    }
    match execution.status() {
        Some(ActionExecutionStatus::Succeeded) => {
            figures.succeeded += 1;
            if ended == 0 {
                broken.push(format!("{id} succeeded, and never ran to its end"));
            }
        }
        Some(ActionExecutionStatus::Failed) => {
            figures.failed += 1;
            let message = execution.error_details().and_then(|error| error.message()).unwrap_or_default();
            if rounds.unharmed.contains(id) {
                broken.push(format!("{id} failed, and its worker lived: {message}"));
            }
            if !message.starts_with("WorkerDied") {
                broken.push(format!("{id} failed, not since its worker died: {message}"));
            }
        }
        other => broken.push(format!("{id} is {other:?}")),
    }
}

/// The contents of the work folders, after a living worker has taken each of them.
fn left_files(scenario: &Scenario) -> Vec<String> {
    let folders = scenario.world.work_folder().read_dir().unwrap().flatten().map(|entry| entry.path());
    let folders = folders.filter(|path| path.is_dir());
    folders
        .flat_map(|folder| folder.read_dir().unwrap().flatten().map(|entry| entry.path()).collect::<Vec<_>>())
        .map(|path| format!("{} is left", path.display()))
        .collect()
}
