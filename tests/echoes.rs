//! Services that repeat what they were sent, or what they know, in their errors and answers: nothing of it may come out.
#![allow(clippy::unwrap_used, reason = "a scenario whose set-up fails has failed")]

mod support;

use std::sync::{Arc, Mutex};
use std::time::Duration;

use codepipeline_local::runtime_api::Invocation;
use codepipeline_worker::actions::{Action, Run, Served};
use codepipeline_worker::job::{Continuation, Failure, FailureKind, Outcome};
use codepipeline_worker::worker::Worker;
use secrecy::ExposeSecret;
use serde_json::{Value, json};
use support::{World, function};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};

/// Every secret of this file begins like this, also the key of the webhook, in base64.
const MARKER: &str = "MARKER";
const WEBHOOK_KEY: &str = "whsec_MARKERaMARKERbMARKERcMARKERdMARKERe0";

struct Request {
    /// The operation's name for AWS's JSON protocols, else method and path.
    what: String,
    /// All of it, as it came.
    text: String,
    body: Value,
}

struct Reply {
    status: u16,
    headers: String,
    body: String,
}

impl Reply {
    fn json(body: &Value) -> Self {
        Self { status: 200, headers: String::new(), body: body.to_string() }
    }

    /// An error of a JSON protocol that repeats the whole request.
    fn error(status: u16, code: &str, request: &Request) -> Self {
        Self { status, ..Self::json(&json!({"__type": code, "message": request.text, "Message": request.text})) }
    }
}

/// The whole of AWS, and a service that is called by webhooks.
#[derive(Default)]
struct Services {
    /// What came, in its order: names and bodies.
    asked: Vec<(String, Value)>,
}

impl Services {
    /// Whether this is the first request of its name.
    fn is_first(&self, what: &str) -> bool {
        self.asked.iter().filter(|(asked, _)| asked == what).count() == 1
    }

    fn answer(&mut self, request: &Request) -> Reply {
        let what = request.what.as_str();
        self.asked.push((what.to_owned(), request.body.clone()));
        let ok = |body: Value| Reply::json(&body);
        match what {
            "PollForJobs" if request.body["actionTypeId"]["provider"] == "Broken" => {
                Reply::error(400, "ActionTypeNotFoundException", request)
            }
            "PollForJobs" if request.body["actionTypeId"]["provider"] == "Links" => {
                let jobs = if self.is_first(what) { json!([custom_job("renews")]) } else { json!([]) };
                ok(json!({"jobs": jobs}))
            }
            "PollForJobs" if self.is_first(what) => Reply::error(400, "ThrottlingException", request),
            "PollForJobs" => {
                let begun = self.asked.iter().any(|(asked, _)| asked == "AcknowledgeJob");
                let jobs = ["fails", "succeeds", "goes-on", "resumed"].map(custom_job);
                ok(json!({"jobs": if begun { json!([]) } else { json!(jobs) }}))
            }
            "GetJobDetails" => {
                let mut data = data("renews", "Links");
                data["artifactCredentials"]["sessionToken"] = json!("MARKER/renewed+session/token==");
                ok(json!({"jobDetails": {"id": "renews", "data": data}}))
            }
            "PollForThirdPartyJobs" if self.is_first(what) => {
                let jobs = ["prints", "stages"].map(|id| json!({"jobId": id, "clientId": "client"}));
                ok(json!({"jobs": jobs}))
            }
            "PollForThirdPartyJobs" => ok(json!({"jobs": []})),
            "GetSecretValue" if self.is_first(what) => Reply::error(500, "InternalServiceError", request),
            "GetSecretValue" => ok(json!({"Name": "clients/client", "SecretString": "MARKER-client-token"})),
            "GetThirdPartyJobDetails" if self.is_first(what) => Reply::error(500, "InternalFailure", request),
            "GetThirdPartyJobDetails" => {
                let id = request.body["jobId"].as_str().unwrap();
                ok(json!({"jobDetails": {"id": id, "nonce": "MARKER-nonce", "data": data(id, "Partner")}}))
            }
            "AcknowledgeJob" | "AcknowledgeThirdPartyJob" if self.is_first(what) => {
                Reply::error(400, "ThrottlingException", request)
            }
            "AcknowledgeJob" | "AcknowledgeThirdPartyJob" => ok(json!({"status": "InProgress"})),
            "PutJobFailureResult" | "PutJobSuccessResult" if self.is_first(what) => {
                Reply::error(500, "InternalFailure", request)
            }
            "PutThirdPartyJobFailureResult" if self.is_first(what) => Reply::error(400, "ValidationException", request),
            "PutJobFailureResult" | "PutJobSuccessResult" | "PutThirdPartyJobFailureResult" => ok(json!({})),
            _ if what.starts_with("POST /hook") => hook(request),
            "GET /bucket/renews?x-id=GetObject" if request.text.contains("MARKER/renewed") => {
                Reply { status: 200, headers: "etag: \"1\"\r\n".to_owned(), body: "the artifact".to_owned() }
            }
            "GET /bucket/renews?x-id=GetObject" => {
                let body = "<Error><Code>ExpiredToken</Code></Error>".to_owned();
                Reply { status: 400, headers: "content-type: application/xml\r\n".to_owned(), body }
            }
            // All else is S3, too.
            _ => {
                let said = request.text.replace(['<', '&'], " ");
                let body =
                    format!("<Error><Code>AccessDenied</Code><Message>{said}</Message><Token>{said}</Token></Error>");
                Reply { status: 403, headers: "content-type: application/xml\r\n".to_owned(), body }
            }
        }
    }
}

