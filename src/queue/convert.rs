//! Converts the SDK's description of a job to ours, and our report to the SDK's.

use aws_sdk_codepipeline::primitives::DateTime;
use aws_sdk_codepipeline::types;

use crate::job::{ActionTypeId, Artifact, Configuration, Credentials, FailureKind, Job, PipelineContext, Revision};
use crate::report::{ExecutionDetails, FailureReport};

/// The common members of `JobData` and `ThirdPartyJobData`, which are all of them.
pub(super) struct JobData {
    action_type_id: Option<types::ActionTypeId>,
    action_configuration: Option<types::ActionConfiguration>,
    pipeline_context: Option<types::PipelineContext>,
    input_artifacts: Option<Vec<types::Artifact>>,
    output_artifacts: Option<Vec<types::Artifact>>,
    artifact_credentials: Option<types::AwsSessionCredentials>,
    continuation_token: Option<String>,
    encryption_key: Option<types::EncryptionKey>,
}

impl From<types::JobData> for JobData {
    fn from(data: types::JobData) -> Self {
        Self {
            action_type_id: data.action_type_id,
            action_configuration: data.action_configuration,
            pipeline_context: data.pipeline_context,
            input_artifacts: data.input_artifacts,
            output_artifacts: data.output_artifacts,
            artifact_credentials: data.artifact_credentials,
            continuation_token: data.continuation_token,
            encryption_key: data.encryption_key,
        }
    }
}

impl From<types::ThirdPartyJobData> for JobData {
    fn from(data: types::ThirdPartyJobData) -> Self {
        Self {
            action_type_id: data.action_type_id,
            action_configuration: data.action_configuration,
            pipeline_context: data.pipeline_context,
            input_artifacts: data.input_artifacts,
            output_artifacts: data.output_artifacts,
            artifact_credentials: data.artifact_credentials,
            continuation_token: data.continuation_token,
            encryption_key: data.encryption_key,
        }
    }
}

/// The job in the data. Its action type is `asked` if the data has none (the member is optional in the API model).
pub(super) fn job(
    id: String,
    account_id: Option<String>,
    asked: &ActionTypeId,
    data: JobData,
) -> (Job, Option<Credentials>) {
    let context = data.pipeline_context;
    let action = context.as_ref().and_then(|context| context.action.clone());
    let job = Job {
        id,
        account_id,
        action_type: data.action_type_id.map_or_else(|| asked.clone(), action_type),
        configuration: data
            .action_configuration
            .and_then(|it| it.configuration)
            .map(Configuration::from_iter)
            .unwrap_or_default(),
        pipeline: PipelineContext {
            stage_name: context.as_ref().and_then(|it| it.stage.as_ref()?.name.clone()),
            action_name: action.as_ref().and_then(|it| it.name.clone()),
            action_execution_id: action.and_then(|it| it.action_execution_id),
            pipeline_arn: context.as_ref().and_then(|it| it.pipeline_arn.clone()),
            pipeline_execution_id: context.as_ref().and_then(|it| it.pipeline_execution_id.clone()),
            pipeline_name: context.and_then(|it| it.pipeline_name),
        },
        inputs: artifacts(data.input_artifacts),
        outputs: artifacts(data.output_artifacts),
        encryption_key: data.encryption_key.map(|key| key.id),
        continuation_token: data.continuation_token.map(Into::into),
    };
    (job, data.artifact_credentials.map(credentials))
}

fn action_type(id: types::ActionTypeId) -> ActionTypeId {
    ActionTypeId {
        category: id.category.as_str().to_owned(),
        owner: id.owner.as_str().to_owned(),
        provider: id.provider,
        version: id.version,
    }
}

fn credentials(from: types::AwsSessionCredentials) -> Credentials {
    Credentials {
        access_key_id: from.access_key_id,
        secret_access_key: from.secret_access_key.into(),
        session_token: from.session_token.into(),
    }
}

/// CodePipeline fills all members, although the API model has them optional. An artifact that lacks one stays empty and
/// fails its job when it is staged. Leaving it out would hide the mistake.
fn artifacts(from: Option<Vec<types::Artifact>>) -> Vec<Artifact> {
    let one = |artifact: types::Artifact| {
        let place = artifact.location.and_then(|location| location.s3_location);
        let (bucket, key) = place.map(|place| (place.bucket_name, place.object_key)).unwrap_or_default();
        Artifact { name: artifact.name.unwrap_or_default(), revision: artifact.revision, bucket, key }
    };
    from.unwrap_or_default().into_iter().map(one).collect()
}

pub(super) fn sdk_action_type(id: &ActionTypeId) -> types::ActionTypeId {
    types::ActionTypeId::builder()
        .category(id.category.as_str().into())
        .owner(id.owner.as_str().into())
        .provider(&id.provider)
        .version(&id.version)
        .build()
        .expect("all four members are set")
}

pub(super) fn execution_details(details: &ExecutionDetails) -> types::ExecutionDetails {
    types::ExecutionDetails::builder()
        .set_summary(details.summary.clone())
        .set_external_execution_id(details.external_execution_id.clone())
        .set_percent_complete(details.percent_complete.map(i32::from))
        .build()
}

pub(super) fn current_revision(revision: &Revision) -> types::CurrentRevision {
    types::CurrentRevision::builder()
        .revision(&revision.revision)
        .change_identifier(&revision.change_identifier)
        .set_revision_summary(revision.summary.clone())
        .set_created(revision.created.map(DateTime::from_secs))
        .build()
        .expect("both required members are set")
}

pub(super) fn failure_details(failure: &FailureReport) -> types::FailureDetails {
    types::FailureDetails::builder()
        .r#type(failure_type(failure.kind))
        .message(&failure.message)
        .set_external_execution_id(failure.external_execution_id.clone())
        .build()
        .expect("both required members are set")
}

fn failure_type(kind: FailureKind) -> types::FailureType {
    match kind {
        FailureKind::JobFailed => types::FailureType::JobFailed,
        FailureKind::ConfigurationError => types::FailureType::ConfigurationError,
        FailureKind::PermissionError => types::FailureType::PermissionError,
        FailureKind::RevisionOutOfSync => types::FailureType::RevisionOutOfSync,
        FailureKind::RevisionUnavailable => types::FailureType::RevisionUnavailable,
        FailureKind::SystemUnavailable => types::FailureType::SystemUnavailable,
    }
}
