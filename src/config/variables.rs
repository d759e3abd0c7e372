//! The function's variables: one table for parsing, for misspelt names and for documents.

/// A variable that holds a whole number.
pub struct Number {
    /// Its name.
    pub name: &'static str,
    /// The unit that it counts in: `seconds`.
    pub unit: &'static str,
    /// The number if the variable is not set.
    pub default: u64,
    /// The least valid number.
    pub least: u64,
    /// The greatest valid number.
    pub most: u64,
    /// Its purpose, as a noun phrase.
    pub meaning: &'static str,
}

/// A variable that is `true` or `false`.
pub struct Flag {
    /// Its name.
    pub name: &'static str,
    /// The default if the variable is not set.
    pub default: bool,
    /// The effect of `true`.
    pub meaning: &'static str,
}

/// A variable with another rule.
pub struct Text {
    /// Its name.
    pub name: &'static str,
    /// The default if the variable is not set. It is empty if there is none.
    pub default: &'static str,
    /// Its purpose, as a noun phrase.
    pub meaning: &'static str,
}

/// Any variable of the worker.
pub enum Variable {
    /// A whole number.
    Number(Number),
    /// `true` or `false`.
    Flag(Flag),
    /// Anything else.
    Text(Text),
}

impl Variable {
    /// The variable's name.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Number(Number { name, .. }) | Self::Flag(Flag { name, .. }) | Self::Text(Text { name, .. }) => name,
        }
    }
}

const GIB: u64 = 1 << 30;
/// Lambda's longest timeout and, with it, the longest that a command can run.
pub(super) const LONGEST_FUNCTION: u64 = 900;

pub(super) const ACTIONS: Text =
    Text { name: "ACTIONS", default: "", meaning: "the action types to serve, as a JSON array" };
pub(super) const ACTIONS_FILE: Text =
    Text { name: "ACTIONS_FILE", default: "", meaning: "a file that holds the JSON array, in place of ACTIONS" };
pub(super) const CONCURRENCY: Number = Number {
    name: "CONCURRENCY",
    unit: "jobs",
    default: 4,
    least: 1,
    most: 100,
    meaning: "jobs at a time in one invocation (commands run alone)",
};
pub(super) const FUNCTION_TIMEOUT: Number = Number {
    name: "FUNCTION_TIMEOUT",
    unit: "seconds",
    default: LONGEST_FUNCTION,
    least: 1,
    most: LONGEST_FUNCTION,
    meaning: "the function's timeout, to check timeoutSeconds against",
};
pub(super) const STAGING_TIMEOUT: Number = Number {
    name: "STAGING_TIMEOUT",
    unit: "seconds",
    default: 60,
    least: 1,
    most: LONGEST_FUNCTION,
    meaning: "time kept free for staging artifacts in and out, 20 s of it or a third for staging out",
};
pub(super) const MAX_UNPACKED_BYTES: Number = Number {
    name: "MAX_UNPACKED_BYTES",
    unit: "bytes",
    default: 10 * GIB,
    least: 1,
    most: 1024 * GIB,
    meaning: "the most that one input artifact may unpack to",
};
pub(super) const MAX_ENTRIES: Number = Number {
    name: "MAX_ENTRIES",
    unit: "files",
    default: 100_000,
    least: 1,
    // The names of so many entries still fit into the memory that unpacking may take.
    most: 10_000_000,
    meaning: "the most files that one artifact may hold",
};
pub(super) const MIN_FREE_BYTES: Number = Number {
    name: "MIN_FREE_BYTES",
    unit: "bytes",
    // An eighth of the default /tmp (512 MB). A source of some MiB fits, unpacked and packed again, with the files that the action's
    // programs write.
    default: 64 << 20,
    least: 0,
    most: 1024 * GIB,
    meaning: "the space that must be free in WORK_FOLDER for a job that needs files",
};
pub(super) const CLEAN_TMP: Flag = Flag {
    name: "CLEAN_TMP",
    default: false,
    meaning: "removes what a command created in WORK_FOLDER outside its own folder",
};
pub(super) const POLLING: Flag = Flag {
    name: "POLLING",
    default: true,
    meaning: "polls for jobs; false pauses the worker, which still recovers jobs",
};
pub(super) const CLIENT_TOKENS_SECRET: Text = Text {
    name: "CLIENT_TOKENS_SECRET",
    default: "",
    meaning: "how the names of the secrets with third-party jobs' client tokens begin",
};
pub(super) const LEDGER_BUCKET: Text =
    Text { name: "LEDGER_BUCKET", default: "", meaning: "the S3 bucket that says which jobs are taken" };
pub(super) const METRICS: Flag = Flag {
    name: "METRICS",
    default: true,
    meaning: "writes metrics to the log, in CloudWatch's embedded metric format",
};
pub(super) const METRICS_NAMESPACE: Text = Text {
    name: "METRICS_NAMESPACE",
    default: "codepipeline-worker",
    meaning: "the CloudWatch namespace of the metrics",
};
pub(super) const WORK_FOLDER: Text =
    Text { name: "WORK_FOLDER", default: "/tmp", meaning: "the folder that holds the worker's folder for its jobs" };
pub(super) const RUST_LOG: Text =
    Text { name: "RUST_LOG", default: "INFO", meaning: "the level of the worker's log, over AWS_LAMBDA_LOG_LEVEL" };

/// Every variable of the worker. A new one gets a constant above and a row here. The worker also reads
/// `LAMBDA_TASK_ROOT` and `AWS_LAMBDA_LOG_LEVEL`, which Lambda sets.
pub static VARIABLES: [Variable; 16] = [
    Variable::Text(ACTIONS),
    Variable::Text(ACTIONS_FILE),
    Variable::Number(CONCURRENCY),
    Variable::Number(FUNCTION_TIMEOUT),
    Variable::Number(STAGING_TIMEOUT),
    Variable::Number(MAX_UNPACKED_BYTES),
    Variable::Number(MAX_ENTRIES),
    Variable::Number(MIN_FREE_BYTES),
    Variable::Flag(CLEAN_TMP),
    Variable::Flag(POLLING),
    Variable::Text(CLIENT_TOKENS_SECRET),
    Variable::Text(LEDGER_BUCKET),
    Variable::Flag(METRICS),
    Variable::Text(METRICS_NAMESPACE),
    Variable::Text(WORK_FOLDER),
    Variable::Text(RUST_LOG),
];

pub(super) fn is_ours(name: &str) -> bool {
    VARIABLES.iter().any(|variable| variable.name() == name)
}
