//! S3 in memory: get, put, list and delete, with atomic conditions and credentials that expire.

mod objects;
mod xml;

use std::sync::Arc;

use codepipeline_local::types::ObjectRef;

use crate::network::Request;
use crate::service::Reply;
use crate::world::World;
use crate::{codepipeline, lock, scenario, witness};

pub(crate) use objects::Objects;
use objects::{Condition, Object, Refused};

/// The number of keys in a page of a listing. It is small, so that listings have several pages.
const PAGE: usize = 7;
/// The same under a load, as on S3.
const LARGE_PAGE: usize = 1000;

/// Handles a request.
pub(crate) fn answer(world: &Arc<World>, request: &Request) -> Reply {
    let (path, query) = request.path.split_once('?').unwrap_or((&request.path, ""));
    let path = xml::percent_decoded(path);
    let (bucket, key) = path.trim_start_matches('/').split_once('/').unwrap_or((path.trim_start_matches('/'), ""));
    let at = ObjectRef { bucket: bucket.to_owned(), key: key.to_owned() };
    if world.lot.load.is_some() {
        let operation = match (request.method.as_str(), key) {
            ("GET", "") => "LIST",
            (method, _) => method,
        };
        lock(&world.meter).requested(bucket, operation);
    }
    if let Err(refusal) = allowed(world, request, &at) {
        return refusal;
    }
    let mut reply = match (request.method.as_str(), key) {
        ("GET", "") => list(world, &at.bucket, query),
        ("POST", "") => delete_many(world, &at.bucket, request),
        ("GET", _) => get(world, request, &at),
        ("PUT", _) if request.headers.contains_key("x-amz-copy-source") => Reply::s3_error(501, "NotImplemented"),
        ("PUT", _) if query.contains("uploadId") => Reply::s3_error(501, "NotImplemented"),
        ("PUT", _) => put(world, request, &at),
        ("DELETE", _) => delete(world, request, &at),
        _ => Reply::s3_error(501, "NotImplemented"),
    };
    if reply.status == 501 {
        world.broken(format!("the simulated S3 has no {}", request.what));
    }
    reply.headers.push(("date", xml::http_date(world.clock.timestamp().0)));
    reply
}

/// The function may use only the ledger's bucket. A job's credentials give access to the job's objects until they
/// expire.
fn allowed(world: &World, request: &Request, at: &ObjectRef) -> Result<(), Reply> {
    let authorization = request.headers.get("authorization").map_or("", String::as_str);
    let id = authorization.split_once("Credential=").and_then(|(_, rest)| rest.split('/').next()).unwrap_or_default();
    let denied = || Reply::s3_error(403, "AccessDenied");
    if id == scenario::FUNCTIONS_KEY {
        return if at.bucket == scenario::LEDGER { Ok(()) } else { Err(denied()) };
    }
    let grant = lock(&world.engine).grant(id).ok_or_else(denied)?;
    let token = request.headers.get("x-amz-security-token").cloned().unwrap_or_default();
    if token != codepipeline::session_token(id) {
        return Err(Reply::s3_error(400, "InvalidToken"));
    }
    if grant.expires <= world.clock.timestamp() {
        return Err(Reply::s3_error(400, "ExpiredToken"));
    }
    let places = if request.method == "GET" { &grant.readable } else { &grant.writable };
    if places.contains(at) { Ok(()) } else { Err(denied()) }
}

fn condition(request: &Request) -> Condition {
    let header = |name: &str| request.headers.get(name).map(|value| value.trim_matches('"').to_owned());
    match (header("if-none-match"), header("if-match")) {
        (Some(_), _) => Condition::IsNone,
        (None, Some(etag)) => Condition::Is(etag),
        (None, None) => Condition::No,
    }
}

fn refused(refused: &Refused) -> Reply {
    match refused {
        Refused::NotThere => Reply::s3_error(404, "NoSuchKey"),
        Refused::Condition => Reply::s3_error(412, "PreconditionFailed"),
    }
}

fn get(world: &World, request: &Request, at: &ObjectRef) -> Reply {
    let objects = lock(&world.objects);
    let object = match objects.get(at, &condition(request)) {
        Ok(object) => object,
        Err(why) => return refused(&why),
    };
    let size = object.bytes.len();
    let range = request.headers.get("range").and_then(|range| range.strip_prefix("bytes=")?.split_once('-'));
    let range = range.and_then(|(first, last)| Some((first.parse::<usize>().ok()?, last.parse::<usize>().ok()?)));
    let mut reply = match range {
        Some((first, _)) if first >= size => return Reply::s3_error(416, "InvalidRange"),
        Some((first, last)) => {
            let end = size.min(last + 1);
            let mut reply = Reply::new(206, object.bytes.slice(first..end));
            reply.headers.push(("content-range", format!("bytes {first}-{}/{size}", end - 1)));
            reply
        }
        None => Reply::new(200, object.bytes.clone()),
    };
    reply.headers.extend(described(object));
    reply
}

