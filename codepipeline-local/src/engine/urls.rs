//! URL templates of action types.

use super::state::Configuration;

/// The `Key`s of every `{Config:Key}` in a template.
pub(crate) fn config_keys(template: &str) -> Vec<&str> {
    template.split("{Config:").skip(1).filter_map(|rest| rest.split_once('}')).map(|(key, _)| key).collect()
}

/// The ids for the placeholders, as far as they are known.
#[derive(Clone, Copy, Default)]
pub(crate) struct Ids<'a> {
    /// For `{ExternalExecutionId}`.
    pub(crate) external_execution: Option<&'a str>,
    /// For `{RevisionId}`, which AWS's own type for GitHub uses in its `revisionUrlTemplate` (AWS CLI Command
    /// Reference, "list-action-types").
    pub(crate) revision: Option<&'a str>,
}

/// Fills the placeholders of a template. Returns `None` while a placeholder has no value. A template can name only
/// required, non-secret properties, so the result holds no secret.
pub(crate) fn fill(template: &str, configuration: &Configuration, ids: Ids<'_>) -> Option<String> {
    let mut url = String::new();
    let mut rest = template;
    while let Some((text, after)) = rest.split_once('{') {
        url.push_str(text);
        let Some((name, behind)) = after.split_once('}') else {
            url.push('{');
            rest = after;
            continue;
        };
        match (name.strip_prefix("Config:"), name) {
            (Some(key), _) => url.push_str(configuration.get(key)?),
            (None, "ExternalExecutionId") => url.push_str(ids.external_execution?),
            (None, "RevisionId") => url.push_str(ids.revision?),
            (None, _) => {
                // Other braces belong to the URL itself.
                url.push('{');
                rest = after;
                continue;
            }
        }
        rest = behind;
    }
    url.push_str(rest);
    Some(url)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fill_replaces_placeholders_and_keeps_other_braces() {
        let configuration = Configuration::from([("Project".to_owned(), "web".to_owned())]);
        let template = "https://ci/{Config:Project}/{ExternalExecutionId}?q={a}{";
        let external = Ids { external_execution: Some("7"), ..Ids::default() };
        assert_eq!(fill(template, &configuration, external).unwrap(), "https://ci/web/7?q={a}{");
        assert_eq!(fill(template, &configuration, Ids::default()), None);
        assert_eq!(config_keys(template), ["Project"]);
        let template = "https://git/{Config:Project}/commit/{RevisionId}";
        let revision = Ids { revision: Some("r7"), ..Ids::default() };
        assert_eq!(fill(template, &configuration, revision).unwrap(), "https://git/web/commit/r7");
        assert_eq!(fill(template, &configuration, external), None);
    }
}
