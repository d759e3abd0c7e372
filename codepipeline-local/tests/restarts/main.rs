//! Kills a busy `serve --data` with SIGKILL and starts it again. Every answered change must survive. An unanswered request must have
//! had its whole effect or none.
//!
//! `RESTARTS=200 cargo test -p codepipeline-local --test restarts -- --nocapture` kills it 200 times. `RESTARTS_SEED`
//! repeats the clients' choices, but not their race with each other.
#![allow(clippy::unwrap_used, reason = "a test whose set-up fails has failed")]

mod client;
mod model;
mod observe;
mod wire;

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use client::{Client, Random};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio::time::Instant;

const CLIENTS: usize = 6;
/// The largest number of answers before a kill.
const MOST_ANSWERS: usize = 120;

#[expect(clippy::disallowed_methods, reason = "this is where the test reads its settings")]
fn variable(name: &str) -> Option<u64> {
    std::env::var(name).ok().map(|text| text.parse().expect("it is a number"))
}

/// A running `serve`. Dropping it sends SIGKILL and waits for the end, so a failed test leaves no process behind.
struct Serving(Child);

impl Drop for Serving {
    fn drop(&mut self) {
        // The process may have ended already.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn start(folder: &Path) -> Serving {
    let mut command = Command::new(env!("CARGO_BIN_EXE_codepipeline-local"));
    command.args(["serve", "--port", "0", "--no-start-on-create", "--source-poll", "never", "--data"]).arg(folder);
    Serving(command.stdout(Stdio::piped()).spawn().unwrap())
}

/// Starts `serve`. Returns its address when it listens.
fn serve(folder: &Path) -> (Serving, String) {
    let mut child = start(folder);
    let mut line = String::new();
    BufReader::new(child.0.stdout.as_mut().unwrap()).read_line(&mut line).unwrap();
    let address =
        line.trim_end().strip_prefix("listening on http://").expect("it starts with the folder of the killed one");
    (child, address.to_owned())
}

/// Runs the client until the server is gone. Reports each answer.
async fn drive(mut client: Client, at: String, answers: mpsc::UnboundedSender<()>) -> Client {
    let mut result = client.set_up(&at).await;
    while result.is_ok() {
        // This fails if the test has counted enough answers.
        let _ = answers.send(());
        result = client.step(&at).await;
    }
    client
}

async fn checked(mut client: Client, at: String) -> Client {
    client.check(&at).await;
    client
}

async fn all(tasks: Vec<JoinHandle<Client>>) -> Vec<Client> {
    let mut clients = Vec::new();
    for task in tasks {
        clients.push(task.await.expect("the client finds no mistake"));
    }
    clients
}

#[tokio::test(flavor = "multi_thread")]
async fn kill_loses_nothing_that_was_answered() {
    let kills = variable("RESTARTS").unwrap_or(5);
    let seed = variable("RESTARTS_SEED").unwrap_or_else(|| u64::from(std::process::id()));
    let (begun, mut random, mut answered) = (Instant::now(), Random(seed), 0);
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let mut clients: Vec<_> = (0..CLIENTS).map(|number| Client::new(number, seed + 1 + number as u64)).collect();
    let mut killed = 0;
    while killed < kills {
        if random.below(4) == 0 {
            // At any moment of the start.
            let child = start(&data);
            tokio::time::sleep(Duration::from_millis(random.below(30) as u64)).await;
            drop(child);
            killed += 1;
        }
        let (child, address) = serve(&data);
        let checks = clients.into_iter().map(|client| tokio::spawn(checked(client, address.clone())));
        let found = all(checks.collect()).await;
        let (sender, mut answers) = mpsc::unbounded_channel();
        let running = found.into_iter().map(|client| tokio::spawn(drive(client, address.clone(), sender.clone())));
        let running = running.collect();
        drop(sender);
        for _ in 0..=random.below(MOST_ANSWERS) {
            // No more answers come after a client's panic, which shows below.
            answered += usize::from(answers.recv().await.is_some());
        }
        drop(child);
        killed += 1;
        clients = all(running).await;
    }
    let (child, address) = serve(&data);
    let checks = clients.into_iter().map(|client| tokio::spawn(checked(client, address.clone())));
    let clients = all(checks.collect()).await;
    drop(child);
    let (pipelines, executions) = clients.iter().fold((0, 0), |(pipelines, executions), client| {
        let own = client.model.pipelines.values();
        (pipelines + own.len(), executions + own.map(|pipeline| pipeline.executions.len()).sum::<usize>())
    });
    println!(
        "{killed} kills in {:?} (seed {seed}): {answered} requests were answered before them; {pipelines} pipelines and {executions} executions are left",
        begun.elapsed()
    );
}
