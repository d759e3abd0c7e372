//! The role of a command: temporary credentials from STS for one job.
//!
//! The worker assumes the role with the function's own credentials right before the command starts. The command gets the role's
//! credentials and never the function's. They are secrets of the turn: the report masks them, and fails if its data holds one.

mod arn;
mod calls;
mod failures;
mod request;

use std::time::Duration;

use aws_config::SdkConfig;
use secrecy::SecretString;
use tokio::time::Instant;

pub use self::arn::{RoleArn, RoleMistake};
use self::calls::{Cause, Sts};
use crate::actions::Turn;
use crate::actions::command::failures::of_no_time;
use crate::job::Failure;
use crate::redact::SecretName;

/// The time for assuming a role, with all tries. The worker keeps it free in addition to the command's time.
pub(super) const ASSUMING: Duration = Duration::from_secs(10);

/// A role that the worker assumes for each job.
pub struct Role {
    arn: RoleArn,
    sts: Sts,
}

/// The credentials of a role's session. It does not derive `Debug`, because it holds secrets.
pub(super) struct Session {
    pub(super) access_key_id: SecretString,
    pub(super) secret_access_key: SecretString,
    pub(super) session_token: SecretString,
}

impl Session {
    /// The three values, which no text may show.
    pub(super) fn secrets(&self) -> [SecretString; 3] {
        [&self.access_key_id, &self.secret_access_key, &self.session_token].map(Clone::clone)
    }
}

impl Role {
    /// The role `arn`, with a client made from `sdk_config`.
    pub fn new(sdk_config: &SdkConfig, arn: RoleArn) -> Self {
        Self { arn, sts: Sts::new(sdk_config) }
    }

    /// Assumes the role for the job of `turn`, whose command may take `timeout`. Gives up at `until`.
    pub(super) async fn assume(&self, turn: &Turn, timeout: Duration, until: Instant) -> Result<Session, Failure> {
        let seconds = request::duration_seconds(timeout);
        let name = request::session_name(&turn.job.id);
        let tags = request::tags(&turn.job);
        let until = until.min(Instant::now() + ASSUMING);
        let assumed = self.sts.assume(&self.arn, seconds, &name, &tags, until).await;
        let credentials = assumed.map_err(|error| match error.cause {
            Cause::NoTime => of_no_time(turn.deadline, Instant::now()),
            _ => failures::of_call(&error, &self.arn, seconds, &tags),
        })?;
        let session = Session {
            access_key_id: credentials.access_key_id.into(),
            secret_access_key: credentials.secret_access_key.into(),
            session_token: credentials.session_token.into(),
        };
        for secret in session.secrets() {
            turn.learned.add(SecretName::Other("a part of the credentials of the command's role"), secret);
        }
        Ok(session)
    }
}
