//! Settings: the emulated account, and behaviour that AWS does not document.

use std::time::Duration;

use super::provided::Provided;

/// The response to a case that the documentation of the service leaves open.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Leniency {
    /// Return the error that the setting names.
    Refuse,
    /// Continue as the setting says.
    Accept,
}

/// The form of nonces.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NonceForm {
    /// A decimal count of the job's state changes: `3` for the first offer, as in every published example.
    Counter,
    /// Random digits, as in the API reference.
    Random,
}

/// The emulated account, and every undocumented behaviour as a setting. Of the defaults, only the sizes are
/// documented.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// The region in ARNs. Actions can run in no other region.
    pub region: String,
    /// The twelve digits of the account in jobs and ARNs.
    pub account_id: String,
    /// How long an offered job waits for its acknowledgement before another poll may get it. `None`: forever. Zero:
    /// every poll gets it until a worker acknowledges it.
    pub reoffer_after: Option<Duration>,
    /// The form of nonces.
    pub nonce_form: NonceForm,
    /// Whether a job keeps its nonce when it is offered again. If not, only the latest offer can be acknowledged.
    pub keep_nonce_on_reoffer: bool,
    /// A second acknowledgement with the right nonce while the job is in progress: returns `InvalidNonceException`,
    /// or the current status.
    pub second_acknowledge: Leniency,
    /// An acknowledgement with the right nonce of a job that has ended: returns `InvalidNonceException`, or the final
    /// status.
    pub acknowledge_finished: Leniency,
    /// A result for a job that was offered and not acknowledged: returns `InvalidJobStateException`, or accepts the
    /// result.
    pub put_before_acknowledge: Leniency,
    /// A result for a job that has ended (finished, timed out, or abandoned with its action): returns
    /// `InvalidJobStateException`, or ignores the result.
    pub late_result: Leniency,
    /// `GetJobDetails` of a job that was not acknowledged: returns `JobNotFoundException`, or the details.
    pub details_before_acknowledge: Leniency,
    /// A continuation token together with output variables: returns `ValidationException`, or drops the variables.
    pub variables_with_continuation: Leniency,
    /// A poll of a type with a queryable property that `queryParam` does not name: returns `ValidationException`, or
    /// no jobs.
    pub missing_query_param: Leniency,
    /// A success of an action's last job while an output artifact is missing: fails the action, or skips the check.
    pub missing_output: Leniency,
    /// The ARN of a tagged resource without an account, against the API model's pattern: returns
    /// `ValidationException`, or assumes the emulated account.
    pub arn_without_account: Leniency,
    /// How long a finished job stays known. After that, requests get `JobNotFoundException`.
    pub purge_after: Duration,
    /// The delay between a result with a continuation token and the next job.
    pub continuation_delay: Duration,
    /// The maximum number of jobs for a poll without `maxBatchSize`.
    pub default_batch_size: usize,
    /// The timeout of an action, including all its continuations (24 hours for custom actions, User Guide, "limits").
    pub action_timeout: Duration,
    /// The time that a Lambda function has for the result of one job (20 minutes, User Guide, "limits").
    pub invoke_timeout: Duration,
    /// The lifetime of a job's temporary credentials.
    pub credential_life: Duration,
    /// The maximum length of a configuration value, in characters. The API model says 1000; the service has been
    /// observed to accept 50,000.
    pub configuration_value_limit: u64,
    /// Whether jobs have the members that real responses have and the API model lacks: nested `__type`, explicit
    /// nulls, and `expirationTime` in the credentials.
    pub extra_members: bool,
    /// Whether a new pipeline starts an execution, as on the service.
    pub start_on_create: bool,
    /// How long an action's STARTED event precedes its job.
    pub event_lead: Duration,
    /// Whether every event is sent twice. EventBridge guarantees at-least-once delivery only.
    pub duplicate_events: bool,
    /// Whether an update of a pipeline's stages cancels the executions in progress. If not, they continue with their
    /// version.
    pub cancel_on_update: bool,
    /// The interval of polls for S3 sources, unless `PollForSourceChanges` is `false`. `None`: never.
    pub source_poll: Option<Duration>,
    /// The further action types that run on this machine.
    /// [`Emulator::start`](crate::Emulator::start) takes them from [`Options::providers`](crate::Options::providers).
    pub provided: Provided,
    /// The page size of listings without `maxResults`.
    pub page_size: usize,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            region: "us-east-1".to_owned(),
            account_id: "123456789012".to_owned(),
            reoffer_after: Some(Duration::from_secs(30)),
            nonce_form: NonceForm::Counter,
            keep_nonce_on_reoffer: false,
            second_acknowledge: Leniency::Refuse,
            acknowledge_finished: Leniency::Refuse,
            put_before_acknowledge: Leniency::Refuse,
            late_result: Leniency::Refuse,
            details_before_acknowledge: Leniency::Accept,
            variables_with_continuation: Leniency::Refuse,
            missing_query_param: Leniency::Refuse,
            missing_output: Leniency::Accept,
            arn_without_account: Leniency::Refuse,
            purge_after: Duration::from_secs(60 * 60),
            continuation_delay: Duration::from_secs(30),
            default_batch_size: 1,
            action_timeout: Duration::from_secs(24 * 60 * 60),
            invoke_timeout: Duration::from_secs(20 * 60),
            credential_life: Duration::from_secs(15 * 60),
            configuration_value_limit: 50_000,
            extra_members: false,
            start_on_create: false,
            event_lead: Duration::ZERO,
            duplicate_events: false,
            cancel_on_update: false,
            source_poll: None,
            provided: Provided::default(),
            page_size: 100,
        }
    }
}
