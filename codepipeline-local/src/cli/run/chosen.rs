//! The pipeline that runs.

use crate::quoted::word;
use crate::template::{Pipeline, Project};

/// The pipeline that the user names, or the only one. Returns an error with the names to choose from if no pipeline or several fit.
pub(super) fn chosen<'p>(project: &'p Project, wanted: Option<&str>) -> Result<&'p Pipeline, String> {
    let name = |pipeline: &'p Pipeline| pipeline.declaration["name"].as_str().unwrap_or_default();
    let fits = |pipeline: &&'p Pipeline| {
        wanted.is_none_or(|wanted| name(pipeline) == wanted || pipeline.logical_id.as_deref() == Some(wanted))
    };
    let found: Vec<&Pipeline> = project.pipelines.iter().filter(fits).collect();
    let names: Vec<_> = project.pipelines.iter().map(|pipeline| word(name(pipeline))).collect();
    let names = names.join(", ");
    match (found.as_slice(), wanted) {
        ([pipeline], _) => Ok(pipeline),
        ([], Some(wanted)) => {
            Err(format!("--pipeline {}: the file has no pipeline of this name; it has {names}", word(wanted)))
        }
        _ => Err(format!("the file has several pipelines; add --pipeline with one of {names}")),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn project(names: &[(&str, Option<&str>)]) -> Project {
        let pipelines = names.iter().map(|(name, logical_id)| Pipeline {
            logical_id: logical_id.map(str::to_owned),
            declaration: json!({"name": name}),
            tags: Value::Null,
            disabled_transitions: Vec::new(),
        });
        Project { pipelines: pipelines.collect(), ..Project::default() }
    }

    #[test]
    fn pipeline_is_chosen_by_name() {
        let one = project(&[("web", None)]);
        assert!(chosen(&one, None).is_ok() && chosen(&one, Some("web")).is_ok());
        let several = project(&[("web", None), ("docs", Some("DocsPipeline"))]);
        assert_eq!(chosen(&several, Some("DocsPipeline")).ok().unwrap().declaration["name"], "docs");
    }

    #[test]
    fn names_to_choose_from_are_quoted() {
        let refused = |names, wanted| chosen(&project(names), wanted).err().unwrap();
        let named = refused(&[("my web", None)], Some("a b"));
        assert_eq!(named, "--pipeline 'a b': the file has no pipeline of this name; it has 'my web'");
        let several = refused(&[("web", None), ("my docs", None)], None);
        assert_eq!(several, "the file has several pipelines; add --pipeline with one of web, 'my docs'");
    }
}
