//! Services that repeat the requests and the secrets that they know.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};

pub(crate) const MACHINE: &str = "arn:aws:states:us-east-1:123456789012:stateMachine:Machine";
pub(crate) const EXECUTION: &str = "arn:aws:states:us-east-1:123456789012:execution:Machine:";

/// The location of the work for the job `accepted`. It is secret, because any client that knows it may ask about the work.
pub(crate) const LOCATION: &str = "/hook/work/MARKER-of-work-outside";

/// The location of work whose external execution id contains the webhook's key.
pub(crate) const NAMED: &str = "/hook/work/named";

struct Request {
    /// The operation's name for AWS's JSON protocols, else method and path.
    what: String,
    /// The whole request.
    text: String,
    body: Value,
}

struct Response {
    status: u16,
    headers: String,
    body: String,
}

impl Response {
    fn json(body: &Value) -> Self {
        Self { status: 200, headers: String::new(), body: body.to_string() }
    }

    /// An error of AWS's JSON protocol that repeats the whole request.
    fn error(status: u16, code: &str, request: &Request) -> Self {
        Self { status, ..Self::json(&json!({"__type": code, "message": request.text, "Message": request.text})) }
    }
}

/// All services of AWS, and a service that receives webhooks.
#[derive(Default)]
pub(crate) struct Services {
    /// The names and bodies of the requests, in order.
    pub(crate) asked: Vec<(String, Value)>,
    /// Jobs of custom actions that no poll has returned yet.
    waiting: Vec<Value>,
    /// The data of all jobs, by id.
    data: HashMap<String, Value>,
}

impl Services {
    /// Adds a custom job for the next poll of its type. `token` is the continuation token of an earlier job.
    pub(crate) fn offer(&mut self, id: &str, provider: &str, token: Option<&str>) {
        let mut data = data(id, provider);
        if let Some(token) = token {
            data["continuationToken"] = json!(token);
        }
        let job = json!({"id": id, "nonce": "MARKER-nonce", "accountId": "123456789012", "data": data});
        self.waiting.push(job);
        self.data.insert(id.to_owned(), data);
    }

    /// The event of a Lambda Invoke job.
    pub(crate) fn invoke_job(&mut self, id: &str) -> Value {
        let mut data = data(id, "Machine");
        let parameters = data["actionConfiguration"]["configuration"].to_string();
        data["actionConfiguration"]["configuration"] = json!({"UserParameters": parameters});
        self.data.insert(id.to_owned(), data.clone());
        json!({"CodePipeline.job": {"id": id, "accountId": "123456789012", "data": data}})
    }

    /// The bodies of the requests of this name.
    pub(crate) fn bodies(&self, what: &str) -> Vec<&Value> {
        self.asked.iter().filter(|(asked, _)| asked == what).map(|(_, body)| body).collect()
    }

    /// The last report of a job, without the client token.
    pub(crate) fn report(&self, id: &str) -> Option<Value> {
        let mut reports = self.asked.iter().rev().filter(|(what, _)| what.starts_with("Put"));
        let (_, report) = reports.find(|(_, report)| report["jobId"] == id)?;
        let mut report = report.clone();
        report.as_object_mut().unwrap().remove("clientToken");
        Some(report)
    }

    /// Whether this is the first request of its name.
    fn is_first(&self, what: &str) -> bool {
        self.bodies(what).len() == 1
    }

    /// Whether this is the first request of its name about this job.
    fn is_first_of(&self, id: &str, request: &Request) -> bool {
        let is_about = |body: &&Value| body["jobId"] == id;
        is_about(&&request.body) && self.bodies(&request.what).iter().filter(|body| is_about(body)).count() == 1
    }

    /// Whether this is the first poll for the provider's jobs.
    fn is_first_for(&self, provider: &str, request: &Request) -> bool {
        let is_for = |body: &Value| body["actionTypeId"]["provider"] == provider;
        is_for(&request.body) && self.bodies(&request.what).into_iter().filter(|body| is_for(body)).count() == 1
    }

    fn poll(&mut self, request: &Value) -> Value {
        let provider = &request["actionTypeId"]["provider"];
        let most = usize::try_from(request["maxBatchSize"].as_u64().unwrap()).unwrap();
        let (mut jobs, others): (Vec<_>, Vec<_>) =
            self.waiting.drain(..).partition(|job| job["data"]["actionTypeId"]["provider"] == *provider);
        self.waiting = others;
        self.waiting.extend(jobs.drain(most.min(jobs.len())..));
        json!({"jobs": jobs})
    }

