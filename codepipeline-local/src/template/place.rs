//! Where a value stands in a file.

use std::fmt;

use crate::yaml::Node;

/// The place of a value: a chain of members and items from the root of the document.
#[derive(Clone, Copy)]
pub(super) struct Place<'p> {
    parent: Option<&'p Place<'p>>,
    step: Step<'p>,
}

#[derive(Clone, Copy)]
enum Step<'p> {
    Member(&'p str),
    /// From 0.
    Item(usize),
}

impl<'p> Place<'p> {
    /// A member of the document itself.
    pub(super) fn root(name: &'p str) -> Self {
        Self { parent: None, step: Step::Member(name) }
    }

    pub(super) fn member<'q>(&'q self, name: &'q str) -> Place<'q> {
        Place { parent: Some(self), step: Step::Member(name) }
    }

    pub(super) fn item(&self, index: usize) -> Place<'_> {
        Place { parent: Some(self), step: Step::Item(index) }
    }

    /// Whether this is a member with this name.
    pub(super) fn is_member(&self, name: &str) -> bool {
        matches!(self.step, Step::Member(own) if own == name)
    }

    /// The line of the value, or of the nearest value around it that the document has.
    pub(super) fn line(&self, root: &Node) -> Option<usize> {
        self.nearest(root).and_then(|node| node.line)
    }

    fn nearest<'n>(&self, root: &'n Node) -> Option<&'n Node> {
        match self.find(root) {
            Some(node) => Some(node),
            None => self.parent.and_then(|parent| parent.nearest(root)),
        }
    }

    fn find<'n>(&self, root: &'n Node) -> Option<&'n Node> {
        let parent = match self.parent {
            Some(parent) => parent.find(root)?,
            None => root,
        };
        match self.step {
            Step::Member(name) => parent.get(name),
            Step::Item(index) => parent.items().get(index),
        }
    }
}

impl fmt::Display for Place<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(parent) = self.parent {
            parent.fmt(formatter)?;
        }
        match self.step {
            Step::Member(name) if self.parent.is_none() => write!(formatter, "{}", name.escape_debug()),
            Step::Member(name) => write!(formatter, ".{}", name.escape_debug()),
            Step::Item(index) => write!(formatter, "[{index}]"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::yaml;

    #[test]
    fn place_has_a_path_and_a_line() {
        let root = yaml::read("A:\n  B:\n    - x\n    - C: y\n").unwrap();
        let (a, list, item);
        a = Place::root("A");
        list = a.member("B");
        item = list.item(1);
        let place = item.member("C");
        assert_eq!(place.to_string(), "A.B[1].C");
        assert_eq!(place.line(&root), Some(4));
        assert_eq!(place.member("Absent").item(7).line(&root), Some(4));
        assert_eq!(Place::root("Absent").line(&root), None);
    }
}
