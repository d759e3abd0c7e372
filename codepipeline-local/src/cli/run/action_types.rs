//! Action types that are wrong, or that AWS may not have.

use crate::cli::providers::CATEGORIES;
use crate::providers::ActionTypeId;

/// API reference, "ActionTypeId".
const OWNERS: [&str; 3] = ["AWS", "ThirdParty", "Custom"];

/// The providers of AWS by category (User Guide, "reference-pipeline-structure" and "action-reference").
const PROVIDERS: [(&str, &[&str]); 7] = [
    ("Source", &["CodeCommit", "CodeStarSourceConnection", "ECR", "S3"]),
    ("Build", &["CodeBuild", "ECRBuildAndPublish"]),
    ("Test", &["CodeBuild", "DeviceFarm"]),
    (
        "Deploy",
        &[
            "AppConfig",
            "CloudFormation",
            "CloudFormationStackInstances",
            "CloudFormationStackSet",
            "CodeDeploy",
            "CodeDeployToECS",
            "EC2",
            "ECS",
            "EKS",
            "ElasticBeanstalk",
            "Lambda",
            "OpsWorks",
            "S3",
            "ServiceCatalog",
        ],
    ),
    ("Approval", &["Manual"]),
    ("Invoke", &["CodePipeline", "InspectorScan", "Lambda", "StepFunctions"]),
    ("Compute", &["Commands"]),
];

/// Says what is wrong with a type that CodePipeline refuses, and what to write. No flag helps. `None` for other types.
pub(super) fn wrong(id: &ActionTypeId) -> Option<String> {
    let ActionTypeId { category, owner, provider, version } = id;
    for (member, value, known) in [("category", category, &CATEGORIES[..]), ("owner", owner, &OWNERS)] {
        if value.is_empty() {
            return Some(format!("the action type has no {member}; write one of {}", known.join(", ")));
        }
        if !known.contains(&value.as_str()) {
            return Some(format!("the {member} {value} does not exist; {}", suggestion(value, known)));
        }
    }
    if provider.is_empty() {
        let known = providers(category).filter(|_| owner == "AWS");
        let known = known.map_or_else(String::new, |known| format!("; AWS has {}", known.join(", ")));
        return Some(format!("the action type has no provider{known}"));
    }
    if version.is_empty() {
        return Some("the action type has no version; write 1".to_owned());
    }
    // No command can stand in for an approval.
    (category == "Approval" && owner == "AWS" && provider != "Manual").then(|| not_provided(id))
}

/// Says why no provider of this machine runs the type. The provider may be misspelt.
pub(super) fn not_provided(id: &ActionTypeId) -> String {
    let ActionTypeId { category, owner, provider, version } = id;
    let known = providers(category).unwrap_or_default();
    if owner == "AWS" && !known.contains(&provider.as_str()) {
        let others = PROVIDERS.iter().filter(|(_, known)| known.contains(&provider.as_str()));
        let others: Vec<&str> = others.map(|(category, _)| *category).collect();
        let suggestion = match others.as_slice() {
            [] => suggestion(provider, known),
            others => format!("it is for {}", others.join(" and ")),
        };
        return format!("no {category} provider {provider} of AWS is known here; {suggestion}");
    }
    if owner == "AWS" && version != "1" {
        return format!("version {version} of {provider} of AWS is not known here; did you mean 1?");
    }
    format!("{provider} of {owner} does not run on this machine")
}

fn providers(category: &str) -> Option<&'static [&'static str]> {
    PROVIDERS.iter().find(|(known, _)| *known == category).map(|(_, providers)| *providers)
}

/// The most similar name, or all names. Short names may differ in one letter.
fn suggestion(given: &str, known: &[&str]) -> String {
    let lower = given.to_lowercase();
    let distances = known.iter().map(|known| (strsim::osa_distance(&lower, &known.to_lowercase()), *known));
    match distances.filter(|(distance, known)| *distance <= (known.len() / 3).max(1)).min() {
        Some((_, known)) => format!("did you mean {known}?"),
        None => format!("write one of {}", known.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(text: &str) -> ActionTypeId {
        let parts: Vec<&str> = text.split('/').collect();
        ActionTypeId { version: parts[3].to_owned(), ..ActionTypeId::first(parts[0], parts[1], parts[2]) }
    }

    #[test]
    fn wrong_type_is_named_with_what_to_write() {
        for (text, expected) in [
            ("Deploi/AWS/S3/1", "the category Deploi does not exist; did you mean Deploy?"),
            (
                "Ship/AWS/S3/1",
                "the category Ship does not exist; write one of Source, Build, Deploy, Test, Invoke, Approval, Compute",
            ),
            ("/AWS/S3/1", "the action type has no category; write one of Source, Build,"),
            ("Deploy/aws/S3/1", "the owner aws does not exist; did you mean AWS?"),
            ("Build/AWS//1", "the action type has no provider; AWS has CodeBuild, ECRBuildAndPublish"),
            ("Build/Custom//1", "the action type has no provider"),
            ("Build/AWS/CodeBuild/", "the action type has no version; write 1"),
            ("Approval/AWS/Manul/1", "no Approval provider Manul of AWS is known here; did you mean Manual?"),
        ] {
            let said = wrong(&id(text)).unwrap();
            assert!(said.starts_with(expected), "{text}: {said}");
        }
        for text in ["Deploy/AWS/S4/1", "Test/Custom/Shell/9", "Source/ThirdParty/GitHub/1"] {
            assert_eq!(wrong(&id(text)), None);
        }
    }

    #[test]
    fn unknown_provider_gets_the_nearest_name() {
        for (text, expected) in [
            ("Deploy/AWS/S4/1", "no Deploy provider S4 of AWS is known here; did you mean S3?"),
            ("Deploy/AWS/CodeDepoy/1", "no Deploy provider CodeDepoy of AWS is known here; did you mean CodeDeploy?"),
            ("Build/AWS/S3/1", "no Build provider S3 of AWS is known here; it is for Source and Deploy"),
            ("Test/AWS/Unlike/1", "no Test provider Unlike of AWS is known here; write one of CodeBuild, DeviceFarm"),
            ("Deploy/AWS/S3/2", "version 2 of S3 of AWS is not known here; did you mean 1?"),
            ("Deploy/AWS/ECS/1", "ECS of AWS does not run on this machine"),
            ("Deploy/ThirdParty/Ship/2", "Ship of ThirdParty does not run on this machine"),
        ] {
            assert_eq!(not_provided(&id(text)), expected);
        }
    }
}
