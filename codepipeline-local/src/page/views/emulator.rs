//! The emulator itself.

use serde_json::{Value, json};

use crate::page::site::Page;

pub(super) fn item(page: &Page, can_act: bool) -> Value {
    let (region, account_id) =
        page.engine.look(|engine| (engine.settings.region.clone(), engine.settings.account_id.clone()));
    json!({
        "version": env!("CARGO_PKG_VERSION"), "region": region, "account_id": account_id, "mode": page.mode.name(),
        "can_act": can_act, "started": page.started.0,
    })
}
