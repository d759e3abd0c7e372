//! The table of bucket settings: one row per subresource.

use http::StatusCode;
use s3s::dto::{
    AccelerateConfiguration, AnalyticsConfiguration, BucketLoggingStatus, CORSConfiguration,
    IntelligentTieringConfiguration, InventoryConfiguration, MetricsConfiguration, ObjectLockConfiguration,
    OwnershipControls, ReplicationConfiguration, RequestPaymentConfiguration, Tagging, WebsiteConfiguration,
};
use s3s::{S3Result, s3_error};

use super::input::SettingInput;
use super::names::LISTS;
use super::read::{checked, encryption, lifecycle, malformed, notification, one_of, public_access_block};
use super::{acl, cors, policy};
use crate::s3::tags;

/// The setting of a bucket that is created with object lock.
pub(super) const OBJECT_LOCK: &str = "<ObjectLockConfiguration xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">\
    <ObjectLockEnabled>Enabled</ObjectLockEnabled></ObjectLockConfiguration>";

/// The response to a GET without a stored setting.
pub(super) enum Missing {
    /// An error with this code and message.
    Error(&'static str, &'static str),
    /// This content of the root element.
    Default(&'static str),
}

/// A subresource of buckets.
pub(in crate::s3) struct Kind {
    /// Its name in the query, such as `cors`.
    pub(in crate::s3) query: &'static str,
    /// The operations for GET, PUT and DELETE, as far as they exist.
    pub(in crate::s3) operations: [Option<&'static str>; 3],
    /// The root element; empty for JSON.
    pub(super) root: &'static str,
    /// Checks the input of a PUT, and returns the text to store.
    pub(super) read: fn(&SettingInput<'_>) -> S3Result<String>,
    pub(super) missing: Missing,
    /// The list element, for settings with several values that have ids.
    pub(super) list: Option<&'static str>,
    pub(super) put_status: StatusCode,
}

impl Kind {
    /// The operation for a method.
    pub(in crate::s3) fn operation(&self, method: &http::Method, has_id: bool) -> Option<&'static str> {
        let [get, put, delete] = self.operations;
        match *method {
            http::Method::GET if self.list.is_some() && !has_id => self.list_operation(),
            http::Method::GET => get,
            http::Method::PUT => put,
            http::Method::DELETE => delete,
            _ => None,
        }
    }

    fn list_operation(&self) -> Option<&'static str> {
        LISTS.iter().find(|(query, _)| *query == self.query).map(|(_, operation)| *operation)
    }
}

/// The row for the names in a query.
pub(in crate::s3) fn of_query(has: impl Fn(&str) -> bool) -> Option<&'static Kind> {
    KINDS.iter().find(|kind| has(kind.query))
}

