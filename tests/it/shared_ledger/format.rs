//! The fixtures, and how an object that the new worker writes is compared with them.

use std::collections::BTreeMap;

use serde_json::Value;

/// Members that later versions of the worker added. A worker that knows only the fixtures ignores them.
///
/// They name the job's place in its pipeline for the log of the worker that adopts it.
const NEW_MEMBERS: [&str; 4] = ["pipeline", "stage", "action", "run"];

/// Members whose values are random: 32 hexadecimal digits.
const RANDOM: [&str; 2] = ["/write", "/owner"];

/// Members whose values depend on the moment or are text for people.
const VARYING: [&str; 3] = ["leaseMs", "message", "reason"];

/// The remedy for a difference.
pub(super) const ADVICE: &str = "During an upgrade or a rollback, deployments that know only this format share the ledger with the new one.
- An old worker ignores new optional members of an entry or a report. If the change is one, add its name to NEW_MEMBERS in
  tests/it/shared_ledger/format.rs. The new worker must then run without the member, too.
- Any other change needs a new format: raise FORMAT in src/ledger/entry.rs (VERSION in src/lifecycle/continuation.rs for tokens), let
  the new worker read both formats, release that, and write the new one in a later version. Put fixtures of it beside these.
- Don't edit a fixture: it is what deployments have written.";

/// The ids in a fixture, which differ from job to job.
#[derive(Clone, Debug)]
pub(super) struct Ids {
    pub(super) job: String,
    pub(super) pipeline_execution: String,
    pub(super) action_execution: String,
}

/// The names of all fixtures of a kind of job, such as `held`, and their text.
pub(super) fn fixtures(kind: &str) -> BTreeMap<String, String> {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/it/shared_ledger/formats");
    let files = std::fs::read_dir(folder).unwrap().map(|file| file.unwrap().path());
    let name = |path: &std::path::Path| {
        let name = path.file_stem().unwrap().to_str().unwrap().strip_prefix(kind)?.strip_prefix('.')?;
        Some((name.to_owned(), std::fs::read_to_string(path).unwrap()))
    };
    let found: BTreeMap<_, _> = files.filter_map(|path| name(&path)).collect();
    assert!(!found.is_empty(), "{folder} has no fixture of {kind}");
    found
}

impl Ids {
    /// A fixture with these ids.
    pub(super) fn fill(&self, fixture: &str) -> String {
        let filled = fixture.trim_end().replace("{job}", &self.job);
        let filled = filled.replace("{pipelineExecution}", &self.pipeline_execution);
        filled.replace("{actionExecution}", &self.action_execution)
    }
}

/// Checks that a worker that knows only the fixture reads what the new worker wrote.
pub(super) fn assert_readable(name: &str, fixture: &str, written: &[u8]) {
    let fixture = serde_json::from_str(fixture).unwrap();
    let written = serde_json::from_slice(written).unwrap_or(Value::Null);
    let found = differences(&fixture, &written);
    assert!(found.is_empty(), "the new worker writes another format than {name}: {}.\n{ADVICE}", found.join("; "));
}

/// The differences that an old worker would find.
fn differences(fixture: &Value, written: &Value) -> Vec<String> {
    let mut found = Vec::new();
    compare("", fixture, written, &mut found);
    found
}

fn compare(path: &str, fixture: &Value, written: &Value, found: &mut Vec<String>) {
    let name = path.rsplit('/').next().unwrap_or_default();
    match (fixture, written) {
        (Value::Object(old), Value::Object(new)) => {
            for (member, value) in old {
                match new.get(member) {
                    Some(written) => compare(&format!("{path}/{member}"), value, written, found),
                    None => found.push(format!("{path}/{member} is missing")),
                }
            }
            let added =
                new.keys().filter(|member| !old.contains_key(*member) && !NEW_MEMBERS.contains(&member.as_str()));
            found.extend(added.map(|member| format!("{path}/{member} is new")));
        }
        (Value::String(old), Value::String(new)) if name == "outcome" => {
            match (serde_json::from_str(old), serde_json::from_str(new)) {
                (Ok(old), Ok(new)) => compare(path, &old, &new, found),
                _ => found.push(format!("{path} is not JSON")),
            }
        }
        (Value::String(_), Value::String(new)) if RANDOM.contains(&path) => {
            if new.len() != 32 || !new.bytes().all(|byte| byte.is_ascii_hexdigit()) {
                found.push(format!("{path} is not 32 hexadecimal digits"));
            }
        }
        (Value::String(_), Value::String(_)) | (Value::Number(_), Value::Number(_)) if VARYING.contains(&name) => {}
        _ if fixture == written => {}
        _ => found.push(format!("{path} is {written}, and not {fixture}")),
    }
}

#[test]
fn every_change_of_format_is_noticed() {
    let held = &fixtures("custom")["held"];
    let old: Value = serde_json::from_str(held).unwrap();
    let changed = |change: &dyn Fn(&mut Value)| {
        let mut new = old.clone();
        change(&mut new);
        differences(&old, &new).join("; ")
    };
    assert_eq!(changed(&|_| {}), "");
    assert_eq!(changed(&|new| new["format"] = 2.into()), "/format is 2, and not 1");
    assert_eq!(changed(&|new| new["leaseMs"] = 7.into()), "", "a lease depends on the moment");
    assert_eq!(changed(&|new| new["leaseMs"] = "7".into()), "/leaseMs is \"7\", and not 910000");
    assert_eq!(changed(&|new| new["owner"] = "me".into()), "/owner is not 32 hexadecimal digits");
    assert_eq!(changed(&|new| new["color"] = "red".into()), "/color is new");
    assert_eq!(changed(&|new| new["stage"] = "Test".into()), "", "old workers ignore it");
    let removed = |new: &mut Value| drop(new["actionType"].as_object_mut().unwrap().remove("owner"));
    assert_eq!(changed(&removed), "/actionType/owner is missing");
}
