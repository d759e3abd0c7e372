//! `nextToken` and `maxResults`.

use serde_json::Value;

use crate::engine::error::ApiError;

/// One page of a listing, and the token of the next one.
pub(super) struct Page {
    pub(super) items: Vec<Value>,
    pub(super) next: Value,
}

/// Cuts the page after `token` out of all items in their order, each with a key that stays the same between calls. The
/// token is the operation and the key of the last item that was given, so items that come and go in between do no harm.
pub(super) fn page<K: ToString>(
    operation: &str,
    items: impl Iterator<Item = (K, Value)>,
    token: Option<&str>,
    size: usize,
) -> Result<Page, ApiError> {
    let invalid = || ApiError::new("InvalidNextTokenException", "The nextToken is not one that this listing has given");
    let mut items = items.map(|(key, item)| (key.to_string(), item));
    if let Some(token) = token {
        let last = token.strip_prefix(operation).and_then(|rest| rest.strip_prefix('/')).ok_or_else(invalid)?;
        items.find(|(key, _)| key == last).ok_or_else(invalid)?;
    }
    let mut page = Page { items: Vec::new(), next: Value::Null };
    let mut last = String::new();
    for (key, item) in items {
        if page.items.len() == size.max(1) {
            page.next = format!("{operation}/{last}").into();
            break;
        }
        page.items.push(item);
        last = key;
    }
    Ok(page)
}
