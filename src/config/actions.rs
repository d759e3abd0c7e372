//! `ACTIONS`: a JSON array, one entry for each action type.
//!
//! Walked by hand and not derived: a derived parser stops at the first mistake, and its message may quote the value.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

use super::problems::Problems;
use super::run::{self, Around};
use super::variables::{ACTIONS, ACTIONS_FILE, Environment};
use super::{ActionConfig, Limits, ledger};
use crate::actions::secret_keys;
use crate::job::ActionTypeId;

/// The API model's `ActionCategory`.
const CATEGORIES: [&str; 7] = ["Source", "Build", "Deploy", "Test", "Invoke", "Approval", "Compute"];

/// The one type of the owner `AWS` whose jobs reach a function.
const LAMBDA_INVOKE: &str = "AWS/Invoke/Lambda/1";

pub(super) fn parse(environment: &Environment, limits: &Limits, problems: &mut Problems) -> Vec<ActionConfig> {
    let Some((name, text)) = text(environment, problems) else { return Vec::new() };
    let entries = match serde_json::from_str(&text) {
        Ok(Value::Array(entries)) if !entries.is_empty() => entries,
        Ok(_) => {
            problems.add(name, "must be a JSON array with an entry for each action type, at least one");
            return Vec::new();
        }
        // The parser's own message may quote a value; the place is enough.
        Err(error) => {
            let (line, column) = (error.line(), error.column());
            problems.add(name, format_args!("is not JSON; the parser stopped at line {line}, column {column}"));
            return Vec::new();
        }
    };
    let mut seen = BTreeSet::new();
    let mut actions = Vec::with_capacity(entries.len());
    for (index, entry) in entries.iter().enumerate() {
        let path = format!("{name}[{index}]");
        let Some(action) = action(entry, &path, environment, limits, problems) else { continue };
        if !seen.insert((action.action_type.clone(), action.query_param.clone())) {
            problems.add(&path, "an earlier entry polls for the same action type with the same queryParam");
        }
        actions.push(action);
    }
    actions
}

/// The JSON text and the name of the variable to blame for it.
fn text(environment: &Environment, problems: &mut Problems) -> Option<(&'static str, String)> {
    match (environment.get(ACTIONS.name), environment.get(ACTIONS_FILE.name)) {
        (Some(_), Some(_)) => problems.add("ACTIONS", "set either ACTIONS or ACTIONS_FILE, not both"),
        (Some(text), None) => return Some(("ACTIONS", text.to_owned())),
        (None, Some(path)) => match std::fs::read_to_string(path) {
            Ok(text) => return Some(("ACTIONS_FILE", text)),
            Err(error) => problems.add("ACTIONS_FILE", format_args!("can't be read: {}", error.kind())),
        },
        (None, None) => problems.add("ACTIONS", "is not set; it says which action types to serve (see README)"),
    }
    None
}

fn action(
    entry: &Value,
    path: &str,
    environment: &Environment,
    limits: &Limits,
    problems: &mut Problems,
) -> Option<ActionConfig> {
    let Some(entry) = entry.as_object() else {
        problems.add(path, "must be an object");
        return None;
    };
    let known = ["actionType", "queryParam", "secrets", "timeoutSeconds", "onCrash", "shared", "run"];
    only_known(entry, path, &known, problems);
    // Each part is parsed before any is given up on, so that all mistakes show.
    let action_type = action_type(entry.get("actionType"), &format!("{path}.actionType"), problems);
    let query_param = query_param(entry.get("queryParam"), &format!("{path}.queryParam"), problems);
    if entry.contains_key("queryParam") && action_type.as_ref().is_some_and(|id| id.owner != "Custom") {
        problems
            .add(format_args!("{path}.queryParam"), "is for the owner Custom alone: no other jobs can be polled by it");
    }
    let secrets = secrets(entry.get("secrets"), &format!("{path}.secrets"), problems);
    let secrets = action_type.as_ref().map_or_else(Vec::new, |id| secret_keys(id, secrets));
    let run = run::parse(entry, &Around { path, secrets: &secrets, limits, environment }, problems);
    let on_crash = ledger::on_crash(entry, run.as_ref(), path, problems);
    let shared = ledger::shared(entry, path, problems);
    Some(ActionConfig { action_type: action_type?, query_param, secrets, on_crash, shared, run: run? })
}

