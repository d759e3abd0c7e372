//! The input of a PUT of a setting.

use http::HeaderMap;

/// The input of a PUT of a setting.
pub(super) struct SettingInput<'a> {
    pub(super) headers: &'a HeaderMap,
    pub(super) body: &'a [u8],
    /// Whether the bucket's owner owns every object, which disables ACLs.
    pub(super) acls_off: bool,
}
