//! A proxy that records the server's responses.

use std::sync::{Arc, Mutex};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// All bytes from the server to its clients, of all connections together.
pub(crate) type Heard = Arc<Mutex<Vec<u8>>>;

/// Listens in front of the server at `endpoint` (`http://host:port`). Returns the new endpoint and what it records.
pub(crate) async fn tee(endpoint: &str) -> (String, Heard) {
    let server = endpoint.trim_start_matches("http://").to_owned();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let heard = Heard::default();
    let keeping = Arc::clone(&heard);
    tokio::spawn(async move {
        while let Ok((client, _)) = listener.accept().await {
            let upstream = TcpStream::connect(&server).await.unwrap();
            tokio::spawn(pass(client, upstream, Arc::clone(&keeping)));
        }
    });
    (format!("http://{address}"), heard)
}

async fn pass(client: TcpStream, server: TcpStream, heard: Heard) {
    let (mut from_client, mut to_client) = client.into_split();
    let (mut from_server, mut to_server) = server.into_split();
    tokio::spawn(async move {
        let _ = tokio::io::copy(&mut from_client, &mut to_server).await;
    });
    let mut buffer = vec![0; 16 * 1024];
    while let Ok(read @ 1..) = from_server.read(&mut buffer).await {
        heard.lock().unwrap().extend_from_slice(&buffer[..read]);
        if to_client.write_all(&buffer[..read]).await.is_err() {
            return;
        }
    }
}

/// The values of a JSON member, at any depth, in the recorded bytes.
pub(crate) fn values(heard: &Heard, member: &str) -> Vec<String> {
    let heard = String::from_utf8_lossy(&heard.lock().unwrap()).into_owned();
    let start = format!("\"{member}\":\"");
    heard.split(&start).skip(1).map(|rest| rest.split('"').next().unwrap().to_owned()).collect()
}
