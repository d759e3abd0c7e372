use serde_json::json;

use super::*;
use crate::api;
use crate::engine::Settings;

/// The input of a `CreatePipeline` whose pipeline has an S3 source and an approval.
fn pipeline() -> Vec<u8> {
    let source = json!({
        "name": "Fetch", "actionTypeId": {"category": "Source", "owner": "AWS", "provider": "S3", "version": "1"},
        "configuration": {"S3Bucket": "sources", "S3ObjectKey": "web.zip"}, "outputArtifacts": [{"name": "Source"}],
    });
    let approval = json!({
        "name": "Ask", "actionTypeId": {"category": "Approval", "owner": "AWS", "provider": "Manual", "version": "1"},
    });
    let stages = json!([{"name": "Source", "actions": [source]}, {"name": "Ask", "actions": [approval]}]);
    let store = json!({"type": "S3", "location": "artifacts"});
    let role = "arn:aws:iam::123456789012:role/any";
    let declaration = json!({"name": "web", "roleArn": role, "artifactStore": store, "stages": stages});
    json!({"pipeline": declaration}).to_string().into_bytes()
}

#[tokio::test]
async fn early_subscriber_misses_no_event() {
    let engine = Settings { start_on_create: true, ..Settings::default() };
    let mut emulator = Emulator::start_waiting(Options { engine, ..Options::default() }).await.unwrap();
    let shared = emulator.shared.upgrade().unwrap();
    let target = "CodePipeline_20150709.CreatePipeline";
    let now = shared.clock.now();
    let (reply, pending) = shared.engine.act(|engine| api::answer(engine, now, target, &pipeline()));
    pending.kept().await.unwrap();
    assert_eq!(reply.status, 200);
    let (done, mut is_done) = oneshot::channel();
    shared.changed.send(done).unwrap();
    for _ in 0..100 {
        tokio::task::yield_now().await;
    }
    assert!(is_done.try_recv().is_err(), "it waits");
    let mut events = emulator.events();
    emulator.begin();
    is_done.await.unwrap();
    assert_eq!(events.try_recv().unwrap()["detail"]["state"], "STARTED");
}