fn action_type(value: Option<&Value>, path: &str, problems: &mut Problems) -> Option<ActionTypeId> {
    let Some(members) = value.and_then(Value::as_object) else {
        problems.add(path, "must be an object with category, owner, provider and version");
        return None;
    };
    only_known(members, path, &["category", "owner", "provider", "version"], problems);
    let category = one_of(members, path, "category", &CATEGORIES, problems);
    let owner = one_of(members, path, "owner", &["Custom", "ThirdParty", "AWS"], problems);
    let provider = identifier(members, path, "provider", 35, problems);
    let version = identifier(members, path, "version", 9, problems);
    let id = ActionTypeId { category: category?, owner: owner?, provider: provider?, version: version? };
    if id.owner == "AWS" && id.to_string() != LAMBDA_INVOKE {
        problems.add(
            path,
            "of the owner AWS must be category Invoke, provider Lambda, version 1: CodePipeline runs the others",
        );
        return None;
    }
    Some(id)
}

fn query_param(value: Option<&Value>, path: &str, problems: &mut Problems) -> Option<(String, String)> {
    let rule = "must be an object with one member, a key of 1 to 50 characters, its value 1 to 50 of [a-zA-Z0-9_-]";
    let member = value?.as_object().filter(|members| members.len() == 1).and_then(|members| members.iter().next());
    let Some((key, Value::String(value))) = member else {
        problems.add(path, rule);
        return None;
    };
    if !is_key(key) || !is_identifier(value, 50) {
        problems.add(path, rule);
        return None;
    }
    Some((key.clone(), value.clone()))
}

fn secrets(value: Option<&Value>, path: &str, problems: &mut Problems) -> Vec<String> {
    let Some(value) = value else { return Vec::new() };
    let keys: Option<Vec<String>> = value
        .as_array()
        .and_then(|keys| keys.iter().map(|key| key.as_str().filter(|key| is_key(key)).map(str::to_owned)).collect());
    keys.unwrap_or_else(|| {
        problems.add(path, "must be an array of configuration keys, each 1 to 50 characters");
        Vec::new()
    })
}

pub(super) fn only_known(members: &Map<String, Value>, path: &str, known: &[&str], problems: &mut Problems) {
    for key in members.keys().filter(|key| !known.contains(&key.as_str())) {
        // A key is shown if it looks like one; a secret in the place of a key does not show.
        let shown = if is_identifier(key, 30) { key } else { "(not a plain name)" };
        problems.add(path, format_args!("has no member '{shown}'; it has {}", known.join(", ")));
    }
}

fn one_of(
    members: &Map<String, Value>,
    path: &str,
    key: &str,
    allowed: &[&str],
    problems: &mut Problems,
) -> Option<String> {
    let found = members.get(key).and_then(Value::as_str).filter(|value| allowed.contains(value));
    if found.is_none() {
        problems.add(format_args!("{path}.{key}"), format_args!("must be one of {}", allowed.join(", ")));
    }
    found.map(str::to_owned)
}

fn identifier(
    members: &Map<String, Value>,
    path: &str,
    key: &str,
    longest: usize,
    problems: &mut Problems,
) -> Option<String> {
    let found = members.get(key).and_then(Value::as_str).filter(|value| is_identifier(value, longest));
    if found.is_none() {
        let rule = format_args!("must be a string of 1 to {longest} characters of [0-9A-Za-z_-]");
        problems.add(format_args!("{path}.{key}"), rule);
    }
    found.map(str::to_owned)
}

fn is_identifier(text: &str, longest: usize) -> bool {
    !text.is_empty()
        && text.len() <= longest
        && text.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '-'))
}

/// A key of an action's configuration (API model: 1 to 50 characters, any).
fn is_key(text: &str) -> bool {
    (1..=50).contains(&text.chars().count())
}
