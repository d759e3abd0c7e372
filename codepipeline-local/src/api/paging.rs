//! `nextToken` and `maxResults`.

use serde_json::Value;

use crate::engine::error::ApiError;

/// One page of a listing, and the token of the next one.
pub(super) struct Page {
    pub(super) items: Vec<Value>,
    pub(super) next: Value,
}

/// A key for items that are listed by number, the newest first.
pub(super) fn newest_first(number: impl Into<u64>) -> String {
    format!("{:020}", u64::MAX - number.into())
}

/// Returns the page after `token` of all items, which are ordered by key. The token is the operation and the key of the last returned item.
/// So items may be added and removed between the calls, even that one.
pub(super) fn page(
    operation: &str,
    items: impl Iterator<Item = (String, Value)>,
    token: Option<&str>,
    size: usize,
) -> Result<Page, ApiError> {
    let invalid = || ApiError::new("InvalidNextTokenException", "The nextToken is not one that this listing has given");
    let given = match token {
        Some(token) => Some(token.strip_prefix(operation).and_then(|rest| rest.strip_prefix('/')).ok_or_else(invalid)?),
        None => None,
    };
    let items = items.skip_while(|(key, _)| given.is_some_and(|given| key.as_str() <= given));
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
