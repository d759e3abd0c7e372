//! ARNs that name no account. Terraform makes them for action types where `skip_requesting_account_id` keeps it from asking
//! STS for the account. Their form breaks the API model, so the service refuses them.

use serde_json::Value;

use crate::engine::{Engine, Leniency};

/// Puts the emulator's account into `resourceArn` where the setting admits an ARN without one.
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
