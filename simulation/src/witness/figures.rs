//! How much happened in the simulations.

/// How much happened, over all seeds.
#[derive(Clone, Copy, Debug, Default)]
pub struct Figures {
    /// Requests that the services received.
    pub requests: u64,
    /// Invocations of the function.
    pub invocations: u64,
    /// Invocations that died.
    pub deaths: u64,
    /// Jobs that a worker received.
    pub jobs: u64,
    /// Turns of actions.
    pub runs: u64,
    /// Turns of adopted jobs that no worker had acknowledged, each after at least two mishaps.
    pub early_runs: u64,
    /// Jobs whose report another worker sent than the one that ran them last.
    pub taken_over: u64,
    /// Jobs that failed although their action did not.
    pub failed_instead: u64,
    /// Invoked jobs without an entry: their workers died, or could not reach the ledger.
    pub lost: u64,
    /// Simulated milliseconds.
    pub simulated: u64,
}

impl Figures {
    /// Adds the figures of another simulation.
    pub fn add(&mut self, other: &Self) {
        self.requests += other.requests;
        self.invocations += other.invocations;
        self.deaths += other.deaths;
        self.jobs += other.jobs;
        self.runs += other.runs;
        self.early_runs += other.early_runs;
        self.taken_over += other.taken_over;
        self.failed_instead += other.failed_instead;
        self.lost += other.lost;
        self.simulated += other.simulated;
    }
}
