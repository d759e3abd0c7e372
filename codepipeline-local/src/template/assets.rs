//! The CDK's list of assets: `App.assets.json` next to `App.template.json`.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::document;
use super::problem::Problem;
use crate::yaml::Node;

/// Files and folders by the keys of the objects that `cdk deploy` would make of them.
#[derive(Default)]
pub(super) struct Assets(BTreeMap<String, PathBuf>);

impl Assets {
    /// Reads the list that belongs to the template, if there is one.
    pub(super) fn of(template: &Path) -> Result<Self, Problem> {
        let name = template.file_name().and_then(|name| name.to_str());
        let Some(stack) = name.and_then(|name| name.strip_suffix(".template.json")) else { return Ok(Self::default()) };
        let file = template.with_file_name(format!("{stack}.assets.json"));
        if !file.is_file() {
            return Ok(Self::default());
        }
        let root = document::read(&file)?;
        let mut assets = BTreeMap::new();
        for (_, asset) in root.get("files").map(Node::entries).unwrap_or_default() {
            let path = asset.get("source").and_then(|source| source.get("path")).and_then(Node::text);
            let Some(path) = path else { continue };
            for (_, destination) in asset.get("destinations").map(Node::entries).unwrap_or_default() {
                if let Some(key) = destination.get("objectKey").and_then(Node::text) {
                    assets.insert(key.to_owned(), template.with_file_name(path));
                }
            }
        }
        Ok(Self(assets))
    }

    pub(super) fn path(&self, key: &str) -> Option<PathBuf> {
        self.0.get(key).cloned()
    }
}
