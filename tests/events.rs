//! Each example in `events/` wakes the real function.

#![allow(clippy::unwrap_used, reason = "a scenario whose set-up fails has failed")]

mod support;

use codepipeline_local::runtime_api::Invocation;
use serde_json::{Value, json};
use support::{World, function, shell};

#[tokio::test(flavor = "multi_thread")]
async fn every_example_event_wakes_the_function() {
    let world = World::new().await;
    world.create_type("Test", "Shell", &["Command"]).await;
    let (function, _log) = function(&world, &json!([shell("Test", "Shell")]), &[]);
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("events");
    let mut polls = 0;
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let event: Value = serde_json::from_str(&std::fs::read_to_string(&path).unwrap()).unwrap();

        let invocation = function.invoke(&event).await.unwrap();

        assert!(matches!(invocation, Invocation::Answered(_)), "{}: {invocation:?}", path.display());
        polls += 1;
        assert_eq!(world.emulator.calls("PollForJobs"), polls, "{}", path.display());
    }
    function.stop().await;
    assert_eq!(polls, 2);
}
