//! How much happened.

/// How much happened, over all seeds.
#[derive(Clone, Copy, Debug, Default)]
pub struct Figures {
    /// Requests that the services got.
    pub requests: u64,
    /// Invocations of the function.
    pub invocations: u64,
    /// Invocations that died.
    pub deaths: u64,
    /// Jobs that were handed to somebody.
    pub jobs: u64,
    /// Times that an action ran.
    pub runs: u64,
    /// Runs of a job that was adopted although nobody had acknowledged it, after two mishaps with it at the least.
    pub early_runs: u64,
    /// Jobs whose action ran more than once, or whose report another worker sent.
    pub taken_over: u64,
    /// Jobs that failed although their action did not.
    pub failed_instead: u64,
    /// Delivered jobs that nothing tells of: who was given them died, or could not reach the ledger.
    pub lost: u64,
    /// Milliseconds that were simulated.
    pub simulated: u64,
}

impl Figures {
    /// Adds those of another simulation.
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
