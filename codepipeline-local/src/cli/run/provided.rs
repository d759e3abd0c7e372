//! AWS's action types that providers of this emulator run.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;

use super::flags::Wanted;
use super::runner::Runner;
use crate::clock::Clock;
use crate::providers::{
    ActionTypeId, CodeBuild, Commands, DeployS3, Notice, Output, Project as BuildProject, Provider, Providers, Source,
    StandIn, StepFunctions,
};
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

/// The providers of a run, in which the actions `skipped` are not run. Returns an error if a CodeBuild project of the template is wrong.
pub(super) fn providers(
    skipped: impl Iterator<Item = String>,
    project: &Project,
    wanted: &Wanted,
    output: Output,
) -> Result<Providers, String> {
    let mut providers = Providers::default();
    providers.output(output);
    providers.secrets(wanted.all_secrets());
    let clock = Clock::machine;
    let notice = Notice::default();
    let source: Arc<dyn Provider> = Arc::new(Source::new(wanted.sources.clone()));
    let projects = project.code_build.iter().map(|(name, project)| Ok((name.clone(), build_project(name, project)?)));
    let projects = projects.collect::<Result<BTreeMap<_, _>, String>>()?;
    let build: Arc<dyn Provider> = Arc::new(CodeBuild::new(projects, notice.clone(), clock()));
    let state_machine = StepFunctions::new(wanted.endpoints.clone(), clock());
    let emulated: [(&str, &str, &str, Arc<dyn Provider>); 8] = [
        ("Source", "AWS", "CodeStarSourceConnection", Arc::clone(&source)),
        ("Source", "AWS", "CodeCommit", Arc::clone(&source)),
        ("Source", "ThirdParty", "GitHub", source),
        ("Build", "AWS", "CodeBuild", Arc::clone(&build)),
        ("Test", "AWS", "CodeBuild", build),
        ("Compute", "AWS", "Commands", Arc::new(Commands::new(notice, clock()))),
        ("Deploy", "AWS", "S3", Arc::new(DeployS3::new(clock()))),
        ("Invoke", "AWS", "StepFunctions", Arc::new(state_machine)),
    ];
    for (category, owner, provider, emulation) in emulated {
        providers.emulate(ActionTypeId::first(category, owner, provider), emulation);
    }
    for (id, command) in &wanted.providers {
        providers.stand_in(id.clone(), Arc::new(StandIn::new(command)));
    }
    skipped.for_each(|action| providers.skip(action));
    Ok(providers)
}

/// The CodeBuild project of the template.
fn build_project(name: &str, project: &CodeBuildProject) -> Result<BuildProject, String> {
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
