//! The jobs to drain: actions of one type, in stages of fifty at a time.

use codepipeline_local::testing::{Local, action, input, output, zip};
use serde_json::{Value, json};

use crate::{Kind, service};

const PROVIDER: &str = "Short";

/// CodePipeline allows fifty actions in a stage, and this many run at once.
const ACTIONS: usize = 50;

/// The worker's `ACTIONS`: one type of this kind.
pub(crate) fn worker_actions(kind: Kind, url: &str) -> Value {
    let run = match kind {
        Kind::Command => json!({"command": ["true"]}),
        Kind::Http => json!({"http": {"url": url, "secretVariable": service::KEY_VARIABLE}}),
    };
    let action_type = json!({"category": "Test", "owner": "Custom", "provider": PROVIDER, "version": "1"});
    json!([{"actionType": action_type, "timeoutSeconds": 60, "run": run}])
}

/// Creates the action type.
pub(crate) async fn create_type(local: &Local) {
    local.create_type("Test", PROVIDER, []).await;
}

/// Creates pipelines with so many actions in all, and waits until each action has a job.
pub(crate) async fn create(local: &Local, jobs: usize, artifacts: bool) {
    let file = ("hello.txt", "hello");
    local.s3.create_bucket().bucket(codepipeline_local::testing::SOURCE_BUCKET).send().await.ok();
    local.put_source(zip(&[file])).await;
    for (pipeline, first) in (0..jobs).step_by(ACTIONS).enumerate() {
        let actions = (first..jobs.min(first + ACTIONS)).map(|number| {
            let it = action(&format!("Job-{number}"), "Test", "Custom", PROVIDER);
            if artifacts {
                it.input_artifacts(input("Source")).output_artifacts(output(&format!("Out-{number}")))
            } else {
                it
            }
        });
        let actions: Vec<_> = actions.collect();
        let last = format!("Job-{}", jobs.min(first + ACTIONS) - 1);
        let name = format!("drain-{pipeline}");
        local.create_pipeline(&name, vec![("Test", actions)]).await;
        local.start(&name).await;
        local.until_begun(&name, &last).await;
    }
}
