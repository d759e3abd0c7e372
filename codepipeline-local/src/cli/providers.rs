//! The flags of AWS's own actions: stand-ins, skipped actions and secrets.

use std::collections::BTreeMap;
use std::sync::Arc;

use clap::Args;
use secrecy::SecretString;

use crate::clock::Clock;
use crate::endpoints::Endpoints;
use crate::engine::ActionTypeId;
use crate::providers::{
    CodeBuild, Commands, DeployS3, Notice, Project, Provider, Providers, Secrets, StandIn, StepFunctions,
};

/// API reference, "ActionTypeId".
pub(super) const CATEGORIES: [&str; 7] = ["Source", "Build", "Deploy", "Test", "Invoke", "Approval", "Compute"];

#[derive(Args)]
#[command(next_help_heading = "AWS's own actions, and workers")]
pub(super) struct ProviderFlags {
    /// Run a command in the place of a provider, as in Deploy/AWS/CodeDeploy/1='./deploy.sh'. TYPE is CATEGORY/OWNER/PROVIDER/VERSION. The
    /// command runs in a shell, with folders and variables like a command of the worker. Listings and summaries say "stand-in". Repeatable
    #[arg(long = "provider", value_name = "TYPE=COMMAND")]
    providers: Vec<String>,
    /// Let an action of any type succeed at once, with empty output artifacts. ACTION is its name, or STAGE/NAME. Repeatable
    #[arg(long = "skip", value_name = "ACTION")]
    skipped: Vec<String>,
    /// A secret for AWS's own actions, which the environment variable ENV has. KEY is its name in Secrets Manager or Parameter Store, as an
    /// action gives it. It is masked in the output. Repeatable
    #[arg(long = "secret", value_name = "KEY=ENV")]
    secrets: Vec<String>,
}

/// Adds the providers that run nothing of the pipeline's on this machine: S3 deployments, and Step Functions if it has an endpoint.
pub(super) fn add_services(providers: &mut Providers, deploy: DeployS3, endpoints: &Endpoints, clock: &Clock) {
    providers.emulate(ActionTypeId::first("Deploy", "AWS", "S3"), Arc::new(deploy));
    if endpoints.of("states").is_some() {
        let step_functions = StepFunctions::new(endpoints.clone(), clock.clone());
        providers.emulate(ActionTypeId::first("Invoke", "AWS", "StepFunctions"), Arc::new(step_functions));
    }
}

/// Adds the providers that run a pipeline's commands on this machine: CodeBuild with these projects, and Commands.
pub(super) fn add_shells(providers: &mut Providers, projects: BTreeMap<String, Project>, clock: &Clock) {
    let notice = Notice::default();
    let code_build: Arc<dyn Provider> = Arc::new(CodeBuild::new(projects, notice.clone(), clock.clone()));
    for category in ["Build", "Test"] {
        providers.emulate(ActionTypeId::first(category, "AWS", "CodeBuild"), Arc::clone(&code_build));
    }
    let commands = Commands::new(notice, clock.clone());
    providers.emulate(ActionTypeId::first("Compute", "AWS", "Commands"), Arc::new(commands));
}

impl ProviderFlags {
    /// Whether a command stands in for a provider.
    pub(super) fn run_commands(&self) -> bool {
        !self.providers.is_empty()
    }

    /// Adds what the flags say to the providers. Parsed here and not by clap, because clap's errors repeat the value.
    pub(super) fn add_to(self, providers: &mut Providers) -> Result<(), String> {
        for text in &self.providers {
            let (action_type, command) = stand_in(text).map_err(|why| format!("--provider: {why}"))?;
            providers.stand_in(action_type, Arc::new(StandIn::new(command)));
        }
        for action in self.skipped {
            if action.is_empty() {
                return Err("--skip has no action: write --skip ACTION".to_owned());
            }
            providers.skip(action);
        }
        let secrets = self.secrets.iter().map(|text| secret(text).map_err(|why| format!("--secret: {why}")));
        providers.secrets(Secrets::new(secrets.collect::<Result<Vec<_>, _>>()?));
        for stand_in in &providers.provided().stand_ins {
            tracing::warn!("a command stands in for {}: its provider does not run", stand_in.name());
        }
        Ok(())
    }
}

