//! S3: one object for each job, and conditions on what replaces it.

use codepipeline_worker::lifecycle::protocol::{Phase, Seen};

use super::world::{Entry, Late, Task, Version, World};

impl World {
    fn holds(&self, job: usize, over: Option<Version>) -> bool {
        self.jobs[job].entry.map(|entry| entry.version) == over
    }

    /// Replaces or creates; `false` if the condition does not hold.
    pub fn put(&mut self, job: usize, over: Option<Version>, mut entry: Entry) -> bool {
        let holds = self.holds(job, over);
        if holds {
            if entry.phase == Phase::Claiming {
                entry.awaited = (0..self.workers.len())
                    .filter(|&i| self.task(i, job).is_some_and(Task::is_on_its_way))
                    .fold(0, |awaited, i| awaited | 1 << i);
            }
            self.jobs[job].entry = Some(entry);
        }
        holds
    }

    /// Deletes if the condition holds, or if the request has no condition.
    pub fn delete(&mut self, job: usize, over: Option<Version>) {
        if over.is_none() || self.holds(job, over) {
            self.jobs[job].entry = None;
        }
    }

    /// The entry as worker `i` reads it.
    pub fn seen(&self, i: usize, job: usize, write: Option<Version>, fresh_id: bool) -> Option<Seen<Version>> {
        let entry = self.jobs[job].entry?;
        let mine = usize::from(entry.owner) == i;
        Some(Seen {
            version: entry.version,
            phase: entry.phase,
            written: write == Some(entry.version),
            mine,
            lease_over: match entry.phase {
                Phase::Claiming => entry.marked || entry.is_old(),
                Phase::Held | Phase::Reporting => !fresh_id && !mine || self.is_over(job, entry.owner),
                Phase::Done => false,
            },
        })
    }

    /// A worker's invocation has ended, and with it the lease of its job. Its last request has arrived by then.
    fn is_over(&self, job: usize, owner: u8) -> bool {
        !self.workers.get(usize::from(owner)).is_some_and(|worker| worker.alive)
            && !self.jobs[job].late.iter().any(|late| matches!(late, Late::Report { by, .. } if *by == owner))
    }
}
