//! Pipelines as declared: versions, secrets, buckets.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use super::{
    Effect, Engine,
    error::ApiError,
    starts::{Start, variable_values},
    state::{
        ActionNumber, ActionTypeId, Configuration, JobNumber, Pipeline, PipelineDeclaration, RequestedRevisions, Tag,
        TriggerType, Version, is_secret,
    },
    structure,
    tags::merged,
};
use crate::types::Timestamp;

/// The mask of secret values. In an update it stands for the stored value.
pub(crate) const MASK: &str = "****";

/// Pipelines per region (User Guide, "limits").
const MOST_PIPELINES: usize = 1000;

impl Engine {
    pub(crate) fn create_pipeline(
        &mut self,
        now: Timestamp,
        mut declaration: PipelineDeclaration,
        tags: &[Tag],
    ) -> Result<Arc<PipelineDeclaration>, ApiError> {
        let name = declaration.name.clone();
        if self.pipelines.contains_key(&name) {
            return Err(ApiError::new(
                "PipelineNameInUseException",
                format!("A pipeline with the name '{name}' already exists in account '{}'", self.settings.account_id),
            ));
        }
        if self.pipelines.len() >= MOST_PIPELINES {
            return Err(ApiError::new(
                "LimitExceededException",
                format!("There are {} pipelines; the limit is {MOST_PIPELINES}", self.pipelines.len()),
            ));
        }
        let tags = merged(&self.pipeline_arn(&name), &[], tags)?;
        declaration.version = 1;
        self.keep_secrets(&mut declaration, None)?;
        structure::check(self, &declaration)?;
        self.create_buckets(&declaration);
        let declaration = Arc::new(declaration);
        self.versions.insert((name.clone(), declaration.version), Version(declaration.clone()));
        self.pipelines.insert(
            name.clone(),
            Pipeline {
                versions: vec![declaration.clone()],
                created: now,
                updated: now,
                disabled: BTreeMap::new(),
                tags,
            },
        );
        // A pipeline whose variables lack defaults starts no execution. It waits for a start with values.
        let values = variable_values(&declaration, &BTreeMap::new());
        let mut first_look = now;
        if let (true, Ok(variables)) = (self.settings.start_on_create, values) {
            // The execution itself reports the revision that it consumes.
            first_look = now.after(self.settings.source_poll.unwrap_or_default());
            let trigger = self.user_trigger(TriggerType::CreatePipeline);
            let start = Start { trigger, variables, sources: RequestedRevisions::new() };
            self.start(now, &name, &declaration, start);
        }
        self.watch_sources(first_look, &name);
        Ok(declaration)
    }

    /// Adds a version to the pipeline. Running executions continue with their version, unless the settings cancel
    /// them.
    pub(crate) fn update_pipeline(
        &mut self,
        now: Timestamp,
        mut declaration: PipelineDeclaration,
    ) -> Result<Arc<PipelineDeclaration>, ApiError> {
        let Some(pipeline) = self.pipelines.get(&declaration.name) else {
            // No AWS document names an error here. This one is in moto's tests ("test_update_pipeline_errors").
            let (account, name) = (&self.settings.account_id, &declaration.name);
            return Err(ApiError::new(
                "ResourceNotFoundException",
                format!("The account with id '{account}' does not include a pipeline with the name '{name}'"),
            ));
        };
        let latest = pipeline.latest().clone();
        declaration.version = latest.version + 1;
        self.keep_secrets(&mut declaration, Some(&latest))?;
        structure::check(self, &declaration)?;
        self.create_buckets(&declaration);
        let declaration = Arc::new(declaration);
        self.versions.insert((declaration.name.clone(), declaration.version), Version(declaration.clone()));
        if let Some(pipeline) = self.pipelines.get_mut(&declaration.name) {
            pipeline.versions.push(declaration.clone());
            pipeline.updated = now;
        }
        if self.settings.cancel_on_update && latest.stages != declaration.stages {
            self.cancel_executions(now, &declaration.name);
        }
        self.watch_sources(now, &declaration.name);
        Ok(declaration)
    }

    pub(crate) fn pipeline(&self, name: &str) -> Result<&Pipeline, ApiError> {
        self.pipelines.get(name).ok_or_else(|| self.no_pipeline(name))
    }

