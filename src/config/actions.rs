//! `ACTIONS`: a JSON array, one entry for each action type.
//!
//! The code walks the JSON itself. A derived parser stops at the first mistake, and its message may quote the value.

use std::collections::BTreeSet;
use std::io::ErrorKind;

use serde_json::{Map, Value};

use super::run::{self, Around};
use super::variables::{ACTIONS, ACTIONS_FILE};
use super::{ActionConfig, json, ledger};
use crate::actions::secret_keys;
use crate::job::ActionTypeId;
use crate::settings::{Environment, Problems, Settings, only_known, third_party_left_out};

/// The API model's `ActionCategory`.
const CATEGORIES: [&str; 7] = ["Source", "Build", "Deploy", "Test", "Invoke", "Approval", "Compute"];

/// The members that an entry of any kind may have, without `run`.
const MEMBERS: [&str; 6] = ["actionType", "queryParam", "secrets", "timeoutSeconds", "onCrash", "shared"];

/// The content of `ACTIONS`.
#[derive(Default)]
pub(super) struct Actions {
    /// The entries without a mistake.
    pub(super) served: Vec<ActionConfig>,
    /// Whether any entry is for third-party jobs, which need client tokens. Never in a build without their support.
    pub(super) third_party: bool,
    /// The variables that entries name.
    pub(super) variables: Vec<String>,
}

/// Reads entries, and remembers the earlier ones.
struct Reader<'a> {
    environment: &'a Environment,
    settings: &'a Settings,
    seen: BTreeSet<(ActionTypeId, Option<(String, String)>)>,
    actions: Actions,
}

pub(super) fn parse(environment: &Environment, settings: &Settings, problems: &mut Problems) -> Actions {
    let mut reader = Reader { environment, settings, seen: BTreeSet::new(), actions: Actions::default() };
    for (name, text) in texts(environment, problems) {
        let Some(value) = json::parse(&text, name, problems) else { continue };
        match value.as_array() {
            Some(entries) if !entries.is_empty() => {
                for (index, entry) in entries.iter().enumerate() {
                    reader.entry(entry, &format!("{name}[{index}]"), problems);
                }
            }
            _ => problems.add(name, not_entries(&value)),
        }
    }
    reader.actions
}

fn not_entries(value: &Value) -> &'static str {
    match value {
        Value::Object(_) => "must be a JSON array: put the entry between [ and ]",
        Value::String(_) => "must be a JSON array, but is a string: remove the quotes around the array",
        _ => "must be a JSON array with an entry for each action type, at least one",
    }
}

/// The JSON texts, each with the name of its variable. There is one, unless the configuration has a mistake.
fn texts(environment: &Environment, problems: &mut Problems) -> Vec<(&'static str, String)> {
    let (inline, path) = (environment.get(ACTIONS.name), environment.get(ACTIONS_FILE.name));
    match (inline, path) {
        (Some(_), Some(_)) => problems.add(ACTIONS.name, "set either ACTIONS or ACTIONS_FILE, not both"),
        (None, None) => {
            problems.add(ACTIONS.name, "is not set; it says which action types to serve (see docs/configuration.md)");
        }
        _ => {}
    }
    let mut texts: Vec<_> = inline.map(|text| (ACTIONS.name, text.to_owned())).into_iter().collect();
    match path.map(std::fs::read_to_string) {
        Some(Ok(text)) => texts.push((ACTIONS_FILE.name, text)),
        Some(Err(error)) if error.kind() == ErrorKind::NotFound => {
            problems.add(ACTIONS_FILE.name, "names a file that does not exist");
        }
        Some(Err(error)) => problems.add(ACTIONS_FILE.name, format_args!("can't be read: {}", error.kind())),
        None => {}
    }
    texts
}

