//! Measures the parts of the worker that take processor time. No test runs it, and nothing judges the times:
//!
//! ```sh
//! cargo bench --bench parts
//! cargo bench --bench parts -- unpack
//! ```
//!
//! S3 is a map in this process. `bench/compare` measures whole stagings, over a network and against another worker.

use std::path::Path;
use std::sync::LazyLock;
use std::time::SystemTime;

use codepipeline_worker::actions::ends_of_work;
use codepipeline_worker::artifacts::{Store, UnpackLimits};
use codepipeline_worker::event::Event;
use codepipeline_worker::job::ActionTypeId;
use codepipeline_worker::metrics::{InvocationMeter, JobMeter, Metrics};
use codepipeline_worker::redact::{RedactedStream, Redactor};
use codepipeline_worker::telemetry;
use divan::counter::BytesCount;
use divan::{Bencher, black_box};
use serde_json::Value;
use tempfile::TempDir;
use tokio::runtime::Runtime;
use tracing::Level;

use content::{Code, Random, half_compressible};
use s3::{artifact, store};

#[expect(dead_code, reason = "these benchmarks need no content that is compressed already")]
#[path = "../../bench/src/content.rs"]
mod content;
mod s3;

const LIMITS: UnpackLimits = UnpackLimits { max_unpacked_bytes: 10 << 30, max_entries: 100_000 };
const SMALL_FILES: usize = 1_000;
const SMALL_BYTES: usize = 13_000;
const LARGE_BYTES: usize = 32_000_000;

static RUNTIME: LazyLock<Runtime> = LazyLock::new(|| Runtime::new().expect("the runtime starts"));

fn main() {
    divan::main();
}

/// A folder in memory, if the machine has such folders.
fn folder() -> TempDir {
    let memory = Path::new("/dev/shm");
    let created = if memory.is_dir() { tempfile::tempdir_in(memory) } else { tempfile::tempdir() };
    created.expect("the folder is created")
}

fn source_code() -> TempDir {
    let folder = folder();
    let mut random = Random::new(1);
    let code = Code::new(&mut random);
    for number in 0..SMALL_FILES {
        let text = code.file(&mut random, SMALL_BYTES);
        std::fs::write(folder.path().join(format!("Source{number}.java")), text).expect("the file is written");
    }
    folder
}

fn large_file() -> TempDir {
    let folder = folder();
    let mut content = Vec::new();
    half_compressible(&mut Random::new(2), LARGE_BYTES, &mut content);
    std::fs::write(folder.path().join("database.bin"), content).expect("the file is written");
    folder
}

/// The folder of an input, and the bytes of its files.
fn input(name: &str) -> (TempDir, usize) {
    match name {
        "small files" => (source_code(), SMALL_FILES * SMALL_BYTES),
        _ => (large_file(), LARGE_BYTES),
    }
}

fn stage_out(store: &Store, key: &str, from: &Path) {
    RUNTIME.block_on(store.stage_out(&artifact(key), from, None, &LIMITS)).expect("the folder is staged out");
}

fn stage_in(store: &Store, key: &str, into: &TempDir) {
    RUNTIME.block_on(store.stage_in(&artifact(key), into.path(), &LIMITS)).expect("the object is staged in");
}

/// A folder becomes a zip, and the zip becomes requests.
#[divan::bench(args = ["small files", "one file"], sample_count = 10)]
fn pack(bencher: Bencher<'_, '_>, name: &str) {
    let (from, bytes) = input(name);
    let store = store(&RUNTIME, []);
    bencher.counter(BytesCount::new(bytes)).bench(|| stage_out(&store, "zip", from.path()));
}

/// A zip becomes a folder.
#[divan::bench(args = ["small files", "one file"], sample_count = 10)]
fn unpack(bencher: Bencher<'_, '_>, name: &str) {
    let (from, bytes) = input(name);
    let store = store(&RUNTIME, []);
    stage_out(&store, "zip", from.path());
    bencher.counter(BytesCount::new(bytes)).with_inputs(folder).bench_refs(|into| stage_in(&store, "zip", into));
}

/// An object that is no archive becomes a file.
#[divan::bench(sample_count = 10)]
fn download(bencher: Bencher<'_, '_>) {
    let mut content = Vec::new();
    half_compressible(&mut Random::new(4), LARGE_BYTES, &mut content);
    let store = store(&RUNTIME, [("file", content.into())]);
    bencher.counter(BytesCount::new(LARGE_BYTES)).with_inputs(folder).bench_refs(|into| stage_in(&store, "file", into));
}

/// The output of a command. A few secrets are masked.
#[divan::bench(args = [1, 20])]
fn redaction(bencher: Bencher<'_, '_>, secrets: usize) {
    let mut random = Random::new(5);
    let text = Code::new(&mut random).file(&mut random, 1_000_000);
    let redactor = Redactor::new((0..secrets).map(|number| format!("a-secret-of-the-benchmark-{number}")));
    bencher.counter(BytesCount::new(text.len())).bench(|| {
        let mut shown = String::with_capacity(text.len());
        let mut stream = RedactedStream::new(&redactor);
        // A pipe delivers it in such pieces.
        text.as_bytes().chunks(8 * 1024).for_each(|piece| stream.push(piece, &mut shown));
        stream.finish(&mut shown);
        shown
    });
}

/// The lines with the metrics of a job and of an invocation, through the log.
#[divan::bench]
fn metrics(bencher: Bencher<'_, '_>) {
    let [category, owner, provider, version] = ["Test", "Custom", "Shell", "1"].map(str::to_owned);
    let action_type = ActionTypeId { category, owner, provider, version };
    let metrics = Metrics::new("benchmark", || SystemTime::UNIX_EPOCH, telemetry::log_metrics);
    tracing::subscriber::with_default(telemetry::subscriber(Level::INFO, std::io::sink), || {
        bencher.bench_local(|| {
            let job = JobMeter::new(&metrics, &action_type);
            drop(job.time(|values| &mut values.staging_in_ms));
            drop(job.time(|values| &mut values.action_ms));
            job.end(|values| &mut values.jobs_succeeded);
            let mut invocation = InvocationMeter::new(&metrics);
            invocation.values.ticks = Some(1);
        });
    });
}

/// The events of `events/`, from JSON to what the worker does.
#[divan::bench(args = ["schedule", "action-started", "action-failed", "state-machine-ended", "codepipeline-job"])]
fn event(bencher: Bencher<'_, '_>, name: &str) {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("events").join(name).with_extension("json");
    let text = std::fs::read(file).expect("the event is read");
    let ends = ends_of_work();
    bencher.counter(BytesCount::new(text.len())).bench(|| {
        let payload: Value = serde_json::from_slice(black_box(&text)).expect("the event is JSON");
        Event::parse(&payload, &ends).is_ok()
    });
}
