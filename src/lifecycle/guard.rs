//! Keeps secrets out of data. Data is reported unchanged or not at all.
//!
//! CodePipeline stores output variables, ids, revisions and tokens unchanged and passes them to other actions. The ledger may
//! hold them, too. A reader would take a masked value for the real one.

use crate::job::{Continuation, Failure, FailureCode, FailureKind, Finished, Outcome};
use crate::redact::{Redactor, SECRET_IN_DATA, SECRET_IN_TOKEN, SecretName};

const SECRET_IN_OUTCOME: FailureCode = FailureCode::new("SecretInOutcome");
const SECRET_IN_CONTINUATION_TOKEN: FailureCode = FailureCode::new("SecretInContinuationToken");

/// Returns the result, or a failure that says which part of it holds which secret. A failure only loses an external id that
/// holds a secret.
pub(super) fn without_secret(result: Result<Outcome, Failure>, redactor: &Redactor) -> Result<Outcome, Failure> {
    match result {
        Ok(Outcome::Finished(finished)) => {
            let id = finished.external_execution_id.as_deref();
            let clean = id.filter(|id| redactor.secret_in(id, SECRET_IN_DATA).is_none()).map(str::to_owned);
            check_variables(&finished, redactor)
                .and_then(|()| check_revision(&finished, redactor))
                .and_then(|()| check_external_id(id, redactor))
                .map_err(|failure| Failure { external_execution_id: clean, ..failure })?;
            Ok(Outcome::Finished(finished))
        }
        Ok(Outcome::Continue(going_on)) => {
            check_external_id(going_on.external_execution_id.as_deref(), redactor)?;
            check_token(going_on, redactor).map(Outcome::Continue)
        }
        Err(failure) => Err(of_failure(failure, redactor)),
    }
}

fn check_variables(finished: &Finished, redactor: &Redactor) -> Result<(), Failure> {
    for (name, value) in &finished.variables {
        check("the name of an output variable", name, redactor)?;
        check(&format!("the output variable `{name}`"), value, redactor)?;
    }
    Ok(())
}

fn check_revision(finished: &Finished, redactor: &Redactor) -> Result<(), Failure> {
    let Some(revision) = &finished.revision else { return Ok(()) };
    check("the revision", &revision.revision, redactor)?;
    check("the revision's change identifier", &revision.change_identifier, redactor)
}

fn check_external_id(id: Option<&str>, redactor: &Redactor) -> Result<(), Failure> {
    id.map_or(Ok(()), |id| check("the external execution id", id, redactor))
}

fn check(what: &str, data: &str, redactor: &Redactor) -> Result<(), Failure> {
    redactor.secret_in(data, SECRET_IN_DATA).map_or(Ok(()), |secret| Err(held(what, secret)))
}

fn held(what: &str, secret: &SecretName) -> Failure {
    let advice = match secret {
        SecretName::Key(key) => format!(", or take `{key}` out of `secrets` if its value is no secret"),
        SecretName::Text(_) | SecretName::Other(_) => String::new(),
    };
    let message = format!(
        "{what} holds {secret}: CodePipeline would pass it on unchanged, so it was not reported; leave the secret out{advice}"
    );
    Failure::new(FailureKind::ConfigurationError, SECRET_IN_OUTCOME, message)
}

fn check_token(going_on: Continuation, redactor: &Redactor) -> Result<Continuation, Failure> {
    let Some(secret) = redactor.secret_in(&going_on.token, SECRET_IN_TOKEN) else { return Ok(going_on) };
    let message = format!(
        "the action's continuation token holds {secret}, which CodePipeline would store; the token was not reported, and the \
         work was stopped"
    );
    let external_execution_id = going_on.external_execution_id;
    Err(Failure {
        external_execution_id,
        ..Failure::new(FailureKind::JobFailed, SECRET_IN_CONTINUATION_TOKEN, message)
    })
}

