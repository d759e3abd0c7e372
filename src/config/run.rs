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
    let (role, log_output) = (entry.get("role"), entry.get("logOutput"));
    let mut found = None;
    for (kind, value) in KINDS.iter().filter_map(|kind| Some((kind, members.get(kind.name)?))) {
        let path = format!("{path}.{}", kind.name);
        let Around { path: entry, is_third_party, secrets, settings, environment, .. } = *around;
        if role.is_some() && !kind.takes_role {
            let rule = format_args!("is only for commands: the worker gives credentials to no {}", kind.name);
            problems.add(format_args!("{entry}.role"), rule);
        }
        if log_output.is_some() && !kind.prints {
            let rule = format_args!("is only for commands: the worker sees no output of {}", kind.name);
            problems.add(format_args!("{entry}.logOutput"), rule);
        }
        let (role, log_output) = (role.filter(|_| kind.takes_role), log_output.filter(|_| kind.prints));
        let (variables, problems) = (&mut *around.variables, &mut *problems);
        let mut part = Part {
            entry,
            path: &path,
            value,
            timeout,
            role,
            log_output,
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
