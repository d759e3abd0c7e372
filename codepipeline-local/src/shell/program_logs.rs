//! The output of workers and functions, line by line to the actions that it belongs to.

use std::collections::BTreeSet;
use std::sync::{Mutex, PoisonError, Weak};

use super::shared::Shared;
use crate::action_logs::Line;

/// How long a job's id is: a UUID with dashes.
const ID: usize = 36;

/// Takes the output of programs. A line belongs to the job or action execution whose id it holds. If a program has named no job by id, its
/// lines belong to the only job in progress, if there is only one.
pub(crate) struct ProgramLogs {
    shared: Weak<Shared>,
    /// The programs whose lines hold ids of jobs.
    naming: Mutex<BTreeSet<String>>,
}

impl ProgramLogs {
    pub(crate) fn new(shared: Weak<Shared>) -> Self {
        Self { shared, naming: Mutex::default() }
    }

    /// Adds a line to the log of its action. Masks the user's secrets, and the secret configuration values of all actions in progress
    /// and of the action's execution: the program may work on several. Ignores a line that belongs to no action.
    pub(crate) fn line(&self, program: &str, text: &str) {
        let Some(shared) = self.shared.upgrade() else { return };
        let mut naming = self.naming.lock().unwrap_or_else(PoisonError::into_inner);
        let found = shared.engine.look(|engine| {
            let named = ids(text).find_map(|id| engine.action_of_id(id));
            if named.is_some() && !naming.contains(program) {
                naming.insert(program.to_owned());
            }
            let others = || engine.only_worked_on().filter(|_| !naming.contains(program));
            let action = named.or_else(others)?;
            Some((action.id.clone(), engine.secrets_around(action).mask(text)))
        });
        let Some((action, text)) = found else { return };
        let text = shared.secrets.mask(&text).into_owned();
        shared.action_logs.add(&action, Line { at: shared.clock.now(), from: program.to_owned(), text });
    }
}

/// The parts of the text that look like UUIDs.
fn ids(text: &str) -> impl Iterator<Item = &str> {
    let is_part = |c: char| c.is_ascii_hexdigit() || c == '-';
    text.split(move |c| !is_part(c)).filter(|part| part.len() == ID && part.matches('-').count() == 4)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_found_in_text_and_json() {
        let id = "0e1f2a3b-4c5d-4e6f-8a9b-0c1d2e3f4a5b";
        for text in [format!("job {id}: started"), format!("{{\"job_id\":\"{id}\"}}"), format!("[{id}]"), id.to_owned()]
        {
            assert_eq!(ids(&text).collect::<Vec<_>>(), [id], "{text}");
        }
        assert_eq!(ids("no id: 0e1f2a3b-4c5d, ----, é").count(), 0);
    }
}