/// What the service answers: all that it was told, wherever there is room for it.
fn hook(request: &Request) -> Reply {
    let said = &request.text;
    match request.body["data"]["jobId"].as_str().unwrap() {
        "fails" => Reply::json(
            &json!({"status": "failed", "failure": {"type": "JobFailed", "message": said}, "externalExecutionId": said}),
        ),
        "succeeds" => Reply::json(&json!({
            "summary": said, "externalExecutionId": said, "outputVariables": {"Echo": said},
            "revision": {"revision": said, "changeIdentifier": "x", "summary": said},
        })),
        _ => {
            Reply { status: 202, headers: "location: /hook/of/MARKER-secret-value\r\n".to_owned(), body: String::new() }
        }
    }
}

fn custom_job(id: &str) -> Value {
    json!({"id": id, "nonce": "MARKER-nonce", "accountId": "123456789012", "data": data(id, "Hook")})
}

fn data(id: &str, provider: &str) -> Value {
    let place = |key: &str| json!({"type": "S3", "s3Location": {"bucketName": "bucket", "objectKey": key}});
    let input = json!([{"name": "In", "revision": "1", "location": place(if id == "renews" { id } else { "in" })}]);
    let owner = if provider == "Partner" { "ThirdParty" } else { "Custom" };
    let mut data = json!({
        "actionTypeId": {"category": "Test", "owner": owner, "provider": provider, "version": "1"},
        "actionConfiguration": {"configuration": {"Token": "MARKER-secret-value", "Plain": "a plain value"}},
        "pipelineContext": {"pipelineName": "p", "action": {"name": "Act", "actionExecutionId": id}, "stage": {"name": "S"}},
        "inputArtifacts": if id == "prints" { json!([]) } else { input },
        "outputArtifacts": [],
        "artifactCredentials": {
            "accessKeyId": "ASIAOFTHEJOB", "secretAccessKey": "MARKER/job+secret/key", "sessionToken": "MARKER/job+session/token==",
        },
    });
    if id == "resumed" {
        data["continuationToken"] = json!("MARKER-continuation token");
    }
    data
}

/// Answers as `services` do; the endpoint.
async fn serve(services: Arc<Mutex<Services>>) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let endpoint = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let services = Arc::clone(&services);
            tokio::spawn(async move {
                let mut stream = BufReader::new(stream);
                while let Some(request) = request(&mut stream).await {
                    let Reply { status, headers, body } = services.lock().unwrap().answer(&request);
                    let head = format!("HTTP/1.1 {status} x\r\n{headers}content-length: {}\r\n\r\n", body.len());
                    // A client that went away has its reasons.
                    let _ = stream.write_all((head + &body).as_bytes()).await;
                }
            });
        }
    });
    endpoint
}

/// The next request of a connection; `None` when the client has closed it.
async fn request(stream: &mut BufReader<TcpStream>) -> Option<Request> {
    let mut text = String::new();
    while !text.ends_with("\r\n\r\n") {
        if stream.read_line(&mut text).await.unwrap_or(0) == 0 {
            return None;
        }
    }
    let header = |name: &str| {
        let lines = text.lines().filter_map(|line| line.split_once(": "));
        lines.filter(|(found, _)| found.eq_ignore_ascii_case(name)).map(|(_, value)| value.to_owned()).next()
    };
    let length = header("content-length").map_or(0, |length| length.parse().unwrap());
    let first: Vec<_> = text.split(' ').take(2).collect();
    let what = header("x-amz-target").map_or_else(|| first.join(" "), |it| it.rsplit('.').next().unwrap().to_owned());
    let mut body = vec![0; length];
    stream.read_exact(&mut body).await.ok()?;
    text.push_str(&String::from_utf8_lossy(&body));
    Some(Request { what, text, body: serde_json::from_slice(&body).unwrap_or_default() })
}

