//! The jobs whose requests fail: what each needs, and how it must end.

use std::sync::LazyLock;
use std::time::Duration;

use aws_sdk_codepipeline::types::PipelineExecutionStatus;
use aws_sdk_codepipeline::types::builders::ActionDeclarationBuilder;
use codepipeline_local::engine::Settings;
use serde_json::{Value, json};

use crate::state_machine::fake::MACHINE;
use crate::support::{STORE, action, custom, input, output, shell, zip};

/// A pipeline with one job, or with several jobs in a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Scenario {
    /// A command that takes two artifacts and makes two.
    Custom,
    /// The same with one artifact each, and credentials that expire before their use.
    Expiring,
    /// A command that takes an artifact of more than one range and makes one of more than one part.
    Large,
    /// A partner's action. The client's token is in Secrets Manager.
    ThirdParty,
    /// The same with a command that fails.
    ThirdPartyFailing,
    /// A state machine that takes three jobs and leaves an artifact in S3.
    Continued,
    /// A state machine whose action is abandoned while it runs.
    Abandoned,
    /// A command that fails.
    Failing,
    /// The job of a Lambda Invoke action, which arrives as an event.
    Invoked,
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
        ("invoked", Self::Invoked),
    ];

    pub(crate) fn settings(self) -> Settings {
        let credential_life = match self {
            Self::Expiring => Duration::from_secs(1),
            _ => Settings::default().credential_life,
        };
        Settings { credential_life, ..Settings::default() }
    }

    /// Whether the request fails in one run. Some scenarios fail only the requests that the others don't have.
    pub(crate) fn strikes(self, what: &str) -> bool {
        match self {
            Self::Large => what.ends_with(STORE),
            Self::ThirdPartyFailing => what == "PutThirdPartyJobFailureResult",
            Self::Abandoned => matches!(what, "PutJobSuccessResult" | "StopExecution"),
            _ => true,
        }
    }

    /// Whether the work runs in a state machine, and not in a command.
    pub(crate) fn is_machine(self) -> bool {
        matches!(self, Self::Continued | Self::Abandoned)
    }

    /// The content of the object with this key: the pipeline's source, or the state machine's result.
    pub(crate) fn object(self, key: &str) -> Vec<u8> {
        match self {
            Self::Large => zip(&[(key, large_text())]),
            _ => zip(&[(key, key)]),
        }
    }

    /// The action. Its command writes a line to the file `ran`.
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
            // Deflate looks back at most 32 KiB, so it does not find these copies.
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
            Self::Invoked => action("Act", "Invoke", "AWS", "Lambda")
                .input_artifacts(input("Source"))
                .output_artifacts(output("First"))
                .configuration("FunctionName", "worker")
                .configuration(
                    "UserParameters",
                    json!({"Command": run(r#"cp "$INPUT_SOURCE"/* "$OUTPUT_FIRST""#)}).to_string(),
                ),
        }
    }

    /// The entry of the worker's `ACTIONS` for this scenario.
    pub(crate) fn entry(self) -> Value {
        match self {
            Self::Custom | Self::Expiring | Self::Large | Self::Failing => shell("Build", "Shell"),
            Self::ThirdParty | Self::ThirdPartyFailing => owned("ThirdParty", shell("Test", "Partner")),
            Self::Invoked => owned("AWS", shell("Invoke", "Lambda")),
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

/// Returns 1.5 MB that deflate packs into 1.1 MB: random letters and digits have 6 bits each.
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
