//! The moves: all that can happen next.

use codepipeline_worker::lifecycle::protocol::limits::{MOST_REPORTS, adoptions, is_first_outcome};
use codepipeline_worker::lifecycle::protocol::{Command, Exit, Offers, Phase, State};
use stateright::{Model, Property};

use super::rules::{Adoption, Setting};
use super::service::broken;
use super::worker::{Fate, begin, fates, request, step};
use super::world::{Came, Entry, Job, Outside, Part, Past, Status, Task, Time, Worker, World};

/// One move.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Move {
    /// A worker polls and receives the job.
    Poll(usize, usize),
    /// A worker receives the job's event.
    Invoke(usize, usize),
    /// A worker's next request.
    Step(usize, Fate),
    /// A worker dies.
    Die(usize),
    /// A worker dies, and its last request arrives anyway.
    DieSending(usize),
    /// The invocation of two jobs dies, and both their last requests arrive.
    DieSendingBoth,
    /// A worker has nothing more to do, and its invocation ends.
    End(usize),
    /// A new worker comes, when none is left.
    Come,
    /// A worker finds the job's entry in the listing, after an empty poll if that matters.
    Find(usize, usize, Offers),
    /// A worker deletes the entry of a job that was claimed an hour ago and that CodePipeline does not show.
    Forget(usize),
    /// 30 s pass.
    Tick,
    /// The job is offered again.
    OfferAgain(usize),
    /// A late request of the job arrives.
    Arrive(usize, usize),
}

