//! Which provider runs which actions.

use std::collections::BTreeMap;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use futures_util::FutureExt;

use super::skip::Skip;
use super::{Done, Failed, Output, OutputLine, Provider, Secrets, Task, Workplace};
use crate::client_environment::with_variables;
use crate::engine::{ActionTypeId, Provided};
use crate::s3::Store;

/// The providers of an emulator. Without any, the engine runs S3 sources, manual approvals and Lambda Invoke, and refuses AWS's other
/// types by name.
#[derive(Clone, Default)]
pub struct Providers {
    by_type: BTreeMap<ActionTypeId, Arc<dyn Provider>>,
    provided: Provided,
    /// The output variables of skipped actions, by `STAGE/ACTION`.
    variables: BTreeMap<String, BTreeMap<String, String>>,
    output: Output,
    secrets: Arc<Secrets>,
    environment: BTreeMap<String, String>,
}

impl Providers {
    /// Has the provider emulate the type.
    pub fn emulate(&mut self, action_type: ActionTypeId, provider: Arc<dyn Provider>) {
        self.provided.stand_ins.remove(&action_type);
        self.provided.emulated.insert(action_type.clone());
        self.by_type.insert(action_type, provider);
    }

    /// Has the provider stand in for the type, also for one that is emulated. Its actions may have any configuration. Their links and
    /// summaries say "stand-in".
    pub fn stand_in(&mut self, action_type: ActionTypeId, provider: Arc<dyn Provider>) {
        self.provided.emulated.remove(&action_type);
        self.provided.stand_ins.insert(action_type.clone());
        self.by_type.insert(action_type, provider);
    }

    /// Lets an action succeed at once, with empty output artifacts: `ACTION`, or `STAGE/ACTION`. It may have any type.
    pub fn skip(&mut self, action: impl Into<String>) {
        self.provided.skipped.insert(action.into());
    }

    /// Gives skipped actions output variables, by `STAGE/ACTION` and key.
    pub fn variables_of_skipped(&mut self, variables: BTreeMap<String, BTreeMap<String, String>>) {
        self.variables = variables;
    }

    /// Where the output of actions goes; by default to standard output.
    pub fn output(&mut self, output: Output) {
        self.output = output;
    }

    /// Passes each line to `take` before it goes to the output.
    pub(crate) fn observe(&mut self, take: impl Fn(&OutputLine) + Send + Sync + 'static) {
        let output = std::mem::take(&mut self.output);
        self.output = Output::new(move |line| {
            take(&line);
            output.show(line);
        });
    }

    /// The secrets that providers may use. They are masked in the output, in summaries and in messages of failures.
    pub fn secrets(&mut self, secrets: Secrets) {
        self.secrets = Arc::new(secrets);
    }

    /// Variables of all commands of builds and stand-ins, which take precedence over those that lead the AWS SDKs to the emulator. Variables
    /// of an action take precedence over these.
    pub fn environment(&mut self, variables: BTreeMap<String, String>) {
        self.environment = variables;
    }

    /// A copy of the secrets that shares what is masked.
    pub(crate) fn secrets_of_the_user(&self) -> Secrets {
        Secrets::clone(&self.secrets)
    }

    /// The types and actions that the engine must know.
    pub fn provided(&self) -> &Provided {
        &self.provided
    }

    /// Runs an action in a workplace of its own. The artifact store's KMS key encrypts its output artifacts. `environment` leads the AWS SDKs
    /// of commands to the emulator.
    pub(crate) async fn run(
        &self,
        task: Task,
        place: (Store, Option<String>),
        environment: &BTreeMap<String, String>,
    ) -> Result<Done, Failed> {
        let provider: Arc<dyn Provider> = if self.provided.skips(&task.stage, &task.action) {
            let path = format!("{}/{}", task.stage, task.action);
            Arc::new(Skip { variables: self.variables.get(&path).cloned().unwrap_or_default() })
        } else if let Some(provider) = self.by_type.get(&task.action_type) {
            Arc::clone(provider)
        } else {
            let name = task.action_type.name();
            return Err(Failed::configuration(format!("No provider of this emulator runs {name}")));
        };
        let name = task.action_type.name();
        let environment = with_variables(environment.clone(), self.environment.clone());
        let shown = (self.output.clone(), Arc::clone(&self.secrets));
        let work = Workplace::create(&task, place, shown, environment)?;
        // A panic of one provider must not leave its action in progress.
        let ended = AssertUnwindSafe(provider.run(task, &work)).catch_unwind().await;
        let bug = |_| Failed::job(format!("The provider of {name} panicked, which is a bug of codepipeline-local"));
        let result = ended.map_err(bug).flatten();
        work.remove().await;
        masked(&self.secrets, result)
    }
}

/// Masks the texts that are for people. Output variables, ids and revisions stay as they are, because later actions use them.
fn masked(secrets: &Secrets, result: Result<Done, Failed>) -> Result<Done, Failed> {
    let mask = |text: String| secrets.mask(&text).into_owned();
    match result {
        Ok(done) => Ok(Done { summary: done.summary.map(mask), ..done }),
        Err(Failed { code, message }) => Err(Failed { code, message: mask(message) }),
    }
}
