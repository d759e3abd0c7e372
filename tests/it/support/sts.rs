//! A server that speaks STS's protocol: forms in, XML out. The test decides what it returns.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use super::server::{self, Server};

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
    server: Server,
    forms: Arc<Mutex<Vec<Form>>>,
}

impl Sts {
    /// Sends these responses one after another, and then the last one again.
    pub(crate) async fn start(responses: &'static [Response]) -> Self {
        let forms: Arc<Mutex<Vec<Form>>> = Arc::default();
        let noting = Arc::clone(&forms);
        let server = Server::start(move |request| {
            let mut forms = noting.lock().unwrap();
            let index = forms.len().min(responses.len() - 1);
            forms.push(form(&String::from_utf8(request.body).unwrap()));
            let (status, body) = answer(responses[index]);
            Some(server::Response { status, content_type: "text/xml", body })
        });
        Self { server: server.await, forms }
    }

    pub(crate) fn endpoint(&self) -> &str {
        self.server.endpoint()
    }

    /// The requests in their order.
    pub(crate) fn forms(&self) -> Vec<Form> {
        self.forms.lock().unwrap().clone()
    }
}

/// The members of a request's body.
fn form(body: &str) -> Form {
    let decoded = |text: &str| percent_encoding::percent_decode_str(text).decode_utf8().unwrap().into_owned();
    let pairs = body.split('&').map(|pair| pair.split_once('=').unwrap());
    pairs.map(|(name, value)| (decoded(name), decoded(value))).collect()
}

/// The status and the body of a response.
fn answer(response: Response) -> (u16, String) {
    match response {
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
    }
}
