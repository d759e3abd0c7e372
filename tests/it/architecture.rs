//! The map in docs/architecture.md, held against the code: which module may name which.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use crate::support::source::{rust_files, without_comments};

/// Every module of `src/` and the modules it may name. `bootstrap` (and `lib.rs`, `main.rs`) puts everything together.
const EDGES: &[(&str, &[&str])] = &[
    ("calls", &["telemetry"]),
    ("connections", &[]),
    ("job", &[]),
    ("redact", &[]),
    ("settings", &[]),
    ("telemetry", &[]),
    ("text", &[]),
    ("watchdog", &[]),
    ("event", &["job"]),
    ("metrics", &["job", "telemetry"]),
    ("placeholder", &["job"]),
    ("workspace", &["job"]),
    ("report", &["job", "redact", "text"]),
    ("queue", &["calls", "job", "report", "settings"]),
    ("artifacts", &["calls", "job"]),
    ("ledger", &["calls", "job"]),
    ("actions", &["calls", "event", "job", "placeholder", "redact", "settings", "text", "workspace"]),
    ("config", &["actions", "job", "placeholder", "settings", "telemetry"]),
    (
        "lifecycle",
        &[
            "actions",
            "artifacts",
            "calls",
            "job",
            "ledger",
            "metrics",
            "queue",
            "redact",
            "report",
            "telemetry",
            "workspace",
        ],
    ),
    ("worker", &["actions", "job", "ledger", "lifecycle", "metrics", "queue", "telemetry"]),
    (
        "bootstrap",
        &[
            "actions",
            "artifacts",
            "config",
            "connections",
            "event",
            "ledger",
            "lifecycle",
            "metrics",
            "queue",
            "settings",
            "telemetry",
            "watchdog",
            "worker",
            "workspace",
        ],
    ),
];

/// Each kind of action and the modules that its folder may name, `actions` apart. Kinds never name each other.
const KINDS: &[(&str, &[&str])] = &[
    ("command", &["calls", "job", "placeholder", "redact", "settings", "text", "workspace"]),
    ("http", &["calls", "job", "placeholder", "redact", "settings", "text"]),
    ("state_machine", &["calls", "event", "job", "settings"]),
];

fn files_of(module: &str) -> Vec<PathBuf> {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let (file, folder) = (source.join(format!("{module}.rs")), source.join(module));
    let mut files = if folder.is_dir() { rust_files(&folder) } else { Vec::new() };
    files.extend(file.exists().then_some(file));
    assert!(!files.is_empty(), "{module} is on the map and not in src");
    files
}

/// The code of a file: comments name modules freely.
fn code(file: &Path) -> String {
    without_comments(&fs::read_to_string(file).unwrap())
}

/// The modules named by `crate::name`, alone or in braces after `crate::`.
fn named(code: &str) -> BTreeSet<String> {
    let word = |text: &str| text.chars().take_while(|c| c.is_ascii_alphanumeric() || *c == '_').collect::<String>();
    let mut found = BTreeSet::new();
    for (at, _) in code.match_indices("crate::") {
        let rest = &code[at + "crate::".len()..];
        match rest.strip_prefix('{') {
            None => found.extend([word(rest)]),
            Some(list) => found.extend(list.split('}').next().unwrap().split(',').map(|item| word(item.trim()))),
        }
    }
    found
}

#[test]
fn modules_name_only_those_that_the_map_allows() {
    let mut wrong = Vec::new();
    for &(module, allowed) in EDGES {
        for file in files_of(module) {
            for name in named(&code(&file)) {
                if name != module && !allowed.contains(&name.as_str()) {
                    wrong.push(format!("{} names {name}", file.display()));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn every_module_is_on_the_map() {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let on_map: BTreeSet<_> = EDGES.iter().map(|(module, _)| (*module).to_owned()).collect();
    let there: BTreeSet<_> = fs::read_dir(source)
        .unwrap()
        .map(|entry| entry.unwrap().path().file_stem().unwrap().to_str().unwrap().to_owned())
        .filter(|name| name != "lib" && name != "main")
        .collect();
    assert_eq!(on_map, there);
}

#[test]
fn kinds_name_only_what_the_map_allows_and_not_each_other() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/actions");
    let mut wrong = Vec::new();
    for &(kind, allowed) in KINDS {
        for file in rust_files(&folder.join(kind)) {
            let code = code(&file);
            let others = KINDS.iter().map(|(other, _)| *other).filter(|other| *other != kind);
            let paths = others.flat_map(|other| [format!("actions::{other}"), format!("super::{other}")]);
            wrong.extend(paths.filter(|path| code.contains(path)).map(|path| (file.clone(), path)));
            let modules =
                named(&code).into_iter().filter(|name| name != "actions" && !allowed.contains(&name.as_str()));
            wrong.extend(modules.map(|module| (file.clone(), module)));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn every_kind_is_on_the_map() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/actions");
    let there: BTreeSet<_> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.is_dir())
        .map(|path| path.file_name().unwrap().to_str().unwrap().to_owned())
        .collect();
    assert_eq!(there, KINDS.iter().map(|(kind, _)| (*kind).to_owned()).collect());
}

#[test]
fn each_sdk_is_named_where_the_map_says() {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let homes: [(&str, &[&str]); 5] = [
        ("aws_sdk_codepipeline", &["queue"]),
        ("aws_sdk_s3", &["artifacts", "ledger/store.rs", "ledger/store"]),
        ("aws_sdk_sfn", &["actions/state_machine"]),
        ("aws_sdk_sts", &["actions/command/role"]),
        ("aws_sdk_secretsmanager", &["queue/client_tokens/secrets.rs"]),
    ];
    for (sdk, homes) in homes {
        for file in rust_files(&source) {
            if code(&file).contains(sdk) {
                let at_home = homes.iter().any(|home| file.starts_with(source.join(home)));
                assert!(at_home, "{} names {sdk}", file.display());
            }
        }
    }
}

#[test]
fn worker_and_emulator_share_no_code() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    for file in rust_files(&root.join("src")) {
        assert!(!code(&file).contains("codepipeline_local"), "{}", file.display());
    }
    for file in rust_files(&root.join("codepipeline-local")) {
        assert!(!code(&file).contains("codepipeline_worker"), "{}", file.display());
    }
}

/// cargo-lambda builds with `panic = "abort"` unless the profile says otherwise. A worker that aborts reports no job after a panic.
#[test]
fn panics_unwind_in_the_deployed_function() {
    let manifest = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("Cargo.toml")).unwrap();
    let (_, profile) = manifest.split_once("[profile.release]").unwrap();
    let (profile, _) = profile.split_once("\n[").unwrap();
    assert!(profile.lines().any(|line| line == "panic = \"unwind\""), "[profile.release] has:{profile}");
}
