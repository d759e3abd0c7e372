//! Reads the members of mappings, and names the unknown ones.

use std::fmt;

use crate::yaml::{Content, Node};

/// The members of CodeBuild that codepipeline-local does not have.
pub(super) const REFUSED: [&str; 2] = ["run-as", "batch"];

/// Why a build specification can't run. The message names the file, the line and the member.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub(crate) struct Mistake(pub(super) String);

/// A value of the text, with the path of members that leads to it.
#[derive(Clone)]
pub(super) struct Place<'a> {
    pub(super) file: &'a str,
    pub(super) path: String,
    pub(super) node: &'a Node,
}

impl fmt::Display for Place<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.file)?;
        if let Some(line) = self.node.line {
            write!(f, ":{line}")?;
        }
        if self.path.is_empty() { Ok(()) } else { write!(f, ": {}", self.path) }
    }
}

impl<'a> Place<'a> {
    pub(super) fn mistake(&self, what: impl fmt::Display) -> Mistake {
        Mistake(format!("{self} {what}"))
    }

    fn below(&self, name: &str, node: &'a Node) -> Self {
        let path = if self.path.is_empty() { name.to_owned() } else { format!("{}/{name}", self.path) };
        Place { file: self.file, path, node }
    }

    /// The members of a mapping. An empty value counts as a mapping without members.
    pub(super) fn members(&self) -> Result<Vec<(&'a str, Place<'a>)>, Mistake> {
        match &self.node.content {
            Content::Map(entries) => {
                Ok(entries.iter().map(|(name, node)| (name.as_str(), self.below(name, node))).collect())
            }
            _ if self.node.is_null() => Ok(Vec::new()),
            _ => Err(self.mistake("must be a mapping: write its members below it, each as `name: value`")),
        }
    }

    /// The members that `known` names. Adds a note for each other one, as CodeBuild ignores them.
    pub(super) fn known_members(
        &self,
        known: &[&str],
        notes: &mut Vec<String>,
    ) -> Result<Vec<(&'a str, Place<'a>)>, Mistake> {
        let (members, unknown): (Vec<_>, Vec<_>) =
            self.members()?.into_iter().partition(|(name, _)| known.contains(name));
        for (name, place) in unknown {
            let suggestion = suggested(name, known).map_or_else(
                || {
                    let allowed: Vec<_> = known.iter().copied().filter(|known| !REFUSED.contains(known)).collect();
                    format!("the members here are {}", allowed.join(", "))
                },
                |known| format!("did you mean {known}?"),
            );
            notes.push(format!("{place} is ignored, because it is not a member of a buildspec here: {suggestion}"));
        }
        Ok(members)
    }

    /// The characters of a text, without quotes.
    pub(super) fn text(&self) -> Result<String, Mistake> {
        match &self.node.content {
            Content::Scalar(scalar) => Ok(if self.node.is_null() { String::new() } else { scalar.text.clone() }),
            Content::Map(_) => Err(self.mistake(
                "must be a text, but is a mapping: put it into quotes, because `: ` makes a mapping of a line without them",
            )),
            Content::List(_) => Err(self.mistake("must be a text, but is a list")),
        }
    }

    /// A list of texts. A single text is a list of one, and an empty value a list of none.
    pub(super) fn texts(&self) -> Result<Vec<String>, Mistake> {
        match &self.node.content {
            Content::List(items) => {
                let items = items.iter().enumerate();
                items
                    .map(|(index, node)| {
                        Place { path: format!("{}[{index}]", self.path), ..self.below("", node) }.text()
                    })
                    .collect()
            }
            _ if self.node.is_null() => Ok(Vec::new()),
            _ => self.text().map(|text| vec![text]),
        }
    }

    /// `yes` or `no`, also written as `true` or `false`.
    pub(super) fn yes(&self) -> Result<bool, Mistake> {
        match self.text()?.to_lowercase().as_str() {
            "yes" | "true" => Ok(true),
            "no" | "false" | "" => Ok(false),
            _ => Err(self.mistake("must be yes or no")),
        }
    }
}