    fn respond(&mut self, request: &Request) -> Response {
        let what = request.what.as_str();
        self.asked.push((what.to_owned(), request.body.clone()));
        let ok = |body: Value| Response::json(&body);
        match what {
            "PollForJobs" if request.body["actionTypeId"]["provider"] == "Broken" => {
                Response::error(400, "ActionTypeNotFoundException", request)
            }
            "PollForJobs" if self.is_first_for("Hook", request) => Response::error(400, "ThrottlingException", request),
            "PollForJobs" => ok(self.poll(&request.body)),
            "GetJobDetails" => {
                let id = request.body["jobId"].as_str().unwrap();
                let mut data = self.data[id].clone();
                data["artifactCredentials"]["sessionToken"] = json!("MARKER/renewed+session/token==");
                ok(json!({"jobDetails": {"id": id, "data": data}}))
            }
            "PollForThirdPartyJobs" if self.is_first(what) => {
                let jobs = ["prints", "stages"].map(|id| json!({"jobId": id, "clientId": "client"}));
                ok(json!({"jobs": jobs}))
            }
            "PollForThirdPartyJobs" => ok(json!({"jobs": []})),
            "GetSecretValue" if self.is_first(what) => Response::error(500, "InternalServiceError", request),
            "GetSecretValue" => ok(json!({"Name": "clients/client", "SecretString": "MARKER-client-token"})),
            "GetThirdPartyJobDetails" if self.is_first(what) => Response::error(500, "InternalFailure", request),
            "GetThirdPartyJobDetails" => {
                let id = request.body["jobId"].as_str().unwrap();
                ok(json!({"jobDetails": {"id": id, "nonce": "MARKER-nonce", "data": data(id, "Partner")}}))
            }
            "AcknowledgeJob" | "AcknowledgeThirdPartyJob" if self.is_first(what) => {
                Response::error(400, "ThrottlingException", request)
            }
            "AcknowledgeJob" | "AcknowledgeThirdPartyJob" => ok(json!({"status": "InProgress"})),
            "PutJobFailureResult" | "PutJobSuccessResult" if self.is_first(what) => {
                Response::error(500, "InternalFailure", request)
            }
            "PutThirdPartyJobFailureResult" if self.is_first_of("prints", request) => {
                Response::error(400, "ValidationException", request)
            }
            "PutJobFailureResult" | "PutJobSuccessResult" | "PutThirdPartyJobFailureResult" => ok(json!({})),
            "StartExecution" | "DescribeExecution" | "StopExecution" if self.is_first(what) => {
                Response::error(500, "InternalFailure", request)
            }
            "StartExecution" => start_execution(request),
            "DescribeExecution" => describe_execution(request),
            "StopExecution" => Response::error(400, "AccessDeniedException", request),
            _ if what.starts_with("POST /hook") => hook(request, self.is_first(what)),
            "GET /bucket/renews?x-id=GetObject" if request.text.contains("MARKER/renewed") => {
                Response { status: 200, headers: "etag: \"1\"\r\n".to_owned(), body: "the artifact".to_owned() }
            }
            "GET /bucket/renews?x-id=GetObject" => {
                let body = "<Error><Code>ExpiredToken</Code></Error>".to_owned();
                Response { status: 400, headers: "content-type: application/xml\r\n".to_owned(), body }
            }
            // All other requests go to S3.
            _ => {
                let echo = request.text.replace(['<', '&'], " ");
                let body =
                    format!("<Error><Code>AccessDenied</Code><Message>{echo}</Message><Token>{echo}</Token></Error>");
                Response { status: 403, headers: "content-type: application/xml\r\n".to_owned(), body }
            }
        }
    }
}