const fn kind(
    query: &'static str,
    operations: [Option<&'static str>; 3],
    root: &'static str,
    read: fn(&SettingInput<'_>) -> S3Result<String>,
    missing: Missing,
) -> Kind {
    Kind { query, operations, root, read, missing, list: None, put_status: StatusCode::OK }
}

const fn listed(
    query: &'static str,
    operations: [Option<&'static str>; 3],
    root: &'static str,
    read: fn(&SettingInput<'_>) -> S3Result<String>,
    list: &'static str,
) -> Kind {
    let missing = Missing::Error("NoSuchConfiguration", "The specified configuration does not exist.");
    Kind { query, operations, root, read, missing, list: Some(list), put_status: StatusCode::OK }
}

/// All rows. Errors and defaults come from the S3 API Reference, "Error responses" and the GET of each setting.
static KINDS: [Kind; 20] = [
    kind(
        "accelerate",
        [Some("GetBucketAccelerateConfiguration"), Some("PutBucketAccelerateConfiguration"), None],
        "AccelerateConfiguration",
        |input| {
            checked::<AccelerateConfiguration>("AccelerateConfiguration", input, |it| {
                one_of(it.status.as_ref().map(s3s::dto::BucketAccelerateStatus::as_str), &["Enabled", "Suspended"])
            })
        },
        Missing::Default(""),
    ),
    kind(
        "acl",
        [Some("GetBucketAcl"), Some("PutBucketAcl"), None],
        acl::ROOT,
        acl::read,
        Missing::Default(acl::PRIVATE),
    ),
    listed(
        "analytics",
        [
            Some("GetBucketAnalyticsConfiguration"),
            Some("PutBucketAnalyticsConfiguration"),
            Some("DeleteBucketAnalyticsConfiguration"),
        ],
        "AnalyticsConfiguration",
        |input| checked::<AnalyticsConfiguration>("AnalyticsConfiguration", input, |_| Ok(())),
        "ListBucketAnalyticsConfigurationResult",
    ),
    kind(
        "cors",
        [Some("GetBucketCors"), Some("PutBucketCors"), Some("DeleteBucketCors")],
        "CORSConfiguration",
        |input| checked::<CORSConfiguration>("CORSConfiguration", input, cors::check),
        Missing::Error("NoSuchCORSConfiguration", "The CORS configuration does not exist"),
    ),
    kind(
        "encryption",
        [Some("GetBucketEncryption"), Some("PutBucketEncryption"), Some("DeleteBucketEncryption")],
        "ServerSideEncryptionConfiguration",
        encryption,
        Missing::Default(
            "<Rule><ApplyServerSideEncryptionByDefault><SSEAlgorithm>AES256</SSEAlgorithm>\
             </ApplyServerSideEncryptionByDefault><BucketKeyEnabled>false</BucketKeyEnabled></Rule>",
        ),
    ),
    listed(
        "intelligent-tiering",
        [
            Some("GetBucketIntelligentTieringConfiguration"),
            Some("PutBucketIntelligentTieringConfiguration"),
            Some("DeleteBucketIntelligentTieringConfiguration"),
        ],
        "IntelligentTieringConfiguration",
        |input| checked::<IntelligentTieringConfiguration>("IntelligentTieringConfiguration", input, |_| Ok(())),
        "ListBucketIntelligentTieringConfigurationsOutput",
    ),
    listed(
        "inventory",
        [
            Some("GetBucketInventoryConfiguration"),
            Some("PutBucketInventoryConfiguration"),
            Some("DeleteBucketInventoryConfiguration"),
        ],
        "InventoryConfiguration",
        |input| checked::<InventoryConfiguration>("InventoryConfiguration", input, |_| Ok(())),
        "ListInventoryConfigurationsResult",
    ),
    kind(
        "lifecycle",
        [
            Some("GetBucketLifecycleConfiguration"),
            Some("PutBucketLifecycleConfiguration"),
            Some("DeleteBucketLifecycle"),
        ],
        "LifecycleConfiguration",
        lifecycle,
        Missing::Error("NoSuchLifecycleConfiguration", "The lifecycle configuration does not exist"),
    ),
    kind(
        "logging",
        [Some("GetBucketLogging"), Some("PutBucketLogging"), None],
        "BucketLoggingStatus",
        |input| checked::<BucketLoggingStatus>("BucketLoggingStatus", input, |_| Ok(())),
        Missing::Default(""),
    ),
    listed(
        "metrics",
        [
            Some("GetBucketMetricsConfiguration"),
            Some("PutBucketMetricsConfiguration"),
            Some("DeleteBucketMetricsConfiguration"),
        ],
        "MetricsConfiguration",
        |input| checked::<MetricsConfiguration>("MetricsConfiguration", input, |_| Ok(())),
        "ListMetricsConfigurationsResult",
    ),
    kind(
        "notification",
        [Some("GetBucketNotificationConfiguration"), Some("PutBucketNotificationConfiguration"), None],
        "NotificationConfiguration",
        notification,
        Missing::Default(""),
    ),
    kind(
        "object-lock",
        [Some("GetObjectLockConfiguration"), Some("PutObjectLockConfiguration"), None],
        "ObjectLockConfiguration",
        |input| {
            checked::<ObjectLockConfiguration>("ObjectLockConfiguration", input, |it| {
                one_of(it.object_lock_enabled.as_ref().map(s3s::dto::ObjectLockEnabled::as_str), &["Enabled"])
            })
        },
        Missing::Error(
            "ObjectLockConfigurationNotFoundError",
            "Object Lock configuration does not exist for this bucket",
        ),
    ),
    kind(
        "ownershipControls",
        [Some("GetBucketOwnershipControls"), Some("PutBucketOwnershipControls"), Some("DeleteBucketOwnershipControls")],
        "OwnershipControls",
        |input| {
            checked::<OwnershipControls>("OwnershipControls", input, |it| {
                let [rule] = it.rules.as_slice() else { return Err(malformed()) };
                let known = ["BucketOwnerPreferred", "ObjectWriter", "BucketOwnerEnforced"];
                one_of(Some(rule.object_ownership.as_str()), &known)
            })
        },
        Missing::Error("OwnershipControlsNotFoundError", "The bucket ownership controls were not found"),
    ),
    Kind {
        put_status: StatusCode::NO_CONTENT,
        ..kind(
            "policy",
            [Some("GetBucketPolicy"), Some("PutBucketPolicy"), Some("DeleteBucketPolicy")],
            "",
            policy::read,
            Missing::Error("NoSuchBucketPolicy", "The bucket policy does not exist"),
        )
    },
    kind(
        "policyStatus",
        [Some("GetBucketPolicyStatus"), None, None],
        "PolicyStatus",
        |_| Err(s3_error!(MethodNotAllowed)),
        Missing::Error("NoSuchBucketPolicy", "The bucket policy does not exist"),
    ),
    kind(
        "publicAccessBlock",
        [Some("GetPublicAccessBlock"), Some("PutPublicAccessBlock"), Some("DeletePublicAccessBlock")],
        "PublicAccessBlockConfiguration",
        public_access_block,
        Missing::Error("NoSuchPublicAccessBlockConfiguration", "The public access block configuration was not found"),
    ),
    kind(
        "replication",
        [Some("GetBucketReplication"), Some("PutBucketReplication"), Some("DeleteBucketReplication")],
        "ReplicationConfiguration",
        |input| checked::<ReplicationConfiguration>("ReplicationConfiguration", input, |_| Ok(())),
        Missing::Error("ReplicationConfigurationNotFoundError", "The replication configuration was not found"),
    ),
    kind(
        "requestPayment",
        [Some("GetBucketRequestPayment"), Some("PutBucketRequestPayment"), None],
        "RequestPaymentConfiguration",
        |input| {
            checked::<RequestPaymentConfiguration>("RequestPaymentConfiguration", input, |it| {
                one_of(Some(it.payer.as_str()), &["BucketOwner", "Requester"])
            })
        },
        Missing::Default("<Payer>BucketOwner</Payer>"),
    ),
    Kind {
        put_status: StatusCode::NO_CONTENT,
        ..kind(
            "tagging",
            [Some("GetBucketTagging"), Some("PutBucketTagging"), Some("DeleteBucketTagging")],
            "Tagging",
            |input| checked::<Tagging>("Tagging", input, |it| tags::check(&it.tag_set, tags::MOST_OF_BUCKET)),
            Missing::Error("NoSuchTagSet", "The TagSet does not exist"),
        )
    },
    kind(
        "website",
        [Some("GetBucketWebsite"), Some("PutBucketWebsite"), Some("DeleteBucketWebsite")],
        "WebsiteConfiguration",
        |input| checked::<WebsiteConfiguration>("WebsiteConfiguration", input, |_| Ok(())),
        Missing::Error("NoSuchWebsiteConfiguration", "The specified bucket does not have a website configuration"),
    ),
];

#[cfg(test)]
mod tests {
    use super::super::names::OPERATIONS;
    use super::*;

    #[test]
    fn table_lists_each_operation_once() {
        let methods = [http::Method::GET, http::Method::PUT, http::Method::DELETE];
        let of = |kind: &'static Kind| {
            methods.clone().into_iter().flat_map(move |method| {
                [true, false].into_iter().filter_map(move |has_id| kind.operation(&method.clone(), has_id))
            })
        };
        let mut named: Vec<_> = KINDS.iter().flat_map(of).collect();
        named.sort_unstable();
        named.dedup();
        assert_eq!(named, OPERATIONS);
    }
}
