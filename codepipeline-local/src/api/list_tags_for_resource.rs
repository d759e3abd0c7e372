//! `ListTagsForResource`

use serde::Deserialize;
use serde_json::Value;

use super::{OperationResult, object, paging, read, write};
use crate::engine::Engine;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Input {
    resource_arn: String,
    next_token: Option<String>,
    max_results: Option<usize>,
}

/// Without `maxResults`, one response has all tags (API reference, "ListTagsForResource").
pub(super) fn answer(engine: &mut Engine, input: Value) -> OperationResult {
    let input: Input = read(input)?;
    let mut tags = Vec::new();
    for (index, tag) in engine.tags(&input.resource_arn)?.iter().enumerate() {
        tags.push((format!("{index:03}"), write(tag)?));
    }
    let listing = format!("ListTagsForResource/{}", input.resource_arn);
    let size = input.max_results.unwrap_or(tags.len());
    let page = paging::page(&listing, tags.into_iter(), input.next_token.as_deref(), size)?;
    Ok(object([("tags", page.items.into()), ("nextToken", page.next)]))
}
