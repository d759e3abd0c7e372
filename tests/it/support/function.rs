//! The worker's real binary as a Lambda function.

use std::collections::BTreeMap;
use std::time::Duration;

use codepipeline_local::runtime_api::{Function, FunctionSettings, Output};
use serde_json::Value;
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};

use super::World;

/// The real binary under the emulator's Lambda Runtime API, and the lines that it logs. Waits until the test may start
/// processes.
pub(crate) fn function(
    world: &World,
    actions: &Value,
    variables: &[(&str, &str)],
) -> (Function, UnboundedReceiver<String>) {
    world.start_processes();
    let (lines, log) = unbounded_channel();
    let mut env = BTreeMap::from([
        ("ACTIONS".to_owned(), actions.to_string()),
        ("AWS_ENDPOINT_URL".to_owned(), world.emulator.endpoint()),
        ("AWS_ACCESS_KEY_ID".to_owned(), "test".to_owned()),
        ("AWS_SECRET_ACCESS_KEY".to_owned(), "test".to_owned()),
        ("AWS_REGION".to_owned(), "us-east-1".to_owned()),
        ("WORK_FOLDER".to_owned(), world.work_folder().to_str().unwrap().to_owned()),
    ]);
    env.extend(variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())));
    let function = Function::new(FunctionSettings {
        name: "worker".into(),
        command: vec![env!("CARGO_BIN_EXE_codepipeline-worker").into()],
        account_id: "123456789012".into(),
        region: "us-east-1".into(),
        env,
        timeout: Duration::from_secs(300),
        memory_mb: 512,
        output: Output::Lines(lines),
    });
    (function.unwrap(), log)
}
