//! A server that speaks STS's protocol: forms in, XML out. The test decides what it returns.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};

/// The credentials of every session.
pub(crate) const ACCESS_KEY_ID: &str = "ASIAOFTHEROLE";
pub(crate) const SECRET_ACCESS_KEY: &str = "MARKER/role+secret/key";
pub(crate) const SESSION_TOKEN: &str = "MARKER/role+session/token==";

/// A response.
#[derive(Clone, Copy)]
pub(crate) enum Response {
    /// A session of the role.
    Session,
    /// A status, an error code, and the message that goes with it.
    Error(u16, &'static str, &'static str),
}

/// The members of a request.
pub(crate) type Form = BTreeMap<String, String>;

/// Answers requests until it is dropped.
pub(crate) struct Sts {
    endpoint: String,
    forms: Arc<Mutex<Vec<Form>>>,
    accepting: tokio::task::JoinHandle<()>,
}

impl Sts {
    /// Sends these responses one after another, and then the last one again.
    pub(crate) async fn start(responses: &'static [Response]) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let endpoint = format!("http://{}", listener.local_addr().unwrap());
        let forms: Arc<Mutex<Vec<Form>>> = Arc::default();
        let noting = Arc::clone(&forms);
        let accepting = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let noting = Arc::clone(&noting);
                tokio::spawn(async move {
                    let mut stream = BufReader::new(stream);
                    while let Some(form) = request(&mut stream).await {
                        let index = {
                            let mut forms = noting.lock().unwrap();
                            forms.push(form);
                            forms.len() - 1
                        };
                        respond(&mut stream, responses[index.min(responses.len() - 1)]).await;
                    }
                });
            }
        });
        Self { endpoint, forms, accepting }
    }

    pub(crate) fn endpoint(&self) -> &str {
        &self.endpoint
    }

    /// The requests in their order.
    pub(crate) fn forms(&self) -> Vec<Form> {
        self.forms.lock().unwrap().clone()
    }
}

impl Drop for Sts {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

/// The next request of a connection, or `None` after the client has closed it.
async fn request(stream: &mut BufReader<TcpStream>) -> Option<Form> {
    let mut length = 0;
    loop {
        let mut line = String::new();
        if stream.read_line(&mut line).await.unwrap_or(0) == 0 {
            return None;
        }
        let line = line.trim_end().to_ascii_lowercase();
        if line.is_empty() {
            break;
        }
        if let Some(value) = line.strip_prefix("content-length: ") {
            length = value.parse().unwrap();
        }
    }
    let mut body = vec![0; length];
    stream.read_exact(&mut body).await.ok()?;
    let body = String::from_utf8(body).unwrap();
    let decoded = |text: &str| percent_encoding::percent_decode_str(text).decode_utf8().unwrap().into_owned();
    let pairs = body.split('&').map(|pair| pair.split_once('=').unwrap());
    Some(pairs.map(|(name, value)| (decoded(name), decoded(value))).collect())
}

async fn respond(stream: &mut BufReader<TcpStream>, response: Response) {
    let (status, body) = match response {
        Response::Session => (
            200,
            format!(
                "<AssumeRoleResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\"><AssumeRoleResult><Credentials>\
             <AccessKeyId>{ACCESS_KEY_ID}</AccessKeyId><SecretAccessKey>{SECRET_ACCESS_KEY}</SecretAccessKey>\
             <SessionToken>{SESSION_TOKEN}</SessionToken><Expiration>2030-01-01T00:00:00Z</Expiration></Credentials>\
             </AssumeRoleResult></AssumeRoleResponse>"
            ),
        ),
        Response::Error(status, code, message) => (
            status,
            format!(
                "<ErrorResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\"><Error><Type>Sender</Type><Code>{code}</Code>\
             <Message>{message}</Message></Error></ErrorResponse>"
            ),
        ),
    };
    let head = format!("HTTP/1.1 {status} x\r\ncontent-type: text/xml\r\ncontent-length: {}\r\n\r\n", body.len());
    // The client may have closed the connection.
    let _ = stream.write_all((head + &body).as_bytes()).await;
}
