//! The URL templates of an action type.

use super::declaration::Configuration;

/// The `Key`s of every `{Config:Key}` in a template.
pub(crate) fn config_keys(template: &str) -> Vec<&str> {
    template.split("{Config:").skip(1).filter_map(|rest| rest.split_once('}')).map(|(key, _)| key).collect()
}

/// The template with its placeholders filled, or `None` while one of them has no value yet. Only properties that are
/// required and not secret can be named in one, so the result holds no secret.
pub(crate) fn fill(template: &str, configuration: &Configuration, external_id: Option<&str>) -> Option<String> {
    let mut url = String::new();
    let mut rest = template;
    while let Some((text, after)) = rest.split_once('{') {
        url.push_str(text);
        let Some((name, behind)) = after.split_once('}') else {
            url.push('{');
            rest = after;
            continue;
        };
        match name.strip_prefix("Config:") {
            Some(key) => url.push_str(configuration.get(key)?),
            None if name == "ExternalExecutionId" => url.push_str(external_id?),
            None => {
                // Some other braces belong to the URL itself.
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
    fn placeholders_are_filled_and_other_braces_stay() {
        let configuration = Configuration::from([("Project".to_owned(), "web".to_owned())]);
        let template = "https://ci/{Config:Project}/{ExternalExecutionId}?q={a}{";
        assert_eq!(fill(template, &configuration, Some("7")).unwrap(), "https://ci/web/7?q={a}{");
        assert_eq!(fill(template, &configuration, None), None);
        assert_eq!(config_keys(template), ["Project"]);
    }
}