impl Reader<'_> {
    /// Reads every part of an entry, also after a mistake, so that it reports all mistakes.
    fn entry(&mut self, entry: &Value, path: &str, problems: &mut Problems) {
        let Some(entry) = entry.as_object() else {
            problems.add(path, "must be an object");
            return;
        };
        let known: Vec<_> = MEMBERS.into_iter().chain(run::own_members()).chain(["run"]).collect();
        only_known(entry, path, &known, problems);
        let owner = entry.get("actionType").and_then(|id| id.get("owner")).and_then(Value::as_str).unwrap_or_default();
        let is_third_party = owner == "ThirdParty";
        if is_third_party && cfg!(feature = "third-party") {
            self.actions.third_party = true;
        } else if is_third_party {
            problems.add(format_args!("{path}.actionType.owner"), third_party_left_out());
        }
        let action_type = action_type(entry.get("actionType"), &format!("{path}.actionType"), problems);
        let query_param = query_param(entry.get("queryParam"), &format!("{path}.queryParam"), problems);
        if entry.contains_key("queryParam") && ["AWS", "ThirdParty"].contains(&owner) {
            let rule = "works only with the owner Custom: CodePipeline can't filter other jobs by it";
            problems.add(format_args!("{path}.queryParam"), rule);
        }
        self.check_duplicate(action_type.as_ref(), query_param.as_ref(), entry, path, problems);
        let secrets = secret_keys(owner, secrets(entry.get("secrets"), &format!("{path}.secrets"), problems));
        let (settings, environment) = (self.settings, self.environment);
        let variables = &mut self.actions.variables;
        let mut around = Around { path, is_third_party, secrets: &secrets, settings, environment, variables };
        let (kind, run) = run::parse(entry, &mut around, problems);
        let on_crash = ledger::on_crash(entry, kind, path, problems);
        let shared = ledger::shared(entry, path, problems);
        if shared && owner == "AWS" {
            let rule =
                "is only for types that are polled: CodePipeline delivers a Lambda Invoke job to this function alone";
            problems.add(format_args!("{path}.shared"), rule);
        }
        if let (Some(action_type), Some(kind), Some(run)) = (action_type, kind, run) {
            let action = ActionConfig { action_type, query_param, secrets, on_crash, shared, kind, run };
            self.actions.served.push(action);
        }
    }

    /// Reports a second entry for the same jobs. An entry whose queryParam has a mistake may be for other jobs.
    fn check_duplicate(
        &mut self,
        action_type: Option<&ActionTypeId>,
        query_param: Option<&(String, String)>,
        entry: &Map<String, Value>,
        path: &str,
        problems: &mut Problems,
    ) {
        let Some(action_type) = action_type else { return };
        if query_param.is_none() && entry.contains_key("queryParam") {
            return;
        }
        if !self.seen.insert((action_type.clone(), query_param.cloned())) {
            problems.add(path, "an earlier entry is for the same action type with the same queryParam");
        }
    }
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
    let is = |part: &Option<String>, only: &str| part.as_deref().is_none_or(|part| part == only);
    // The only type of the owner AWS whose jobs reach a function.
    let is_invoke = is(&category, "Invoke") && is(&provider, "Lambda") && is(&version, "1");
    if owner.as_deref() == Some("AWS") && !is_invoke {
        let rule = "with the owner AWS must be category Invoke, provider Lambda, version 1: CodePipeline itself runs the others";
        problems.add(path, rule);
        return None;
    }
    Some(ActionTypeId { category: category?, owner: owner?, provider: provider?, version: version? })
}

fn query_param(value: Option<&Value>, path: &str, problems: &mut Problems) -> Option<(String, String)> {
    let rule =
        "must be an object with one member: a key of 1 to 50 characters, and a value of 1 to 50 of [a-zA-Z0-9_-]";
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
    let Some(keys) = value.as_array() else {
        problems.add(path, "must be an array of configuration keys");
        return Vec::new();
    };
    let mut sound = Vec::with_capacity(keys.len());
    for (index, key) in keys.iter().enumerate() {
        match key.as_str().filter(|key| is_key(key)) {
            Some(key) => sound.push(key.to_owned()),
            None => problems.add(format_args!("{path}[{index}]"), "must be a configuration key of 1 to 50 characters"),
        }
    }
    sound
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