impl Setting {
    /// The workers with a ledger.
    fn ours<'a>(&self, world: &'a World) -> &'a [Worker] {
        &world.workers[..self.workers - usize::from(self.stranger)]
    }

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
            if self.invoked && world.left.invocations > 0 {
                moves.push(Move::Invoke(i, j));
            }
            let Some(seen) = world.seen(i, j, None, self.rules.fresh_id) else { continue };
            match seen.phase {
                Phase::Claiming if seen.lease_over || self.rules.adoption == Adoption::AnyTime => {
                    let entry = job.entry.expect("it was seen");
                    let offers = match self.rules.adoption {
                        Adoption::AnyTime => Offers::StillNone,
                        Adoption::Unmarked(age) if nothing_queued && entry.age >= age => Offers::StillNone,
                        Adoption::Marked(_) if nothing_queued && entry.marked && entry.is_old() => Offers::StillNone,
                        Adoption::Marked(age) if nothing_queued && !entry.marked && entry.age >= age => Offers::None,
                        _ => continue,
                    };
                    moves.push(Move::Find(i, j, offers));
                    let is_shown = job.status == Status::InProgress;
                    if offers == Offers::StillNone && !is_shown && job.late.is_empty() {
                        moves.push(Move::Forget(j));
                    }
                }
                Phase::Claiming => {}
                Phase::Held | Phase::Reporting if seen.lease_over => moves.push(Move::Find(i, j, Offers::Some)),
                Phase::Held | Phase::Reporting if seen.mine => moves.push(Move::End(i)),
                Phase::Held | Phase::Reporting | Phase::Done => {}
            }
        }
    }

    fn moves(&self, world: &World, moves: &mut Vec<Move>) {
        if world.is_settled() {
            return;
        }
        for (j, job) in world.jobs.iter().enumerate() {
            if job.status == Status::Dispatched {
                moves.push(Move::OfferAgain(j));
            }
            moves.extend((0..job.late.len()).map(|which| Move::Arrive(j, which)));
        }
        if self.is_tick_due(world) {
            moves.push(Move::Tick);
        }
        if !self.ours(world).iter().any(|worker| worker.alive) {
            moves.push(Move::Come);
        }
        for (i, worker) in world.workers.iter().enumerate().filter(|(_, worker)| worker.alive) {
            match &worker.part {
                Part::Idle => self.idle_moves(world, i, moves),
                Part::On(task) => {
                    moves.push(Move::Step(i, Fate::Answered));
                    if self.outside && task.state.command() == Command::Run {
                        moves.push(Move::Step(i, Fate::Continues));
                    }
                    if world.left.faults > 0 {
                        fates(task, self, &mut |fate| moves.push(Move::Step(i, fate)));
                    }
                    if world.left.crashes > 0 {
                        moves.push(Move::Die(i));
                        if request(&mut world.clone(), i, &mut task.clone(), self).is_some() {
                            moves.push(Move::DieSending(i));
                            if self.together && i == 0 && matches!(&world.workers[1].part, Part::On(_)) {
                                moves.push(Move::DieSendingBoth);
                            }
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
            Move::Forget(job) => world.jobs[job].entry = None,
            Move::Invoke(i, job) => {
                world.left.invocations -= 1;
                world.workers[i].came = true;
                begin(world, i, Task::new(job, State::invoked()), self);
            }
            Move::Step(i, fate) => match world.workers[i].part.clone() {
                Part::On(task) => {
                    step(world, i, task, fate, self);
                    let on_its_way = matches!(&world.workers[i].part, Part::On(task) if task.is_on_its_way());
                    if !on_its_way {
                        world.arrived(i);
                    }
                }
                Part::Stranger { job, nonce, runs } => self.step_stranger(world, i, job, nonce, runs),
                Part::Idle => unreachable!("it has nothing to do"),
            },
            Move::Die(i) | Move::DieSending(i) => {
                world.left.crashes -= 1;
                self.die(world, i, what == Move::DieSending(i));
                if self.together && i < 2 {
                    self.die(world, 1 - i, false);
                }
            }
            Move::DieSendingBoth => {
                world.left.crashes -= 1;
                self.die(world, 0, true);
                self.die(world, 1, true);
            }
            Move::End(i) => world.workers[i].alive = false,
            Move::Come => world.replace(0),
            Move::Find(i, job, offers) => self.find(world, i, job, offers),
            Move::Tick => self.tick(world),
            Move::OfferAgain(job) => world.offer_again(job, self),
            Move::Arrive(job, which) => world.arrive(job, which, self),
        }
    }

    /// Worker `i` dies. Its last request arrives if it `sends` one.
    fn die(&self, world: &mut World, i: usize, sends: bool) {
        // The request is named after the task's own names, which must be those of the world.
        world.name_versions();
        if let Part::On(mut task) = world.workers[i].part.clone() {
            world.jobs[task.job].past.died = true;
            if sends && let Some(late) = request(world, i, &mut task, self) {
                world.jobs[task.job].late.push(late);
            }
        }
        world.workers[i].alive = false;
        // The workers after it may come.
        world.workers[i].came = true;
        world.leave(i);
    }

    fn poll(&self, world: &mut World, i: usize, job: usize) {
        let nonce = world.hand_out(job);
        world.workers[i].came = true;
        world.workers[i].part = if self.is_stranger(i) {
            Part::Stranger { job, nonce, runs: false }
        } else {
            Part::On(Task { nonce, ..Task::new(job, State::offered()) })
        };
    }

    fn find(&self, world: &mut World, i: usize, job: usize, offers: Offers) {
        world.workers[i].came = true;
        let mut seen = world.seen(i, job, None, self.rules.fresh_id).expect("only what there is is found");
        seen.lease_over |= self.rules.adoption == Adoption::AnyTime;
        let entry = world.jobs[job].entry.expect("it was seen");
        let state = if entry.phase == Phase::Claiming || self.rules.adopts {
            State::found(&seen, offers, self.afterwards)
        } else {
            State::Over(Exit::Lost)
        };
        let task = Task {
            is_inferring: entry.phase == Phase::Claiming,
            inferred: entry.inferred,
            // More would only add states.
            adoptions: adoptions(entry.adoptions, entry.phase).min(MOST_REPORTS),
            came: match entry.phase {
                Phase::Reporting if self.outside => Came::WithOutcome { is_first: is_first_outcome(entry.adoptions) },
                Phase::Held if self.outside => Came::AfterAnother,
                _ => Came::First,
            },
            ending: entry.ending,
            ..Task::new(job, state)
        };
        begin(world, i, task, self);
    }

    /// Whether more time still changes something.
    fn ages(&self, world: &World) -> bool {
        world.jobs.iter().any(|job| {
            job.status == Status::Dispatched && job.handed_out < self.service.offers_again_after
                || job.entry.is_some_and(|entry| entry.phase == Phase::Claiming && entry.age < self.oldest(&entry))
        })
    }

    fn oldest(&self, entry: &Entry) -> Time {
        match self.rules.adoption {
            Adoption::Marked(age) | Adoption::Unmarked(age) if !entry.marked => age.max(1),
            _ => 1,
        }
    }

    /// Whether no worker would take longer than 30 s from poll to hold, and no offer last longer than the service's time.
    fn is_tick_due(&self, world: &World) -> bool {
        let late = |worker: &Worker| {
            worker.alive && matches!(&worker.part, Part::On(task) if task.is_on_its_way() && task.age >= 1)
        };
        let overdue = |job: &Job| job.status == Status::Dispatched && job.handed_out >= self.service.offers_again_after;
        self.ages(world) && !world.workers.iter().any(late) && !world.jobs.iter().any(overdue)
    }

    fn tick(&self, world: &mut World) {
        for job in &mut world.jobs {
            if job.status == Status::Dispatched {
                job.handed_out += 1;
            }
            if let Some(entry) = &mut job.entry
                && entry.phase == Phase::Claiming
            {
                entry.age = (entry.age + 1).min(self.oldest(entry));
            }
        }
        for worker in &mut world.workers {
            if let Part::On(task) = &mut worker.part
                && task.is_on_its_way()
            {
                task.age += 1;
            }
        }
    }

    fn step_stranger(&self, world: &mut World, i: usize, job: usize, nonce: u8, runs: bool) {
        world.workers[i].part = Part::Idle;
        if runs {
            world.report(job, i, None, self);
        } else if world.acknowledge(job, nonce, self) {
            let two = world.another_runs(i, job);
            world.break_if(job, two, broken::TWO_RUN);
            world.workers[i].part = Part::Stranger { job, nonce, runs: true };
        }
    }

    /// Nothing that can still happen changes anything, and yet a job was not reported. (An entry may be found again and again
    /// by workers that leave it alone.)
    fn is_stuck(&self, world: &World) -> bool {
        let waits = |job: &Job| match job.status {
            Status::Over => false,
            Status::Queued => world.left.polls > 0,
            // Given to one that died, or gave up, before its entry stood: no ledger can tell.
            Status::InProgress if self.invoked => job.entry.is_some(),
            Status::Dispatched | Status::InProgress => true,
        };
        world.jobs.iter().any(waits) && self.is_at_rest(world)
    }

    /// Nothing that can still happen changes anything, and yet the work of a job that has failed runs. (It may be a job that
    /// was reported before its work was begun, and that ran once more.)
    fn runs_on(&self, world: &World) -> bool {
        let runs = |job: &Job| job.status == Status::Over && job.past.outside == Outside::Runs;
        world.jobs.iter().any(runs) && self.is_at_rest(world)
    }

    fn is_at_rest(&self, world: &World) -> bool {
        // A poll would bring something, but there are no more polls to look at.
        if world.left.polls == 0 && world.jobs.iter().any(|job| job.status == Status::Queued) {
            return false;
        }
        if world.is_settled() || world.workers.iter().any(|worker| matches!(worker.part, Part::On(_))) {
            return false;
        }
        let mut moves = Vec::new();
        self.moves(world, &mut moves);
        moves.into_iter().all(|what| self.next_state(world, what).as_ref() == Some(world))
    }
}

impl Model for Setting {
    type State = World;
    type Action = Move;

    fn init_states(&self) -> Vec<World> {
        let status = if self.invoked { Status::InProgress } else { Status::Queued };
        let job = Job { status, nonce: 1, handed_out: 0, entry: None, late: Vec::new(), past: Past::default() };
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
                && (what != broken::STUCK || setting.may_hang || !setting.is_stuck(world))
                && (what != broken::RUNS_ON || !setting.outside || setting.lenient || !setting.runs_on(world))
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
                !world
                    .jobs
                    .iter()
                    .any(|job| job.status != Status::Over && job.entry.is_some_and(|entry| entry.phase == Phase::Done))
            }),
            Property::always(broken::ALL[9], holds::<9>),
            Property::always(broken::ALL[10], holds::<10>),
            Property::always(broken::ALL[11], holds::<11>),
        ]
    }
}
