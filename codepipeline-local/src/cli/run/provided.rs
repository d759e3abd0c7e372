//! AWS's action types that providers of this emulator run.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;

use super::flags::Wanted;
use super::runner::Runner;
use crate::cli::providers::{add_services, add_shells};
use crate::clock::Clock;
use crate::providers::{ActionTypeId, Output, Project as BuildProject, Provider, Providers, Secrets, Source, StandIn};
use crate::template::{Buildspec, CodeBuildProject, Project};

/// The work of this emulator's provider for an action of AWS. `None` if there is no such provider.
pub(super) fn what(id: &ActionTypeId, configuration: &Value, project: &Project, wanted: &Wanted) -> Option<Runner> {
    let configured = |key: &str| configuration[key].as_str().unwrap_or_default();
    let text = match (id.category.as_str(), id.provider.as_str(), id.version.as_str()) {
        ("Build" | "Test", "CodeBuild", "1") => {
            let name = configured("ProjectName");
            match project.code_build.get(name) {
                Some(known) => format!("buildspec of {}, in a shell", known.logical_id),
                None => "buildspec.yml of the source, in a shell".to_owned(),
            }
        }
        ("Compute", "Commands", "1") => "commands, in a shell".to_owned(),
        ("Deploy", "S3", "1") => format!("objects in s3://{}", configured("BucketName")),
        ("Invoke", "StepFunctions", "1") if wanted.endpoints.of("states").is_some() => {
            "state machine at --endpoint".to_owned()
        }
        ("Invoke", "StepFunctions", "1") => {
            return Some(Runner::Missing {
                what: "no endpoint has Step Functions".to_owned(),
                flag: "--endpoint stepfunctions=http://127.0.0.1:5000".to_owned(),
            });
        }
        _ => return None,
    };
    Some(Runner::Emulator(text))
}

/// The providers of a run. It skips the actions `skipped`. Returns an error if a CodeBuild project of the template is wrong.
pub(super) fn providers(
    skipped: impl Iterator<Item = String>,
    project: &Project,
    wanted: &Wanted,
    (output, secrets): (Output, Secrets),
) -> Result<Providers, String> {
    let mut providers = Providers::default();
    providers.output(output);
    providers.secrets(secrets);
    let source: Arc<dyn Provider> = Arc::new(Source::new(wanted.sources.clone()));
    for (owner, provider) in [("AWS", "CodeStarSourceConnection"), ("AWS", "CodeCommit"), ("ThirdParty", "GitHub")] {
        providers.emulate(ActionTypeId::first("Source", owner, provider), Arc::clone(&source));
    }
    let projects = project.code_build.iter().map(|(name, project)| Ok((name.clone(), build_project(name, project)?)));
    let clock = Clock::machine();
    add_shells(&mut providers, projects.collect::<Result<BTreeMap<_, _>, String>>()?, &clock);
    add_services(&mut providers, &wanted.endpoints, &clock);
    for (id, command) in &wanted.providers {
        providers.stand_in(id.clone(), Arc::new(StandIn::new(command)));
    }
    skipped.for_each(|action| providers.skip(action));
    Ok(providers)
}

/// The CodeBuild project of the template.
pub(super) fn build_project(name: &str, project: &CodeBuildProject) -> Result<BuildProject, String> {
    let mut built = BuildProject::default();
    if let Buildspec::Inline(text) | Buildspec::Path(text) = &project.buildspec {
        built = built.with_buildspec(text);
    }
    for variable in &project.environment {
        let added = built.with_variable(&variable.name, &variable.value, &variable.kind);
        built = added.map_err(|why| format!("the CodeBuild project {name}: {why}"))?;
    }
    if let Some(image) = &project.image {
        built = built.with_image(image);
    }
    if let Some(minutes) = project.timeout_in_minutes {
        built = built.with_timeout(Duration::from_secs(minutes.saturating_mul(60)));
    }
    Ok(built)
}