/// Reads `CATEGORY/OWNER/PROVIDER/VERSION=COMMAND`.
pub(super) fn stand_in(text: &str) -> Result<(ActionTypeId, &str), String> {
    let form =
        "write --provider 'CATEGORY/OWNER/PROVIDER/VERSION=COMMAND', as in 'Deploy/AWS/CodeDeploy/1=./deploy.sh'";
    let Some((name, command)) = text.split_once('=').filter(|(_, command)| !command.trim().is_empty()) else {
        return Err(format!("it has no command; {form}"));
    };
    let [category, owner, provider, version] = name.split('/').collect::<Vec<_>>()[..] else {
        return Err(format!("{name:?} is not an action type; {form}"));
    };
    if !CATEGORIES.contains(&category) {
        return Err(format!("{name}: {category:?} is not one of {}", CATEGORIES.join(", ")));
    }
    if provider.is_empty() || version.is_empty() {
        return Err(format!("{name} has no provider or no version; {form}"));
    }
    let own = |why: &str| Err(format!("{name}: {why}"));
    match (category, owner, provider) {
        (_, "Custom", _) => own("a worker runs custom actions: start it with --worker COMMAND"),
        ("Source", "AWS", "S3") => own("codepipeline-local runs S3 sources itself; skip an action with --skip ACTION"),
        ("Approval", "AWS", _) => own("approve with put-approval-result, or skip the action with --skip ACTION"),
        (_, "AWS" | "ThirdParty", _) => Ok((
            ActionTypeId { version: version.to_owned(), ..ActionTypeId::first(category, owner, provider) },
            command,
        )),
        _ => own("the owner is AWS or ThirdParty"),
    }
}

/// Reads `KEY=ENV`. Errors show the names only.
#[expect(clippy::disallowed_methods, reason = "the user names the variable on the command line")]
pub(super) fn secret(text: &str) -> Result<(String, SecretString), String> {
    let Some((key, variable)) = text.rsplit_once('=').filter(|(key, name)| !key.is_empty() && !name.is_empty()) else {
        return Err(
            "it has no key or no variable: write --secret KEY=ENV, where ENV is an environment variable".to_owned()
        );
    };
    match std::env::var(variable) {
        Ok(value) => Ok((key.to_owned(), SecretString::from(value))),
        // The text may be a value that was put in the variable's place.
        Err(_) => {
            Err(format!("the environment variable for {key} is not set, or not UTF-8; export it, and name it after ="))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stand_in_is_a_type_and_a_command() {
        let (action_type, command) = stand_in("Deploy/ThirdParty/Own Deploy/2=A=b ./x").map_err(|_| ()).unwrap();
        assert_eq!((action_type.name().as_str(), command), ("Deploy/ThirdParty/Own Deploy/2", "A=b ./x"));
    }

    #[test]
    fn wrong_stand_in_is_named_with_a_fix() {
        for (text, part) in [
            ("Deploy/AWS/CodeDeploy/1", "has no command"),
            ("Deploy/AWS/CodeDeploy/1= ", "has no command"),
            ("AWS/CodeDeploy=x", "CATEGORY/OWNER/PROVIDER/VERSION"),
            ("AWS/Deploy/CodeDeploy/1=x", "\"AWS\" is not one of Source"),
            ("Deploy/Me/CodeDeploy/1=x", "AWS or ThirdParty"),
            ("Test/Custom/Shell/1=x", "--worker"),
            ("Source/AWS/S3/1=x", "--skip"),
            ("Approval/AWS/Manual/1=x", "put-approval-result"),
            ("Deploy/AWS//1=x", "no provider"),
        ] {
            let error = stand_in(text).err().unwrap();
            assert!(error.contains(part), "{error}");
        }
    }

    #[test]
    fn missing_secret_names_its_key_and_not_the_variable() {
        let error = secret("db=hunter2 as a value").unwrap_err();
        assert!(error.contains("db") && !error.contains("hunter2"), "{error}");
        assert!(secret("db").unwrap_err().contains("KEY=ENV"));
        assert_eq!(secret("a=b=PATH").unwrap().0, "a=b");
    }
}
