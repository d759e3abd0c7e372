//! Every tool reads the worker's outputs, both from the archive's start and through its central directory.

use std::collections::BTreeSet;
use std::fs::{self, Permissions};
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;
use std::process::{Command, Stdio};

use super::tools::{source, tool, versions};
use super::tree::{Kind, Tree, differences, list};
use crate::support::artifact_store::{ArtifactStore, LIMITS};
use crate::support::children::Children;

const MIB: usize = 1024 * 1024;
const NAMES: [&str; 9] =
    ["a space", "-dash", "back\\slash", "co:lon", "C:drive", "Grüße", "日本語-😀", "new\nline", "semi;1"];

fn make_tree(root: &Path) {
    fs::create_dir_all(root.join("deep/er/and/deeper")).unwrap();
    fs::create_dir(root.join("hollow")).unwrap();
    fs::write(root.join("empty"), "").unwrap();
    fs::write(root.join("deep/er/file"), "content").unwrap();
    fs::write(root.join("tool"), "#!/bin/sh\n").unwrap();
    fs::write(root.join("private"), "0600").unwrap();
    fs::set_permissions(root.join("tool"), Permissions::from_mode(0o755)).unwrap();
    fs::set_permissions(root.join("private"), Permissions::from_mode(0o600)).unwrap();
    fs::set_permissions(root.join("hollow"), Permissions::from_mode(0o700)).unwrap();
    fs::write(root.join("compressible"), "the same line\n".repeat(MIB)).unwrap();
    let mut dice = fastrand::Rng::with_seed(1);
    fs::write(root.join("noise"), (0..12 * MIB).map(|_| dice.u8(..)).collect::<Vec<_>>()).unwrap();
    let text =
        (0..MIB as u32 / 8).map(|number| format!("{}\n", number.wrapping_mul(2_654_435_761))).collect::<String>();
    let noise: Vec<u8> = (0..MIB).map(|_| dice.u8(..)).collect();
    fs::write(root.join("text-noise-text"), [text.as_bytes(), &noise, text.as_bytes()].concat()).unwrap();
    for name in NAMES {
        fs::write(root.join(name), name).unwrap();
        fs::create_dir(root.join(format!("{name}-d"))).unwrap();
        fs::write(root.join(format!("{name}-d/{name}")), name).unwrap();
        symlink(name, root.join(format!("link-{name}"))).unwrap();
    }
    for (name, target) in [("absolute", "/dev/null"), ("outward", "../../x"), ("loop", "loop"), ("folder", "deep/er")] {
        symlink(target, root.join(name)).unwrap();
    }
}

/// The lines that the readers print: an entry's name in hex, its size and its CRC.
fn lines(root: &Path, tree: &Tree) -> BTreeSet<String> {
    let line = |(name, node): (&Vec<u8>, &super::tree::Node)| {
        let name = String::from_utf8(name.clone()).unwrap();
        let content = match &node.kind {
            Kind::File { .. } => fs::read(root.join(&name)).unwrap(),
            Kind::Link(target) => target.as_encoded_bytes().to_vec(),
            Kind::Folder => Vec::new(),
        };
        let slash = if node.kind == Kind::Folder { "/" } else { "" };
        let name: String = format!("{name}{slash}").bytes().map(|byte| format!("{byte:02x}")).collect();
        format!("{name} {} {}", content.len(), crc32fast::hash(&content))
    };
    tree.iter().map(line).collect()
}

/// Runs a reader that must succeed. Returns the lines of its output.
#[track_caller]
fn read_with(command: &mut Command) -> Vec<String> {
    let output = command.stdin(Stdio::null()).output().unwrap();
    let (errors, read) = (String::from_utf8_lossy(&output.stderr), String::from_utf8_lossy(&output.stdout));
    assert!(output.status.success(), "{command:?} ended with {}: {errors}{read}", output.status);
    read.lines().map(str::to_owned).collect()
}

fn starting_with(how: &str, lines: &[String]) -> BTreeSet<String> {
    lines.iter().filter_map(|line| line.strip_prefix(how)).map(|line| line.trim_start().to_owned()).collect()
}

#[tokio::test]
async fn outputs_are_readable_by_every_tool() {
    let _children = Children::of_the_test();
    versions();
    let (s3, scratch) = (ArtifactStore::start().await, tempfile::tempdir().unwrap());
    let (from, zip) = (scratch.path().join("from"), scratch.path().join("out.zip"));
    fs::create_dir(&from).unwrap();
    make_tree(&from);
    s3.job().stage_out(&s3.output, &from, None, &LIMITS).await.unwrap();
    fs::write(&zip, s3.get(&s3.output).await).unwrap();
    let tree = list(&from);
    let entries = lines(&from, &tree);

    let java = read_with(tool("java").arg(source("readers/Reader.java")).arg(&zip));
    assert_eq!(starting_with("stream", &java), entries);
    assert_eq!(starting_with("file", &java), entries);
    let zones = scratch.path().join("zones");
    fs::create_dir(&zones).unwrap();
    let python = read_with(tool("python3").arg(source("readers/read.py")).args([&zip, &zones]));
    assert_eq!(starting_with("", &python), entries);

    read_with(tool("unzip").arg("-tq").arg(&zip));
    read_with(tool("7z").arg("t").arg(&zip));
    let from_file = read_with(tool("bsdtar").arg("-tf").arg(&zip));
    let from_pipe = read_with(tool("bash").args(["-o", "pipefail", "-c", "cat \"$0\" | bsdtar -tf -"]).arg(&zip));
    assert_eq!((from_file.len(), &from_pipe), (entries.len(), &from_file));
    let listed = read_with(tool("jar").arg("tf").arg(&zip));
    let line_breaks = tree.keys().flatten().filter(|byte| **byte == b'\n').count();
    assert_eq!(listed.len(), entries.len() + line_breaks);

    for (name, command, is_exact) in [
        ("unzip", "unzip -q -^ -V \"$0\"", true),
        ("bsdtar", "bsdtar -xpf \"$0\"", true),
        ("bsdtar-pipe", "cat \"$0\" | bsdtar -xpf -", false),
        ("jar", "jar xf \"$0\"", false),
        // 7z refuses to create links to the outside.
        ("7z", "7z x '-x!absolute' '-x!outward' \"$0\"", false),
    ] {
        let into = scratch.path().join(name);
        fs::create_dir(&into).unwrap();
        read_with(tool("bash").args(["-o", "pipefail", "-c", command]).arg(&zip).current_dir(&into));
        let (mut expected, mut unpacked) = (tree.clone(), list(&into));
        if !is_exact {
            // These tools create no links or set no modes.
            expected.retain(|_, node| matches!(node.kind, Kind::File { .. }));
            unpacked.retain(|name, _| expected.contains_key(name));
            unpacked.iter_mut().for_each(|(name, node)| node.mode = expected[name].mode);
        }
        if name.starts_with("bsdtar") {
            // In the names of every zip, bsdtar treats a backslash as a separator and removes drive letters.
            let is_changed = |name: &[u8]| name.starts_with(b"C:") || name.contains(&b'\\');
            expected.retain(|name, _| !is_changed(name));
            unpacked.retain(|name, _| expected.contains_key(name));
        }
        let differences = differences(&expected, &unpacked, &(i64::MIN..i64::MAX));
        assert!(differences.is_empty(), "{name}: {differences:?}");
    }
}
