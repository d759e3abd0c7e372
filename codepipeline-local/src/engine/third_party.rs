//! Third-party action types, and the connections that customers have made with the partners behind them. On the real
//! service both come to be outside the API (AWS registers the types, the console's Connect makes the pairs of client id
//! and token), so the emulator is told of them at its start.

use std::collections::BTreeMap;

use super::{
    Engine, action_types,
    error::ApiError,
    state::{ActionTypeId, Connection, JobNumber, Registered},
};

/// Who asks about a job, as the operation tells.
#[derive(Clone, Copy)]
pub(crate) enum Requester<'a> {
    /// A worker of the account's own, through `AcknowledgeJob` and its kin.
    OwnWorker,
    /// A partner, through `AcknowledgeThirdPartyJob` and its kin.
    Partner { client_token: &'a str },
}

impl Engine {
    /// Makes the connections, and their action types, known, in place of those known before. Fails with the rule that is broken,
    /// and nothing of a secret.
    pub fn connect(&mut self, connections: Vec<Connection>) -> Result<(), String> {
        self.forget_connections();
        let mut clients = BTreeMap::new();
        for connection in connections {
            let (id, described) = (&connection.client_id, connection.action_type.id.describe());
            if let Some(earlier) = clients.insert(id.clone(), described.clone()) {
                return Err(format!("the clientId {id} is given twice, for {earlier} and for {described}"));
            }
            match self.provided_action_types.iter().find(|known| known.id == connection.action_type.id) {
                Some(known) if *known != connection.action_type => {
                    return Err(format!(
                        "{described} is defined differently by two connections; write the same actionType in both"
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

    /// Retires the action types of earlier connections. They can't be used any more, but history still needs them.
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

    /// The connection that the pipeline's actions of the type use: one that names the pipeline, or one that names none.
    pub(super) fn connection(&self, action_type: &ActionTypeId, pipeline: &str) -> Option<&Connection> {
        let of_type = || self.connections.iter().filter(|known| known.action_type.id == *action_type);
        let names = |known: &&Connection| {
            known.pipelines.as_ref().is_some_and(|pipelines| pipelines.iter().any(|name| name == pipeline))
        };
        of_type().find(names).or_else(|| of_type().find(|known| known.pipelines.is_none()))
    }

    /// The clients' ids, each with its token.
    pub(crate) fn client_tokens(&self) -> impl Iterator<Item = (&str, &str)> {
        self.connections.iter().map(|known| (known.client_id.as_str(), known.client_token.as_str()))
    }

    /// The client whose job it is.
    pub(crate) fn client_of(&self, job: JobNumber) -> Option<&Connection> {
        let view = self.job_view(job)?;
        self.connection(&view.action.declaration.action_type_id, &view.execution.pipeline)
    }

    /// The number of the job that is asked about, if this requester may: the operations for the one kind of job don't know
    /// those of the other.
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
                let message = format!("The clientToken is not that of the client whose job '{id}' is");
                Err(ApiError::new("InvalidClientTokenException", message))
            }
            _ => Err(ApiError::no_job(id)),
        }
    }

    /// The number of a job whose details a partner asks for.
    pub(crate) fn third_party_job_for_details(&self, id: &str, client_token: &str) -> Result<JobNumber, ApiError> {
        let invalid = |why: &str| Err(ApiError::new("InvalidJobException", format!("The job '{id}' {why}")));
        if self.job_numbers.get(id).is_some_and(|number| !self.is_third_party(*number)) {
            return invalid("is not a third-party action's");
        }
        if id.split('-').map(str::len).ne([8, 4, 4, 4, 12]) {
            return invalid("has no id of the form that PollForThirdPartyJobs gives");
        }
        self.job_for(id, Requester::Partner { client_token })
    }

    fn is_third_party(&self, job: JobNumber) -> bool {
        self.job_view(job).is_some_and(|view| view.action.declaration.action_type_id.owner == "ThirdParty")
    }
}
