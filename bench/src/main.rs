//! The worker's side of `bench/compare`. Each command does one measured step in a process of its own, so that its peak memory
//! is its own too, and prints one line of JSON.
//!
//! ```text
//! bench inputs NAME FOLDER          makes an input, the same bytes in every run
//! bench in  KEY=FOLDER ...          stages objects in, all at once
//! bench out KEY=FOLDER ...          stages folders out, all at once
//! bench inflate ZIP                 inflates a zip in memory on all cores, with checksums
//! bench deflate FOLDER              deflates the files of a folder in memory on all cores, with checksums
//! bench service                     answers every request with 204, as a service of the `http` action
//! ```
//!
//! `in` and `out` use the bucket `artifacts` of the endpoint in the SDK's own variables.

use std::path::Path;
use std::process::ExitCode;

use serde_json::json;

mod alone;
mod content;
mod inputs;
mod service;
mod staging;

type Failed = Box<dyn std::error::Error>;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match run(&arguments) {
        Ok(line) => {
            println!("{line}");
            ExitCode::SUCCESS
        }
        Err(failed) => {
            eprintln!("bench: {failed}");
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: &[&str]) -> Result<serde_json::Value, Failed> {
    match arguments {
        ["inputs", name, folder] => Ok(json!({"bytes": inputs::write(name, Path::new(folder))?})),
        ["in", jobs @ ..] => staging::run(staging::Direction::In, jobs),
        ["out", jobs @ ..] => staging::run(staging::Direction::Out, jobs),
        ["inflate", zip] => alone::inflate(Path::new(zip)),
        ["deflate", folder] => alone::deflate(Path::new(folder)),
        ["service"] => service::run(),
        _ => Err("the first argument is a command: inputs, in, out, inflate, deflate or service".into()),
    }
}
