//! AWS's action types that providers of this emulator run.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use super::flags::Wanted;
use super::given;
use super::plan::Plan;
use crate::cli::providers::{add_services, add_shells};
use crate::clock::Clock;
use crate::providers::{
    ActionTypeId, DeployS3, Output, Project as BuildProject, Provider, Providers, Secrets, Source, StandIn,
};
use crate::template::{Buildspec, CodeBuildProject, Project};

/// The providers of a run. It skips the actions that the plan skips. Returns an error if a CodeBuild project of the template is wrong.
pub(super) fn providers(
    plan: &Plan,
    project: &Project,
    wanted: &Wanted,
    (output, secrets): (Output, Secrets),
) -> Result<Providers, String> {
    let mut providers = Providers::default();
    providers.output(output);
    providers.secrets(secrets);
    providers.environment(of_commands(&wanted.env));
    let source: Arc<dyn Provider> =
        Arc::new(Source::new(wanted.sources.clone()).with_variables(given::by_action(plan, wanted)));
    for (owner, provider) in [("AWS", "CodeStarSourceConnection"), ("AWS", "CodeCommit"), ("ThirdParty", "GitHub")] {
        providers.emulate(ActionTypeId::first("Source", owner, provider), Arc::clone(&source));
    }
    let projects = project.code_build.iter().map(|(name, project)| Ok((name.clone(), build_project(name, project)?)));
    let clock = Clock::machine();
    add_shells(&mut providers, projects.collect::<Result<BTreeMap<_, _>, String>>()?, &clock);
    // A variable may name the bucket, which the user can't create in time.
    let deploy = DeployS3::new(clock.clone()).creating_buckets();
    add_services(&mut providers, deploy, &wanted.endpoints, &clock);
    for (id, command) in &wanted.providers {
        providers.stand_in(id.clone(), Arc::new(StandIn::new(command)));
    }
    plan.skipped().for_each(|action| providers.skip(action));
    providers.variables_of_skipped(given::by_action(plan, wanted));
    Ok(providers)
}

/// The variables of `--env` for commands of builds and stand-ins. The others are for workers and functions, and may hold their secrets.
fn of_commands(given: &BTreeMap<String, String>) -> BTreeMap<String, String> {
    let of_aws = given.iter().filter(|(name, _)| name.starts_with("AWS_"));
    of_aws.map(|(name, value)| (name.clone(), value.clone())).collect()
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