fn assert_clean(what: &str, text: &str) {
    // The keys' own names are no secret, and begin in other ways.
    let place = text.find(MARKER).map(|at| text[at.saturating_sub(300)..].chars().take(400).collect::<String>());
    assert!(place.is_none(), "{what} holds a secret: …{}…", place.unwrap_or_default());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_services_repeat_is_in_no_log_answer_or_report() {
    let services = Arc::new(Mutex::new(Services::default()));
    let endpoint = serve(Arc::clone(&services)).await;
    let kind =
        |owner: &str, provider: &str| json!({"category": "Test", "owner": owner, "provider": provider, "version": "1"});
    let hook = json!({"http": {"url": format!("{endpoint}/hook"), "secretVariable": "WEBHOOK_KEY", "requestTimeoutSeconds": 5}});
    let actions = json!([
        {"actionType": kind("Custom", "Hook"), "secrets": ["Token"], "run": hook},
        {"actionType": kind("Custom", "Broken"), "secrets": ["Token"], "run": hook},
        {"actionType": kind("ThirdParty", "Partner"), "secrets": ["Token"], "timeoutSeconds": 30,
         "run": {"command": ["sh", "-c", "env; cat /proc/self/environ; exit 7"]}},
    ]);
    let variables = [
        ("AWS_ENDPOINT_URL", endpoint.as_str()),
        ("AWS_ACCESS_KEY_ID", "AKIAOFTHEFUNCTION"),
        ("AWS_SECRET_ACCESS_KEY", "MARKER-functions-secret-key"),
        ("AWS_SESSION_TOKEN", "MARKER-functions-session-token"),
        ("AWS_LAMBDA_LOG_LEVEL", "TRACE"),
        ("RUST_LOG", "trace"),
        ("RUST_BACKTRACE", "full"),
        ("CLIENT_TOKENS_SECRET", "clients/"),
        ("WEBHOOK_KEY", WEBHOOK_KEY),
    ];
    let (function, mut log) = function(&World::new().await, &actions, &variables);
    let schedule: Value = serde_json::from_str(include_str!("../events/schedule.json")).unwrap();

    let invocation = function.invoke(&schedule).await.unwrap();
    function.stop().await;
    let mut logged = String::new();
    while let Some(line) = log.recv().await {
        logged.push_str(&line);
        logged.push('\n');
    }

    // One failure report was refused for its content, which is the invocation's error.
    let Invocation::Failed { message, .. } = &invocation else { panic!("{invocation:?}\n{logged}") };
    assert_clean("the invocation's error", message);
    assert_clean("the log", &logged);
    let asked = std::mem::take(&mut services.lock().unwrap().asked);
    let reports: Vec<_> = asked.iter().filter(|(what, _)| what.starts_with("Put")).collect();
    let told = |id: &str| {
        let (_, report) =
            reports.iter().rev().find(|(_, report)| report["jobId"] == id).unwrap_or_else(|| panic!("{id}: {logged}"));
        let mut report = report.clone();
        // What proves to CodePipeline that the report may be made.
        report.as_object_mut().unwrap().remove("clientToken");
        report
    };
    for (id, said) in [
        ("fails", "a plain value"),
        ("succeeds", "a plain value"),
        ("goes-on", "Location has a secret in it"),
        ("resumed", "not from this worker"),
        ("prints", "CONFIG_TOKEN=****"),
        ("stages", "AccessDenied, HTTP 403"),
    ] {
        let report = told(id).to_string();
        assert!(report.contains(said), "{report}");
        assert_clean(&format!("the report of `{id}`"), &report);
    }
    // The services were told what is theirs to know, and repeated it.
    let hooked: Vec<_> = asked.iter().filter(|(what, _)| what == "POST /hook").collect();
    assert!(hooked.iter().any(|(_, body)| body.to_string().contains("MARKER-secret-value")));
    assert!(hooked.iter().any(|(_, body)| body.to_string().contains("X-Amz-Security-Token=MARKER")));
    assert!(asked.iter().any(|(what, _)| what.starts_with("GET /bucket/in")), "nothing was asked of S3");
}

/// Fails with a link to its input artifact, or goes on with it as its token.
struct Links {
    goes_on: bool,
}

impl Action for Links {
    async fn start(&self, run: Run) -> Result<Outcome, Failure> {
        let link = run.links.to_read(&run.job.inputs[0]).await?.url.expose_secret().to_owned();
        if self.goes_on {
            let continuation =
                Continuation { token: link, summary: None, external_execution_id: None, percent_complete: None };
            return Ok(Outcome::Continue(continuation));
        }
        Err(Failure::new(FailureKind::JobFailed, format!("can't be read: {link}")))
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn renewed_credentials_are_in_no_report_and_in_no_continuation_token() {
    for goes_on in [false, true] {
        let services = Arc::new(Mutex::new(Services::default()));
        let shared = support::shared_config(&serve(Arc::clone(&services)).await);
        let folder = tempfile::tempdir().unwrap();
        let served =
            Served::new(support::action_type("Test", "Custom", "Links"), Duration::from_secs(60), Links { goes_on });
        let lifecycle = support::lifecycle(&shared, folder.path().to_owned());
        let worker = Worker::new(lifecycle, vec![served], 1, Duration::from_secs(60));

        let summary = support::invoke(&worker).await;

        assert_eq!(summary.failed, 1, "{summary:?}");
        let asked = std::mem::take(&mut services.lock().unwrap().asked);
        assert!(asked.iter().any(|(what, _)| what == "GetJobDetails"), "the credentials were not renewed");
        let (_, report) = asked.iter().rev().find(|(what, _)| what == "PutJobFailureResult").unwrap();
        let report = report.to_string();
        let said = if goes_on { "continuation token holds a secret value" } else { "X-Amz-Security-Token=****" };
        assert!(report.contains(said), "{report}");
        assert_clean("the report", &report.replace("%2F", "/"));
    }
}
