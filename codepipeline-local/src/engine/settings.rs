//! What the emulator does where the service is silent, and who it pretends to be.

use std::time::Duration;

/// What an operation does in a case that the service's documentation leaves open.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Leniency {
    /// Answer with the error that the setting names.
    Refuse,
    /// Go on as the setting says.
    Accept,
}

/// How nonces are made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NonceForm {
    /// A decimal count of the job's state changes: `3` at the first offer, as every published example has it.
    Counter,
    /// Random digits, as the API reference words it.
    Random,
}

/// Every unknown of the service as a setting, and the account that the emulator plays. None of the defaults is a
/// documented fact but the sizes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// The region in ARNs, and the only one that actions may run in.
    pub region: String,
    /// The twelve digits of the account in jobs and ARNs.
    pub account_id: String,
    /// How long an offered job waits for its acknowledgement before a poll may get it again. `None`: for ever. Zero:
    /// every poll gets it until somebody acknowledges.
    pub reoffer_after: Option<Duration>,
    /// How nonces are made.
    pub nonce_form: NonceForm,
    /// Whether a job that is offered again keeps its nonce. If not, only the latest offer can be acknowledged.
    pub keep_nonce_on_reoffer: bool,
    /// A second acknowledgement with the right nonce while the job is in progress: `InvalidNonceException`, or the
    /// current status.
    pub second_acknowledge: Leniency,
    /// An acknowledgement with the right nonce of a job that is over: `InvalidNonceException`, or its final status.
    pub acknowledge_finished: Leniency,
    /// A result for a job that was offered but not acknowledged: `InvalidJobStateException`, or taken as the result.
    pub put_before_acknowledge: Leniency,
    /// A result for a job that is over (finished, timed out, or abandoned with its action): `InvalidJobStateException`, or
    /// taken without effect.
    pub late_result: Leniency,
    /// `GetJobDetails` of a job that was not acknowledged: `JobNotFoundException`, or its details.
    pub details_before_acknowledge: Leniency,
    /// A continuation token beside output variables: `ValidationException`, or the variables are dropped.
    pub variables_with_continuation: Leniency,
    /// A poll of a type with a queryable property whose `queryParam` lacks it: `ValidationException`, or no jobs.
    pub missing_query_param: Leniency,
    /// The success of an action's last job while one of its output artifacts is not in its place: the action fails, or nobody looks.
    pub missing_output: Leniency,
    /// The ARN of a resource with tags that names no account, against the API model's pattern: `ValidationException`, or the
    /// account is the emulator's.
    pub arn_without_account: Leniency,
    /// How long a finished job is known before `JobNotFoundException`.
    pub purge_after: Duration,
    /// How long after a result with a continuation token the next job can be polled.
    pub continuation_delay: Duration,
    /// How many jobs a poll without `maxBatchSize` gets at most.
    pub default_batch_size: usize,
    /// How long an action may run, all its continuations together (24 hours for custom actions, User Guide, "limits").
    pub action_timeout: Duration,
    /// How long a Lambda function may take for the result of one job (20 minutes, User Guide, "limits").
    pub invoke_timeout: Duration,
    /// How long a job's temporary credentials are good.
    pub credential_life: Duration,
    /// The longest configuration value in characters. The API model says 1000, the service was seen to take 50 000.
    pub configuration_value_limit: u64,
    /// Whether jobs carry the unmodelled members that real replies were seen with: nested `__type`, explicit nulls, and
    /// `expirationTime` beside the credentials.
    pub extra_members: bool,
    /// Whether a new pipeline starts an execution at once, as the service does.
    pub start_on_create: bool,
    /// How long before its job can be polled an action's STARTED event comes.
    pub event_lead: Duration,
    /// Whether every event comes twice; EventBridge promises no more than that it comes at least once.
    pub duplicate_events: bool,
    /// Whether an update that changes a pipeline's stages cancels the executions in progress. If not, they go on with the
    /// version that they began with.
    pub cancel_on_update: bool,
    /// How often S3 sources are looked at for changes, unless `PollForSourceChanges` is `false`. `None`: never.
    pub source_poll: Option<Duration>,
    /// How many items a listing without `maxResults` has per page.
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
            page_size: 100,
        }
    }
}
