//! The kind `stateMachine`, and how its part of an entry of `ACTIONS` is read.

use std::time::Duration;

use super::{StateMachineAction, StateMachineArn};
use crate::actions::OnCrash;
use crate::actions::kind::{Configured, Kind, Part};
use crate::actions::outside::{check_turn, overall};
use crate::event::EndOfWork;

/// A call of Step Functions takes tens of milliseconds; the rest is for trying it again.
const TURN: Duration = Duration::from_secs(30);

/// Step Functions finds the execution of the same name again after a worker death, so the job runs again.
pub(crate) const KIND: Kind = Kind {
    name: "stateMachine",
    runs_alone: false,
    on_crash: OnCrash::Run,
    own_members: &[],
    end_of_work: Some(EndOfWork {
        source: "aws.states",
        detail_type: "Step Functions Execution Status Change",
        status: "/detail/status",
        running: &["RUNNING"],
        resource: "/detail/stateMachineArn",
    }),
    parse,
};

fn parse(part: &mut Part<'_>) -> Option<Configured> {
    let overall = overall(part);
    check_turn(TURN, None, part);
    let Some(arn) = part.value.as_str() else {
        part.mistake("", "must be a string: the state machine's ARN");
        return None;
    };
    let machine = StateMachineArn::parse(arn).map_err(|mistake| part.mistake("", mistake)).ok()?;
    let waits_for = Some(machine.unqualified());
    let run = Configured::new(TURN, |sdk_config| StateMachineAction::new(sdk_config, machine));
    Some(Configured { overall, waits_for, ..run })
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::actions::kind::tests::Sample;

    const ARN: &str = "arn:aws:states:eu-central-1:111122223333:stateMachine:Rollout";

    #[test]
    fn execution_may_outlast_the_function_and_is_waited_for() {
        let sample = Sample { timeout: Some(json!("7200")), ..Sample::of(json!(format!("{ARN}:PROD"))) };
        let configured = sample.parse(&KIND).unwrap_or_else(|mistakes| panic!("{mistakes}"));
        assert_eq!((configured.turn.as_secs(), configured.overall.as_secs()), (30, 7200));
        assert_eq!(configured.waits_for.as_deref(), Some(ARN));
    }

    #[test]
    fn only_the_arn_of_a_state_machine_is_taken() {
        let mistakes = |value: Value| Sample::of(value).mistakes(&KIND);
        assert!(mistakes(json!(1)).contains("part: must be a string: the state machine's ARN"));
        assert!(mistakes(json!("arn:aws:s3:::bucket")).contains("part: must be the ARN"));
    }
}
