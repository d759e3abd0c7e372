//! A flag for each of the engine's settings.

use std::num::NonZeroU16;
use std::time::Duration;

use clap::{Args, ValueEnum};

use super::numbers;
use crate::durations::{OrNever, parse, parse_or_never, parse_some, parse_some_or_never};
use crate::engine::{Leniency, NonceForm, Settings};
use crate::s3::is_region;

/// Flags for behaviour that AWS does not document, and for what CodePipeline does on its own.
#[derive(Args)]
#[command(next_help_heading = "Undocumented behaviour")]
pub(super) struct SettingFlags {
    /// The region in ARNs [default: us-east-1]
    #[arg(long, help_heading = None, value_parser = region)]
    region: Option<String>,
    /// The account in jobs and ARNs [default: 123456789012]
    #[arg(long, help_heading = None, value_parser = account)]
    account: Option<String>,
    /// How long an unacknowledged job waits until a poll returns it again, or never [default: 30s]
    #[arg(long, value_name = "DURATION", value_parser = parse_or_never)]
    reoffer_delay: Option<OrNever>,
    /// How nonces are made [default: counter]
    #[arg(long, value_enum)]
    nonce: Option<Nonce>,
    /// A job that is offered again keeps its nonce [default: it gets a new one]
    #[arg(long)]
    keep_nonce: bool,
    /// A second acknowledgement of a job in progress returns the job's status [default: InvalidNonceException]
    #[arg(long)]
    accept_second_acknowledge: bool,
    /// An acknowledgement of a finished job returns the job's status [default: InvalidNonceException]
    #[arg(long)]
    accept_late_acknowledge: bool,
    /// A result for an unacknowledged job is accepted [default: InvalidJobStateException]
    #[arg(long)]
    accept_unacknowledged_result: bool,
    /// A result for a finished job is accepted and ignored [default: InvalidJobStateException]
    #[arg(long)]
    accept_late_result: bool,
    /// GetJobDetails of an unacknowledged job fails with JobNotFoundException [default: it returns the details]
    #[arg(long)]
    refuse_unacknowledged_details: bool,
    /// Output variables that come with a continuation token are dropped [default: ValidationException]
    #[arg(long)]
    drop_variables_with_continuation: bool,
    /// A poll without the type's queryable property returns no jobs [default: ValidationException]
    #[arg(long)]
    accept_missing_query_param: bool,
    /// An action fails if it reports success before its output artifacts are uploaded [default: the emulator does not check]
    #[arg(long)]
    refuse_missing_output: bool,
    /// An ARN without an account is a ValidationException [default: it means the emulator's account, because Terraform omits the
    /// account if skip_requesting_account_id is true]
    #[arg(long)]
    refuse_arn_without_account: bool,
    /// How long the emulator remembers a finished job [default: 1h]
    #[arg(long, value_name = "DURATION", value_parser = parse)]
    purge_after: Option<Duration>,
    /// How long after a continuation token the next job is offered [default: 30s]
    #[arg(long, value_name = "DURATION", value_parser = parse)]
    continuation_delay: Option<Duration>,
    /// How many jobs a poll without maxBatchSize returns at most [default: 1]
    #[arg(long, value_name = "NUMBER", value_parser = numbers::from_1_to_65535)]
    default_batch_size: Option<NonZeroU16>,
    /// How long an action may run [default: 24h]
    #[arg(long, value_name = "DURATION", value_parser = parse_some)]
    action_timeout: Option<Duration>,
    /// How long a Lambda function may take to report the result of one job [default: 20m]
    #[arg(long, value_name = "DURATION", value_parser = parse_some)]
    invoke_timeout: Option<Duration>,
    /// How long a job's credentials are valid [default: 15m]
    #[arg(long, value_name = "DURATION", value_parser = parse_some)]
    credential_life: Option<Duration>,
    /// The longest configuration value, in characters [default: 50000]
    #[arg(long, value_name = "NUMBER", value_parser = numbers::whole)]
    configuration_value_limit: Option<u64>,
    /// Jobs have the members that real replies had and the API model lacks
    #[arg(long)]
    extra_members: bool,
    /// How long before an action's job its STARTED event is sent [default: 0s]
    #[arg(long, value_name = "DURATION", value_parser = parse)]
    event_lead: Option<Duration>,
    /// Every event is sent twice
    #[arg(long)]
    duplicate_events: bool,
    /// How many items a listing without maxResults returns per page [default: 100]
    #[arg(long, value_name = "NUMBER", value_parser = numbers::from_1_to_65535)]
    page_size: Option<NonZeroU16>,
    /// A new pipeline waits for its first start [default: it starts at once]
    #[arg(long, help_heading = UNASKED, overrides_with = "start_on_create")]
    no_start_on_create: bool,
    /// Executions in progress continue after an update of the pipeline's stages [default: the update cancels them]
    #[arg(long, help_heading = UNASKED, overrides_with = "cancel_on_update")]
    no_cancel_on_update: bool,
    /// How often to check S3 sources for changes, or never. Sources with PollForSourceChanges=false are never checked [default: 60s]
    #[arg(long, help_heading = UNASKED, value_name = "DURATION", value_parser = parse_some_or_never)]
    source_poll: Option<OrNever>,
    /// The default
    #[arg(long, hide = true, overrides_with = "no_start_on_create")]
    start_on_create: bool,
    /// The default
    #[arg(long, hide = true, overrides_with = "no_cancel_on_update")]
    cancel_on_update: bool,
}

