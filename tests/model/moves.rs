//! What can happen next.

use codepipeline_worker::lifecycle::protocol::{Phase, State};
use stateright::{Model, Property};

use crate::rules::{Adoption, Setting};
use crate::service::broken;
use crate::worker::{Fate, begin, fates, number, request, step};
use crate::world::{Job, Part, Past, Status, Task, Worker, World};

/// One thing that happens.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Move {
    /// A worker polls and is given the job.
    Poll(usize, usize),
    /// The job's event is delivered to a worker.
    Deliver(usize, usize),
    /// A worker's next request.
    Step(usize, Fate),
    /// A worker dies.
    Die(usize),
    /// A worker dies, and what it has just sent arrives all the same.
    DieSending(usize),
    /// A worker has no more to do, and its time is over.
    End(usize),
    /// A worker polls in vain and finds the job's claiming entry old enough; it waits.
    Look(usize, usize),
    /// It has waited, and polls again.
    LookAgain(usize),
    /// A worker takes the job's entry from the listing.
    Adopt(usize, usize),
    /// The lease of the job's claiming entry is over.
    Age(usize),
    /// The job is offered again.
    OfferAgain(usize),
    /// A late request of the job arrives.
    Arrive(usize, usize),
}

impl Setting {
    fn is_stranger(&self, i: usize) -> bool {
        self.stranger && i + 1 == self.workers
    }

    fn idle_moves(&self, world: &World, i: usize, moves: &mut Vec<Move>) {
        if i > 0 && !world.workers[i - 1].came && !self.is_stranger(i) {
            return;
        }
        let nothing_queued = world.jobs.iter().all(|job| job.status != Status::Queued);
        for (j, job) in world.jobs.iter().enumerate() {
            if job.status == Status::Queued && world.left.polls > 0 {
                moves.push(Move::Poll(i, j));
            }
            if self.is_stranger(i) {
                continue;
            }
            if self.delivered && world.left.deliveries > 0 {
                moves.push(Move::Deliver(i, j));
            }
            let Some(seen) = world.seen(i, j, None, self.rules.fresh_id) else { continue };
            match seen.phase {
                Phase::Claiming => match self.rules.adoption {
                    Adoption::AnyTime => moves.push(Move::Adopt(i, j)),
                    Adoption::AfterOnePoll if nothing_queued && world.is_old(j) => moves.push(Move::Adopt(i, j)),
                    Adoption::AfterTwoPolls if nothing_queued && world.is_old(j) => moves.push(Move::Look(i, j)),
                    _ => {}
                },
                Phase::Held | Phase::Reporting if seen.lease_over => moves.push(Move::Adopt(i, j)),
                Phase::Held | Phase::Reporting if seen.mine => moves.push(Move::End(i)),
                Phase::Held | Phase::Reporting | Phase::Done => {}
            }
        }
    }

    fn moves(&self, world: &World, moves: &mut Vec<Move>) {
        if world.jobs.iter().any(|job| job.past.broken.is_some()) {
            return;
        }
        for (j, job) in world.jobs.iter().enumerate() {
            if job.status == Status::Dispatched {
                moves.push(Move::OfferAgain(j));
            }
            if job.entry.is_some_and(|entry| entry.phase == Phase::Claiming && !entry.aged) {
                moves.push(Move::Age(j));
            }
            moves.extend((0..job.late.len()).map(|which| Move::Arrive(j, which)));
        }
        for (i, worker) in world.workers.iter().enumerate().filter(|(_, worker)| worker.alive) {
            match &worker.part {
                Part::Idle => self.idle_moves(world, i, moves),
                Part::Waiting { job, watched, stale, .. } => {
                    if *watched == 0 && !(*stale && world.jobs[*job].status == Status::Dispatched) {
                        moves.push(Move::LookAgain(i));
                    }
                }
                Part::On(task) => {
                    moves.push(Move::Step(i, Fate::Answered));
                    if world.left.faults > 0 {
                        fates(task, self, &mut |fate| moves.push(Move::Step(i, fate)));
                    }
                    if world.left.crashes > 0 {
                        moves.push(Move::Die(i));
                        if request(&mut world.clone(), i, &mut task.clone()).is_some() {
                            moves.push(Move::DieSending(i));
                        }
                    }
                }
                Part::Stranger { .. } => moves.push(Move::Step(i, Fate::Answered)),
            }
        }
    }

    fn make(&self, world: &mut World, what: Move) {
        match what {
            Move::Poll(i, job) => self.poll(world, i, job),
            Move::Deliver(i, job) => {
                world.left.deliveries -= 1;
                world.workers[i].came = true;
                begin(world, i, Task::new(job, State::delivered()), self);
            }
            Move::Step(i, fate) => match world.workers[i].part.clone() {
                Part::On(task) => {
                    step(world, i, task, fate, self);
                    let on_its_way = matches!(&world.workers[i].part, Part::On(task) if task.is_on_its_way());
                    if !on_its_way {
                        world.unwatch(i);
                    }
                }
                Part::Stranger { job, nonce, runs } => self.step_stranger(world, i, job, nonce, runs),
                Part::Idle | Part::Waiting { .. } => unreachable!("it has nothing to do"),
            },
            Move::Die(i) | Move::DieSending(i) => {
                if let Part::On(mut task) = world.workers[i].part.clone() {
                    world.jobs[task.job].past.died = true;
                    if what == Move::DieSending(i)
                        && let Some(late) = request(world, i, &mut task)
                    {
                        world.jobs[task.job].late.push(late);
                    }
                }
                world.left.crashes -= 1;
                world.workers[i].alive = false;
                world.leave(i);
            }
            Move::End(i) => world.workers[i].alive = false,
            Move::Look(i, job) => {
                let watched = (0..world.workers.len())
                    .filter(|&other| world.task(other, job).is_some_and(Task::is_on_its_way))
                    .fold(0, |watched, other| watched | 1 << other);
                let version = world.jobs[job].entry.expect("moves looks only at what there is").version;
                let stale = world.jobs[job].status == Status::Dispatched;
                world.workers[i].came = true;
                world.workers[i].part = Part::Waiting { job, version, watched, stale };
            }
            Move::LookAgain(i) => self.look_again(world, i),
            Move::Adopt(i, job) => {
                world.workers[i].came = true;
                self.adopt(world, i, job);
            }
            Move::Age(job) => {
                if let Some(entry) = &mut world.jobs[job].entry {
                    entry.aged = true;
                }
            }
            Move::OfferAgain(job) => world.offer_again(job, self),
            Move::Arrive(job, which) => world.arrive(job, which, self),
        }
    }

