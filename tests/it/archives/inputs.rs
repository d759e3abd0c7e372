//! The differential test: a zip unpacks as by `unzip`, a tar as by GNU tar.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{BufRead, BufReader, Lines};
use std::ops::Range;
use std::os::unix::fs::MetadataExt;
use std::process::Stdio;
use std::sync::Mutex;

use super::case::{Bench, Case, Verdict};
use super::tools::{source, tool, versions};
use crate::support::children::Children;

const DAY: i64 = 86_400;

/// Counts for the summary at the end.
#[derive(Default)]
struct Figures {
    by_tool: BTreeMap<String, usize>,
    trees: BTreeSet<String>,
    compared: usize,
    entries: usize,
    both_refuse: Vec<String>,
    on_purpose: BTreeMap<String, usize>,
    unwritten: Vec<String>,
    wrong: Vec<String>,
}

#[test]
fn archives_unpack_as_by_the_reference_tools() {
    let _children = Children::of_the_test();
    let versions = versions();
    let scratch = tempfile::tempdir().unwrap();
    let started = scratch.path().metadata().unwrap().mtime();
    let now = started..started + DAY;
    let mut generator = tool("python3");
    generator.arg(source("generator/generate.py")).arg(scratch.path());
    let mut generator = generator.stdout(Stdio::piped()).spawn().unwrap();
    let cases = Mutex::new(BufReader::new(generator.stdout.take().unwrap()).lines());
    let figures = Mutex::new(Figures::default());
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                let runtime =
                    tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
                runtime.block_on(judge_all(&cases, &figures, &now));
            });
        }
    });
    assert!(generator.wait().unwrap().success(), "the generator failed");
    let figures = figures.into_inner().unwrap();
    figures.print(&versions);
    assert!(
        figures.wrong.is_empty(),
        "{} archives unpack differently:\n{}",
        figures.wrong.len(),
        figures.wrong.join("\n")
    );
}

async fn judge_all(cases: &Mutex<Lines<impl BufRead>>, figures: &Mutex<Figures>, now: &Range<i64>) {
    let bench = Bench::start().await;
    loop {
        let next = cases.lock().unwrap().next();
        let Some(line) = next else { break };
        let case: Case = serde_json::from_str(&line.unwrap()).unwrap();
        if let Some(complaint) = &case.unwritten {
            figures.lock().unwrap().unwritten.push(format!(
                "{}: {}",
                case.name,
                complaint.trim().lines().next().unwrap_or_default()
            ));
            continue;
        }
        let verdict = case.judge(&bench, now).await;
        figures.lock().unwrap().count(&case, verdict);
    }
}

impl Figures {
    fn count(&mut self, case: &Case, verdict: Verdict) {
        *self.by_tool.entry(case.tool.clone()).or_default() += 1;
        self.trees.insert(case.tree.clone());
        match verdict {
            Verdict::Same(entries) => {
                self.compared += 1;
                self.entries += entries;
                if !case.differs.is_empty() {
                    *self.on_purpose.entry(case.differs.clone()).or_default() += 1;
                }
            }
            Verdict::BothRefuse(why) => self.both_refuse.push(format!("{}: {why}", case.name)),
            Verdict::RefusedOnPurpose => *self.on_purpose.entry(format!("refused: {}", case.refused)).or_default() += 1,
            Verdict::Wrong(why) => {
                // Immediately, because the rest takes minutes.
                println!("{}: {why}", case.name);
                self.wrong.push(case.name.clone());
            }
        }
    }

    fn print(&self, versions: &[(&str, String)]) {
        let of = |tool: &str| versions.iter().find(|(name, _)| *name == tool).map_or("", |(_, version)| version);
        println!("archives by tool:");
        for (tool, archives) in &self.by_tool {
            println!("  {tool} {}: {archives}", of(tool));
        }
        println!("reference tools: GNU tar {}, unzip {}", of("tar"), of("unzip"));
        println!("trees: {}", self.trees.len());
        println!("archives: {}", self.by_tool.values().sum::<usize>());
        println!("compared and equal: {}, with {} entries", self.compared, self.entries);
        println!("refused by the reference tool and by the worker: {}", self.both_refuse.len());
        for refusal in &self.both_refuse {
            println!("  {refusal}");
        }
        println!("archives that a tool could not write: {}", self.unwritten.len());
        for complaint in &self.unwritten {
            println!("  {complaint}");
        }
        println!("on purpose:");
        for (reason, archives) in &self.on_purpose {
            println!("  {archives} × {reason}");
        }
    }
}
