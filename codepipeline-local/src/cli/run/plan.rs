//! The plan of a run: who runs each action, or what is missing and the flag to type.

use std::collections::BTreeSet;

use serde_json::Value;

use super::action_types;
use super::declared::{DeclaredAction, read, text};
use super::flags::Wanted;
use super::mistake::Flag;
use super::names::{invoked, key_of, polling, unknown};
use super::only::Only;
use super::runner::Runner;
use crate::providers::ActionTypeId;
use crate::quoted::{in_quotes, word};
use crate::template::{Function, Pipeline, Project};

/// Why `--only` skips an action.
pub(super) const BY_ONLY: &str = "by --only";

/// The actions of a pipeline with their runners.
pub(super) struct Plan {
    pub(super) pipeline: String,
    pub(super) stages: Vec<Stage>,
}

pub(super) struct Stage {
    pub(super) name: String,
    /// In the order of their starts. Actions of the same order run in parallel.
    pub(super) actions: Vec<Action>,
}

pub(super) struct Action {
    pub(super) name: String,
    pub(super) order: u64,
    pub(super) id: ActionTypeId,
    pub(super) runner: Runner,
    /// All members of the declaration.
    pub(super) declaration: Value,
}

impl Plan {
    /// Plans the run of a pipeline. Returns every flag that fits no action.
    pub(super) fn of(pipeline: &Pipeline, project: &Project, wanted: &Wanted) -> Result<Self, Vec<String>> {
        let declaration = &pipeline.declaration;
        let stages = read(declaration);
        let mut problems = Vec::new();
        let only = match wanted.only.as_deref().map(|name| Only::find(name, &stages)).transpose() {
            Ok(only) => only,
            Err(problem) => {
                problems.push(problem);
                None
            }
        };
        problems.extend(unknown(&stages, project, wanted));
        if !problems.is_empty() {
            return Err(problems);
        }
        let invoked = invoked(&stages).map(str::to_owned).collect();
        let planner = Planner { project, wanted, only, polling: polling(&stages, project, wanted), invoked };
        let stages = stages
            .into_iter()
            .map(|stage| {
                let mut actions: Vec<Action> =
                    stage.actions.iter().map(|action| planner.plan(&stage.name, action)).collect();
                actions.sort_by_key(|action| action.order);
                Stage { name: stage.name, actions }
            })
            .collect();
        Ok(Self { pipeline: text(&declaration["name"]), stages })
    }

    /// All actions with their stages.
    pub(super) fn actions(&self) -> impl Iterator<Item = (&Stage, &Action)> {
        self.stages.iter().flat_map(|stage| stage.actions.iter().map(move |action| (stage, action)))
    }

    /// Notes for a user of `--only`.
    pub(super) fn notes(&self) -> Vec<String> {
        let by_only = |runner: &Runner| matches!(runner, Runner::Skipped(why) if *why == BY_ONLY);
        let skipped: Vec<String> = self
            .actions()
            .filter(|(_, action)| by_only(&action.runner))
            .map(|(stage, action)| format!("{}/{}", stage.name, action.name))
            .collect();
        match skipped.is_empty() {
            true => Vec::new(),
            false => vec![format!("--only skips {}; their output artifacts are empty", skipped.join(", "))],
        }
    }

    /// The actions that are skipped, as `STAGE/ACTION`.
    pub(super) fn skipped(&self) -> impl Iterator<Item = String> {
        let skipped = self.actions().filter(|(_, action)| matches!(action.runner, Runner::Skipped(_)));
        skipped.map(|(stage, action)| format!("{}/{}", stage.name, action.name))
    }
}

struct Planner<'a> {
    project: &'a Project,
    wanted: &'a Wanted,
    only: Option<Only>,
    polling: Option<String>,
    /// The functions that actions invoke.
    invoked: BTreeSet<String>,
}

