//! The keys of a run: its emulator answers only clients that have them.

use std::io::{BufRead, BufReader};

use serde_json::json;

use super::{action, folder, program, send, terminate};

const CREATE: &str = "POST / HTTP/1.1\r\nX-Amz-Target: CodePipeline_20150709.CreatePipeline";
const SECRET: &str = "POST / HTTP/1.1\r\nX-Amz-Target: secretsmanager.GetSecretValue";
const START: &str = "POST / HTTP/1.1\r\nX-Amz-Target: AWSStepFunctions.StartExecution";
const IDENTITY: &str = "POST / HTTP/1.1\r\nContent-Type: application/x-www-form-urlencoded";
const LIST: &str = "POST / HTTP/1.1\r\nX-Amz-Target: CodePipeline_20150709.ListPipelines";
const PRESIGNED: &str = "PUT /artifacts/a?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=KEY%2F20270101%2Fus-east-1%2Fs3\
    %2Faws4_request&X-Amz-Date=20270101T000000Z&X-Amz-Expires=600&X-Amz-SignedHeaders=host&X-Amz-Signature=0 HTTP/1.1";
const FORM: &str = "POST /artifacts HTTP/1.1\r\nContent-Type: multipart/form-data; boundary=x";

/// A form that uploads an object, with this access key id. Its policy has no conditions.
fn form(key: &str) -> String {
    let policy = "eyJleHBpcmF0aW9uIjogIjI5OTktMDEtMDFUMDA6MDA6MDBaIiwgImNvbmRpdGlvbnMiOiBbXX0=";
    let field =
        |name: &str, value: &str| format!("--x\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n");
    let fields = [("key", "a"), ("AWSAccessKeyId", key), ("policy", policy), ("signature", "0"), ("file", "text")];
    fields.map(|(name, value)| field(name, value)).concat() + "--x--\r\n"
}

#[test]
fn run_answers_only_clients_with_its_keys() {
    let shell = action("Own", "Test/Custom/Shell/1", &json!({"inputArtifacts": [{"name": "App"}]}));
    let folder = folder(&[shell]);
    let worker = "sh -c 'echo at $AWS_ENDPOINT_URL $AWS_ACCESS_KEY_ID; sleep 600'";
    let mut child = program(folder.path(), &["--source", "App=app", "--worker", worker]).spawn().unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let line = lines.find_map(|line| Some(line.unwrap().split_once("[sh] at http://")?.1.to_owned())).unwrap();
    let (address, own) = line.split_once(' ').unwrap();
    for key in ["", "local", "ASIAABCDEFGHIJKLMNOP"] {
        for (head, body) in
            [(CREATE, "{}"), (SECRET, "{}"), (START, "{}"), (IDENTITY, "Action=GetCallerIdentity&Version=2011-06-15")]
        {
            let reply = send(address, head, key, body);
            assert!(reply.starts_with("HTTP/1.1 403") && reply.contains("UnrecognizedClientException"), "{reply}");
            assert!(reply.contains("belongs to one run of codepipeline-local"), "{reply}");
        }
        let code = if key.is_empty() { "<Code>AccessDenied</Code>" } else { "<Code>InvalidAccessKeyId</Code>" };
        let presigned = PRESIGNED.replace("KEY", key);
        for head in ["GET /artifacts HTTP/1.1", "PUT /artifacts/a HTTP/1.1", "DELETE /artifacts/a HTTP/1.1"] {
            let reply = send(address, head, key, "");
            assert!(reply.starts_with("HTTP/1.1 403") && reply.contains(code), "{head} {key}: {reply}");
        }
        for reply in [send(address, &presigned, "", ""), send(address, FORM, "", &form(key))] {
            assert!(reply.starts_with("HTTP/1.1 403") && reply.contains("InvalidAccessKeyId"), "{key}: {reply}");
        }
    }
    let forged = send(address, "GET /artifacts HTTP/1.1\r\nX-Amz-Content-Sha256: UNSIGNED-PAYLOAD", own, "");
    assert!(forged.contains("SignatureDoesNotMatch"), "an id alone is not enough for S3: {forged}");
    let listed = send(address, LIST, own, "{}");
    assert!(listed.starts_with("HTTP/1.1 200") && listed.contains("\"web\""), "{listed}");
    terminate(&child);
    assert_eq!(child.wait().unwrap().code(), Some(1));
}
