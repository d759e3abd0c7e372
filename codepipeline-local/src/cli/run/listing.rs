//! `run --list`: the pipeline as a picture.

use std::collections::BTreeSet;
use std::fmt::Write;

use super::mistake::{Flag, Mistake};
use super::plan::{Action, Plan};
use super::runner::Runner;

/// Draws the stages with their actions: parallel actions in a bracket, and what follows below an arrow.
/// Then come the flags to add, and the mistakes that need another change. `plain` masks secrets, which changes the width of a name.
pub(super) fn picture(plan: &Plan, file: &str, mistakes: &[Mistake], plain: impl Fn(&str) -> String) -> String {
    let mut picture = format!("{}, from {file}\n", plan.pipeline);
    let name = plan.actions().map(|(_, action)| plain(&action.name).chars().count()).max().unwrap_or_default();
    let kind = plan.actions().map(|(_, action)| plain(&action.id.name()).chars().count()).max().unwrap_or_default();
    for (index, stage) in plan.stages.iter().enumerate() {
        if index > 0 {
            picture += "  ↓\n";
        }
        let _ = writeln!(picture, "{}", stage.name);
        for (index, group) in stage.actions.chunk_by(|one, other| one.order == other.order).enumerate() {
            if index > 0 {
                picture += "  ↓\n";
            }
            for (index, action) in group.iter().enumerate() {
                let bracket = match (index, group.len()) {
                    (_, 1) => '─',
                    (0, _) => '┌',
                    (index, len) if index + 1 == len => '└',
                    _ => '├',
                };
                let Action { name: own, id, runner, .. } = action;
                let own = plain(own);
                let _ =
                    writeln!(picture, "  {bracket} {own:name$}  {:kind$}  {}", plain(&id.name()), described(runner));
            }
        }
    }
    let flags = merged(mistakes.iter().filter_map(|mistake| mistake.flag.as_ref()));
    let others: Vec<String> = mistakes.iter().filter(|it| it.flag.is_none()).map(|it| it.text.clone()).collect();
    for (title, mut lines) in [("add to the command", flags), ("correct", others)] {
        let mut shown = BTreeSet::new();
        lines.retain(|line| shown.insert(line.clone()));
        if !lines.is_empty() {
            let _ = writeln!(picture, "\n{title}:\n  {}", lines.join("\n  "));
        }
    }
    picture
}

/// Each flag once, with all its alternatives: several actions may lack the same one.
fn merged<'m>(flags: impl Iterator<Item = &'m Flag>) -> Vec<String> {
    let mut merged: Vec<(&str, Vec<&str>)> = Vec::new();
    for Flag { add, or } in flags {
        let known = merged.iter().position(|(known, _)| known == add).unwrap_or_else(|| {
            merged.push((add, Vec::new()));
            merged.len() - 1
        });
        let alternatives = &mut merged[known].1;
        alternatives.extend(or.as_deref().filter(|or| !alternatives.contains(or)));
    }
    let line = |(add, or): (&str, Vec<&str>)| match or.as_slice() {
        [] => add.to_owned(),
        or => Flag::new(add).or(or.join(" ")).to_string(),
    };
    merged.into_iter().map(line).collect()
}

/// The runner of the action, in a few words.
pub(super) fn described(runner: &Runner) -> String {
    match runner {
        Runner::Folder(folder) => format!("folder {}", folder.display()),
        Runner::Bucket { folder, bucket, key } => format!("folder {}, as s3://{bucket}/{key}", folder.display()),
        Runner::Emulator(what) => what.clone(),
        Runner::Worker => "worker".to_owned(),
        Runner::Function(name) => format!("function {name}"),
        Runner::Polling(name) => format!("function {name}, which polls"),
        Runner::StandIn => "stand-in".to_owned(),
        Runner::Skipped(why) => format!("skipped {why}; its output artifacts are empty"),
        Runner::Person => "a person, or --yes".to_owned(),
        Runner::Missing { what, .. } => format!("MISSING: {what}"),
        Runner::Wrong(what) => format!("WRONG: {what}"),
    }
}
