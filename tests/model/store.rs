//! S3: one object for each job, and conditions on what replaces it.

use codepipeline_worker::lifecycle::protocol::{Phase, Seen};

use crate::world::{Entry, Part, Task, Version, World};

impl World {
    fn holds(&self, job: usize, over: Option<Version>) -> bool {
        self.jobs[job].entry.map(|entry| entry.version) == over
    }

    /// Replaces or creates; `false` if the condition does not hold.
    pub fn put(&mut self, job: usize, over: Option<Version>, entry: Entry) -> bool {
        let holds = self.holds(job, over);
        if holds {
            self.jobs[job].entry = Some(entry);
            self.changed(job);
        }
        holds
    }

    /// Deletes.
    pub fn delete(&mut self, job: usize, over: Option<Version>) -> bool {
        let holds = self.holds(job, over);
        if holds {
            self.jobs[job].entry = None;
            self.changed(job);
        }
        holds
    }

    fn changed(&mut self, job: usize) {
        self.jobs[job].recent = false;
        for worker in &mut self.workers {
            if let Part::On(task) = &mut worker.part
                && task.job == job
            {
                task.prompt = false;
            }
        }
    }

    /// What worker `i` reads.
    pub fn seen(&self, i: usize, job: usize, task: Option<&Task>, fresh_id: bool) -> Option<Seen<Version>> {
        let entry = self.jobs[job].entry?;
        let mine = usize::from(entry.owner) == i;
        Some(Seen {
            version: entry.version,
            phase: entry.phase,
            written: task.and_then(|task| task.write).is_some_and(|(_, version)| version == entry.version),
            mine,
            lease_over: match entry.phase {
                Phase::Claiming => entry.aged,
                Phase::Held | Phase::Reporting => !fresh_id && !mine || self.is_over(job, entry.owner),
                Phase::Done => false,
            },
        })
    }

    /// A worker's time is over, and with it the lease of what it holds: whatever it has sent has arrived by then.
    fn is_over(&self, job: usize, owner: u8) -> bool {
        use crate::world::Late;
        !self.workers[usize::from(owner)].alive
            && !self.jobs[job].late.iter().any(|late| matches!(late, Late::Report { by, .. } if *by == owner))
    }
}
