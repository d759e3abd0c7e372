//! The constraints that a template puts on the values of its parameters (CloudFormation User Guide, "Parameters").

use regex_lite::Regex;

use super::Resolver;
use crate::counted::counted;
use crate::template::place::Place;
use crate::template::problem::Problem;
use crate::yaml::Node;

impl Resolver<'_> {
    /// Records a problem for each value of the user that breaks a constraint of its parameter. No problem quotes the value, which may be
    /// a secret.
    pub(in crate::template) fn check_given(&mut self) {
        let section = Place::root("Parameters");
        for (name, declared) in self.template.parameters.clone() {
            let Some(given) = self.parameters.get(name) else { continue };
            let place = section.member(name);
            match broken(declared, given) {
                Ok(None) => {}
                Ok(Some(rule)) => {
                    let why = declared.get("ConstraintDescription").and_then(Node::text);
                    let why = why.map_or_else(String::new, |why| format!("; the template says: {why}"));
                    let _: super::Resolved<()> =
                        self.unresolved(&place, format!("--parameter {}: {rule}{why}", name.escape_debug()));
                }
                Err(NotChecked) => {
                    let message = "is not checked: this regular expression has a part that only Java knows";
                    self.notes.push(Problem::at(&place.member("AllowedPattern"), self.template.root, message));
                }
            }
        }
    }
}

/// A pattern that can't be compiled here.
struct NotChecked;

/// The rule that the value breaks. `None` if it keeps all.
fn broken(declared: &Node, given: &str) -> Result<Option<String>, NotChecked> {
    let kind = declared.get("Type").and_then(Node::text).unwrap_or("String");
    // CloudFormation checks the name of such a parameter, and the given value is the one in the parameter store.
    if kind.starts_with("AWS::SSM::Parameter::") {
        return Ok(None);
    }
    let is_list = kind == "CommaDelimitedList" || kind.starts_with("List<");
    let values: Vec<&str> = if is_list { given.split(',').map(str::trim).collect() } else { vec![given] };
    let each = if is_list { "each item " } else { "" };
    let broken = not_allowed(declared, &values)
        .or_else(|| kind.contains("Number").then(|| not_numbers(&values)).flatten())
        .or_else(|| (kind == "Number").then(|| out_of_range(declared, given)).flatten())
        .or_else(|| (kind == "String").then(|| wrong_length(declared, given)).flatten());
    match broken {
        Some(rule) => Ok(Some(format!("{each}{rule}"))),
        None => Ok(unmatched(declared, &values)?.map(|rule| format!("{each}{rule}"))),
    }
}

fn not_allowed(declared: &Node, values: &[&str]) -> Option<String> {
    let allowed: Vec<&str> = declared.get("AllowedValues")?.items().iter().filter_map(Node::text).collect();
    let is_broken = !allowed.is_empty() && values.iter().any(|value| !allowed.contains(value));
    is_broken.then(|| format!("must be one of {}", allowed.join(", ")))
}

fn not_numbers(values: &[&str]) -> Option<String> {
    values.iter().any(|value| number(value).is_none()).then(|| "must be a number".to_owned())
}

fn out_of_range(declared: &Node, given: &str) -> Option<String> {
    let given = number(given)?;
    let limit = |key| declared.get(key).and_then(Node::text).and_then(|text| Some((number(text)?, text)));
    match (limit("MinValue"), limit("MaxValue")) {
        (Some((least, text)), _) if given < least => Some(format!("must be at least {text} (MinValue)")),
        (_, Some((most, text))) if given > most => Some(format!("must be at most {text} (MaxValue)")),
        _ => None,
    }
}

fn wrong_length(declared: &Node, given: &str) -> Option<String> {
    let limit = |key| declared.get(key).and_then(Node::text).and_then(|text| text.trim().parse::<usize>().ok());
    let length = given.chars().count();
    match (limit("MinLength"), limit("MaxLength")) {
        (Some(least), _) if length < least => {
            Some(format!("must have at least {} (MinLength)", counted(least, "character")))
        }
        (_, Some(most)) if length > most => {
            Some(format!("must have at most {} (MaxLength)", counted(most, "character")))
        }
        _ => None,
    }
}

/// The pattern must match each value as a whole.
fn unmatched(declared: &Node, values: &[&str]) -> Result<Option<String>, NotChecked> {
    let Some(pattern) = declared.get("AllowedPattern").and_then(Node::text) else { return Ok(None) };
    let whole = Regex::new(&format!("^(?:{pattern})$")).map_err(|_| NotChecked)?;
    let is_broken = values.iter().any(|value| !whole.is_match(value));
    Ok(is_broken.then(|| format!("must match {pattern} (AllowedPattern)")))
}

fn number(text: &str) -> Option<f64> {
    // These letters exclude the words for infinity and for what is no number.
    let is_numeric = |c: char| c.is_ascii_digit() || matches!(c, '+' | '-' | '.' | 'e' | 'E');
    let text = text.trim();
    text.chars().all(is_numeric).then(|| text.parse().ok()).flatten().filter(|number: &f64| number.is_finite())
}