fn described(object: &Object) -> [(&'static str, String); 2] {
    [("etag", format!("\"{}\"", object.etag)), ("last-modified", xml::http_date(object.modified))]
}

fn put(world: &World, request: &Request, at: &ObjectRef) -> Reply {
    let encrypted = request.headers.get("x-amz-server-side-encryption").is_some_and(|value| value == "aws:kms");
    if at.bucket == scenario::STORE && !encrypted {
        return Reply::s3_error(403, "AccessDenied");
    }
    let put = lock(&world.objects).put(at, request.body.clone(), &condition(request), world.clock.timestamp().0);
    match put {
        Ok(etag) => {
            if at.bucket == scenario::LEDGER {
                witness::recorded(world, &at.key, &request.body, request.invocation);
            }
            let mut reply = Reply::new(200, "");
            reply.headers.push(("etag", format!("\"{etag}\"")));
            reply
        }
        Err(why) => refused(&why),
    }
}

fn delete(world: &World, request: &Request, at: &ObjectRef) -> Reply {
    match lock(&world.objects).delete(at, &condition(request)) {
        Ok(()) | Err(Refused::NotThere) => Reply::new(204, ""),
        Err(why) => refused(&why),
    }
}

fn delete_many(world: &World, bucket: &str, request: &Request) -> Reply {
    let asked = xml::objects_to_delete(&String::from_utf8_lossy(&request.body));
    let mut objects = lock(&world.objects);
    let mut answers = String::new();
    for (key, etag) in asked {
        let at = ObjectRef { bucket: bucket.to_owned(), key };
        let condition = etag.map_or(Condition::No, Condition::Is);
        let shown = xml::escaped(&at.key);
        answers.push_str(&match objects.delete(&at, &condition) {
            Ok(()) | Err(Refused::NotThere) => format!("<Deleted><Key>{shown}</Key></Deleted>"),
            Err(Refused::Condition) => {
                format!("<Error><Key>{shown}</Key><Code>PreconditionFailed</Code><Message>no</Message></Error>")
            }
        });
    }
    Reply::new(200, format!("<?xml version=\"1.0\"?><DeleteResult>{answers}</DeleteResult>"))
}

fn list(world: &World, bucket: &str, query: &str) -> Reply {
    let parameter = |name: &str| {
        let found = query.split('&').filter_map(|pair| pair.split_once('=')).find(|(key, _)| *key == name);
        found.map(|(_, value)| xml::percent_decoded(value))
    };
    if parameter("list-type").as_deref() != Some("2") {
        return Reply::s3_error(501, "NotImplemented");
    }
    let prefix = parameter("prefix").unwrap_or_default();
    let after = parameter("continuation-token").or_else(|| parameter("start-after")).unwrap_or_default();
    let asked = parameter("max-keys").and_then(|keys| keys.parse().ok()).unwrap_or(1000);
    let encodes = parameter("encoding-type").is_some();
    let objects = lock(&world.objects);
    let mut found = objects.list(bucket, &prefix, &after);
    let most = if world.lot.load.is_some() { LARGE_PAGE } else { PAGE };
    let page: Vec<_> = found.by_ref().take(most.min(asked)).collect();
    let more = found.next().is_some();
    let mut body = format!("<IsTruncated>{more}</IsTruncated><KeyCount>{}</KeyCount>", page.len());
    if let Some((last, _)) = page.last().filter(|_| more) {
        body.push_str(&format!("<NextContinuationToken>{}</NextContinuationToken>", xml::escaped(last)));
    }
    for (key, object) in page {
        let key = if encodes { xml::percent_encoded(key) } else { xml::escaped(key) };
        body.push_str(&format!(
            "<Contents><Key>{key}</Key><LastModified>{}</LastModified><ETag>&quot;{}&quot;</ETag><Size>{}</Size>\
             <StorageClass>STANDARD</StorageClass></Contents>",
            xml::iso_date(object.modified),
            object.etag,
            object.bytes.len()
        ));
    }
    Reply::new(200, format!("<?xml version=\"1.0\"?><ListBucketResult>{body}</ListBucketResult>"))
}
