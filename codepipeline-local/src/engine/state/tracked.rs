//! A map that records which entries changed.

use std::borrow::Borrow;
use std::collections::{BTreeMap, BTreeSet};
use std::ops::Deref;

use serde::{Serialize, de::DeserializeOwned};

use super::record::{Kind, Record, to_json};

/// A map that records changes. Reads go through `Deref` to the `BTreeMap`; any other access marks the entry as
/// changed.
pub(crate) struct Tracked<K, V> {
    map: BTreeMap<K, V>,
    /// The keys of new, changed and removed entries. `None` without a database.
    changed: Option<BTreeSet<K>>,
    writes: u64,
}

impl<K: Ord + Clone, V> Tracked<K, V> {
    pub(in crate::engine) fn new() -> Self {
        Self { map: BTreeMap::new(), changed: None, writes: 0 }
    }

    pub(in crate::engine) fn insert(&mut self, key: K, value: V) -> Option<V> {
        self.note(&key);
        self.map.insert(key, value)
    }

    pub(in crate::engine) fn get_mut<Q: Ord + ?Sized>(&mut self, key: &Q) -> Option<&mut V>
    where
        K: Borrow<Q>,
    {
        if let Some(changed) = &mut self.changed {
            changed.insert(self.map.get_key_value(key)?.0.clone());
        }
        self.writes += 1;
        self.map.get_mut(key)
    }

    pub(in crate::engine) fn remove<Q: Ord + ?Sized>(&mut self, key: &Q) -> Option<V>
    where
        K: Borrow<Q>,
    {
        let (key, value) = self.map.remove_entry(key)?;
        self.note(&key);
        Some(value)
    }

    /// Removes each entry that `stays` does not accept.
    pub(in crate::engine) fn retain(&mut self, mut stays: impl FnMut(&K, &V) -> bool) {
        let gone: Vec<K> =
            self.map.iter().filter(|(key, value)| !stays(key, value)).map(|(key, _)| key.clone()).collect();
        for key in gone {
            self.remove(&key);
        }
    }

    /// How often an entry was written, at least. Two equal numbers mean that nothing changed in between.
    pub(in crate::engine) fn writes(&self) -> u64 {
        self.writes
    }

    fn note(&mut self, key: &K) {
        self.writes += 1;
        if let Some(changed) = &mut self.changed {
            changed.insert(key.clone());
        }
    }
}

impl<K: Ord + Clone + Serialize + DeserializeOwned, V: Serialize + DeserializeOwned> Tracked<K, V> {
    /// Begins to record changes. The present entries count as saved.
    pub(in crate::engine) fn track(&mut self) {
        self.changed = Some(BTreeSet::new());
    }

    /// Adds a record for each entry that changed since the last call.
    pub(in crate::engine) fn take_changes(&mut self, kind: Kind, records: &mut Vec<Record>) {
        let Some(changed) = &mut self.changed else { return };
        for key in std::mem::take(changed) {
            let value = self.map.get(&key).map(to_json);
            records.push(Record { kind, key: to_json(&key), value });
        }
    }

    /// Restores a saved entry.
    pub(in crate::engine) fn restore(&mut self, key: &str, value: &str) -> Result<(), serde_json::Error> {
        self.map.insert(serde_json::from_str(key)?, serde_json::from_str(value)?);
        Ok(())
    }
}

impl<K, V> Deref for Tracked<K, V> {
    type Target = BTreeMap<K, V>;

    fn deref(&self) -> &Self::Target {
        &self.map
    }
}
