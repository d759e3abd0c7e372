//! The jobs that the requests are made for: what each needs, and how it must end.

use std::sync::LazyLock;
use std::time::Duration;

use aws_sdk_codepipeline::types::PipelineExecutionStatus;
use aws_sdk_codepipeline::types::builders::ActionDeclarationBuilder;
use codepipeline_local::engine::Settings;
use serde_json::{Value, json};

use crate::state_machine::fake::MACHINE;
use crate::support::{STORE, action, custom, input, output, shell, zip};

/// One pipeline with one job, or one job after another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Scenario {
    /// A command that takes two artifacts and makes two.
    Custom,
    /// The same with one of each, and credentials that expire before they are used.
    Expiring,
    /// A command that takes an artifact of more than one range and makes one of more than one part.
    Large,
    /// A partner's action: its client's token is in Secrets Manager.
    ThirdParty,
    /// The same with a command that fails.
    ThirdPartyFailing,
    /// A state machine that is looked at twice, and leaves an artifact in S3: three jobs.
    Continued,
    /// A state machine whose action is abandoned while it is looked at.
    Abandoned,
    /// A command that fails.
    Failing,
    /// A Lambda Invoke action's job: nobody polls for it, an event brings it.
    Delivered,
}

impl Scenario {
    pub(crate) const ALL: [(&str, Self); 9] = [
        ("custom", Self::Custom),
        ("expiring", Self::Expiring),
        ("large", Self::Large),
        ("third-party", Self::ThirdParty),
        ("third-party-failing", Self::ThirdPartyFailing),
        ("continued", Self::Continued),
        ("abandoned", Self::Abandoned),
        ("failing", Self::Failing),
        ("delivered", Self::Delivered),
    ];

    pub(crate) fn settings(self) -> Settings {
        let credential_life = match self {
            Self::Expiring => Duration::from_secs(1),
            _ => Settings::default().credential_life,
        };
        Settings { credential_life, ..Settings::default() }
    }

    /// Whether a request is to go wrong: of some scenarios only those that others don't have.
    pub(crate) fn strikes(self, what: &str) -> bool {
        match self {
            Self::Large => what.ends_with(STORE),
            Self::ThirdPartyFailing => what == "PutThirdPartyJobFailureResult",
            Self::Abandoned => matches!(what, "PutJobSuccessResult" | "StopExecution"),
            _ => true,
        }
    }

    /// Whether its work is a state machine's, and no command's.
    pub(crate) fn is_machine(self) -> bool {
        matches!(self, Self::Continued | Self::Abandoned)
    }

    /// What is in the object with this key, from which the pipeline begins or which the state machine leaves.
    pub(crate) fn object(self, key: &str) -> Vec<u8> {
        match self {
            Self::Large => zip(&[(key, large_text())]),
            _ => zip(&[(key, key)]),
        }
    }

    /// The action, whose command notes that it runs in the file `ran`.
    pub(crate) fn action(self, ran: &str) -> ActionDeclarationBuilder {
        let run = |command: &str| format!("echo ran >> {ran}; {command}");
        match self {
            Self::Custom => custom("Act", "Build", "Shell")
                .input_artifacts(input("More"))
                .output_artifacts(output("First"))
                .output_artifacts(output("Second"))
                .configuration(
                    "Command",
                    run(r#"cp "$INPUT_SOURCE"/* "$OUTPUT_FIRST"; cp "$INPUT_MORE"/* "$OUTPUT_SECOND"; echo A=b > "$OUTPUT_VARIABLES""#),
                ),
            Self::Expiring => custom("Act", "Build", "Shell")
                .output_artifacts(output("First"))
                .configuration("Command", run(r#"cp "$INPUT_SOURCE"/* "$OUTPUT_FIRST""#)),
            // Deflate looks back no further than 32 KiB, so it does not see that these are copies.
            Self::Large => custom("Act", "Build", "Shell").output_artifacts(output("First")).configuration(
                "Command",
                run(r#"for n in 1 2 3 4 5; do cat "$INPUT_SOURCE/Source" >> "$OUTPUT_FIRST/Source"; done"#),
            ),
            Self::ThirdPartyFailing => action("Act", "Test", "ThirdParty", "Partner")
                .input_artifacts(input("Source"))
                .configuration("Command", run("echo no >&2; exit 7")),
            Self::ThirdParty => action("Act", "Test", "ThirdParty", "Partner")
                .input_artifacts(input("Source"))
                .output_artifacts(output("First"))
                .configuration("Command", run(r#"cp "$INPUT_SOURCE"/* "$OUTPUT_FIRST""#)),
            Self::Continued | Self::Abandoned => custom("Act", "Deploy", "Machine").output_artifacts(output("First")),
            Self::Failing => custom("Act", "Build", "Shell").configuration("Command", run("echo no >&2; exit 7")),
            Self::Delivered => action("Act", "Invoke", "AWS", "Lambda")
                .input_artifacts(input("Source"))
                .output_artifacts(output("First"))
                .configuration("FunctionName", "worker")
                .configuration(
                    "UserParameters",
                    json!({"Command": run(r#"cp "$INPUT_SOURCE"/* "$OUTPUT_FIRST""#)}).to_string(),
                ),
        }
    }

    /// What the worker's `ACTIONS` say of it.
    pub(crate) fn entry(self) -> Value {
        match self {
            Self::Custom | Self::Expiring | Self::Large | Self::Failing => shell("Build", "Shell"),
            Self::ThirdParty | Self::ThirdPartyFailing => owned("ThirdParty", shell("Test", "Partner")),
            Self::Delivered => owned("AWS", shell("Invoke", "Lambda")),
            Self::Continued | Self::Abandoned => json!({
                "actionType": {"category": "Deploy", "owner": "Custom", "provider": "Machine", "version": "1"},
                "run": {"stateMachine": MACHINE}
            }),
        }
    }

    pub(crate) fn ends_as(self) -> PipelineExecutionStatus {
        match self {
            Self::Failing | Self::ThirdPartyFailing => PipelineExecutionStatus::Failed,
            Self::Abandoned => PipelineExecutionStatus::Stopped,
            _ => PipelineExecutionStatus::Succeeded,
        }
    }
}

/// 1.5 MB, of which deflate makes 1.1: letters and digits at random have 6 bits each.
pub(crate) fn large_text() -> &'static str {
    static TEXT: LazyLock<String> = LazyLock::new(|| {
        let mut random = fastrand::Rng::with_seed(1);
        (0..1_500_000).map(|_| random.alphanumeric()).collect()
    });
    &TEXT
}

fn owned(owner: &str, mut entry: Value) -> Value {
    entry["actionType"]["owner"] = json!(owner);
    entry
}
