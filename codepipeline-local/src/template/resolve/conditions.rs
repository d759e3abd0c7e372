//! The section `Conditions`.

use super::{Absent, Resolved, Resolver};
use crate::api::nearest;
use crate::template::place::Place;
use crate::yaml::Node;

impl<'a> Resolver<'a> {
    /// Whether the condition holds.
    pub(in crate::template) fn condition(&mut self, name: &str, place: &Place<'_>) -> Resolved<bool> {
        if let Some(holds) = self.conditions.get(name) {
            return Ok(*holds);
        }
        let Some((name, node)) = self.template.conditions.get_key_value(name) else {
            let known = nearest(name, self.template.conditions.keys().copied());
            let hint = known.map_or_else(String::new, |known| format!("; did you mean {known}?"));
            let message = format!("{} is no condition of this template{hint}", name.escape_debug());
            return self.unresolved(place, message);
        };
        let (name, node) = (*name, *node);
        let conditions = Place::root("Conditions");
        let inner = conditions.member(name);
        let holds = self.once(format!("condition {name}"), place, |resolver| resolver.test(node, &inner))?;
        self.conditions.insert(name.to_owned(), holds);
        Ok(holds)
    }

    fn test(&mut self, node: &'a Node, place: &Place<'_>) -> Resolved<bool> {
        self.deeper(place, |resolver| resolver.function_of_truth(node, place))
    }

    fn function_of_truth(&mut self, node: &'a Node, place: &Place<'_>) -> Resolved<bool> {
        let [(function, argument)] = node.entries() else { return self.no_test(place) };
        let inner = place.member(function);
        match (function.as_str(), argument.items()) {
            ("Condition", _) => match argument.text() {
                Some(name) => self.condition(name, &inner),
                None => self.unresolved(&inner, "must be the name of a condition"),
            },
            ("Fn::Equals", [left, right]) => {
                let left = self.text(left, &inner.item(0));
                let right = self.text(right, &inner.item(1));
                match (left, right) {
                    (Ok(left), Ok(right)) => Ok(left == right),
                    (Err(Absent::NoValue), _) | (_, Err(Absent::NoValue)) => {
                        self.unresolved(&inner, "takes two values, and AWS::NoValue leaves one out")
                    }
                    _ => Err(Absent::Unresolved),
                }
            }
            ("Fn::Not", [inverted]) => self.test(inverted, &inner.item(0)).map(|holds| !holds),
            ("Fn::And", tests) if !tests.is_empty() => self.tests(tests, &inner, true),
            ("Fn::Or", tests) if !tests.is_empty() => self.tests(tests, &inner, false),
            ("Fn::Equals", _) => self.unresolved(&inner, "takes two values: [a, b]"),
            ("Fn::Not", _) => self.unresolved(&inner, "takes a list of one condition: [{Condition: A}]"),
            ("Fn::And" | "Fn::Or", _) => {
                self.unresolved(&inner, "takes a list of conditions: [{Condition: A}, {Condition: B}]")
            }
            _ => self.no_test(place),
        }
    }

    /// Whether all tests hold, or any. The others don't count after one that decides.
    fn tests(&mut self, tests: &'a [Node], place: &Place<'_>, all: bool) -> Resolved<bool> {
        for (index, test) in tests.iter().enumerate() {
            if self.test(test, &place.item(index))? != all {
                return Ok(!all);
            }
        }
        Ok(all)
    }

    fn no_test<T>(&mut self, place: &Place<'_>) -> Resolved<T> {
        self.unresolved(place, "must be one of Fn::Equals, Fn::And, Fn::Or, Fn::Not and Condition")
    }
}
