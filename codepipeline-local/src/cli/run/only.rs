//! `--only`: the stage or action that runs.

use super::declared::Declared;
use crate::api::nearest;

/// What runs.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Only {
    /// All actions of the stage.
    Stage(String),
    /// One action, with its stage.
    Action(String, String),
}

impl Only {
    /// Finds a stage, an action, or `STAGE/ACTION`. A stage wins over an action of the same name. Returns an error with what to type if
    /// the name fits nothing, or actions of several stages.
    pub(super) fn find(name: &str, stages: &[Declared]) -> Result<Self, String> {
        if stages.iter().any(|stage| stage.name == name) {
            return Ok(Self::Stage(name.to_owned()));
        }
        let all = || stages.iter().flat_map(|stage| stage.actions.iter().map(|action| (&stage.name, &action.name)));
        let fits = |(stage, action): &(&String, &String)| *action == name || format!("{stage}/{action}") == name;
        let found: Vec<_> = all().filter(fits).collect();
        match found.as_slice() {
            [(stage, action)] => Ok(Self::Action((*stage).clone(), (*action).clone())),
            [] => {
                let names =
                    stages.iter().map(|stage| stage.name.as_str()).chain(all().map(|(_, action)| action.as_str()));
                let names: Vec<&str> = names.collect();
                let hint = nearest(name, names.iter().copied())
                    .map_or_else(|| format!("it has {}", names.join(", ")), |known| format!("did you mean {known}?"));
                Err(format!("--only {name}: the pipeline has no stage or action of this name; {hint}"))
            }
            [(stage, action), ..] => Err(format!(
                "--only {name}: several stages have this action; write --only {stage}/{action} for the first"
            )),
        }
    }

    /// Whether the action runs.
    pub(super) fn runs(&self, stage: &str, action: &str) -> bool {
        match self {
            Self::Stage(only) => only == stage,
            Self::Action(only_stage, only) => only_stage == stage && only == action,
        }
    }
}
