//! Entries read as they were written, and nothing else reads as an entry.

use std::collections::HashSet;

use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;

fn entry() -> Entry {
    let [category, owner, provider, version] = ["Test", "Custom", "LinkCheck", "1"].map(str::to_owned);
    Entry {
        job: "job".into(),
        phase: Phase::Held,
        owner: InvocationId(1),
        lease: Duration::from_secs(30),
        adoptions: 0,
        marked: false,
        inferred: false,
        origin: Origin::Polled,
        action_type: ActionTypeId { category, owner, provider, version },
        pipeline: None,
        pipeline_execution_id: None,
        stage: None,
        action: None,
        action_execution_id: None,
    }
}

fn read(body: &[u8]) -> Result<(Entry, WriteId), Option<Unreadable>> {
    match Content::of(body) {
        Content::Entry(entry, write) => Ok((*entry, write)),
        Content::Done => Err(None),
        Content::Unreadable(why) => Err(Some(why)),
    }
}

#[test]
fn format_stays_the_same() {
    let body: Value = serde_json::from_slice(&entry().to_bytes(&WriteId(255))).unwrap();
    let expected = json!({
        "format": 1, "write": format!("{:032x}", 255), "job": "job", "phase": "held", "owner": format!("{:032x}", 1),
        "leaseMs": 30000, "adoptions": 0, "kind": "own",
        "actionType": {"category": "Test", "owner": "Custom", "provider": "LinkCheck", "version": "1"},
    });
    assert_eq!(body, expected);
}

#[test]
fn empty_object_is_a_finished_job() {
    assert!(matches!(Content::of(b""), Content::Done));
}

#[test]
fn garbage_differs_from_another_format() {
    let mut body: Value = serde_json::from_slice(&entry().to_bytes(&WriteId(1))).unwrap();
    body["note"] = json!("a member that this worker does not know");
    assert!(read(body.to_string().as_bytes()).is_ok());
    for (member, value) in [
        ("phase", json!("reporting")),
        ("phase", json!("asleep")),
        ("kind", json!("thirdParty")),
        ("owner", json!("+0000000000000000000000000000001")),
        ("owner", json!("1")),
        ("leaseMs", json!(-1)),
        ("format", json!("1")),
    ] {
        let mut garbled = body.clone();
        garbled[member] = value.clone();
        let garbled = read(garbled.to_string().as_bytes()).err();
        assert_eq!(garbled, Some(Some(Unreadable::Garbled)), "{member}: {value}");
    }
    assert_eq!(read(b" ").err(), Some(Some(Unreadable::Garbled)));
    assert_eq!(read(b"{\"format\": 2, \"phase\": 7}").err(), Some(Some(Unreadable::Format(2))));
}

#[test]
fn lease_is_rounded_up() {
    let entry = Entry { lease: Duration::from_nanos(1_000_001), ..entry() };
    let (read, _) = read(&entry.to_bytes(&WriteId(1))).ok().unwrap();
    assert_eq!(read.lease, Duration::from_millis(2));
}

#[test]
fn ids_made_at_once_differ() {
    let make = || (0..1000).map(|_| InvocationId::random()).collect::<Vec<_>>();
    let threads: Vec<_> = (0..4).map(|_| std::thread::spawn(make)).collect();
    let ids: HashSet<_> = threads.into_iter().flat_map(|thread| thread.join().unwrap()).collect();
    assert_eq!(ids.len(), 4000);
}

proptest! {
    #[test]
    fn whatever_is_written_is_read_again(
        [job, client_id, outcome] in any::<[String; 3]>(),
        [pipeline, pipeline_execution_id, stage, action, action_execution_id] in any::<[Option<String>; 5]>(),
        [category, owner_of_type, provider, version] in any::<[String; 4]>(),
        (owner, write, lease, adoptions) in any::<(u128, u128, u64, u32)>(),
        (phase, kind, [marked, inferred]) in (0..3, 0..3, any::<[bool; 2]>()),
    ) {
        let entry = Entry {
            job, pipeline, pipeline_execution_id, stage, action, action_execution_id, adoptions, marked, inferred,
            owner: InvocationId(owner),
            lease: Duration::from_millis(lease),
            action_type: ActionTypeId { category, owner: owner_of_type, provider, version },
            phase: match phase { 0 => Phase::Claiming, 1 => Phase::Held, _ => Phase::Reporting { outcome } },
            origin: match kind { 0 => Origin::Polled, 1 => Origin::PolledForClient { client_id }, _ => Origin::Invoked },
        };
        prop_assert!(read(&entry.to_bytes(&WriteId(write))) == Ok((entry, WriteId(write))));
    }

    #[test]
    fn no_body_makes_reading_panic(body in any::<Vec<u8>>()) {
        Content::of(&body);
    }
}
