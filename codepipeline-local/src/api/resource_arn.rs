//! ARNs without an account. Terraform creates them for action types if `skip_requesting_account_id` is true, because it does not ask STS
//! for the account. They break the API model, so AWS refuses them.

use serde_json::Value;

use crate::engine::{Engine, Leniency};

/// Inserts the emulator's account into `resourceArn` if the setting accepts ARNs without one.
pub(super) fn complete(engine: &Engine, input: &mut Value) {
    if engine.settings.arn_without_account == Leniency::Refuse {
        return;
    }
    let Some(Value::String(arn)) = input.get_mut("resourceArn") else { return };
    let parts: Vec<&str> = arn.splitn(6, ':').collect();
    if let ["arn", partition, "codepipeline", region, "", resource] = parts[..] {
        *arn = format!("arn:{partition}:codepipeline:{region}:{}:{resource}", engine.settings.account_id);
    }
}
