//! ARNs of state machines and of their executions ("Resource types defined by AWS Step Functions", Service Authorization
//! Reference).

use thiserror::Error;

/// Characters that no name may have (API reference, `StartExecution`), in addition to white space and control characters.
const FORBIDDEN: &str = "<>{}[]?*\"#%\\^|~`$&,;:/";
/// The longest name of a state machine, a version, an alias or an execution, in characters.
const LONGEST_NAME: usize = 80;

/// The ARN of a state machine, of one of its versions or of one of its aliases.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StateMachineArn {
    text: String,
    partition: String,
    region: String,
    account: String,
    machine: String,
}

/// Why a text is not the ARN of a state machine. The message does not repeat the text.
#[derive(Debug, Error, PartialEq, Eq)]
pub enum ArnMistake {
    /// It has another form.
    #[error(
        "must be the ARN of a state machine, of a version or of an alias: \
         arn:aws:states:REGION:ACCOUNT:stateMachine:NAME, perhaps with :VERSION or :ALIAS after it"
    )]
    Form,
    /// It contains a placeholder such as `{Config:Key}`.
    #[error(
        "must be one fixed ARN, without placeholders: the worker also stops executions of abandoned actions, and the event about \
         an abandoned action has no configuration"
    )]
    Placeholder,
    /// It names an execution of an express or a standard state machine.
    #[error("is the ARN of an execution; give the ARN of its state machine")]
    Execution,
    /// It names a Map state in a state machine.
    #[error(
        "is the ARN of a Map state, which Step Functions does not start; give the ARN of the state machine, without the / and the rest"
    )]
    MapState,
}

impl StateMachineArn {
    /// Parses the text.
    ///
    /// # Errors
    /// Returns an error if it is not the ARN of a state machine, of a version or of an alias.
    pub fn parse(text: &str) -> Result<Self, ArnMistake> {
        if text.contains('{') {
            return Err(ArnMistake::Placeholder);
        }
        let parts: Vec<&str> = text.split(':').collect();
        let ["arn", partition, "states", region, account, kind, machine, qualifier @ ..] = parts.as_slice() else {
            return Err(ArnMistake::Form);
        };
        match *kind {
            "stateMachine" => {}
            "execution" | "express" => return Err(ArnMistake::Execution),
            _ => return Err(ArnMistake::Form),
        }
        if machine.contains('/') {
            return Err(ArnMistake::MapState);
        }
        let plain = |part: &str| {
            !part.is_empty() && part.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-')
        };
        let sound = plain(partition)
            && plain(region)
            && account.len() == 12
            && account.chars().all(|c| c.is_ascii_digit())
            && is_name(machine)
            && qualifier.len() <= 1
            && qualifier.iter().all(|qualifier| is_name(qualifier));
        if !sound {
            return Err(ArnMistake::Form);
        }
        Ok(Self {
            text: text.to_owned(),
            partition: (*partition).to_owned(),
            region: (*region).to_owned(),
            account: (*account).to_owned(),
            machine: (*machine).to_owned(),
        })
    }

    /// The configured ARN.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The ARN without version or alias.
    pub(super) fn unqualified(&self) -> String {
        let Self { partition, region, account, machine, .. } = self;
        format!("arn:{partition}:states:{region}:{account}:stateMachine:{machine}")
    }

    /// The region that the state machine is in.
    pub fn region(&self) -> &str {
        &self.region
    }

    /// The ARN of the machine's execution with that name. It contains no version or alias, because they share the names with their
    /// machine.
    pub(super) fn execution(&self, name: &str) -> String {
        let Self { partition, region, account, machine, .. } = self;
        format!("arn:{partition}:states:{region}:{account}:execution:{machine}:{name}")
    }
}

/// Whether it is the ARN of an execution of a standard state machine.
pub(super) fn is_execution(arn: &str) -> bool {
    kind(arn) == Some("execution")
}