    /// Deletes the pipeline with its executions and their jobs. A missing pipeline is not an error, because the API
    /// has no error for it.
    pub(crate) fn delete_pipeline(&mut self, name: &str) {
        self.pipelines.remove(name);
        self.versions.retain(|(pipeline, _), _| pipeline != name);
        self.started.retain(|(pipeline, _), _| pipeline != name);
        self.watches.retain(|(pipeline, _), _| pipeline != name);
        self.polled.retain(|(pipeline, _), _| pipeline != name);
        self.executions.retain(|_, execution| execution.pipeline != name);
        let executions = &self.executions;
        self.active.retain(|number| executions.contains_key(number));
        self.actions.retain(|_, action| executions.contains_key(&action.execution));
        let ended: Vec<ActionNumber> =
            self.runs.iter().filter(|number| !self.actions.contains_key(number)).copied().collect();
        for number in ended {
            self.end_run(number);
        }
        let actions = &self.actions;
        self.running.retain(|number| actions.contains_key(number));
        let gone: BTreeSet<JobNumber> =
            self.jobs.iter().filter(|(_, job)| !actions.contains_key(&job.action)).map(|(number, _)| *number).collect();
        self.jobs.retain(|number, _| !gone.contains(number));
        self.job_numbers.retain(|_, number| !gone.contains(number));
    }

    pub(crate) fn pipeline_arn(&self, name: &str) -> String {
        format!("arn:aws:codepipeline:{}:{}:{name}", self.settings.region, self.settings.account_id)
    }

    /// The declaration with its secrets masked. Only jobs show it unmasked.
    pub(crate) fn masked(&self, declaration: &PipelineDeclaration) -> PipelineDeclaration {
        let mut masked = declaration.clone();
        for action in masked.stages.iter_mut().flat_map(|stage| &mut stage.actions) {
            action.configuration = self.masked_configuration(&action.action_type_id, &action.configuration);
        }
        masked
    }

    pub(crate) fn masked_configuration(
        &self,
        action_type: &ActionTypeId,
        configuration: &Configuration,
    ) -> Configuration {
        let known = self.known_action_type(action_type);
        configuration
            .iter()
            .map(|(key, value)| {
                let shown = if is_secret(known, key) { MASK } else { value };
                (key.clone(), shown.to_owned())
            })
            .collect()
    }

    /// Replaces each mask by the stored value. In an action of an unknown type, every mask is one: the type may declare any property secret.
    fn keep_secrets(
        &self,
        declaration: &mut PipelineDeclaration,
        stored: Option<&PipelineDeclaration>,
    ) -> Result<(), ApiError> {
        for stage in &mut declaration.stages {
            for action in &mut stage.actions {
                let action_type = self.known_action_type(&action.action_type_id);
                let before = stored.into_iter().flat_map(PipelineDeclaration::actions).find(|(old_stage, old)| {
                    old_stage.name == stage.name
                        && old.name == action.name
                        && old.action_type_id == action.action_type_id
                });
                for (key, value) in &mut action.configuration {
                    if value != MASK || (action_type.is_some() && !is_secret(action_type, key)) {
                        continue;
                    }
                    let Some(kept) = before.and_then(|(_, old)| old.configuration.get(key)) else {
                        // Wording: reported by users, for example in https://github.com/nhsconnect/prm-infra ("Known
                        // Problems").
                        return Err(ApiError::action(format!(
                            "Action configuration for the new action '{}' contains an invalid configuration for the secret property '{key}'. '{MASK}' may be used in secret properties only when updating an existing action.",
                            action.name
                        )));
                    };
                    value.clone_from(kept);
                }
            }
        }
        Ok(())
    }

    /// Creates the pipeline's buckets. The service requires existing buckets; the emulator creates them, so a
    /// pipeline needs no other set-up.
    pub(super) fn create_buckets(&mut self, declaration: &PipelineDeclaration) {
        let stores = declaration.stores().map(|store| store.location.clone());
        let sources = declaration
            .actions()
            .filter_map(|(_, action)| action.configuration.get(action.bucket_property()?).cloned())
            // A bucket named by a variable is known only when the pipeline runs.
            .filter(|bucket| !bucket.contains("#{"));
        let buckets: BTreeSet<String> = stores.chain(sources).collect();
        self.effects.extend(buckets.into_iter().map(|bucket| Effect::CreateBucket { bucket }));
    }

    fn no_pipeline(&self, name: &str) -> ApiError {
        ApiError::new(
            "PipelineNotFoundException",
            format!("Account '{}' does not have a pipeline with name '{name}'", self.settings.account_id),
        )
    }
}