    fn poll(&self, world: &mut World, i: usize, job: usize) {
        let nonce = world.hand_out(job);
        world.workers[i].came = true;
        world.workers[i].part = if self.is_stranger(i) {
            Part::Stranger { job, nonce, runs: false }
        } else {
            let prompt = world.jobs[job].recent;
            Part::On(Task { nonce, prompt, ..Task::new(job, State::offered()) })
        };
    }

    fn look_again(&self, world: &mut World, i: usize) {
        let Part::Waiting { job, version, .. } = world.workers[i].part else { unreachable!("only who waits looks again") };
        world.workers[i].part = Part::Idle;
        if let Some(queued) = world.jobs.iter().position(|job| job.status == Status::Queued) {
            if world.left.polls > 0 {
                self.poll(world, i, queued);
            }
        } else if world.jobs[job].entry.is_some_and(|entry| entry.version == version) {
            self.adopt(world, i, job);
        }
    }

    fn adopt(&self, world: &mut World, i: usize, job: usize) {
        let seen = world.seen(i, job, None, self.rules.fresh_id).expect("moves looks only at what there is");
        let task = Task::new(job, State::found(&seen, true, self.afterwards));
        // A report that is sent again is the one found in the entry.
        begin(world, i, task, self);
    }

    fn step_stranger(&self, world: &mut World, i: usize, job: usize, nonce: u8, runs: bool) {
        world.workers[i].part = Part::Idle;
        if runs {
            world.report(job, i, false, self);
        } else if world.acknowledge(job, nonce, self) {
            let two = world.another_runs(i, job);
            world.break_if(job, two, broken::TWO_RUN);
            world.workers[i].part = Part::Stranger { job, nonce, runs: true };
        }
    }

    /// Nothing can happen any more, somebody is left, and yet a job was not reported.
    fn is_stuck(&self, world: &World) -> bool {
        let left = world.workers[..self.workers - usize::from(self.stranger)].iter().any(|worker| worker.alive);
        let waits = |job: &Job| match job.status {
            Status::Over => false,
            Status::Queued => world.left.polls > 0,
            // Delivered to one that died, or gave up, before its entry stood: no ledger can tell.
            Status::InProgress if self.delivered => job.entry.is_some(),
            Status::Dispatched | Status::InProgress => true,
        };
        if !left || !world.jobs.iter().any(waits) || world.workers.iter().any(|worker| matches!(worker.part, Part::On(_))) {
            return false;
        }
        let mut moves = Vec::new();
        self.moves(world, &mut moves);
        moves.is_empty() && world.jobs.iter().all(|job| job.past.broken.is_none())
    }
}

impl Model for Setting {
    type State = World;
    type Action = Move;

    fn init_states(&self) -> Vec<World> {
        let status = if self.delivered { Status::InProgress } else { Status::Queued };
        let job = Job { status, nonce: 1, recent: false, entry: None, late: Vec::new(), past: Past::default() };
        let worker = Worker { alive: true, came: false, part: Part::Idle };
        vec![World { jobs: vec![job; self.jobs], workers: vec![worker; self.workers], left: self.budget }]
    }

    fn actions(&self, world: &World, moves: &mut Vec<Move>) {
        self.moves(world, moves);
    }

    fn next_state(&self, world: &World, what: Move) -> Option<World> {
        let mut after = world.clone();
        self.make(&mut after, what);
        after.name_versions();
        Some(after)
    }

    fn properties(&self) -> Vec<Property<Self>> {
        fn holds<const WHICH: usize>(setting: &Setting, world: &World) -> bool {
            let what = broken::ALL[WHICH];
            !world.jobs.iter().any(|job| job.past.broken == Some(what))
                && (what != broken::STUCK || !setting.is_stuck(world))
        }
        vec![
            Property::always(broken::ALL[0], holds::<0>),
            Property::always(broken::ALL[1], holds::<1>),
            Property::always(broken::ALL[2], holds::<2>),
            Property::always(broken::ALL[3], holds::<3>),
            Property::always(broken::ALL[4], holds::<4>),
            Property::always(broken::ALL[5], holds::<5>),
            Property::always(broken::ALL[6], holds::<6>),
            Property::always(broken::ALL[7], holds::<7>),
            Property::always(broken::ALL[8], |_: &Self, world: &World| {
                !world.jobs.iter().any(|job| job.status != Status::Over && job.entry.is_some_and(|entry| entry.phase == Phase::Done))
            }),
            Property::always(broken::ALL[9], holds::<9>),
        ]
    }
}

#[expect(dead_code, reason = "")]
fn unused() -> u8 {
    number(0)
}
