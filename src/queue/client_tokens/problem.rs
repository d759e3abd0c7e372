//! Why a client's token can't be used.

use crate::settings::third_party_left_out;

/// Why a client's token can't be used. No variant holds the token or the secret's content.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TokenProblem {
    /// `CLIENT_TOKENS_SECRET` is not set.
    #[error("no client-token secrets are configured: set CLIENT_TOKENS_SECRET to the prefix of their names")]
    NotConfigured,
    /// The cargo feature is off.
    #[error("{}", third_party_left_out())]
    LeftOut,
    /// There is no such secret.
    #[error("Secrets Manager has no secret '{0}': store the client's token there")]
    NoSecret(String),
    /// Secrets Manager refused the request or did not answer.
    #[error("could not read the secret '{secret}': {reason}")]
    Unreadable {
        /// The secret's name.
        secret: String,
        /// The error's code and HTTP status, or how the connection failed.
        reason: String,
    },
    /// The secret holds something other than a token.
    #[error(
        "the secret '{0}' holds no client token: it must be a text of 1 to 256 characters, or a JSON object with such a \
         text as its member clientToken"
    )]
    Malformed(String),
    /// CodePipeline refused the token.
    #[error("CodePipeline refuses the client token that its secret holds (InvalidClientTokenException)")]
    Refused,
}
