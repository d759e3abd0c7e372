//! Properties of all archives. `Place::unpack` checks that nothing is outside the folder.

use std::collections::BTreeMap;

use proptest::prelude::*;
use tempfile::TempDir;

use super::archives::{What, gzip, tar, zip};
use super::{Place, tree};
use crate::providers::archive::{Limits, Stop, pack_folder};

/// Names of dots, slashes and one letter: many climb, repeat or lie below each other.
const NAME: &str = "[./a]{1,7}";

fn small() -> Limits {
    Limits { entries: 100, bytes: 100_000, stop: Stop::default() }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn no_names_and_links_lead_out(
        drawn in prop::collection::vec((NAME, 0..4u8, NAME), 1..6),
        is_tar in any::<bool>(),
    ) {
        let entry = |(name, kind, target): &(String, u8, String)| match kind {
            0 => (name.clone(), What::File(0o644, b"content")),
            1 => (name.clone(), What::Folder(0o755)),
            2 if is_tar => (name.clone(), What::Hard(target.clone().leak())),
            _ => (name.clone(), What::Link(target.clone().leak())),
        };
        let entries: Vec<_> = drawn.iter().map(entry).collect();
        let entries = entries.iter().map(|(name, what)| (name.as_str(), *what));
        let archive = if is_tar {
            tar(&entries.collect::<Vec<_>>())
        } else {
            // The writer of zips refuses a name that it has had.
            let once: BTreeMap<_, _> = entries.map(|(name, what)| (name.trim_end_matches('/'), what)).collect();
            zip(&once.into_iter().collect::<Vec<_>>())
        };
        let _ = Place::with(&archive).unpack(&small());
    }

    #[test]
    fn damaged_archives_do_no_harm(
        is_zip in any::<bool>(),
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..8),
        length in any::<prop::sample::Index>(),
        is_cut in any::<bool>(),
    ) {
        let entries = [
            ("a/./b", What::File(0o644, b"one")),
            ("a/link", What::Link("../../archive")),
            ("a/b.c", What::File(0o755, b"two")),
        ];
        let mut archive = if is_zip { zip(&entries) } else { gzip(&tar(&entries)) };
        for (at, byte) in changes {
            let at = at.index(archive.len());
            archive[at] = byte;
        }
        if is_cut {
            archive.truncate(length.index(archive.len()));
        }
        let _ = Place::with(&archive).unpack(&small());
    }

    #[test]
    fn every_folder_survives_packing(
        files in prop::collection::btree_map(
            "[a-cü ]{1,3}(/[a-c]{1,2}){0,2}",
            prop::collection::vec(any::<u8>(), 0..300),
            0..12,
        ),
    ) {
        let folder = TempDir::new().unwrap();
        let content = folder.path().join("content");
        std::fs::create_dir(&content).unwrap();
        for (name, bytes) in &files {
            let path = content.join(name);
            // A name may be a file already, and then can't be a folder.
            if std::fs::create_dir_all(path.parent().unwrap()).is_ok() && !path.is_dir() {
                std::fs::write(path, bytes).unwrap();
            }
        }
        let packed = folder.path().join("zip");
        pack_folder(&content, &packed, &Stop::default()).unwrap();
        let found = Place::with(&std::fs::read(packed).unwrap()).unpack(&Limits::default()).unwrap();
        prop_assert_eq!(found, tree(&content));
    }
}