/// Keeps the reason of the failure, which matters more than the id.
fn of_failure(failure: Failure, redactor: &Redactor) -> Failure {
    let id = failure.external_execution_id.as_deref();
    match id.and_then(|id| redactor.secret_in(id, SECRET_IN_DATA)) {
        None => failure,
        Some(secret) => {
            let message = format!("{}; the external execution id holds {secret} and was left out", failure.message);
            Failure { message, external_execution_id: None, ..failure }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::job::Revision;

    fn redactor() -> Redactor {
        let key = |name: &str, value: &str| (SecretName::Key(name.to_owned()), value.to_owned().into());
        let job = (SecretName::Other("a part of the job's credentials"), "session+token/value".to_owned().into());
        Redactor::named([key("ApiToken", "prod"), key("Digit", "1"), key("Name", "aws"), job])
    }

    fn failed(outcome: Outcome) -> Failure {
        without_secret(Ok(outcome), &redactor()).err().unwrap()
    }

    fn revision(revision: &str, change_identifier: &str) -> Finished {
        let [revision, change_identifier] = [revision, change_identifier].map(str::to_owned);
        let revision = Revision { revision, change_identifier, summary: Some("of prod".to_owned()), created: None };
        Finished { revision: Some(revision), external_execution_id: Some("run-1".to_owned()), ..Finished::default() }
    }

    fn variable(name: &str, value: &str) -> Finished {
        let variables = [(name.to_owned(), value.to_owned())].into();
        Finished { variables, external_execution_id: Some("run-1".to_owned()), ..Finished::default() }
    }

    #[test]
    fn data_with_a_secret_fails_the_job_and_names_both() {
        let id = Finished { external_execution_id: Some("prod-7".to_owned()), ..Finished::default() };
        for (finished, said) in [
            (
                variable("Target", "prod-web-1"),
                "the output variable `Target` holds the value of the secret `ApiToken`: ",
            ),
            (variable("Target", "cHJvZA=="), "the output variable `Target` holds the value of the secret `ApiToken`: "),
            (variable("prod-1", "x"), "the name of an output variable holds the value of the secret `ApiToken`: "),
            (
                variable("Url", "https://x?t=session%2Btoken%2Fvalue"),
                "the output variable `Url` holds a part of the job's credentials: ",
            ),
            (id, "the external execution id holds the value of the secret `ApiToken`: "),
            (revision("prod", "c"), "the revision holds the value of the secret `ApiToken`: "),
            (revision("r", "for-prod"), "the revision's change identifier holds the value of the secret `ApiToken`: "),
        ] {
            let failure = failed(Outcome::Finished(finished));
            assert_eq!(failure.kind, FailureKind::ConfigurationError);
            assert!(failure.message.starts_with(said), "{}", failure.message);
            assert!(!failure.message.contains("prod"), "{}", failure.message);
        }
        assert!(
            failed(Outcome::Finished(variable("A", "prod")))
                .message
                .ends_with("take `ApiToken` out of `secrets` if its value is no secret")
        );
        for finished in [revision("prod", "c"), variable("A", "prod")] {
            assert_eq!(failed(Outcome::Finished(finished)).external_execution_id.as_deref(), Some("run-1"));
        }
    }

    #[test]
    fn a_text_around_secrets_gets_no_advice() {
        let name = SecretName::Text("the whole text of `UserParameters`, which holds a secret");
        let redactor = Redactor::named([(name, "{\"Token\": \"hunter2\"}".to_owned().into())]);
        let finished = variable("A", "{\"Token\": \"hunter2\"}");
        let failure = without_secret(Ok(Outcome::Finished(finished)), &redactor).err().unwrap();
        assert!(failure.message.starts_with("the output variable `A` holds the whole text of `UserParameters`"));
        assert!(failure.message.ends_with("leave the secret out"), "{}", failure.message);
    }

    #[test]
    fn secrets_of_three_characters_fail_no_job() {
        for finished in [variable("Target-1", "aws 1"), revision("1", "aws")] {
            assert!(without_secret(Ok(Outcome::Finished(finished)), &redactor()).is_ok());
        }
    }

    #[test]
    fn a_continuations_id_and_token_are_checked() {
        let going_on = |token: &str, id: &str| {
            let external_execution_id = Some(id.to_owned());
            Outcome::Continue(Continuation {
                token: token.to_owned(),
                summary: None,
                external_execution_id,
                percent_complete: None,
            })
        };
        assert!(without_secret(Ok(going_on("/prod/7", "run-7")), &redactor()).is_ok());
        assert!(failed(going_on("t", "prod-7")).message.starts_with("the external execution id holds"));
        let failure = failed(going_on("session+token/value", "run-7"));
        let said = "the action's continuation token holds a part of the job's credentials, which";
        assert!(failure.message.starts_with(said), "{}", failure.message);
        assert_eq!((failure.kind, failure.external_execution_id.as_deref()), (FailureKind::JobFailed, Some("run-7")));
    }

    #[test]
    fn a_failure_keeps_its_reason_and_loses_a_secret_id() {
        let with = |id: &str| {
            let external_execution_id = Some(id.to_owned());
            let failure = Failure {
                external_execution_id,
                ..Failure::new(FailureKind::JobFailed, FailureCode::new("Test"), "exit code 3")
            };
            without_secret(Err(failure), &redactor()).err().unwrap()
        };
        assert_eq!(with("run-1").external_execution_id.as_deref(), Some("run-1"));
        let failure = with("prod-7");
        assert_eq!((failure.kind, failure.external_execution_id), (FailureKind::JobFailed, None));
        assert_eq!(
            failure.message,
            "exit code 3; the external execution id holds the value of the secret `ApiToken` and was left out"
        );
    }
}
