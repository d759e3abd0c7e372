//! Settings of buckets, such as CORS rules and policies, and the regions of buckets.
//!
//! A setting is stored as the XML or JSON that its GET returns. The settings of a bucket are one file, which is
//! replaced as a whole.

mod acl;
mod cors;
mod creation;
mod input;
mod kept;
mod kinds;
mod names;
mod policy;
mod read;
mod route;

pub(super) use acl::{OWNER, kept as kept_acl, of_headers as acl_of_headers, replaced as replaced_acl};
pub(super) use cors::Cors;
pub(super) use kept::BucketSettings;
pub(super) use kinds::of_query;
pub(super) use names::OPERATIONS;
pub(super) use read::malformed;
pub(super) use route::SettingsRoute;
