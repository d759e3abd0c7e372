//! An action's artifacts, to browse and to download. The emulator reads archives straight from the objects' files, and unpacks nothing.

mod disposition;
mod download;
mod listing;
mod refused;

use std::collections::BTreeMap;

use http::{Response, StatusCode};
use s3s::Body;

use self::refused::Refused;
use super::reply::refusal;
use super::site::Page;
use crate::types::ObjectRef;

/// Answers a request for an artifact: with what it holds, one of its files (`entry`), or all of it (`whole`).
pub(super) async fn answer(page: &Page, query: &BTreeMap<String, String>) -> Response<Body> {
    let answered = match wanted(page, query) {
        Err(refused) => Err(refused),
        Ok((name, place)) => match (query.get("entry"), query.contains_key("whole")) {
            (Some(entry), _) => download::entry(page.store.clone(), place, entry.clone()).await,
            (None, true) => download::whole(page.store.clone(), place, name).await,
            (None, false) => listing::answer(page.store.clone(), place).await,
        },
    };
    answered.unwrap_or_else(|refused| refusal(refused.status, &refused.message))
}

/// The artifact's name and object.
fn wanted(page: &Page, query: &BTreeMap<String, String>) -> Result<(String, ObjectRef), Refused> {
    let needed = |name: &str| {
        let value = query.get(name).filter(|value| !value.is_empty());
        value.ok_or_else(|| Refused { status: StatusCode::BAD_REQUEST, message: format!("The query lacks {name}") })
    };
    let (id, side, name) = (needed("action")?, needed("side")?, needed("name")?);
    if !["input", "output"].contains(&side.as_str()) {
        return Err(Refused {
            status: StatusCode::BAD_REQUEST,
            message: "The side must be input or output".to_owned(),
        });
    }
    let place = page.engine.look(|engine| {
        let (_, _, action) = engine.action(id)?;
        let artifacts = if side == "input" { &action.inputs } else { &action.outputs };
        let artifact = artifacts.iter().find(|artifact| artifact.name == *name)?;
        Some(artifact.location.clone())
    });
    let message = || format!("The action execution '{id}' has no {side} artifact '{name}'");
    let place = place.ok_or_else(|| Refused { status: StatusCode::NOT_FOUND, message: message() })?;
    Ok((name.clone(), place))
}
