//! The continuation token: the location that the service named, and the progress so far.

use std::time::Duration;

use reqwest::Url;
use serde::{Deserialize, Serialize};

use super::address::Address;
use super::reply::Progress;
use crate::job::{Continuation, Failure, FailureCode, FailureKind};
use crate::text::keep_start;

const HTTP_TOKEN_TOO_LONG: FailureCode = FailureCode::new("HttpTokenTooLong");
const HTTP_TOKEN_INVALID: FailureCode = FailureCode::new("HttpTokenInvalid");

/// The format's version. The name of its member identifies these tokens.
const VERSION: u32 = 1;
/// In characters. CodePipeline takes 2048; the worker adds an envelope.
const LONGEST: usize = 1500;
/// In characters: less than CodePipeline takes, because the token must hold a location of 1000 characters, too.
const LONGEST_SUMMARY: usize = 200;
/// The longest pause that a service may ask for. A mistake of the service must not stop the requests for days.
pub(super) const LONGEST_PAUSE: Duration = Duration::from_secs(3600);

/// A continuation token of this action.
pub(super) struct Token {
    /// The URL of the next request.
    pub(super) location: Url,
    /// The earliest time of the next request, in seconds since 1970.
    pub(super) not_before: Option<i64>,
    /// The progress to show until the service reports more.
    pub(super) progress: Progress,
}

/// The JSON of a token. Tokens of earlier versions also have the member `executionId`, which is ignored: the worker keeps the id of
/// the run itself.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct TokenJson {
    http: u32,
    location: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    not_before: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    external_execution_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    percent_complete: Option<u8>,
    #[serde(skip_serializing_if = "Option::is_none")]
    summary: Option<String>,
}

impl Token {
    /// Writes the token as text of at most 1500 characters. If it would be longer, the summary is left out, and then the external id.
    pub(super) fn write(&self) -> Result<String, Failure> {
        let mut json = TokenJson {
            http: VERSION,
            location: self.location.to_string(),
            not_before: self.not_before,
            external_execution_id: self.progress.external_execution_id.clone(),
            percent_complete: self.progress.percent_complete,
            summary: self.progress.summary.as_deref().map(|summary| keep_start(summary, LONGEST_SUMMARY).into_owned()),
        };
        let mut text = json.text();
        for part in [|it: &mut TokenJson| it.summary = None, |it: &mut TokenJson| it.external_execution_id = None] {
            if text.chars().count() > LONGEST {
                part(&mut json);
                text = json.text();
            }
        }
        match text.chars().count() {
            length if length > LONGEST => {
                let message = format!("the continuation token would have {length} characters, more than {LONGEST}");
                Err(Failure::new(FailureKind::JobFailed, HTTP_TOKEN_TOO_LONG, message))
            }
            _ => Ok(text),
        }
    }

    /// Reads a job's token. It checks the location against `address` again: the configured URL may have changed, and another worker
    /// may have written the token.
    pub(super) fn read(text: &str, address: &Address) -> Result<Self, Failure> {
        let mistake = |message: &str| Err(Failure::new(FailureKind::ConfigurationError, HTTP_TOKEN_INVALID, message));
        let Ok(json) = serde_json::from_str::<TokenJson>(text) else {
            return mistake(
                "the job's continuation token does not belong to this action: another worker polls the same action type",
            );
        };
        if json.http != VERSION {
            return mistake("the job's continuation token comes from another version of the worker");
        }
        let Ok(location) = address.location(address.url(), &json.location) else {
            return mistake(
                "the job's continuation token names a location that the configured URL does not allow: the URL was \
                 changed while the action ran, or another worker polls the same type",
            );
        };
        let progress = Progress {
            summary: json.summary,
            external_execution_id: json.external_execution_id,
            percent_complete: json.percent_complete,
        };
        Ok(Self { location, not_before: json.not_before, progress })
    }

    /// The outcome that hands this token to a later job.
    pub(super) fn continuation(self) -> Result<Continuation, Failure> {
        let token = self.write()?;
        let Progress { summary, external_execution_id, percent_complete } = self.progress;
        Ok(Continuation { token, summary, external_execution_id, percent_complete })
    }

