//! The exports of other stacks of the same CDK app, for `Fn::ImportValue`.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use super::document;
use super::find::other_stacks;
use super::parameters::Parameters;
use super::place::Place;
use super::resolve::{Resolver, text_of};
use super::sections::{Template, stack_name};
use crate::yaml::{Content, Node};

/// How many stacks may import from each other in a row.
const MAX_CHAIN: usize = 8;

/// The exports of other stacks.
#[derive(Default)]
pub(super) struct Exports {
    /// Values by the names of the exports. They have made-up names and ARNs, as all of a template's resources do.
    pub(super) values: BTreeMap<String, String>,
    /// The keys of `--parameter` that had an effect.
    pub(super) used: BTreeSet<String>,
}

impl Exports {
    /// The exports of the templates that the CDK wrote next to this file, if its content `root` imports any. Leaves out templates that
    /// can't be read and values that can't be resolved: the user may give what the pipeline imports.
    pub(super) fn beside(file: &Path, root: &Node, parameters: &Parameters) -> Self {
        let mut exports = Self::default();
        if !imports(root) {
            return exports;
        }
        let others: Vec<_> = other_stacks(file)
            .into_iter()
            .filter_map(|other| Some((stack_name(&other), document::read(&other).ok()?)))
            .collect();
        // An export may be an import of its stack.
        for _ in 0..MAX_CHAIN {
            let known = exports.values.len();
            for (stack, root) in &others {
                exports.add(stack, root, parameters);
            }
            if exports.values.len() == known {
                break;
            }
        }
        exports
    }

    fn add(&mut self, stack: &str, root: &Node, parameters: &Parameters) {
        let Ok(template) = Template::read(root, stack) else { return };
        let mut resolver = Resolver::new(&template, parameters).with_imports(self.values.clone(), BTreeSet::new());
        let outputs = Place::root("Outputs");
        for (id, output) in root.get("Outputs").map(Node::entries).unwrap_or_default() {
            let condition = output.get("Condition").and_then(Node::text);
            let (Some(name), Some(value)) = (output.get("Export").and_then(|it| it.get("Name")), output.get("Value"))
            else {
                continue;
            };
            let place = outputs.member(id);
            let found = resolver.quietly(|resolver| {
                if let Some(condition) = condition
                    && !resolver.condition(condition, &place.member("Condition"))?
                {
                    return Ok(None);
                }
                let name = resolver.value(name, &place.member("Export").member("Name"))?;
                let value = resolver.value(value, &place.member("Value"))?;
                Ok(text_of(&name).zip(text_of(&value)))
            });
            if let Some((name, value)) = found.flatten() {
                self.values.entry(name).or_insert(value);
            }
        }
        self.used.append(&mut resolver.into_used());
    }
}

/// Whether the node has an import.
fn imports(node: &Node) -> bool {
    match &node.content {
        Content::Scalar(_) => false,
        Content::List(items) => items.iter().any(imports),
        Content::Map(entries) => entries.iter().any(|(key, node)| key == "Fn::ImportValue" || imports(node)),
    }
}
