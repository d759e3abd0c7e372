//! `run`: the kind of an action type's work.

use serde_json::{Map, Value};

use crate::actions::{Configured, KINDS, Kind, LEFT_OUT, Part};
use crate::settings::{Environment, Problems, Settings, left_out, only_known, whole_seconds};

/// The rest of the entry and the environment, as far as a kind needs them.
pub(super) struct Around<'a> {
    pub(super) path: &'a str,
    pub(super) is_third_party: bool,
    pub(super) secrets: &'a [String],
    pub(super) settings: &'a Settings,
    pub(super) environment: &'a Environment,
    pub(super) variables: &'a mut Vec<String>,
}

/// The kind that `run` names, and the action that it configures. Each is missing if its part has a mistake.
pub(super) fn parse(
    entry: &Map<String, Value>,
    around: &mut Around<'_>,
    problems: &mut Problems,
) -> (Option<&'static Kind>, Option<Configured>) {
    let path = format!("{}.run", around.path);
    let none = Map::new();
    let members = entry.get("run").and_then(Value::as_object).unwrap_or(&none);
    let names: Vec<_> = KINDS.iter().map(|kind| kind.name).chain(LEFT_OUT.iter().map(|(name, _)| *name)).collect();
    if members.len() != 1 {
        problems.add(&path, format_args!("must be an object with exactly one member: {}", names.join(", ")));
    }
    only_known(members, &path, &names, problems);
    for (name, feature) in LEFT_OUT.iter().filter(|(name, _)| members.contains_key(*name)) {
        problems.add(format_args!("{path}.{name}"), left_out(format_args!("actions of the kind {name}"), feature));
    }
    let timeout = entry.get("timeoutSeconds");
    let mut found = None;
    for (kind, value) in KINDS.iter().filter_map(|kind| Some((kind, members.get(kind.name)?))) {
        let path = format!("{path}.{}", kind.name);
        let Around { path: place, is_third_party, secrets, settings, environment, .. } = *around;
        not_of_other_kinds(entry, kind, place, problems);
        let (variables, problems) = (&mut *around.variables, &mut *problems);
        let mut part = Part {
            entry: place,
            path: &path,
            value,
            timeout,
            members: entry,
            is_third_party,
            secrets,
            settings,
            environment,
            variables,
            problems,
        };
        found = Some((kind, (kind.parse)(&mut part)));
    }
    if found.is_none() && whole_seconds(timeout, 1).is_none_or(|seconds| seconds == 0) {
        problems.add(format_args!("{}.timeoutSeconds", around.path), "must be a whole number of seconds, 1 or more");
    }
    match found {
        Some((kind, configured)) if members.len() == 1 => (Some(kind), configured),
        _ => (None, None),
    }
}

/// The members that only entries of one kind may have.
pub(super) fn own_members() -> impl Iterator<Item = &'static str> {
    KINDS.iter().flat_map(|kind| kind.own_members).copied()
}

/// Reports each member of `entry` that only another kind has.
fn not_of_other_kinds(entry: &Map<String, Value>, kind: &Kind, path: &str, problems: &mut Problems) {
    for other in KINDS.iter().filter(|other| other.name != kind.name) {
        for member in other.own_members.iter().filter(|member| entry.contains_key(**member)) {
            let rule = format_args!("is only for entries with run.{}, and this one has run.{}", other.name, kind.name);
            problems.add(format_args!("{path}.{member}"), rule);
        }
    }
}
