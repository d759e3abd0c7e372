//! Runs many seeds, or one seed with its story.

use std::process::ExitCode;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use clap::Parser;
use simulation::{Figures, Load, Protection, Story, simulate, simulate_load};

/// How many seeds lie between two lines of progress.
const EVERY: u64 = 1_000;

/// Simulates hours of overlapping invocations of the worker, with faults and crashes, and checks the worker's promises
#[derive(Parser)]
#[command(version)]
struct Arguments {
    /// How many seeds to run
    #[arg(long, default_value_t = 1_000)]
    seeds: u64,
    /// The first seed
    #[arg(long, default_value_t = 0)]
    from: u64,
    /// Run only this seed and print its story
    #[arg(long)]
    seed: Option<u64>,
    /// How many threads run seeds [default: one for each processor]
    #[arg(long)]
    threads: Option<usize>,
    /// Run each seed twice: both stories must be the same
    #[arg(long)]
    twice: bool,
    /// Give the workers no ledger, and let no worker die
    #[arg(long)]
    quiet: bool,
    /// Measure a load instead: time to claim, polls and S3 requests per job
    #[arg(long, conflicts_with_all = ["seeds", "from", "twice", "quiet", "keep_going", "threads"])]
    scale: bool,
    /// The load's number of jobs
    #[arg(long, requires = "scale", default_value_t = Load::default().jobs)]
    jobs: u64,
    /// The minutes in which the load's jobs become ready
    #[arg(long, requires = "scale", default_value_t = Load::default().minutes)]
    minutes: u64,
    /// How many polls a second CodePipeline answers
    #[arg(long, requires = "scale", default_value_t = Load::default().poll_rate)]
    poll_rate: f64,
    /// How many polls it answers at once after a pause
    #[arg(long, requires = "scale", default_value_t = Load::default().poll_burst)]
    poll_burst: u32,
    /// How many invocations run at a time
    #[arg(long, requires = "scale", default_value_t = Load::default().concurrency)]
    concurrency: usize,
    /// The timeout of a command in seconds
    #[arg(long, requires = "scale", default_value_t = Load::default().command_timeout)]
    command_timeout: u64,
    /// Continue after seeds that break a promise, and print them without their stories
    #[arg(long)]
    keep_going: bool,
}

impl Arguments {
    fn protection(&self) -> Protection {
        if self.quiet { Protection::Quiet } else { Protection::Ledger }
    }

    fn load(&self) -> Load {
        let Self { jobs, minutes, poll_rate, poll_burst, concurrency, command_timeout, .. } = *self;
        Load { jobs, minutes, poll_rate, poll_burst, concurrency, command_timeout }
    }
}

fn main() -> ExitCode {
    // Panics of actions are a part of the story.
    std::panic::set_hook(Box::new(|panic| {
        if let Some(place) = panic.location() {
            eprintln!("panicked at {place}");
        }
    }));
    let arguments = Arguments::parse();
    if arguments.scale {
        return scale(arguments.seed.unwrap_or_default(), arguments.load());
    }
    match arguments.seed {
        Some(seed) => one(seed, arguments.protection()),
        None => many(&arguments),
    }
}

fn one(seed: u64, protection: Protection) -> ExitCode {
    match simulate(seed, protection) {
        Ok(story) => {
            println!("{}", story.trace.join("\n"));
            ended(story.broken.is_empty())
        }
        Err(error) => {
            eprintln!("the simulation can't run: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Simulates a load and prints its report.
fn scale(seed: u64, load: Load) -> ExitCode {
    match simulate_load(seed, load) {
        Ok(report) => {
            print!("{report}");
            report.broken.iter().for_each(|broken| println!("BROKEN: {broken}"));
            ended(report.broken.is_empty() && report.reported == load.jobs)
        }
        Err(error) => {
            eprintln!("the simulation can't run: {error}");
            ExitCode::FAILURE
        }
    }
}

fn ended(well: bool) -> ExitCode {
    if well { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

#[expect(clippy::disallowed_methods, reason = "the program measures how long the seeds take")]
fn many(arguments: &Arguments) -> ExitCode {
    let began = std::time::Instant::now();
    let threads = arguments.threads.or_else(|| std::thread::available_parallelism().ok().map(Into::into)).unwrap_or(1);
    let next = AtomicU64::new(arguments.from);
    let end = arguments.from + arguments.seeds;
    let failed = AtomicBool::new(false);
    let done: Mutex<(Figures, u64, u64)> = Mutex::default();
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                while arguments.keep_going || !failed.load(Ordering::Relaxed) {
                    let seed = next.fetch_add(1, Ordering::Relaxed);
                    if seed >= end {
                        break;
                    }
                    let (figures, well) = run(seed, arguments);
                    if !well {
                        failed.store(true, Ordering::Relaxed);
                    }
                    let mut done = done.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
                    done.0.add(&figures);
                    done.1 += 1;
                    done.2 += u64::from(!well);
                    if done.1.is_multiple_of(EVERY) && done.1 < arguments.seeds {
                        eprintln!(
                            "{} seeds after {:.0} s, {} of them bad",
                            done.1,
                            began.elapsed().as_secs_f64(),
                            done.2
                        );
                    }
                }
            });
        }
    });
    let (figures, seeds, bad) = *done.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    let took = began.elapsed();
    println!(
        "{seeds} seeds in {:.1} s ({:.0} a second), {bad} of them bad; {:.0} simulated hours, {figures:?}",
        took.as_secs_f64(),
        seeds as f64 / took.as_secs_f64(),
        Duration::from_millis(figures.simulated).as_secs_f64() / 3600.0,
    );
    ended(bad == 0)
}

/// Runs a seed and prints what it breaks.
fn run(seed: u64, arguments: &Arguments) -> (Figures, bool) {
    let story = match simulate(seed, arguments.protection()) {
        Ok(story) => story,
        Err(error) => {
            eprintln!("seed {seed} can't run: {error}");
            return (Figures::default(), false);
        }
    };
    let mut well = story.broken.is_empty();
    if !well {
        tell(&story, arguments.keep_going);
    }
    if arguments.twice
        && let Ok(again) = simulate(seed, arguments.protection())
        && let Some(line) =
            (0..story.trace.len().max(again.trace.len())).find(|at| story.trace.get(*at) != again.trace.get(*at))
    {
        well = false;
        let of = |story: &Story| story.trace.get(line).cloned().unwrap_or_default();
        println!("seed {seed} is not reproduced in line {line}:\n  {}\n  {}", of(&story), of(&again));
    }
    (story.figures, well)
}

fn tell(story: &Story, briefly: bool) {
    let trace = if briefly { String::new() } else { format!("{}\n", story.trace.join("\n")) };
    let broken = story.broken.join("\n  ");
    println!("{trace}seed {} breaks promises (run it alone with --seed {}):\n  {broken}", story.seed, story.seed);
}