/// The response of the webhook's service. It repeats the whole request in every field.
fn hook(request: &Request, is_first: bool) -> Response {
    let echo = &request.text;
    let continues_at =
        |location: &str| Response { status: 202, headers: format!("location: {location}\r\n"), body: String::new() };
    let refused = |status| Response { status, headers: String::new(), body: request.body.to_string() };
    match request.body["data"]["jobId"].as_str() {
        Some("fails") => Response::json(
            &json!({"status": "failed", "failure": {"type": "JobFailed", "message": echo}, "externalExecutionId": echo}),
        ),
        Some("succeeds") => Response::json(&json!({
            "summary": echo, "externalExecutionId": echo, "outputVariables": {"Echo": echo},
            "revision": {"revision": echo, "changeIdentifier": "x", "summary": echo},
        })),
        Some("goes-on") => continues_at("/hook/of/MARKER-secret-value"),
        Some("goes-on-by-name") => {
            let named = json!({"externalExecutionId": format!("run of {}", super::WEBHOOK_KEY)});
            Response { body: named.to_string(), ..continues_at(NAMED) }
        }
        Some("accepted") => continues_at(LOCATION),
        // At the location. The first request gets an error.
        Some(_) if is_first => refused(503),
        Some("asked" | "late") => Response { status: 202, headers: String::new(), body: String::new() },
        // This includes the message that work is abandoned.
        _ => refused(400),
    }
}

fn start_execution(request: &Request) -> Response {
    match request.body["name"].as_str().unwrap() {
        "unstarted" => Response::error(400, "AccessDeniedException", request),
        "known" => Response::error(400, "ExecutionAlreadyExists", request),
        name => Response::json(&json!({"executionArn": format!("{EXECUTION}{name}"), "startDate": 1_700_000_000})),
    }
}

fn describe_execution(request: &Request) -> Response {
    let arn = request.body["executionArn"].as_str().unwrap();
    let mut execution =
        json!({"executionArn": arn, "stateMachineArn": MACHINE, "startDate": 1_700_000_000, "status": "RUNNING"});
    // A state machine that got the job's secrets in another way.
    let echo = "MARKER-secret-value MARKER/job+secret/key MARKER%2Fjob%2Bsession%2Ftoken%3D%3D";
    match arn.strip_prefix(EXECUTION).unwrap() {
        "known" => {
            execution["status"] = json!("FAILED");
            (execution["error"], execution["cause"]) = (json!(echo), json!(echo));
        }
        "ended" => {
            let output = json!({"summary": echo, "externalExecutionId": echo, "outputVariables": {"Echo": echo}});
            execution["status"] = json!("SUCCEEDED");
            execution["output"] = json!(output.to_string());
        }
        "late" => {}
        _ => return Response::error(400, "AccessDeniedException", request),
    }
    Response::json(&execution)
}

fn data(id: &str, provider: &str) -> Value {
    let place = |key: &str| json!({"type": "S3", "s3Location": {"bucketName": "bucket", "objectKey": key}});
    let input = json!([{"name": "In", "revision": "1", "location": place(if id == "renews" { id } else { "in" })}]);
    let owner = if provider == "Partner" { "ThirdParty" } else { "Custom" };
    json!({
        "actionTypeId": {"category": "Test", "owner": owner, "provider": provider, "version": "1"},
        "actionConfiguration": {"configuration": {"Token": "MARKER-secret-value", "Plain": "a plain value"}},
        "pipelineContext": {"pipelineName": "p", "action": {"name": "Act", "actionExecutionId": id}, "stage": {"name": "S"}},
        "inputArtifacts": if id == "prints" { json!([]) } else { input },
        "outputArtifacts": [],
        "artifactCredentials": {
            "accessKeyId": "ASIAOFTHEJOB", "secretAccessKey": "MARKER/job+secret/key", "sessionToken": "MARKER/job+session/token==",
        },
    })
}

/// Serves `services`. Returns the endpoint.
pub(crate) async fn serve(services: Arc<Mutex<Services>>) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let endpoint = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let services = Arc::clone(&services);
            tokio::spawn(async move {
                let mut stream = BufReader::new(stream);
                while let Some(request) = request(&mut stream).await {
                    let Response { status, headers, body } = services.lock().unwrap().respond(&request);
                    let head = format!("HTTP/1.1 {status} x\r\n{headers}content-length: {}\r\n\r\n", body.len());
                    // The client may have closed the connection.
                    let _ = stream.write_all((head + &body).as_bytes()).await;
                }
            });
        }
    });
    endpoint
}

/// Reads the next request of a connection. Returns `None` if the client has closed it.
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
