//! The parts of the emulator that the page can show.

use std::collections::BTreeMap;

/// How many executions a list has unless the page asks for another number.
const DEFAULT_LIMIT: usize = 100;
/// The most executions of a list.
const MOST: usize = 10_000;

/// A set of items that the page shows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum View {
    Pipelines,
    Executions {
        pipeline: String,
        limit: usize,
    },
    Execution {
        pipeline: String,
        execution: String,
    },
    /// An action, with its execution.
    Action {
        id: String,
    },
}

impl View {
    /// The view that a query asks for. The error says what is missing or wrong.
    pub(super) fn of(query: &BTreeMap<String, String>) -> Result<Self, String> {
        let value = |name: &str| query.get(name).filter(|value| !value.is_empty());
        let needed = |name: &str| value(name).cloned().ok_or_else(|| format!("The query lacks {name}"));
        match needed("view")?.as_str() {
            "pipelines" => Ok(Self::Pipelines),
            "executions" => Ok(Self::Executions { pipeline: needed("pipeline")?, limit: limit(value("limit"))? }),
            "execution" => Ok(Self::Execution { pipeline: needed("pipeline")?, execution: needed("execution")? }),
            "action" => Ok(Self::Action { id: needed("action")? }),
            _ => Err("The view must be pipelines, executions, execution or action".to_owned()),
        }
    }
}

fn limit(text: Option<&String>) -> Result<usize, String> {
    let Some(text) = text else { return Ok(DEFAULT_LIMIT) };
    let limit = text.parse().ok().filter(|limit| (1..=MOST).contains(limit));
    limit.ok_or_else(|| format!("The limit must be a number from 1 to {MOST}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(query: &[(&str, &str)]) -> Result<View, String> {
        View::of(&query.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect())
    }

    #[test]
    fn query_names_a_view() {
        let pipeline = || "web".to_owned();
        assert_eq!(of(&[("view", "pipelines"), ("token", "x")]), Ok(View::Pipelines));
        let executions = |limit| Ok(View::Executions { pipeline: pipeline(), limit });
        assert_eq!(of(&[("view", "executions"), ("pipeline", "web")]), executions(100));
        assert_eq!(of(&[("view", "executions"), ("pipeline", "web"), ("limit", "10000")]), executions(10_000));
        let execution = View::Execution { pipeline: pipeline(), execution: "e".to_owned() };
        assert_eq!(of(&[("view", "execution"), ("pipeline", "web"), ("execution", "e")]), Ok(execution));
        assert_eq!(of(&[("view", "action"), ("action", "a")]), Ok(View::Action { id: "a".to_owned() }));
    }

    #[test]
    fn wrong_query_is_named() {
        for (query, named) in [
            (vec![], "lacks view"),
            (vec![("view", "all")], "pipelines, executions"),
            (vec![("view", "executions")], "lacks pipeline"),
            (vec![("view", "executions"), ("pipeline", "web"), ("limit", "0")], "1 to 10000"),
            (vec![("view", "executions"), ("pipeline", "web"), ("limit", "10001")], "1 to 10000"),
            (vec![("view", "execution"), ("pipeline", "web")], "lacks execution"),
            (vec![("view", "action"), ("action", "")], "lacks action"),
        ] {
            let error = of(&query).unwrap_err();
            assert!(error.contains(named), "{query:?}: {error}");
        }
    }
}
