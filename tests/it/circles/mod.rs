//! Circles of files that name each other, found in the source text. A file counts as a module.
//!
//! Files in a circle can't be read, tested or moved alone. To break a circle, move the shared part to a file of its own,
//! or pass a value instead of naming the other file.

mod source;

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::path::Path;

use source::{Module, modules};

/// Folders of the worker that still have circles of files. Remove a folder once it is free, and add none.
const WORKER_EXCEPTIONS: [&str; 7] = ["actions", "artifacts", "bootstrap", "config", "lifecycle", "queue", "worker"];

#[test]
fn emulator_has_no_circle_of_files() {
    let circles = circles("codepipeline-local/src", &[]);
    assert!(circles.is_empty(), "{circles}");
}

#[test]
fn worker_has_no_new_circle_of_files() {
    let circles = circles("src", &WORKER_EXCEPTIONS);
    assert!(circles.is_empty(), "{circles}");
}

#[test]
fn circle_is_found_through_a_re_export() {
    let files = [
        ("lib", "mod one; mod two;"),
        ("one", "pub use inner::Thing; mod inner;"),
        ("one/inner", "use crate::two::{self, Other}; pub struct Thing;"),
        ("two", "use crate::one::Thing; pub struct Other;"),
    ];
    let edges = edges(&files.map(|(name, text)| Module::read(name, text)));
    let found = shortest_circle("one::inner", &edges).unwrap();
    assert_eq!(found, ["one::inner", "two", "one::inner"]);
    assert_eq!(shortest_circle("one", &edges), None);
}

/// The circles below a folder in words, each as what one file takes from the next. Leaves out circles that lie in one of the
/// `exceptions`, and names exceptions without a circle.
fn circles(folder: &str, exceptions: &[&str]) -> String {
    let edges = edges(&modules(&Path::new(env!("CARGO_MANIFEST_DIR")).join(folder)));
    let mut reported = BTreeSet::new();
    let mut text = String::new();
    let mut used = BTreeSet::new();
    let is_in = |module: &str, folder: &str| {
        module.strip_prefix(folder).is_some_and(|rest| rest.is_empty() || rest.starts_with("::"))
    };
    for module in edges.keys() {
        let Some(circle) = shortest_circle(module, &edges) else { continue };
        if let Some(folder) = exceptions.iter().find(|folder| circle.iter().all(|module| is_in(module, folder))) {
            used.insert(*folder);
            continue;
        }
        if reported.contains(module) {
            continue;
        }
        for pair in circle.windows(2) {
            text += &format!("{} names {:?} of {}\n", pair[0], edges[&pair[0]][&pair[1]], pair[1]);
        }
        text.push('\n');
        reported.extend(circle);
    }
    for folder in exceptions.iter().filter(|folder| !used.contains(*folder)) {
        text += &format!("{folder} has no circle any more: remove it from the exceptions\n");
    }
    text
}

/// For each module, the modules that it names, with what it names of each.
type Edges = BTreeMap<String, BTreeMap<String, BTreeSet<String>>>;

fn edges(modules: &[Module]) -> Edges {
    let by_path: BTreeMap<&[String], &Module> = modules.iter().map(|module| (&*module.path, module)).collect();
    let mut edges = Edges::new();
    for module in modules {
        let found = edges.entry(module.path.join("::")).or_default();
        for path in module.names(|path| by_path.contains_key(path)) {
            if let Some((target, name)) = home(&path, &by_path).filter(|(target, _)| **target != *module.path) {
                found.entry(target.join("::")).or_default().insert(name);
            }
        }
    }
    edges
}

/// The module that declares what a path names, behind any re-exports, and the name there. `None` for a path that names a module.
fn home(path: &[String], modules: &BTreeMap<&[String], &Module>) -> Option<(Vec<String>, String)> {
    let mut path = path.to_vec();
    // A longer chain of re-exports would be a mistake of this test.
    for _ in 0..10 {
        let length = (0..=path.len()).rev().find(|length| modules.contains_key(&path[..*length]))?;
        let (module, rest) = (modules[&path[..length]], &path[length..]);
        let name = rest.first()?;
        match module.imported(name, |path| modules.contains_key(path)) {
            Some(mut target) if target != path[..=length] => {
                target.extend_from_slice(&rest[1..]);
                path = target;
            }
            _ => return Some((path[..length].to_vec(), name.clone())),
        }
    }
    panic!("{path:?} is re-exported in a circle");
}

/// The shortest way from a module over others back to itself.
fn shortest_circle(start: &str, edges: &Edges) -> Option<Vec<String>> {
    let mut came_from = BTreeMap::new();
    let mut queue = VecDeque::from([start.to_owned()]);
    while let Some(module) = queue.pop_front() {
        for next in edges.get(&module).into_iter().flat_map(BTreeMap::keys) {
            if next == start {
                let mut circle = vec![next.clone(), module];
                while let Some(before) = came_from.get(circle.last()?) {
                    circle.push(String::clone(before));
                }
                circle.reverse();
                return Some(circle);
            }
            if !came_from.contains_key(next) {
                came_from.insert(next.clone(), module.clone());
                queue.push_back(next.clone());
            }
        }
    }
    None
}
