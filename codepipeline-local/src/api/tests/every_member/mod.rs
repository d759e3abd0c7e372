//! Each member of the API model is used, refused by name, or listed in README.md.
//!
//! [`scenarios`] has at least one request for each operation. Each member of its input gets other values in turn. A member is used if two
//! of its values lead to different replies, effects or readable state. The same runs show which members replies have.

use std::collections::BTreeSet;

use super::*;
use crate::api::operations;
use observe::{Outcome, Seen, observe};
use paths::{Leaf, Variants, leaves, put, variants};
use scenarios::{Scenario, scenarios};

mod observe;
mod paths;
mod scenarios;
mod worlds;

/// The emulator uses a member, refuses it by this name, or ignores it.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Fate {
    Used,
    Refused(String),
    Ignored(String),
}

#[test]
fn each_member_is_used_refused_or_listed() {
    let mut seen = Seen::default();
    let mut refused = BTreeSet::new();
    let mut ignored = BTreeSet::new();
    for operation in operations() {
        let scenarios: Vec<Scenario> = scenarios().into_iter().filter(|known| known.operation == operation).collect();
        assert!(!scenarios.is_empty(), "{operation} needs a scenario in tests/every_member/scenarios.rs");
        let outcomes: Vec<Outcome> = scenarios.iter().map(|known| run(known, |_| {}, &mut seen)).collect();
        for leaf in leaves(&MODEL.operations[operation].input) {
            match fate(&scenarios, &outcomes, &leaf, &mut seen) {
                Fate::Used => {}
                Fate::Refused(member) => _ = refused.insert(member),
                Fate::Ignored(member) => _ = ignored.insert(member),
            }
        }
    }
    let never = never_given(&seen).difference(&refused).cloned().collect();
    let wrong = [unlisted("Refused", &refused), unlisted("Ignored", &ignored), unlisted("Never returned", &never)];
    assert_eq!(wrong.concat(), "", "README.md's lists of members differ from the emulator");
}

fn run(scenario: &Scenario, change: impl FnOnce(&mut Value), seen: &mut Seen) -> Outcome {
    let (mut local, mut input) = (scenario.set_up)();
    change(&mut input);
    observe(&mut local, scenario.operation, &input, seen)
}

fn fate(scenarios: &[Scenario], outcomes: &[Outcome], leaf: &Leaf, seen: &mut Seen) -> Fate {
    if leaf.says_nothing() {
        return Fate::Used;
    }
    let mut tried = 0;
    for (scenario, before) in scenarios.iter().zip(outcomes) {
        let Variants { given, without, others } = variants(&(scenario.set_up)().1, scenario.operation, leaf);
        // Compare values with each other. Compare presence with absence only if the member has one value.
        let mut first = given.then(|| before.clone());
        let mut values = usize::from(given);
        for value in others.into_iter().map(Some).chain(without.then_some(None)) {
            if value.is_none() && values > 1 {
                break;
            }
            values += 1;
            let after = run(scenario, |input| put(input, scenario.operation, leaf, value), seen);
            if after.is_invalid() {
                values -= 1;
                continue;
            }
            if let Some(member) = leaf.members.iter().find(|member| after.refuses(member)) {
                return Fate::Refused(member.name());
            }
            tried += 1;
            if *first.get_or_insert_with(|| after.clone()) != after {
                return Fate::Used;
            }
        }
    }
    assert!(tried > 0, "no scenario of {} can change {}", scenarios[0].operation, leaf.path());
    Fate::Ignored(leaf.member().name())
}

/// The members that no reply had, without their inner members.
fn never_given(seen: &Seen) -> BTreeSet<String> {
    let mut never = BTreeSet::new();
    let mut known = BTreeSet::new();
    let mut next: Vec<&str> =
        operations().filter_map(|operation| MODEL.operations[operation].output.as_deref()).collect();
    while let Some(name) = next.pop() {
        if !known.insert(name) {
            continue;
        }
        let shape = MODEL.shape(name);
        next.extend(shape.member.iter().chain(&shape.value).map(String::as_str));
        for (member, inner) in &shape.members {
            if seen.has(name, member) {
                next.push(inner);
            } else {
                never.insert(paths::Member { shape: name.to_owned(), member: member.clone() }.name());
            }
        }
    }
    never
}

#[test]
fn each_operation_is_emulated_or_listed() {
    let emulated: BTreeSet<String> = operations().map(str::to_owned).collect();
    let others = MODEL.operations.keys().cloned().collect::<BTreeSet<_>>().difference(&emulated).cloned().collect();
    assert_eq!(unlisted("Not emulated", &others), "");
}

/// The differences between a list in README.md and the findings.
fn unlisted(title: &str, found: &BTreeSet<String>) -> String {
    let listed = listed(title);
    let missing = found.difference(&listed).map(|name| format!("{title}: lacks {name}\n"));
    let wrong = listed.difference(found).map(|name| format!("{title}: has {name}, wrongly\n"));
    missing.chain(wrong).collect()
}

/// The names in the item of README.md that begins with the title.
fn listed(title: &str) -> BTreeSet<String> {
    let readme = include_str!("../../../../README.md");
    let start = format!("\n- {title}");
    let after = readme.split_once(&start).unwrap_or_else(|| panic!("README.md has no item {title}")).1;
    let ends = ["\n- ", "\n\n"].into_iter().filter_map(|end| after.find(end));
    let item = &after[..ends.min().unwrap_or(after.len())];
    item.split('`').skip(1).step_by(2).map(str::to_owned).collect()
}
