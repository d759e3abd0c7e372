//! Views as items of JSON. Times are milliseconds since the epoch, and absent values are left out.

mod action;
mod detail;
mod emulator;
mod execution;
mod executions;
mod masked;
mod pipelines;
mod stage;
mod summary;
mod timeline;
mod transitions;

use std::collections::BTreeMap;

use serde_json::Value;

use super::site::Page;
use super::view::View;

pub(super) use timeline::{LogPosition, log_lines};

/// The items of a view by key. Returns an error that says what is missing if the view is of nothing.
pub(super) fn items(page: &Page, view: &View, can_act: bool) -> Result<BTreeMap<String, Value>, String> {
    let mut items = page.engine.look(|engine| match view {
        View::Pipelines => Ok(pipelines::items(engine, &page.secrets)),
        View::Executions { pipeline, limit } => executions::items(engine, pipeline, *limit, &page.secrets),
        View::Execution { pipeline, execution } => {
            execution::items(engine, (pipeline, execution), can_act, &page.secrets)
        }
        View::Action { id } => detail::items(engine, id, can_act, &page.secrets),
    })?;
    if let Some(action) = items.get_mut(detail::KEY) {
        detail::add_objects(action, &page.store);
    }
    items.insert(":emulator".to_owned(), emulator::item(page, can_act));
    Ok(items)
}
