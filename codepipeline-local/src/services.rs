//! Finds the AWS service that a request is for. One port serves all of them, because `AWS_ENDPOINT_URL` names one address.

use http::request::Parts;
use http::{HeaderValue, Response, StatusCode, header};
use s3s::Body;

use crate::reply::failure;
use crate::s3::query_values;

const TARGET: &str = "X-Amz-Target";
/// The prefix of CodePipeline's targets, followed by the API's version.
const CODEPIPELINE: &str = "CodePipeline_";
/// The prefix of Secrets Manager's targets.
const SECRETS_MANAGER: &str = "secretsmanager.";

/// Services whose names in the AWS CLI and in signatures differ (SDK Reference, "Service-specific endpoints", and the
/// services' models).
const ALIASES: [(&str, &str); 10] = [
    ("stepfunctions", "states"),
    ("sfn", "states"),
    // The prefix of its targets.
    ("awsstepfunctions", "states"),
    ("eventbridge", "events"),
    ("cloudwatch", "monitoring"),
    ("sesv2", "ses"),
    ("elbv2", "elasticloadbalancing"),
    ("elb", "elasticloadbalancing"),
    ("efs", "elasticfilesystem"),
    ("emr", "elasticmapreduce"),
];

/// The service that a request is for.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Service {
    /// With the target, which names the operation.
    CodePipeline(String),
    /// With the operation.
    SecretsManager(String),
    /// A request that is not signed, or not for another service.
    S3,
    /// Any other, by its name in signatures, with the target if there is one.
    Other { name: String, target: Option<String> },
}

impl Service {
    pub(crate) fn of(parts: &Parts) -> Self {
        let signed_for = signed_for(parts);
        let target = parts.headers.get(TARGET).map(|target| String::from_utf8_lossy(target.as_bytes()).into_owned());
        match (target, signed_for) {
            (Some(target), _) if target.starts_with(CODEPIPELINE) => Self::CodePipeline(target),
            (Some(target), _) if target.starts_with(SECRETS_MANAGER) => {
                Self::SecretsManager(target[SECRETS_MANAGER.len()..].to_owned())
            }
            (Some(target), name) => {
                // An unsigned request is recognized by the prefix of its target.
                let begin = || signing_name(target.rsplit_once('.').map_or(target.as_str(), |(begin, _)| begin));
                Self::Other { name: name.unwrap_or_else(begin), target: Some(target) }
            }
            (None, Some(name)) if !name.starts_with("s3") => Self::Other { name, target: None },
            (None, _) => Self::S3,
        }
    }

    /// The name that `--endpoint` uses.
    pub(crate) fn name(&self) -> &str {
        match self {
            Self::CodePipeline(_) => "codepipeline",
            Self::SecretsManager(_) => "secretsmanager",
            Self::S3 => "s3",
            Self::Other { name, .. } => name,
        }
    }

    /// The operation that the target names, if it is one of CodePipeline's or Secrets Manager's.
    pub(crate) fn operation(&self) -> Option<&str> {
        match self {
            Self::CodePipeline(target) => Some(target.split_once('.').map_or("", |(_, operation)| operation)),
            Self::SecretsManager(operation) => Some(operation),
            Self::S3 | Self::Other { .. } => None,
        }
    }
}

/// A service's name in signatures, from any of its names.
pub(crate) fn signing_name(name: &str) -> String {
    let name = name.to_ascii_lowercase();
    ALIASES.iter().find(|(alias, _)| *alias == name).map_or(name, |(_, signing)| (*signing).to_owned())
}

