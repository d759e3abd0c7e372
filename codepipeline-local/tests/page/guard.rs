//! Requests of other web pages.

use codepipeline_local::engine::Settings;
use codepipeline_local::{Faults, Options, PageMode};
use http::Method;

use crate::browser::Browser;
use crate::support::Scenario;

const VIEW: &str = "/_/api/view?view=pipelines";

#[tokio::test]
async fn every_reply_has_the_headers() {
    let scenario = Scenario::start().await;
    let browser = Browser::of(&scenario.emulator);
    for path in ["/_/", "/_", "/_/main.js", "/_/none", VIEW, "/_/api/view", "/_/api/call/X", "/_/api/artifact?action=x"]
    {
        let reply = browser.get(path).await;
        let policy = reply.header("content-security-policy");
        assert!(policy.starts_with("default-src 'none'; script-src 'self';"), "{path}: {policy}");
        assert!(policy.ends_with("base-uri 'none'; form-action 'none'; frame-ancestors 'none'"), "{path}: {policy}");
        for (name, value) in [
            ("x-content-type-options", "nosniff"),
            ("referrer-policy", "no-referrer"),
            ("cross-origin-resource-policy", "same-origin"),
            ("cross-origin-opener-policy", "same-origin"),
            ("cache-control", "no-store"),
        ] {
            assert_eq!(reply.header(name), value, "{path} {name}");
        }
        assert_eq!(reply.header("access-control-allow-origin"), "", "{path}");
    }
    let live = browser.send(Method::GET, "/_/api/live?view=pipelines", &[], "").await;
    assert!(live.headers().contains_key("content-security-policy"));
}

#[tokio::test]
async fn files_have_types_and_one_folder() {
    let scenario = Scenario::start().await;
    let browser = Browser::of(&scenario.emulator);
    for (path, kind) in [("", "text/html; charset=utf-8"), ("main.js", "text/javascript; charset=utf-8")] {
        let reply = browser.get(&format!("/_/{path}?token=x")).await;
        assert_eq!((reply.status, reply.header("content-type")), (200, kind), "{path}");
    }
    let moved = browser.get("/_?token=abc").await;
    assert_eq!((moved.status, moved.header("location")), (307, "/_/?token=abc"));
    for path in ["/_/none.js", "/_/index.html/", "/_/../_/x", "/_/api/", "/_/api/none"] {
        assert_eq!(browser.get(path).await.status, 404, "{path}");
    }
    for (method, path, allowed) in
        [(Method::POST, "/_/", "GET, HEAD"), (Method::PUT, VIEW, "GET"), (Method::DELETE, "/_/api/live", "GET")]
    {
        let origin = format!("http://{}", browser.host);
        let reply = browser.reply(method.clone(), path, &[("origin", &origin)], "").await;
        assert_eq!((reply.status, reply.header("allow")), (405, allowed), "{method} {path}");
    }
}

#[tokio::test]
async fn other_hosts_and_origins_are_refused() {
    let scenario = Scenario::start().await;
    let browser = Browser::of(&scenario.emulator);
    let port = browser.host.rsplit(':').next().unwrap();
    let token = &browser.token;
    for path in ["/_/", VIEW, &format!("{VIEW}&token={token}"), "/_/api/live?view=pipelines"] {
        for host in ["evil.example", &format!("evil.example:{port}"), &format!("127.0.0.1.evil.example:{port}")] {
            let reply = browser.reply(Method::GET, path, &[("host", host)], "").await;
            assert!(reply.status == 403 && reply.message().contains("localhost"), "{path} {host}");
        }
        let origin = format!("http://evil.example:{port}");
        let reply = browser.reply(Method::GET, path, &[("origin", &origin)], "").await;
        assert!(reply.status == 403 && reply.message().contains("Another web page"), "{path}");
    }
    for host in [format!("localhost:{port}"), format!("[::1]:{port}"), "10.1.2.3".to_owned()] {
        let reply = browser.reply(Method::GET, VIEW, &[("host", &host)], "").await;
        assert_eq!(reply.status, 200, "{host}");
    }
    let reply = browser.reply(Method::GET, VIEW, &[("sec-fetch-site", "cross-site")], "").await;
    assert_eq!(reply.status, 403);
}

#[tokio::test]
async fn virtual_hosted_bucket_serves_no_page() {
    let scenario = Scenario::start().await;
    scenario.objects.create_bucket().bucket("bucket").send().await.unwrap();
    scenario.objects.put_object().bucket("bucket").key("_/main.js").body(b"mine".to_vec().into()).send().await.unwrap();
    let browser = Browser::of(&scenario.emulator);
    let port = browser.host.rsplit(':').next().unwrap();
    for host in [format!("bucket.localhost:{port}"), format!("bucket.s3.localhost:{port}")] {
        let reply = browser.reply(Method::GET, "/_/main.js", &[("host", &host)], "").await;
        let is_s3 = reply.headers.contains_key("x-amz-request-id");
        assert!(is_s3 && !reply.headers.contains_key("content-security-policy"), "{host}: {:?}", reply.body);
    }
    let in_path = browser.get("/bucket/_/main.js").await;
    assert!(in_path.headers.contains_key("x-amz-request-id"));
}

#[tokio::test]
async fn serve_needs_the_token_for_buttons_only() {
    let scenario = Scenario::start().await;
    let browser = Browser::of(&scenario.emulator);
    assert_eq!(browser.token.len(), 64);
    for (token, can_act) in [("", false), ("wrong", false), (&browser.token[1..], false), (&*browser.token, true)] {
        let reply = browser.get(&format!("{VIEW}&token={token}")).await;
        assert_eq!(reply.json()["items"][":emulator"]["can_act"], can_act, "{token}");
        assert_eq!(reply.json()["items"][":emulator"]["mode"], "serve");
    }
}

#[tokio::test]
async fn run_needs_the_token_for_all_data() {
    let scenario = Scenario::with(Options { page: PageMode::Run, ..Options::default() }).await;
    let browser = Browser::of(&scenario.emulator);
    for path in [VIEW, "/_/api/live?view=pipelines", "/_/api/artifact?action=a&side=input&name=n", "/_/api/none"] {
        for token in ["", "&token=wrong"] {
            let join = if path.contains('?') { "" } else { "?x" };
            let reply = browser.get(&format!("{path}{join}{token}")).await;
            assert!(reply.status == 403 && reply.message().contains("token"), "{path} {token}");
        }
    }
    assert_eq!(browser.get("/_/").await.status, 200, "the files hold no data");
    assert_eq!(browser.view("view=pipelines").await[":emulator"]["mode"], "run");
}

#[tokio::test]
async fn faults_and_counters_leave_the_page_alone() {
    let faults = Faults::default();
    faults.add("*:*:error".parse().unwrap());
    let engine = Settings { region: "eu-west-1".to_owned(), ..Settings::default() };
    let scenario = Scenario::with(Options { faults, engine, ..Options::default() }).await;
    let browser = Browser::of(&scenario.emulator);
    let items = browser.view("view=pipelines").await;
    assert_eq!(items[":emulator"]["region"], "eu-west-1");
    assert_eq!(items[":emulator"]["account_id"], "123456789012");
    let refused = browser.call("StartPipelineExecution", &serde_json::json!({"name": "pipe"})).await;
    assert!(refused.status == 400 && refused.message().contains("pipe"), "{:?}", refused.body);
    assert_eq!(scenario.emulator.operations(), Vec::<String>::new());
    assert!(scenario.pipelines.list_pipelines().send().await.is_err(), "the fault is real");
}