impl Planner<'_> {
    fn plan(&self, stage: &str, action: &DeclaredAction) -> Action {
        let DeclaredAction { name, order, id, declaration, .. } = action;
        let path = format!("{stage}/{name}");
        let runner = if let Some(what) = action_types::wrong(id) {
            Runner::Wrong(what)
        } else if self.wanted.skipped.contains(name) || self.wanted.skipped.contains(&path) {
            Runner::Skipped("by --skip")
        } else if self.only.as_ref().is_some_and(|only| !only.runs(stage, name))
            && !self.wanted.sources.contains_key(name)
        {
            Runner::Skipped(BY_ONLY)
        } else if self.wanted.providers.contains_key(id) {
            Runner::StandIn
        } else {
            self.runner(action)
        };
        Action { name: name.clone(), order: *order, id: id.clone(), runner, declaration: declaration.clone() }
    }

    fn runner(&self, action: &DeclaredAction) -> Runner {
        let ActionTypeId { category, owner, provider, .. } = &action.id;
        match (owner.as_str(), category.as_str(), provider.as_str()) {
            ("AWS", "Source", "S3" | "CodeCommit" | "CodeStarSourceConnection")
            | ("ThirdParty", "Source", "GitHub") => self.source(action),
            ("AWS", "Approval", "Manual") => Runner::Person,
            ("AWS", "Invoke", "Lambda") => self.function(action),
            ("AWS", ..) => super::emulated::what(&action.id, &action.configuration, self.project, self.wanted)
                .unwrap_or_else(|| stand_in(action)),
            ("Custom", ..) if !self.wanted.workers.is_empty() => Runner::Worker,
            ("Custom", ..) => match &self.polling {
                Some(name) => Runner::Polling(name.clone()),
                None => Runner::Missing {
                    what: "no worker runs this custom action".to_owned(),
                    flag: Flag::new("--worker 'COMMAND'")
                        .or(format!("{} for a Lambda function", self.function_that_polls())),
                },
            },
            _ => stand_in(action),
        }
    }

    /// The flag for a worker that is a function: the template's only function that no action invokes, or else any name.
    fn function_that_polls(&self) -> String {
        let functions = self.project.functions.iter().filter(|(name, _)| !self.invoked.contains(*name));
        match functions.collect::<Vec<_>>()[..] {
            [(_, only)] => function_flag(&only.logical_id),
            _ => function_flag("worker"),
        }
    }

    fn source(&self, action: &DeclaredAction) -> Runner {
        let Some(folder) = self.wanted.sources.get(&action.name).cloned() else {
            return Runner::Missing {
                what: "no folder stands for this source".to_owned(),
                flag: Flag::new(format!("--source {}", word(&format!("{}=DIR", action.name)))),
            };
        };
        if action.id.provider == "S3" {
            let (bucket, key) = (action.configured("S3Bucket"), action.configured("S3ObjectKey"));
            return Runner::Bucket { folder, bucket, key };
        }
        Runner::Folder(folder)
    }

    fn function(&self, action: &DeclaredAction) -> Runner {
        let name = action.configured("FunctionName");
        if let Some(key) = key_of(&name, self.project, self.wanted) {
            return Runner::Function(key);
        }
        let known = self.project.functions.get(&name);
        let detail = known.map(detail);
        Runner::Missing {
            what: format!("no command runs the function {name}{}", detail.unwrap_or_default()),
            flag: Flag::new(function_flag(known.map_or(&name, |known| &known.logical_id))),
        }
    }
}

/// The flag that gives a function its command.
fn function_flag(name: &str) -> String {
    let quoted = word(name);
    if quoted == name {
        format!("--function {name}='COMMAND'")
    } else {
        format!("--function {}", in_quotes(&format!("{name}=COMMAND")))
    }
}

/// The template's facts about a function, in parentheses.
fn detail(function: &Function) -> String {
    let code = function.code.as_ref().map(|code| format!("code in {}", code.display()));
    let facts = [function.handler.clone(), function.runtime.clone(), code];
    let facts: Vec<String> = facts.into_iter().flatten().collect();
    if facts.is_empty() { String::new() } else { format!(" ({})", facts.join(", ")) }
}

fn stand_in(action: &DeclaredAction) -> Runner {
    let name = action.id.name();
    Runner::Missing {
        what: action_types::not_provided(&action.id),
        flag: Flag::new(format!("--provider {}", in_quotes(&format!("{name}=COMMAND"))))
            .or(format!("--skip {}", word(&action.name))),
    }
}
