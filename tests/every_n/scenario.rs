//! The jobs that the requests are made for: what each needs, and how it must end.

use std::time::Duration;

use aws_sdk_codepipeline::types::PipelineExecutionStatus;
use aws_sdk_codepipeline::types::builders::ActionDeclarationBuilder;
use codepipeline_local::engine::Settings;
use serde_json::{Value, json};

use crate::fake::MACHINE;
use crate::support::{action, custom, input, output, shell};

/// One pipeline with one job, or one job after another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Scenario {
    /// A command that takes two artifacts and makes two.
    Custom,
    /// The same with one of each, and credentials that expire before they are used.
    Expiring,
    /// A partner's action: its client's token is in Secrets Manager.
    ThirdParty,
    /// A state machine that is looked at twice, and leaves an artifact in S3: three jobs.
    Continued,
    /// A command that fails.
    Failing,
    /// A Lambda Invoke action's job: nobody polls for it, an event brings it.
    Delivered,
}

impl Scenario {
    pub(crate) const ALL: [(&str, Self); 6] = [
        ("custom", Self::Custom),
        ("expiring", Self::Expiring),
        ("third-party", Self::ThirdParty),
        ("continued", Self::Continued),
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
            Self::ThirdParty => action("Act", "Test", "ThirdParty", "Partner")
                .input_artifacts(input("Source"))
                .output_artifacts(output("First"))
                .configuration("Command", run(r#"cp "$INPUT_SOURCE"/* "$OUTPUT_FIRST""#)),
            Self::Continued => custom("Act", "Deploy", "Machine").output_artifacts(output("First")),
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
            Self::Custom | Self::Expiring | Self::Failing => shell("Build", "Shell"),
            Self::ThirdParty => owned("ThirdParty", shell("Test", "Partner")),
            Self::Delivered => owned("AWS", shell("Invoke", "Lambda")),
            Self::Continued => json!({
                "actionType": {"category": "Deploy", "owner": "Custom", "provider": "Machine", "version": "1"},
                "run": {"stateMachine": MACHINE}
            }),
        }
    }

    pub(crate) fn ends_as(self) -> PipelineExecutionStatus {
        match self {
            Self::Failing => PipelineExecutionStatus::Failed,
            _ => PipelineExecutionStatus::Succeeded,
        }
    }
}

fn owned(owner: &str, mut entry: Value) -> Value {
    entry["actionType"]["owner"] = json!(owner);
    entry
}
