//! Saving and restoring: the state leaves as one record per changed thing, and is restored from records. Jobs are not
//! saved, so a restart stops the executions in progress.

use std::time::Duration;

use serde::de::DeserializeOwned;

use super::{
    Engine,
    state::{ActionStatus, Connection, ExecutionNumber, Kept, Kind, Record, Series, Unreadable, to_json},
};
use crate::types::Timestamp;

/// How long a restart restores expired credentials. By then no worker signs with them.
const EXPIRED_CREDENTIALS: Duration = Duration::from_secs(24 * 60 * 60);

impl Engine {
    /// Returns the changes since the last call. They are complete only between requests. Returns nothing before
    /// [`Engine::restore`].
    pub fn take_changes(&mut self) -> Vec<Record> {
        let mut records = Vec::new();
        let series = self.series();
        let Some(kept) = &mut self.kept else { return records };
        let single = |kind, value| Record { kind, key: "null".to_owned(), value: Some(value) };
        if kept.series != series {
            kept.series = series;
            records.push(single(Kind::Series, to_json(&series)));
        }
        if std::mem::take(&mut kept.connections_changed) {
            records.push(single(Kind::Connections, to_json(&self.connections)));
        }
        self.action_types.take_changes(Kind::ActionType, &mut records);
        self.pipelines.take_changes(Kind::Pipeline, &mut records);
        self.versions.take_changes(Kind::Version, &mut records);
        self.started.take_changes(Kind::Started, &mut records);
        self.executions.take_changes(Kind::Execution, &mut records);
        self.actions.take_changes(Kind::Action, &mut records);
        self.grants.take_changes(Kind::Grant, &mut records);
        self.polled.take_changes(Kind::Source, &mut records);
        records
    }

    /// Restores the state from the records of an earlier engine, stops the executions in progress, and begins to
    /// record changes. The engine must be new. Returns an error if a record can't be read or refers to a missing one.
    pub fn restore(&mut self, now: Timestamp, records: Vec<Record>) -> Result<(), Unreadable> {
        self.clock = now;
        for record in records {
            let Record { kind, key, value: Some(value) } = record else { continue };
            self.take_back(kind, &key, &value).map_err(|why| Unreadable { kind, key, why })?;
        }
        self.link()?;
        self.action_types.track();
        self.pipelines.track();
        self.versions.track();
        self.started.track();
        self.executions.track();
        self.actions.track();
        self.grants.track();
        self.polled.track();
        self.kept = Some(Kept { series: self.series(), connections_changed: false });
        self.grants.retain(|_, grant| grant.expires.after(EXPIRED_CREDENTIALS) > now);
        self.forget_interrupted_copies();
        self.stop_interrupted(now);
        // An emulator that ended after it saved a pipeline may not have created the buckets.
        let latest: Vec<_> = self.pipelines.values().map(|pipeline| pipeline.latest().clone()).collect();
        for declaration in latest {
            self.create_buckets(&declaration);
            self.watch_sources(now, &declaration.name);
        }
        Ok(())
    }

    fn series(&self) -> Series {
        Series { next_number: self.numbers, random: self.random }
    }

    fn take_back(&mut self, kind: Kind, key: &str, value: &str) -> Result<(), String> {
        let entry = match kind {
            Kind::Series => {
                let series: Series = read(value)?;
                (self.numbers, self.random) = (series.next_number, series.random);
                Ok(())
            }
            Kind::Connections => {
                let connections: Vec<Connection> = read(value)?;
                return self.connect(connections).map_err(|why| format!("is wrong: {why}"));
            }
            Kind::ActionType => self.action_types.restore(key, value),
            Kind::Pipeline => self.pipelines.restore(key, value),
            Kind::Version => self.versions.restore(key, value),
            Kind::Started => self.started.restore(key, value),
            Kind::Execution => self.executions.restore(key, value),
            Kind::Action => self.actions.restore(key, value),
            Kind::Grant => self.grants.restore(key, value),
            Kind::Source => self.polled.restore(key, value),
        };
        entry.map_err(|error| unreadable(&error))
    }

    /// Links pipelines and executions with their declarations, which have their own records.
    fn link(&mut self) -> Result<(), Unreadable> {
        let missing = |kind, key: String, what: &str| Unreadable { kind, key, why: format!("has no {what}") };
        for ((name, version), declaration) in self.versions.iter() {
            let Some(pipeline) = self.pipelines.get_mut(name) else {
                return Err(missing(Kind::Version, to_json(&(name, version)), "pipeline"));
            };
            pipeline.versions.push(declaration.0.clone());
        }
        if let Some((name, _)) = self.pipelines.iter().find(|(_, pipeline)| pipeline.versions.is_empty()) {
            return Err(missing(Kind::Pipeline, to_json(name), "version"));
        }
        let numbers: Vec<ExecutionNumber> = self.executions.keys().copied().collect();
        for number in numbers {
            let Some(execution) = self.executions.get_mut(&number) else { continue };
            let version = (execution.pipeline.clone(), execution.declaration.version);
            let Some(declaration) = self.versions.get(&version) else {
                return Err(missing(Kind::Execution, number.to_string(), "declaration"));
            };
            execution.declaration = declaration.0.clone();
            if execution.is_in_progress() {
                self.active.insert(number);
            }
        }
        for (number, action) in self.actions.iter() {
            if !self.executions.contains_key(&action.execution) {
                return Err(missing(Kind::Action, number.to_string(), "execution"));
            }
            if action.status == ActionStatus::InProgress {
                self.running.insert(*number);
            }
        }
        Ok(())
    }
}

fn read<T: DeserializeOwned>(value: &str) -> Result<T, String> {
    serde_json::from_str(value).map_err(|error| unreadable(&error))
}

/// The text of serde's error may quote a secret, so the message has only the column.
fn unreadable(error: &serde_json::Error) -> String {
    format!("can't be read (at column {})", error.column())
}
