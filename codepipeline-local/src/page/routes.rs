//! Routes of the page.

use std::sync::Arc;

use http::request::Parts;
use http::{HeaderValue, Method, Request, Response, StatusCode, header};
use s3s::Body;
use serde_json::json;

use super::mode::PageMode;
use super::reply::{json_value, refusal, with_headers};
use super::site::Page;
use super::view::View;
use super::{artifacts, calls, files, guard, live, views};
use crate::api;
use crate::s3::query_values;
use crate::store::NotKept;

impl Page {
    /// Answers a request for the page. `call` calls CodePipeline with a target and an input.
    pub(crate) async fn answer<C, F>(self: &Arc<Self>, request: Request<Body>, call: C) -> Response<Body>
    where
        C: FnOnce(String, Vec<u8>) -> F,
        F: Future<Output = Result<api::Reply, NotKept>>,
    {
        let (parts, body) = request.into_parts();
        let reply = match guard::check(&parts) {
            Ok(()) => self.route(&parts, body, call).await,
            Err(why) => refusal(StatusCode::FORBIDDEN, &why),
        };
        with_headers(reply)
    }

    async fn route<C, F>(self: &Arc<Self>, parts: &Parts, body: Body, call: C) -> Response<Body>
    where
        C: FnOnce(String, Vec<u8>) -> F,
        F: Future<Output = Result<api::Reply, NotKept>>,
    {
        let Some(path) = parts.uri.path().strip_prefix("/_/") else { return to_folder(parts) };
        let Some(path) = path.strip_prefix("api/") else {
            return match files::file(path) {
                Some(file) => only(&[Method::GET, Method::HEAD], parts).unwrap_or(file),
                None => refusal(StatusCode::NOT_FOUND, "The page has no such file"),
            };
        };
        let query = query_values(&parts.uri);
        let can_act = query.get("token").is_some_and(|token| self.token.is(token));
        let operation = path.strip_prefix("call/");
        if !can_act && (operation.is_some() || self.mode == PageMode::Run) {
            let message =
                "The token is missing or wrong: open the address that codepipeline-local printed at its start";
            return refusal(StatusCode::FORBIDDEN, message);
        }
        if let Some(operation) = operation {
            return match only(&[Method::POST], parts) {
                Some(refusal) => refusal,
                None => calls::answer(operation, parts, body, call).await,
            };
        }
        if let Some(refusal) = only(&[Method::GET], parts) {
            return refusal;
        }
        if path == "artifact" {
            return artifacts::answer(self, &query).await;
        }
        match (path, View::of(&query)) {
            ("live" | "view", Err(why)) => refusal(StatusCode::BAD_REQUEST, &why),
            ("live", Ok(view)) => live::events(self, view, can_act),
            ("view", Ok(view)) => match views::items(self, &view, can_act) {
                Ok(items) => json_value(&json!({"items": items})),
                Err(why) => refusal(StatusCode::NOT_FOUND, &why),
            },
            _ => refusal(StatusCode::NOT_FOUND, "The page's API has no such path"),
        }
    }
}

/// Leads from `/_` to `/_/` with the same query. Paths in the page are relative to its folder.
fn to_folder(parts: &Parts) -> Response<Body> {
    let query = parts.uri.query().map(|query| format!("?{query}")).unwrap_or_default();
    let Ok(location) = HeaderValue::try_from(format!("/_/{query}")) else {
        return refusal(StatusCode::BAD_REQUEST, "The query can't be read");
    };
    let mut reply = Response::new(Body::empty());
    *reply.status_mut() = StatusCode::TEMPORARY_REDIRECT;
    reply.headers_mut().insert(header::LOCATION, location);
    reply
}

/// Refuses all but these methods.
fn only<const N: usize>(methods: &[Method; N], parts: &Parts) -> Option<Response<Body>> {
    if methods.contains(&parts.method) {
        return None;
    }
    let allowed = methods.each_ref().map(Method::as_str).join(", ");
    let mut reply = refusal(StatusCode::METHOD_NOT_ALLOWED, &format!("The method must be {allowed}"));
    if let Ok(allowed) = HeaderValue::try_from(allowed) {
        reply.headers_mut().insert(header::ALLOW, allowed);
    }
    Some(reply)
}
