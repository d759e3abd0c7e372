//! Runs `serve` with its command line.
#![allow(clippy::unwrap_used, reason = "a test whose set-up fails has failed")]

mod commands;
mod refusals;
mod requests;
mod signals;

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

const PROGRAM: &str = env!("CARGO_BIN_EXE_codepipeline-local");

/// The program with these arguments. Its temporary files are in the folder.
fn program(folder: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(PROGRAM);
    command.args(arguments).env("TMPDIR", folder).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

/// Starts the program and reads its first line.
fn serve(folder: &Path, arguments: &[&str]) -> (Child, String) {
    let mut child = program(folder, &[&["serve", "--port", "0"], arguments].concat()).spawn().unwrap();
    let mut line = String::new();
    BufReader::new(child.stdout.as_mut().unwrap()).read_line(&mut line).unwrap();
    (child, line.trim_end().to_owned())
}

/// Sends SIGTERM as the shell's `kill` does.
fn terminate(child: &Child) {
    assert!(Command::new("kill").arg(child.id().to_string()).status().unwrap().success());
}

/// A zombie does not run.
fn is_running(pid: &str) -> bool {
    std::fs::read_to_string(Path::new("/proc").join(pid).join("stat")).is_ok_and(|stat| !stat.contains(") Z "))
}

async fn until(condition: impl Fn() -> bool) {
    while !condition() {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

/// The status of the reply to an empty request, if any.
fn status(address: &str, header: &str) -> Option<u16> {
    ask(address, "/", header, "")
}

/// The status of the reply to a request with a body, if any.
fn ask(address: &str, path: &str, header: &str, body: &str) -> Option<u16> {
    reply(address, path, header, body)?.split(' ').nth(1)?.parse().ok()
}

fn reply(address: &str, path: &str, header: &str, body: &str) -> Option<String> {
    let mut stream = std::net::TcpStream::connect(address).unwrap();
    let length = body.len();
    let request = format!(
        "POST {path} HTTP/1.1\r\nHost: host\r\nConnection: close\r\nContent-Length: {length}\r\n{header}\r\n{body}"
    );
    std::io::Write::write_all(&mut stream, request.as_bytes()).unwrap();
    let mut reply = String::new();
    std::io::Read::read_to_string(&mut stream, &mut reply).ok()?;
    Some(reply)
}
