//! The secret configuration values of a plan's actions.

use std::collections::BTreeMap;

use serde_json::Value;

use super::declared::created_type;
use super::plan::{Action, Plan};
use crate::engine::pipelines::MASK;
use crate::engine::sounds_secret;
use crate::providers::ActionTypeId;
use crate::template::Project;

/// The values that the emulator masks on its page, too: of properties that the file declares secret, and of undeclared properties whose
/// names sound secret. A value with a variable is known only when the pipeline runs, and a mask hides the value already.
pub(super) fn secret_values<'p>(plan: &'p Plan, project: &'p Project) -> impl Iterator<Item = &'p str> {
    let types: BTreeMap<_, _> = project.action_types.iter().map(|input| (created_type(input), input)).collect();
    let values = plan.actions().flat_map(move |(_, action)| of_action(action, &types));
    values.filter(|value| !value.contains("#{") && *value != MASK)
}

fn of_action<'p>(action: &'p Action, types: &BTreeMap<ActionTypeId, &Value>) -> Vec<&'p str> {
    let action_type = types.get(&action.id).copied();
    let configuration = action.declaration["configuration"].as_object().into_iter().flatten();
    let secret = configuration.filter(|(key, _)| is_secret(action_type, key));
    secret.filter_map(|(_, value)| value.as_str()).collect()
}

fn is_secret(action_type: Option<&Value>, key: &str) -> bool {
    let properties = action_type.and_then(|input| input["configurationProperties"].as_array());
    let declared = properties.into_iter().flatten().find(|property| property["name"] == key);
    declared.map_or_else(|| sounds_secret(key), |property| property["secret"] == true)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::flags::Wanted;
    use super::*;
    use crate::template::Pipeline;

    #[test]
    fn declared_and_guessed_secrets_are_found() {
        let own = json!({"category": "Test", "owner": "Custom", "provider": "Own", "version": "1"});
        let other = json!({"category": "Deploy", "owner": "AWS", "provider": "ECS", "version": "1"});
        let action = |name: &str, id: &Value, configuration: Value| json!({"name": name, "actionTypeId": id, "configuration": configuration});
        let actions = json!([
            action("Own", &own, json!({"ApiKey": "one", "TokenFile": "two", "Token": "#{variables.Token}"})),
            action(
                "Other",
                &other,
                json!({"ApiKey": "three", "API_TOKEN": "four", "Secret": "****", "Token": "a-#{Source.CommitId}"})
            ),
            action("Wrong", &other, json!("five")),
        ]);
        let property = |name: &str, secret: bool| json!({"name": name, "secret": secret});
        let properties = json!([property("ApiKey", true), property("TokenFile", false), property("Token", true)]);
        let created =
            json!({"category": "Test", "provider": "Own", "version": "1", "configurationProperties": properties});
        let declaration = json!({"name": "web", "stages": [{"name": "Work", "actions": actions}]});
        let pipeline = Pipeline { logical_id: None, declaration, tags: Value::Null, disabled_transitions: Vec::new() };
        let project = Project { action_types: vec![created], ..Project::default() };
        let plan = Plan::of(&pipeline, &project, &Wanted::default()).unwrap();
        assert_eq!(secret_values(&plan, &project).collect::<Vec<_>>(), ["one", "four"]);
    }
}