    /// Whether the service asked for no request before a later time. A time that is too far off does not come from the service.
    pub(super) fn is_too_early(&self, seconds: i64) -> bool {
        let longest = i64::try_from(LONGEST_PAUSE.as_secs()).unwrap_or(i64::MAX);
        self.not_before.is_some_and(|until| seconds < until && until - seconds <= longest)
    }
}

impl TokenJson {
    fn text(&self) -> String {
        serde_json::to_string(self).expect("strings and numbers can be written as JSON")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address() -> Address {
        Address::parse("https://example.com/jobs").ok().unwrap()
    }

    fn token(summary: &str, external: &str) -> Token {
        let progress = Progress {
            summary: Some(summary.to_owned()),
            external_execution_id: Some(external.to_owned()),
            percent_complete: Some(40),
        };
        let location = Url::parse("https://example.com/runs/7").unwrap();
        Token { location, not_before: Some(5), progress }
    }

    fn round_trip(token: &Token) -> Token {
        let text = token.write().ok().unwrap();
        assert!(text.chars().count() <= LONGEST, "{text}");
        Token::read(&text, &address()).ok().unwrap()
    }

    #[test]
    fn token_survives_a_round_trip() {
        let read = round_trip(&token("half of it", "run-7"));
        assert_eq!(read.location.as_str(), "https://example.com/runs/7");
        assert_eq!(read.not_before, Some(5));
        assert_eq!(read.progress.summary.as_deref(), Some("half of it"));
        assert_eq!(read.progress.external_execution_id.as_deref(), Some("run-7"));
        assert_eq!(read.progress.percent_complete, Some(40));
    }

    #[test]
    fn format_is_stable() {
        let expected = r#"{"http":1,"location":"https://example.com/runs/7","notBefore":5,"externalExecutionId":"run-7","percentComplete":40,"summary":"half of it"}"#;
        assert_eq!(token("half of it", "run-7").write().ok().unwrap(), expected);
    }

    #[test]
    fn token_with_an_execution_id_of_an_earlier_version_is_read() {
        let text = r#"{"http":1,"location":"https://example.com/runs/7","executionId":"e","notBefore":5,"percentComplete":40}"#;
        let read = Token::read(text, &address()).ok().unwrap();
        assert_eq!((read.location.as_str(), read.not_before), ("https://example.com/runs/7", Some(5)));
        assert_eq!(read.progress.percent_complete, Some(40));
        assert!(!read.write().ok().unwrap().contains("executionId"));
    }

    #[test]
    fn token_never_gets_too_long() {
        let read = round_trip(&token(&"s".repeat(9000), &"e".repeat(100)));
        assert_eq!(read.progress.summary.unwrap().chars().count(), LONGEST_SUMMARY);
        let read = round_trip(&token(&"\u{1}".repeat(200), &"e".repeat(500)));
        assert_eq!((read.progress.summary, read.progress.external_execution_id.unwrap().len()), (None, 500));
        let read = round_trip(&token(&"s".repeat(200), &"e".repeat(1500)));
        assert!(read.progress.external_execution_id.is_none());

        let location = Url::parse(&format!("https://example.com/?{}", r"\".repeat(900))).unwrap();
        let huge = Token { location, ..token("", "") };
        assert!(huge.write().err().unwrap().message.contains("more than 1500"));
    }

    #[test]
    fn foreign_tokens_are_refused_and_not_shown() {
        for text in [
            "hunter2",
            "{}",
            r#"{"arn":"hunter2"}"#,
            r#"{"http":2,"location":"https://example.com/hunter2"}"#,
            r#"{"http":1,"location":"https://hunter2.example/"}"#,
            r#"{"http":1,"location":"http://example.com/hunter2"}"#,
        ] {
            let failure = Token::read(text, &address()).err().unwrap();
            assert_eq!(failure.kind, FailureKind::ConfigurationError, "{text}");
            assert!(!failure.message.contains("hunter2"), "{}", failure.message);
        }
    }
}
