//! Each example in `events/` wakes the real function.

use std::collections::BTreeMap;

use codepipeline_worker::event::Event;
use codepipeline_worker::job::ActionTypeId;
use serde_json::Value;

#[test]
fn every_example_event_is_understood() {
    let [category, owner, provider, version] = ["Test", "Custom", "Shell", "1"].map(str::to_owned);
    let action_type = ActionTypeId { category, owner, provider, version };
    let execution_id = "47f821c5-a902-4c2d-ae61-f878d31aa8f4".to_owned();
    let mut expected = BTreeMap::from([
        ("action-abandoned.json", Event::ActionOver { action_type: action_type.clone(), execution_id }),
        ("action-started.json", Event::ActionStarted { action_type }),
        ("codepipeline-job.json", Event::InvokeJob),
        ("schedule.json", Event::Schedule),
        ("scheduler.json", Event::Schedule),
        ("state-machine-ended.json", Event::StateMachineEnded),
    ]);
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("events");
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let event: Value = serde_json::from_str(&std::fs::read_to_string(&path).unwrap()).unwrap();
        let name = path.file_name().unwrap().to_str().unwrap();
        let expected = expected.remove(name).unwrap_or_else(|| panic!("nobody expects {name}"));
        assert_eq!(Event::parse(&event), Ok(expected), "{name}");
    }
    assert!(expected.is_empty(), "{expected:?}");
}
