//! Tests of whole configurations, and what they share.

mod entries;
#[cfg(not(all(feature = "http", feature = "state-machine", feature = "third-party")))]
mod left_out;
mod mistakes;
mod variables;

use serde_json::{Value, json};

use super::*;

fn parsed(variables: &[(&str, &str)]) -> Result<Config, ConfigError> {
    Config::from_variables(&variables.iter().copied().collect())
}

fn link_check() -> Value {
    json!({
        "actionType": {"category": "Test", "owner": "Custom", "provider": "LinkCheck", "version": "1"},
        "queryParam": {"Project": "web"},
        "secrets": ["ApiToken"],
        "timeoutSeconds": 600,
        "run": {"command": ["bash", "-euo", "pipefail", "-c", "{Config:Command}"]}
    })
}

fn mistakes(entry: &Value) -> String {
    match parsed(&[("ACTIONS", &json!([entry]).to_string())]) {
        Ok(_) => panic!("no mistake was found in {entry}"),
        Err(error) => error.to_string(),
    }
}

fn of_type(owner: &str, category: &str, provider: &str) -> Value {
    let mut entry = link_check();
    entry["actionType"] = json!({"category": category, "owner": owner, "provider": provider, "version": "1"});
    entry.as_object_mut().unwrap().remove("queryParam");
    entry
}

fn with_run(run: Value) -> Value {
    let mut entry = link_check();
    entry["timeoutSeconds"] = json!(7200);
    entry["run"] = run;
    entry
}

const WEBHOOK_KEY: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

fn http_entry() -> Value {
    with_run(json!({"http": {"url": "https://checks.example.com/jobs", "secretVariable": "CHECKS_KEY"}}))
}