/// Refuses a request for a service that the emulator does not have.
pub(crate) fn refuse(name: &str, target: Option<&str>) -> Response<Body> {
    let known = ALIASES.iter().find(|(_, signing)| *signing == name).map_or(name, |(alias, _)| alias);
    let asked = target.unwrap_or(known);
    let message = format!(
        "codepipeline-local can't answer {asked}: it has CodePipeline, S3, GetCallerIdentity and AssumeRole of STS, and \
         GetSecretValue of Secrets Manager. Start it with --endpoint {known}=http://HOST:PORT to forward this service's requests"
    );
    let mut reply = failure(StatusCode::BAD_REQUEST, "UnknownOperationException", &message);
    // Services without targets name an error here (Smithy, "AWS restJson1 protocol").
    reply.headers_mut().insert("x-amzn-errortype", HeaderValue::from_static("UnknownOperationException"));
    reply
}

/// The access key id in a signature of version 4.
pub(crate) fn claimed_key(parts: &Parts) -> Option<String> {
    // Split from the end, because a key may contain a slash.
    let credential = credential(parts)?;
    let key = credential.rsplitn(5, '/').nth(4)?;
    (!key.is_empty()).then(|| key.to_owned())
}

/// The `Credential` of a signature of version 4, which is the access key id and the scope.
fn credential(parts: &Parts) -> Option<String> {
    let header = parts.headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
    match header.and_then(|value| value.split_once("Credential=")) {
        Some((_, credential)) => Some(credential.split(',').next()?.trim().to_owned()),
        None => query_values(&parts.uri).remove("X-Amz-Credential"),
    }
}

/// The service in the scope of the signature: `…/20260131/us-east-1/SERVICE/aws4_request` (IAM User Guide, "Elements of an AWS API
/// request signature").
fn signed_for(parts: &Parts) -> Option<String> {
    let scope = credential(parts)?;
    // Split from the end, because a key may contain a slash.
    let mut steps = scope.rsplit('/');
    let (ending, service) = (steps.next()?, steps.next()?);
    let is_plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    (ending == "aws4_request" && !service.is_empty() && service.chars().all(is_plain)).then(|| service.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(uri: &str, headers: &[(&str, &str)]) -> Service {
        let mut request = http::Request::builder().uri(uri);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        Service::of(&request.body(()).unwrap().into_parts().0)
    }

    fn signed(service: &str) -> String {
        format!(
            "AWS4-HMAC-SHA256 Credential=key/20260131/us-east-1/{service}/aws4_request, SignedHeaders=host, Signature=0"
        )
    }

    #[test]
    fn target_or_signature_names_the_service() {
        let other =
            |name: &str, target: Option<&str>| Service::Other { name: name.to_owned(), target: target.map(Into::into) };
        let start = "AWSStepFunctions.StartExecution";
        let poll = "CodePipeline_20150709.PollForJobs";
        let presigned = "/?X-Amz-Credential=key%2F20260131%2Fus-east-1%2Fsts%2Faws4_request";
        for (uri, headers, service) in [
            ("/", vec![(TARGET, poll)], Service::CodePipeline(poll.into())),
            ("/", vec![(TARGET, "secretsmanager.GetSecretValue")], Service::SecretsManager("GetSecretValue".into())),
            ("/", vec![(TARGET, start), ("Authorization", &signed("states"))], other("states", Some(start))),
            ("/", vec![(TARGET, start)], other("states", Some(start))),
            ("/2015-03-31/functions", vec![("Authorization", &signed("lambda"))], other("lambda", None)),
            (presigned, vec![], other("sts", None)),
            ("/bucket/key", vec![("Authorization", &signed("s3"))], Service::S3),
            ("/bucket/key", vec![("Authorization", "AWS key:signature")], Service::S3),
            ("/bucket/key", vec![("Authorization", "AWS4-HMAC-SHA256 Credential=broken")], Service::S3),
            ("/bucket/key", vec![], Service::S3),
        ] {
            assert_eq!(of(uri, &headers), service, "{uri} {headers:?}");
        }
    }

    #[test]
    fn services_have_the_names_that_clients_use() {
        let names = ["stepfunctions", "SFN", "states", "dynamodb"].map(signing_name);
        assert_eq!(names, ["states", "states", "states", "dynamodb"]);
    }
}
