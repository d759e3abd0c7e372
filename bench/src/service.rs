//! A service for the `http` action, which has always finished at once.

use std::convert::Infallible;
use std::io::Write as _;

use bytes::Bytes;
use http_body_util::{BodyExt as _, Empty};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response, StatusCode, body::Incoming};
use hyper_util::rt::TokioIo;
use serde_json::{Value, json};
use tokio::net::TcpListener;

use crate::Failed;

/// Prints its address and answers until the process is ended.
pub(crate) fn run() -> Result<Value, Failed> {
    tokio::runtime::Runtime::new()?.block_on(async {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        println!("{}", json!({"url": format!("http://{}/jobs", listener.local_addr()?)}));
        std::io::stdout().flush()?;
        loop {
            let (stream, _) = listener.accept().await?;
            tokio::spawn(http1::Builder::new().serve_connection(TokioIo::new(stream), service_fn(answer)));
        }
    })
}

async fn answer(request: Request<Incoming>) -> Result<Response<Empty<Bytes>>, Infallible> {
    let read = request.into_body().collect().await.is_ok();
    let mut response = Response::new(Empty::new());
    *response.status_mut() = if read { StatusCode::NO_CONTENT } else { StatusCode::BAD_REQUEST };
    Ok(response)
}