/// The known name that is closest to a misspelt one.
pub(super) fn suggested<'a>(name: &str, known: &[&'a str]) -> Option<&'a str> {
    let name = name.to_lowercase().replace(['_', ' '], "-");
    let distance = |known: &str| strsim::osa_distance(&name, &known.replace('_', "-"));
    let closest = known.iter().copied().min_by_key(|known| distance(known))?;
    (distance(closest) <= 1 + closest.len() / 4).then_some(closest)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::yaml;

    fn at(node: &Node) -> Place<'_> {
        Place { file: "b.yml", path: "a".to_owned(), node }
    }

    fn text_of(text: &str) -> Result<String, Mistake> {
        at(&yaml::read(text).unwrap()).text()
    }

    fn texts_of(text: &str) -> Result<Vec<String>, Mistake> {
        at(&yaml::read(text).unwrap()).texts()
    }

    fn yes_of(text: &str) -> Result<bool, Mistake> {
        at(&yaml::read(text).unwrap()).yes()
    }

    #[test]
    fn closest_name_is_suggested() {
        let known = ["commands", "finally", "on-failure", "pre_build"];
        for (name, suggestion) in [
            ("comands", Some("commands")),
            ("Finally", Some("finally")),
            ("on_failure", Some("on-failure")),
            ("pre-build", Some("pre_build")),
            ("something", None),
        ] {
            assert_eq!(suggested(name, &known), suggestion, "{name}");
        }
    }

    #[test]
    fn unknown_member_is_noted_with_its_line() {
        let mut notes = Vec::new();
        let node = yaml::read("\nfiles: a\nfilse: b\nother: c\n").unwrap();
        let members = at(&node).known_members(&["files", "name"], &mut notes).unwrap();
        let known: Vec<_> = members.iter().map(|(name, _)| *name).collect();
        assert_eq!(known, ["files"]);
        assert_eq!(
            notes,
            [
                "b.yml:3: a/filse is ignored, because it is not a member of a buildspec here: did you mean files?",
                "b.yml:4: a/other is ignored, because it is not a member of a buildspec here: the members here are files, name",
            ]
        );
    }

    #[test]
    fn text_keeps_how_it_is_written() {
        for (text, value) in [("1.10", "1.10"), ("yes", "yes"), ("'null'", "null"), ("~", ""), ("007", "007")] {
            assert_eq!(text_of(text), Ok(value.to_owned()), "{text}");
        }
    }

    #[test]
    fn wrong_kind_of_value_is_explained() {
        for (text, mistake) in [
            ("- a\n- echo b: c\n", "b.yml:2: a[1] must be a text, but is a mapping: put it into quotes"),
            ("- a\n- [b]\n", "b.yml:2: a[1] must be a text, but is a list"),
        ] {
            let found = texts_of(text).unwrap_err().to_string();
            assert!(found.starts_with(mistake), "{found}");
        }
        assert!(
            at(&yaml::read("text").unwrap())
                .members()
                .err()
                .unwrap()
                .to_string()
                .starts_with("b.yml:1: a must be a mapping")
        );
        assert_eq!(yes_of("maybe").unwrap_err().to_string(), "b.yml:1: a must be yes or no");
    }

    #[test]
    fn single_text_is_a_list_of_one() {
        assert_eq!(texts_of("a b"), Ok(vec!["a b".to_owned()]));
        assert_eq!(texts_of("~"), Ok(vec![]));
        assert_eq!(texts_of("[a, 2]"), Ok(vec!["a".to_owned(), "2".to_owned()]));
    }

    #[test]
    fn yes_and_no_may_be_written_as_truth_values() {
        for (text, value) in [("yes", true), ("True", true), ("no", false), ("false", false), ("", false)] {
            assert_eq!(yes_of(&format!("'{text}'")), Ok(value), "{text}");
        }
    }
}
