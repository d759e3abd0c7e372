//! Third-party action types, and connections of customers with partners. On the service, both come from outside the
//! API: AWS registers the types, and the console's Connect creates each client id and token. So the emulator gets
//! them at its start.

use std::collections::BTreeMap;

use super::{
    Engine, action_types,
    error::ApiError,
    state::{ActionTypeId, Connection, JobNumber, Registered},
};

/// The sender of a request about a job. The operation determines it.
#[derive(Clone, Copy)]
pub(crate) enum Requester<'a> {
    /// A worker of the account, through `AcknowledgeJob` and the like.
    OwnWorker,
    /// A partner, through `AcknowledgeThirdPartyJob` and the like.
    Partner { client_token: &'a str },
}

impl Engine {
    /// Replaces the connections and their action types. The error names the broken rule, and never a secret.
    pub fn connect(&mut self, connections: Vec<Connection>) -> Result<(), String> {
        self.forget_connections();
        let mut clients = BTreeMap::new();
        for connection in connections {
            let (id, described) = (&connection.client_id, connection.action_type.id.describe());
            if let Some(earlier) = clients.insert(id.clone(), described.clone()) {
                return Err(format!(
                    "the clientId {id} occurs twice, for {earlier} and for {described}: use each clientId once"
                ));
            }
            match self.provided_action_types.iter().find(|known| known.id == connection.action_type.id) {
                Some(known) if *known != connection.action_type => {
                    return Err(format!(
                        "two connections define {described} differently; write the same actionType in both"
                    ));
                }
                Some(_) => {}
                None => {
                    action_types::check(&connection.action_type).map_err(|error| format!("{described}: {error}"))?;
                    if connection.action_type.queryable().is_some() {
                        return Err(format!(
                            "{described} has a queryable property; polls for third-party jobs can't ask for one"
                        ));
                    }
                    self.provided_action_types.push(connection.action_type.clone());
                }
            }
            self.connections.push(connection);
        }
        Ok(())
    }

    /// Marks the action types of earlier connections as deleted. New actions can't use them; the history needs them.
    fn forget_connections(&mut self) {
        let connections = std::mem::take(&mut self.connections);
        self.provided_action_types.retain(|known| known.id.owner != "ThirdParty");
        for Connection { action_type, .. } in connections {
            self.action_types
                .insert(action_type.id.clone(), Registered { action_type, deleted: true, tags: Vec::new() });
        }
        if let Some(kept) = &mut self.kept {
            kept.connections_changed = true;
        }
    }

    /// The connection for the pipeline's actions of this type: one that names the pipeline, or else one without
    /// pipelines.
    pub(super) fn connection(&self, action_type: &ActionTypeId, pipeline: &str) -> Option<&Connection> {
        let of_type = || self.connections.iter().filter(|known| known.action_type.id == *action_type);
        let names = |known: &&Connection| {
            known.pipelines.as_ref().is_some_and(|pipelines| pipelines.iter().any(|name| name == pipeline))
        };
        of_type().find(names).or_else(|| of_type().find(|known| known.pipelines.is_none()))
    }

    /// The ids of the clients with their tokens.
    pub(crate) fn client_tokens(&self) -> impl Iterator<Item = (&str, &str)> {
        self.connections.iter().map(|known| (known.client_id.as_str(), known.client_token.as_str()))
    }

    /// The client of a job.
    pub(crate) fn client_of(&self, job: JobNumber) -> Option<&Connection> {
        let view = self.job_view(job)?;
        self.connection(&view.action.declaration.action_type_id, &view.execution.pipeline)
    }

    /// The number of the job, if the requester may access it. Operations for one kind of job do not find jobs of the
    /// other.
    pub(super) fn job_for(&self, id: &str, requester: Requester<'_>) -> Result<JobNumber, ApiError> {
        let number = *self.job_numbers.get(id).ok_or_else(|| ApiError::no_job(id))?;
        let partners = self.is_third_party(number);
        match requester {
            Requester::OwnWorker if !partners => Ok(number),
            Requester::Partner { client_token } if partners => {
                let client = self.client_of(number);
                if client.is_some_and(|client| client.client_token == client_token) {
                    return Ok(number);
                }
                let message = format!("The clientToken does not belong to the client of the job '{id}'");
                Err(ApiError::new("InvalidClientTokenException", message))
            }
            _ => Err(ApiError::no_job(id)),
        }
    }

    /// The number of a job for `GetThirdPartyJobDetails`.
    pub(crate) fn third_party_job_for_details(&self, id: &str, client_token: &str) -> Result<JobNumber, ApiError> {
        let invalid = |why: &str| Err(ApiError::new("InvalidJobException", format!("The job '{id}' {why}")));
        if self.job_numbers.get(id).is_some_and(|number| !self.is_third_party(*number)) {
            return invalid("does not belong to a third-party action");
        }
        if id.split('-').map(str::len).ne([8, 4, 4, 4, 12]) {
            return invalid("does not have an id as PollForThirdPartyJobs returns it");
        }
        self.job_for(id, Requester::Partner { client_token })
    }

    fn is_third_party(&self, job: JobNumber) -> bool {
        self.job_view(job).is_some_and(|view| view.action.declaration.action_type_id.owner == "ThirdParty")
    }
}