/// The heading of the flags that turn off what CodePipeline does without a request.
const UNASKED: &str = "Automatic behaviour";

#[derive(Clone, Copy, ValueEnum)]
enum Nonce {
    Counter,
    Random,
}

fn region(text: &str) -> Result<String, String> {
    if is_region(text) { Ok(text.to_owned()) } else { Err("a region looks like eu-west-1".to_owned()) }
}

fn account(text: &str) -> Result<String, String> {
    let twelve_digits = text.len() == 12 && text.bytes().all(|byte| byte.is_ascii_digit());
    if twelve_digits { Ok(text.to_owned()) } else { Err("an account has twelve digits".to_owned()) }
}

/// The defaults of `serve`: the engine's, and what CodePipeline does on its own (User Guide, "pipelines-create", "pipelines-edit" and
/// "action-reference-S3"). The engine's defaults omit the latter, so that a test sees only what it requested. They are
/// also stricter with ARNs.
fn defaults() -> Settings {
    Settings {
        start_on_create: true,
        cancel_on_update: true,
        source_poll: Some(Duration::from_secs(60)),
        arn_without_account: Leniency::Accept,
        ..Settings::default()
    }
}

impl SettingFlags {
    /// The defaults of `serve`, changed by the flags.
    pub(super) fn settings(self) -> Settings {
        let default = defaults();
        let accept_if = |flag: bool, otherwise| if flag { Leniency::Accept } else { otherwise };
        Settings {
            region: self.region.unwrap_or(default.region),
            account_id: self.account.unwrap_or(default.account_id),
            reoffer_after: self.reoffer_delay.map_or(default.reoffer_after, |delay| delay.0),
            nonce_form: match self.nonce {
                Some(Nonce::Counter) => NonceForm::Counter,
                Some(Nonce::Random) => NonceForm::Random,
                None => default.nonce_form,
            },
            keep_nonce_on_reoffer: self.keep_nonce || default.keep_nonce_on_reoffer,
            second_acknowledge: accept_if(self.accept_second_acknowledge, default.second_acknowledge),
            acknowledge_finished: accept_if(self.accept_late_acknowledge, default.acknowledge_finished),
            put_before_acknowledge: accept_if(self.accept_unacknowledged_result, default.put_before_acknowledge),
            late_result: accept_if(self.accept_late_result, default.late_result),
            details_before_acknowledge: if self.refuse_unacknowledged_details {
                Leniency::Refuse
            } else {
                default.details_before_acknowledge
            },
            variables_with_continuation: accept_if(
                self.drop_variables_with_continuation,
                default.variables_with_continuation,
            ),
            missing_query_param: accept_if(self.accept_missing_query_param, default.missing_query_param),
            missing_output: if self.refuse_missing_output { Leniency::Refuse } else { default.missing_output },
            arn_without_account: if self.refuse_arn_without_account {
                Leniency::Refuse
            } else {
                default.arn_without_account
            },
            purge_after: self.purge_after.unwrap_or(default.purge_after),
            continuation_delay: self.continuation_delay.unwrap_or(default.continuation_delay),
            default_batch_size: self.default_batch_size.map_or(default.default_batch_size, |size| size.get().into()),
            action_timeout: self.action_timeout.unwrap_or(default.action_timeout),
            invoke_timeout: self.invoke_timeout.unwrap_or(default.invoke_timeout),
            credential_life: self.credential_life.unwrap_or(default.credential_life),
            configuration_value_limit: self.configuration_value_limit.unwrap_or(default.configuration_value_limit),
            extra_members: self.extra_members || default.extra_members,
            start_on_create: self.start_on_create || (default.start_on_create && !self.no_start_on_create),
            event_lead: self.event_lead.unwrap_or(default.event_lead),
            duplicate_events: self.duplicate_events || default.duplicate_events,
            cancel_on_update: self.cancel_on_update || (default.cancel_on_update && !self.no_cancel_on_update),
            source_poll: self.source_poll.map_or(default.source_poll, |every| every.0),
            // The providers set it.
            provided: default.provided,
            page_size: self.page_size.map_or(default.page_size, |size| size.get().into()),
        }
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Parser)]
    struct Line {
        #[command(flatten)]
        flags: SettingFlags,
    }

    fn read(arguments: &[&str]) -> Settings {
        Line::try_parse_from([&["serve"], arguments].concat()).expect("the flags are right").flags.settings()
    }

    #[test]
    fn each_flag_reaches_its_own_setting() {
        type Change = fn(&mut Settings);
        let cases: [(&[&str], Change); 30] = [
            (&["--region", "eu-west-1"], |s| s.region = "eu-west-1".into()),
            (&["--account", "999999999999"], |s| s.account_id = "999999999999".into()),
            (&["--reoffer-delay", "7s"], |s| s.reoffer_after = Some(Duration::from_secs(7))),
            (&["--reoffer-delay", "never"], |s| s.reoffer_after = None),
            (&["--nonce", "random"], |s| s.nonce_form = NonceForm::Random),
            (&["--keep-nonce"], |s| s.keep_nonce_on_reoffer = true),
            (&["--accept-second-acknowledge"], |s| s.second_acknowledge = Leniency::Accept),
            (&["--accept-late-acknowledge"], |s| s.acknowledge_finished = Leniency::Accept),
            (&["--accept-late-result"], |s| s.late_result = Leniency::Accept),
            (&["--accept-unacknowledged-result"], |s| s.put_before_acknowledge = Leniency::Accept),
            (&["--refuse-unacknowledged-details"], |s| s.details_before_acknowledge = Leniency::Refuse),
            (&["--drop-variables-with-continuation"], |s| s.variables_with_continuation = Leniency::Accept),
            (&["--accept-missing-query-param"], |s| s.missing_query_param = Leniency::Accept),
            (&["--refuse-missing-output"], |s| s.missing_output = Leniency::Refuse),
            (&["--refuse-arn-without-account"], |s| s.arn_without_account = Leniency::Refuse),
            (&["--page-size", "7"], |s| s.page_size = 7),
            (&["--purge-after", "7s"], |s| s.purge_after = Duration::from_secs(7)),
            (&["--continuation-delay", "7s"], |s| s.continuation_delay = Duration::from_secs(7)),
            (&["--default-batch-size", "7"], |s| s.default_batch_size = 7),
            (&["--action-timeout", "7s"], |s| s.action_timeout = Duration::from_secs(7)),
            (&["--invoke-timeout", "7s"], |s| s.invoke_timeout = Duration::from_secs(7)),
            (&["--credential-life", "7s"], |s| s.credential_life = Duration::from_secs(7)),
            (&["--configuration-value-limit", "7"], |s| s.configuration_value_limit = 7),
            (&["--extra-members"], |s| s.extra_members = true),
            (&["--event-lead", "7s"], |s| s.event_lead = Duration::from_secs(7)),
            (&["--duplicate-events"], |s| s.duplicate_events = true),
            (&["--no-cancel-on-update"], |s| s.cancel_on_update = false),
            (&["--no-start-on-create"], |s| s.start_on_create = false),
            (&["--source-poll", "7s"], |s| s.source_poll = Some(Duration::from_secs(7))),
            (&["--source-poll", "never"], |s| s.source_poll = None),
        ];
        assert_eq!(read(&[]), defaults());
        for (arguments, change) in cases {
            let mut wanted = defaults();
            change(&mut wanted);
            assert_ne!(wanted, defaults(), "{arguments:?} differs from the default");
            assert_eq!(read(arguments), wanted, "{arguments:?}");
        }
    }

    #[test]
    fn malformed_region_or_account_is_refused() {
        for (flag, value) in [("--region", "no where"), ("--region", "us"), ("--account", "12")] {
            assert!(Line::try_parse_from(["serve", flag, value]).is_err(), "{flag} {value}");
        }
    }

    #[test]
    fn last_flag_of_a_pair_wins() {
        assert!(!read(&["--start-on-create", "--no-start-on-create"]).start_on_create);
        assert!(read(&["--no-start-on-create", "--start-on-create"]).start_on_create);
        assert!(!read(&["--cancel-on-update", "--no-cancel-on-update"]).cancel_on_update);
        assert!(read(&["--no-cancel-on-update", "--cancel-on-update"]).cancel_on_update);
    }

    #[test]
    fn sources_are_not_polled_without_pause() {
        let refused = Line::try_parse_from(["serve", "--source-poll", "0s"]);
        assert!(refused.is_err_and(|error| error.to_string().contains("never")));
    }
}