/// Whether it is the ARN of an execution of an express state machine.
pub(super) fn is_express_execution(arn: &str) -> bool {
    kind(arn) == Some("express")
}

fn kind(arn: &str) -> Option<&str> {
    let mut parts = arn.split(':');
    (parts.next()? == "arn" && parts.nth(1)? == "states").then(|| parts.nth(2))?
}

fn is_name(text: &str) -> bool {
    (1..=LONGEST_NAME).contains(&text.chars().count())
        && !text.chars().any(|c| c.is_whitespace() || c.is_control() || FORBIDDEN.contains(c))
}

/// Whether an execution can have this name and be found in CloudWatch Logs by it.
pub(super) fn is_execution_name(text: &str) -> bool {
    (1..=LONGEST_NAME).contains(&text.len())
        && text.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_'))
}

#[cfg(test)]
mod tests {
    use super::*;

    const MACHINE: &str = "arn:aws:states:eu-central-1:111122223333:stateMachine:Deploy";

    fn mistake(text: &str) -> ArnMistake {
        StateMachineArn::parse(text).err().unwrap_or_else(|| panic!("{text} was accepted"))
    }

    #[test]
    fn execution_has_the_machines_name_without_version_or_alias() {
        for machine in [MACHINE.to_owned(), format!("{MACHINE}:3"), format!("{MACHINE}:PROD")] {
            let arn = StateMachineArn::parse(&machine).unwrap();
            assert_eq!(arn.as_str(), machine);
            assert_eq!((arn.region(), arn.unqualified().as_str()), ("eu-central-1", MACHINE));
            assert_eq!(arn.execution("e-1"), "arn:aws:states:eu-central-1:111122223333:execution:Deploy:e-1");
        }
        let china = StateMachineArn::parse("arn:aws-cn:states:cn-north-1:111122223333:stateMachine:Größe.1").unwrap();
        assert_eq!(china.execution("e"), "arn:aws-cn:states:cn-north-1:111122223333:execution:Größe.1:e");
    }

    #[test]
    fn other_arns_are_refused_with_the_reason() {
        for text in [
            "",
            "Deploy",
            "arn:aws:states:eu-central-1:111122223333:activity:Deploy",
            "arn:aws:lambda:eu-central-1:111122223333:function:Deploy",
            "arn:aws:states:eu-central-1:1111:stateMachine:Deploy",
            "arn:aws:states::111122223333:stateMachine:Deploy",
            "arn:aws:states:eu-central-1:111122223333:stateMachine:",
            "arn:aws:states:eu-central-1:111122223333:stateMachine:De ploy",
            "arn:aws:states:eu-central-1:111122223333:stateMachine:Deploy:",
            "arn:aws:states:eu-central-1:111122223333:stateMachine:Deploy:1:2",
            &format!("arn:aws:states:eu-central-1:111122223333:stateMachine:{}", "x".repeat(81)),
        ] {
            assert_eq!(mistake(text), ArnMistake::Form, "{text}");
        }
        assert_eq!(mistake(&format!("{MACHINE}/Map")), ArnMistake::MapState);
        assert_eq!(mistake("arn:aws:states:{Config:Region}:1:stateMachine:x"), ArnMistake::Placeholder);
        assert_eq!(mistake("arn:aws:states:eu-central-1:111122223333:execution:Deploy:e"), ArnMistake::Execution);
    }

    #[test]
    fn executions_of_standard_and_express_machines_are_told_apart() {
        let standard = "arn:aws:states:eu-central-1:111122223333:execution:Deploy:e";
        let express = "arn:aws:states:eu-central-1:111122223333:express:Deploy:e:0b8f1c9e";
        assert!(is_execution(standard) && !is_express_execution(standard));
        assert!(is_express_execution(express) && !is_execution(express));
        for other in ["", "arn", "arn:aws:s3:::execution:x", MACHINE, "execution"] {
            assert!(!is_execution(other) && !is_express_execution(other), "{other}");
        }
    }
}
