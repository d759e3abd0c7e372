//! Details of an object: its checksum, storage class and parts.

use s3s::dto::{Checksum as Sums, ObjectStorageClass, ObjectVersionStorageClass, StorageClass};
use s3s::{S3Error, S3ErrorCode, S3Result};
use serde::{Deserialize, Serialize};

use super::checksum::{Kind, Sum};

/// The details of an object. Records of older versions of the emulator lack them.
#[derive(Clone, Default, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct Details {
    pub(super) checksum: Option<ObjectSum>,
    pub(super) storage_class: Class,
    /// The parts in order; empty unless the object was uploaded in parts.
    pub(super) parts: Vec<ObjectPart>,
    /// The multipart upload that made the object.
    pub(super) upload_id: Option<String>,
}

impl Details {
    /// Details of an object from a single upload.
    pub(super) fn of_whole(sum: Sum, storage_class: Class) -> Self {
        let checksum = Some(ObjectSum { sum, kind: Kind::FullObject });
        Self { checksum, storage_class, ..Self::default() }
    }

    /// Details of a copy that keeps the entity tag.
    pub(super) fn copied(&self) -> Self {
        Self { storage_class: Class::default(), upload_id: None, ..self.clone() }
    }

    /// The checksum and its type as members of a response.
    pub(super) fn sums(&self) -> Sums {
        self.checksum.as_ref().map(ObjectSum::members).unwrap_or_default()
    }

    /// Returns an error if the object must be restored before it can be read (S3 User Guide, "Restoring an archived
    /// object"). The emulator restores nothing.
    pub(super) fn check_readable(&self) -> S3Result<()> {
        if !self.storage_class.is_archive() {
            return Ok(());
        }
        let message = "The operation is not valid for the object's storage class";
        Err(S3Error::with_message(S3ErrorCode::InvalidObjectState, message))
    }
}

/// An object's checksum.
#[derive(Clone, Serialize, Deserialize)]
pub(super) struct ObjectSum {
    pub(super) sum: Sum,
    pub(super) kind: Kind,
}

impl ObjectSum {
    pub(super) fn members(&self) -> Sums {
        Sums { checksum_type: Some(self.kind.answered()), ..self.sum.members() }
    }
}

/// A part of a multipart object.
#[derive(Clone, Serialize, Deserialize)]
pub(super) struct ObjectPart {
    pub(super) number: i32,
    pub(super) size: u64,
    pub(super) sum: Option<Sum>,
}

/// A storage class.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Class(String);

impl Default for Class {
    fn default() -> Self {
        Self(StorageClass::STANDARD.to_owned())
    }
}

/// The classes for uploads to general purpose buckets (S3 API Reference, PutObject). `OUTPOSTS`, `SNOW`,
/// `EXPRESS_ONEZONE` and the FSx classes belong to other kinds of buckets.
const CLASSES: [&str; 8] = [
    StorageClass::STANDARD,
    StorageClass::REDUCED_REDUNDANCY,
    StorageClass::STANDARD_IA,
    StorageClass::ONEZONE_IA,
    StorageClass::INTELLIGENT_TIERING,
    StorageClass::GLACIER,
    StorageClass::DEEP_ARCHIVE,
    StorageClass::GLACIER_IR,
];

impl Class {
    /// The requested class, or the standard class.
    pub(super) fn of(named: Option<&StorageClass>) -> S3Result<Self> {
        match named.map(StorageClass::as_str) {
            None => Ok(Self::default()),
            Some(name) if CLASSES.contains(&name) => Ok(Self(name.to_owned())),
            Some(_) => {
                let message = "The storage class you specified is not valid";
                Err(S3Error::with_message(S3ErrorCode::InvalidStorageClass, message))
            }
        }
    }

    fn is_archive(&self) -> bool {
        matches!(self.0.as_str(), StorageClass::GLACIER | StorageClass::DEEP_ARCHIVE)
    }

    /// The class in responses to reads. S3 omits the standard class (S3 API Reference, GetObject).
    pub(super) fn answered(&self) -> Option<StorageClass> {
        (self.0 != StorageClass::STANDARD).then(|| self.always_answered())
    }

    /// The class in responses about multipart uploads.
    pub(super) fn always_answered(&self) -> StorageClass {
        StorageClass::from(self.0.clone())
    }

    /// The class in listings of objects.
    pub(super) fn listed(&self) -> ObjectStorageClass {
        ObjectStorageClass::from(self.0.clone())
    }

    /// The class in listings of versions.
    pub(super) fn listed_version(&self) -> ObjectVersionStorageClass {
        ObjectVersionStorageClass::from(self.0.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn records_without_details_have_the_standard_class() {
        let details: Details = serde_json::from_str("{}").unwrap();
        assert_eq!(details.storage_class.listed().as_str(), "STANDARD");
        assert!(details.storage_class.answered().is_none());
        assert!(details.check_readable().is_ok());
    }

    #[test]
    fn unknown_storage_classes_are_refused() {
        for name in ["standard", "OUTPOSTS", "GLACIER ", ""] {
            let refused = Class::of(Some(&StorageClass::from(name.to_owned()))).unwrap_err();
            assert_eq!(refused.code(), &S3ErrorCode::InvalidStorageClass, "{name:?}");
        }
    }

    #[test]
    fn only_archive_classes_need_a_restore() {
        let needs = |name: &&str| {
            let storage_class = Class::of(Some(&StorageClass::from((*name).to_owned()))).unwrap();
            Details { storage_class, ..Details::default() }.check_readable().is_err()
        };
        let archives: Vec<_> = CLASSES.into_iter().filter(needs).collect();
        assert_eq!(archives, ["GLACIER", "DEEP_ARCHIVE"]);
    }
}
