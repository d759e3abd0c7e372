//! A setting as a PUT gives it.

use http::HeaderMap;

/// The content of a PUT of a setting.
pub(super) struct SettingInput<'a> {
    pub(super) headers: &'a HeaderMap,
    pub(super) body: &'a [u8],
    /// Whether the bucket's owner owns every object, so that ACLs mean nothing.
    pub(super) acls_off: bool,
}
