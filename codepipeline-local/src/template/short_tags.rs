//! Writes YAML's short tags out: `!Sub text` becomes `{"Fn::Sub": "text"}`.

use super::place::Place;
use super::problem::Problem;
use crate::yaml::{Content, Node};

/// The functions that have a short tag. `!Ref` and `!Condition` have no prefix in the long form.
const FUNCTIONS: [&str; 20] = [
    "And",
    "Base64",
    "Cidr",
    "Contains",
    "Equals",
    "FindInMap",
    "ForEach",
    "GetAZs",
    "GetAtt",
    "If",
    "ImportValue",
    "Join",
    "Length",
    "Not",
    "Or",
    "Select",
    "Split",
    "Sub",
    "ToJsonString",
    "Transform",
];

/// Writes out all tags of the document. Returns the tags that CloudFormation does not have.
pub(super) fn write_out(root: &mut Node) -> Vec<Problem> {
    let mut problems = Vec::new();
    let mut tagged = Vec::new();
    write_out_in(root, None, &mut tagged);
    for (path, line, tag) in tagged {
        let message = format!("CloudFormation has no tag !{}; use one of its functions", tag.escape_debug());
        problems.push(Problem { line, path, ..Problem::new(message) });
    }
    problems
}

type Unknown = (Option<String>, Option<usize>, String);

fn write_out_in(node: &mut Node, place: Option<&Place<'_>>, unknown: &mut Vec<Unknown>) {
    match &mut node.content {
        Content::Scalar(_) => {}
        Content::List(items) => {
            for (index, item) in items.iter_mut().enumerate() {
                let inner = place.map(|place| place.item(index));
                write_out_in(item, inner.as_ref(), unknown);
            }
        }
        Content::Map(entries) => {
            for (key, value) in entries {
                let inner = place.map_or_else(|| Place::root(key), |place| place.member(key));
                write_out_in(value, Some(&inner), unknown);
            }
        }
    }
    let Some(tag) = node.tag.take() else { return };
    let name = match tag.as_str() {
        "Ref" | "Condition" => tag,
        name if FUNCTIONS.contains(&name) => format!("Fn::{name}"),
        _ => return unknown.push((place.map(Place::to_string), node.line, tag)),
    };
    let inner =
        Node { tag: None, line: node.line, content: std::mem::replace(&mut node.content, Content::Map(Vec::new())) };
    node.content = Content::Map(vec![(name, inner)]);
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::yaml;

    #[test]
    fn tags_become_functions() {
        let mut root =
            yaml::read("A: !Ref B\nC: !Join [',', [!GetAtt D.Arn, !If [E, x, !Ref 'AWS::NoValue']]]\n").unwrap();
        assert!(write_out(&mut root).is_empty());
        let list = json!([{"Fn::GetAtt": "D.Arn"}, {"Fn::If": ["E", "x", {"Ref": "AWS::NoValue"}]}]);
        assert_eq!(root.to_value(), json!({"A": {"Ref": "B"}, "C": {"Fn::Join": [",", list]}}));
    }

    #[test]
    fn unknown_tag_is_named_with_its_place() {
        let mut root = yaml::read("A:\n  - x\n  - !Reff B\n").unwrap();
        let problems = write_out(&mut root);
        assert_eq!(problems.len(), 1);
        assert_eq!((problems[0].line, problems[0].path.as_deref()), (Some(3), Some("A[1]")));
        assert!(problems[0].message.contains("!Reff"), "{}", problems[0]);
    }
}
