//! Creation of buckets with their regions and first settings.

use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use s3s::dto::{Tag, Tagging};
use s3s::xml::{DeResult, Deserialize, DeserializeContent, Deserializer};
use s3s::{Body, S3Response, S3Result, s3_error};

use super::read::{self, parsed, written};
use super::{acl, kinds};
use crate::s3::catalog::{Versioning, internal};
use crate::s3::place::is_region;
use crate::s3::storage::Storage;
use crate::s3::tags;

/// The region without a location constraint. There S3 also accepts the creation of an existing bucket (S3 API
/// Reference, CreateBucket).
const CLASSIC: &str = "us-east-1";

/// The body of CreateBucket. `s3s` does not parse its tags.
#[derive(Default)]
struct Configuration {
    location: Option<String>,
    tags: Vec<Tag>,
}

impl<'xml> Deserialize<'xml> for Configuration {
    fn deserialize(d: &mut Deserializer<'xml>) -> DeResult<Self> {
        d.named_element("CreateBucketConfiguration", Deserializer::content)
    }
}

impl<'xml> DeserializeContent<'xml> for Configuration {
    fn deserialize_content(d: &mut Deserializer<'xml>) -> DeResult<Self> {
        let mut read = Self::default();
        d.for_each_element(|d, name| match name {
            b"LocationConstraint" => {
                read.location = Some(d.content()?);
                Ok(())
            }
            b"Tags" => {
                read.tags = d.list_content("Tag")?;
                Ok(())
            }
            // The other members are for directory buckets.
            _ => d.list_content::<String>("").map(drop),
        })?;
        Ok(read)
    }
}

impl Storage {
    /// Creates a bucket, for a request signed for this region.
    pub(super) fn create(
        &self,
        bucket: &str,
        signed_for: Option<&str>,
        headers: &HeaderMap,
        body: &[u8],
    ) -> S3Result<S3Response<Body>> {
        let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
        let configuration = if body.is_empty() { Configuration::default() } else { parsed(body)? };
        let region = self.chosen_region(signed_for, configuration.location.as_deref())?;
        tags::check(&configuration.tags, tags::MOST_OF_BUCKET)?;
        let ownership = text("x-amz-object-ownership").map(read::ownership).transpose()?;
        let acls_off = text("x-amz-object-ownership") == Some("BucketOwnerEnforced");
        let acl = acl::of_headers(headers, acls_off)?;
        let locked = text("x-amz-bucket-object-lock-enabled").is_some_and(|value| value.eq_ignore_ascii_case("true"));

        let _making = self.lock_making();
        if self.catalog.check_bucket(bucket).is_ok() {
            if self.region_of(bucket) != CLASSIC || region != CLASSIC {
                return Err(s3_error!(
                    BucketAlreadyOwnedByYou,
                    "Your previous request to create the named bucket succeeded and you already own it."
                ));
            }
            return Ok(made(bucket));
        }
        self.settings.begin(bucket, &region).map_err(internal)?;
        self.catalog.create_bucket(bucket).map_err(internal)?;
        let tagging = Tagging { tag_set: configuration.tags };
        let tagging = (!tagging.tag_set.is_empty()).then(|| written("Tagging", &tagging)).transpose()?;
        let lock = locked.then(|| kinds::OBJECT_LOCK.to_owned());
        for (name, value) in
            [("tagging", tagging), ("acl", acl), ("ownershipControls", ownership), ("object-lock", lock)]
        {
            if value.is_some() {
                self.settings.set(bucket, name, value).map_err(internal)?;
            }
        }
        if locked {
            self.catalog.set_versioning(bucket, Versioning::Enabled)?;
        }
        Ok(made(bucket))
    }

    /// The region of the location constraint, or else of the signature.
    fn chosen_region(&self, signed_for: Option<&str>, constraint: Option<&str>) -> S3Result<String> {
        let signed_for = signed_for.unwrap_or(&self.region);
        let region = match constraint.filter(|constraint| !constraint.is_empty()) {
            None => return Ok(signed_for.to_owned()),
            Some("EU") => "eu-west-1",
            Some(region) => region,
        };
        if region != self.region && (region == CLASSIC || !is_region(region)) {
            return Err(s3_error!(InvalidLocationConstraint, "The specified location-constraint is not valid"));
        }
        // A request to us-east-1 can create a bucket in any region.
        if signed_for != CLASSIC && region != signed_for {
            return Err(s3_error!(
                IllegalLocationConstraintException,
                "The {} location constraint is incompatible for the region specific endpoint this request was sent to.",
                region
            ));
        }
        Ok(region.to_owned())
    }

    /// The region of the bucket: that of its creation, or the emulator's.
    pub(in crate::s3) fn region_of(&self, bucket: &str) -> String {
        self.settings.region(bucket).unwrap_or_else(|| self.region.clone())
    }

    /// The location that GetBucketLocation returns.
    pub(in crate::s3) fn location_of(&self, bucket: &str) -> Option<String> {
        Some(self.region_of(bucket)).filter(|region| region != CLASSIC)
    }
}

fn made(bucket: &str) -> S3Response<Body> {
    let mut reply = S3Response::with_status(Body::empty(), StatusCode::OK);
    if let Ok(location) = HeaderValue::try_from(format!("/{bucket}")) {
        reply.headers.insert(HeaderName::from_static("location"), location);
    }
    reply
}
