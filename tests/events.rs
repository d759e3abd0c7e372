//! Each example in `events/` wakes the real function.

use codepipeline_worker::event::Event;
use serde_json::Value;

#[test]
fn every_example_event_is_understood() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("events");
    let mut names = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let event: Value = serde_json::from_str(&std::fs::read_to_string(&path).unwrap()).unwrap();
        assert_eq!(Event::parse(&event), Ok(Event::Schedule), "{}", path.display());
        names.push(path.file_name().unwrap().to_str().unwrap().to_owned());
    }
    names.sort();
    assert_eq!(names, ["schedule.json", "scheduler.json"]);
}
