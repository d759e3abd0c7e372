//! Skipped actions.

use std::collections::BTreeMap;

use async_trait::async_trait;

use super::{Done, Failed, Provider, Task, Workplace};

/// A zip without entries: only its end record (APPNOTE.TXT, 4.3.16).
const EMPTY_ZIP: [u8; 22] = [b'P', b'K', 5, 6, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];

/// Succeeds at once. Its output artifacts are empty.
#[derive(Default)]
pub(super) struct Skip {
    /// The action's output variables, which the user gives.
    pub(super) variables: BTreeMap<String, String>,
}

#[async_trait]
impl Provider for Skip {
    async fn run(&self, task: Task, work: &Workplace) -> Result<Done, Failed> {
        let file = work.folder().join("empty.zip");
        let written = tokio::fs::write(&file, EMPTY_ZIP).await;
        written.map_err(|error| Failed::job(format!("could not write an empty artifact: {error}")))?;
        for output in &task.outputs {
            work.store(&file, &output.place, "application/zip").await?;
        }
        work.line("skipped; its output artifacts are empty");
        Ok(Done { variables: self.variables.clone(), ..Done::default() })
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{Place, object, task};
    use super::*;

    #[tokio::test]
    async fn outputs_of_a_skipped_action_are_empty_zips() {
        let place = Place::new();
        let mut task = task();
        task.outputs = vec![object("Site"), object("Report")];
        let variables = BTreeMap::from([("Id".to_owned(), "7".to_owned())]);
        let done = Skip { variables: variables.clone() }.run(task.clone(), &place.work).await.ok().unwrap();
        assert_eq!(done.variables, variables);
        for output in task.outputs {
            let file = place.work.read(&output.place).await.unwrap();
            let zip = zip::ZipArchive::new(std::fs::File::open(file).unwrap()).unwrap();
            assert_eq!(zip.len(), 0);
        }
        assert_eq!(place.lines().len(), 1);
    }
}
