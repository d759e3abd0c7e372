//! A worker: it gives all that it learns to `protocol::next`, and does what that returns.

use codepipeline_worker::lifecycle::protocol::limits::{is_first_outcome, is_over};
use codepipeline_worker::lifecycle::protocol::{Afterwards, Aim, Command, Event, Exit, Phase, State, next};

use super::rules::Setting;
use super::service::broken;
use super::world::{Came, Ending, Entry, Late, Outside, Part, Status, Task, Version, World};

/// The fate of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Fate {
    /// It takes effect and is answered.
    Answered,
    /// It never arrives.
    Lost,
    /// It arrives, now or later, and is unanswered.
    Late,
    /// Another write is under way (409).
    Conflict,
    /// Time is up.
    GivenUp,
    /// The action continues where it could have failed. This is not a fault.
    Continues,
}

/// The fates of a worker's next request, apart from a plain response.
pub fn fates(task: &Task, setting: &Setting, add: &mut impl FnMut(Fate)) {
    let faults = setting.faults;
    let mut may = |fate, allowed: bool| {
        if allowed {
            add(fate);
        }
    };
    match task.state.command() {
        Command::Write { aim, .. } => {
            may(Fate::Lost, faults.lost);
            may(Fate::Late, faults.late);
            may(Fate::Conflict, faults.conflict);
            may(Fate::GivenUp, may_give_up(aim, setting));
        }
        Command::Read => {
            let State::Reading { aim, .. } = task.state else { unreachable!("only this state reads") };
            may(Fate::GivenUp, may_give_up(aim, setting));
        }
        Command::Delete(_) => {
            may(Fate::Late, faults.late);
            may(Fate::GivenUp, faults.lost || faults.no_claim);
        }
        Command::Acknowledge => {
            may(Fate::Lost, faults.lost);
            may(Fate::Late, faults.late);
            may(Fate::GivenUp, faults.no_service);
        }
        Command::Report => {
            may(Fate::Late, faults.late);
            may(Fate::GivenUp, faults.no_service);
        }
        Command::Stop => may(Fate::GivenUp, faults.no_outside),
        Command::Run | Command::Fail | Command::Leave(_) => {}
    }
}

fn may_give_up(aim: Aim, setting: &Setting) -> bool {
    match aim {
        Aim::Claim | Aim::Mark | Aim::Adopt(_) | Aim::AdoptReport => setting.faults.no_claim,
        Aim::Hold => setting.faults.no_hold,
        Aim::Outcome | Aim::Done => setting.faults.no_outcome,
    }
}

/// The next request of worker `i`, if it may take effect late.
pub fn request(world: &mut World, i: usize, task: &mut Task, setting: &Setting) -> Option<Late> {
    match task.state.command() {
        Command::Write { aim, over } => Some(Late::Write { over, entry: entry(world, i, task, aim) }),
        Command::Delete(over) => Some(Late::Delete { over: setting.rules.conditional_delete.then_some(over) }),
        Command::Acknowledge => Some(Late::Acknowledge { nonce: task.nonce }),
        Command::Report => Some(Late::Report { by: number(i), ending: task.ending }),
        Command::Read | Command::Run | Command::Fail | Command::Stop | Command::Leave(_) => None,
    }
}

/// The entry to write. A retry writes the same one.
fn entry(world: &mut World, i: usize, task: &mut Task, aim: Aim) -> Entry {
    let version = match task.write {
        Some((before, version)) if before == aim => version,
        _ => world.fresh(),
    };
    task.write = Some((aim, version));
    task.inferred |= task.is_inferring && matches!(aim, Aim::Adopt(_));
    Entry {
        version,
        phase: aim.phase(),
        owner: number(i),
        age: 0,
        marked: aim == Aim::Mark,
        awaited: 0,
        inferred: task.inferred,
        adoptions: task.adoptions,
        ending: task.ending.filter(|_| aim.phase() == Phase::Reporting),
    }
}

/// One request of worker `i`.
pub fn step(world: &mut World, i: usize, mut task: Task, fate: Fate, setting: &Setting) {
    let job = task.job;
    world.left.faults -= u8::from(!matches!(fate, Fate::Answered | Fate::Continues));
    // Versions may be renumbered here, and the task must take part.
    world.workers[i].part = Part::On(task.clone());
    world.name_versions();
    let Part::On(named) = &world.workers[i].part else { unreachable!("it was just put there") };
    task = named.clone();
    if let (Fate::Late, Some(late)) = (fate, request(world, i, &mut task, setting)) {
        world.jobs[job].late.push(late);
    }
    let event = match fate {
        Fate::Answered => answer(world, i, &mut task, setting),
        Fate::Continues => {
            task.ran = true;
            task.ending = Some(Ending::Continuation);
            Some(Event::Ended)
        }
        Fate::Lost | Fate::Late => {
            task.unanswered |= setting.outside && task.state.command() == Command::Report;
            if let Command::Write { aim, .. } = task.state.command() {
                entry(world, i, &mut task, aim);
            }
            Some(Event::Unanswered)
        }
        Fate::Conflict => {
            if let Command::Write { aim, .. } = task.state.command() {
                entry(world, i, &mut task, aim);
            }
            Some(Event::Refused)
        }
        Fate::GivenUp => {
            let ledger = matches!(task.state, State::Writing { .. } | State::Reading { .. });
            let past = &mut world.jobs[job].past;
            past.given_up |= ledger;
            let was_sent = matches!(task.write, Some((Aim::Hold | Aim::Adopt(_), _)));
            let is_untold = matches!(task.state, State::Reporting { entry: None });
            past.out_of_reach |= ledger && was_sent || is_untold;
            Some(if may_not_be_stopped_later(&task) { Event::Stopped } else { Event::GivenUp })
        }
    };
    let event = event.filter(|event| match (event, task.state.command()) {
        // The report is retried, whether or not the first try took effect.
        (Event::Unanswered, Command::Report) => false,
        (Event::Unanswered, Command::Acknowledge) => setting.rules.visible_retry,
        _ => true,
    });
    match event {
        Some(event) => tell(world, i, task, event, setting),
        None => world.workers[i].part = Part::On(task),
    }
}

fn answer(world: &mut World, i: usize, task: &mut Task, setting: &Setting) -> Option<Event<Version>> {
    let job = task.job;
    Some(match task.state.command() {
        Command::Write { aim: Aim::Done, over } if !setting.rules.mark_done => {
            world.delete(job, over);
            Event::Written(0)
        }
        Command::Write { aim, over } => {
            let entry = entry(world, i, task, aim);
            if world.put(job, over, entry) { Event::Written(entry.version) } else { Event::Refused }
        }
        Command::Read => {
            let mut seen = world.seen(i, job, task.write.map(|(_, version)| version), setting.rules.fresh_id);
            if let Some(seen) = &mut seen {
                seen.written &= setting.rules.read_back;
            }
            Event::Found(seen)
        }
        Command::Delete(over) => {
            world.delete(job, setting.rules.conditional_delete.then_some(over));
            Event::Written(0)
        }
        Command::Acknowledge => {
            if world.acknowledge(job, task.nonce, setting) {
                Event::InProgress
            } else {
                Event::NotGiven
            }
        }
        Command::Run => {
            task.ran = true;
            task.ending = setting.outside.then_some(Ending::Failure);
            Event::Ended
        }
        Command::Fail => {
            let past = world.jobs[job].past;
            // CodePipeline refuses the failure of a job that has ended.
            let has_ended = world.jobs[job].status == Status::Over;
            world.break_if(job, !past.died && !past.out_of_reach && !has_ended, broken::FAILED);
            task.ending = setting.outside.then_some(Ending::Failure);
            Event::Ended
        }
        Command::Report => {
            let is_last = is_over(task.inferred, task.adoptions);
            let taken = world.report(job, i, task.ending, setting);
            let record = &mut world.jobs[job];
            record.past.abandoned |= !taken && task.inferred && is_last && record.status != Status::Over;
            let has_failed = task.ending == Some(Ending::Failure);
            let stops = has_failed && (taken || task.unanswered || stops_if_refused(task, setting));
            match (taken || is_last || !setting.rules.untaken, stops) {
                (true, true) if setting.rules.stops_before_done => Event::ReportedButRunning,
                (true, stops) => {
                    task.owes_stop = stops;
                    Event::Reported
                }
                (false, stops) => {
                    // Another worker finds the outcome and reports the failure, so no job needs the work.
                    if stops {
                        world.stop(job);
                    }
                    Event::NotInProgress
                }
            }
        }
        Command::Stop => {
            world.stop(job);
            Event::Stopped
        }
        Command::Leave(_) => return None,
    })
}

/// Whether it stops the work of a failed job although the report is refused (`lifecycle/reporting.rs`).
fn stops_if_refused(task: &Task, setting: &Setting) -> bool {
    match task.came {
        Came::First => true,
        Came::AfterAnother => !setting.rules.leaves_others,
        Came::WithOutcome { is_first } => setting.rules.stops_adopted && is_first,
    }
}

/// Whether no other worker will stop the work that this one could not stop, so that it marks the job nevertheless.
fn may_not_be_stopped_later(task: &Task) -> bool {
    match task.state {
        State::Stopping { entry } => entry.is_none() || !is_first_outcome(task.adoptions),
        _ => false,
    }
}

/// Tells worker `i` an event, and starts its next command.
fn tell(world: &mut World, i: usize, mut task: Task, event: Event<Version>, setting: &Setting) {
    let job = task.job;
    let before = task.state.clone();
    let repeated =
        event == Event::Unanswered && matches!(before, State::Vouching | State::Acknowledging { unanswered: true, .. });
    let found = matches!(event, Event::Found(_));
    let (mut state, _) = next(before.clone(), event);
    world.break_if(job, state == before && !repeated, broken::UNANSWERED);
    if state == State::Vouching && !setting.rules.vouching {
        state = State::Over(Exit::Lost);
    }
    if matches!(before, State::Writing { aim: Aim::AdoptReport, .. } | State::Reading { aim: Aim::AdoptReport, .. })
        && matches!(state, State::Reporting { .. })
        && !setting.rules.sends_adopted
    {
        state = State::Over(Exit::Unreported);
    }
    world.break_if(job, state == State::Over(Exit::HoldLost), broken::HOLD_LOST);
    let left = found
        && matches!(before, State::Reading { aim: Aim::Claim, .. })
        && matches!(state, State::Over(_))
        && world.jobs[job].status != Status::InProgress
        && world.jobs[job].status != Status::Over
        && world.jobs[job].entry.is_some_and(|entry| entry.phase != Phase::Claiming);
    world.break_if(job, left, broken::LEFT);
    if matches!(state, State::Over(_)) && std::mem::take(&mut task.owes_stop) {
        state = State::Stopping { entry: None };
    } else if matches!(before, State::Stopping { .. }) && !setting.rules.stops_before_done {
        state = State::Over(Exit::Done);
    }
    task.state = state;
    begin(world, i, task, setting);
}

/// Puts worker `i` into the state of its task.
pub fn begin(world: &mut World, i: usize, mut task: Task, setting: &Setting) {
    match &task.state {
        State::Writing { aim: Aim::Hold, .. } if !setting.rules.waits_for_hold && !task.early => {
            task.early = true;
            run(world, i, task.job, setting);
        }
        State::Running { afterwards: Afterwards::Run, .. } if !task.early => run(world, i, task.job, setting),
        State::Over(_) => {
            world.leave(i);
            return;
        }
        _ => {}
    }
    world.workers[i].part = Part::On(task.forget());
}

/// Worker `i` starts the job's action.
fn run(world: &mut World, i: usize, job: usize, setting: &Setting) {
    let wrong = world.jobs[job].status != Status::InProgress && !setting.lenient;
    world.break_if(job, wrong, broken::NOT_IN_PROGRESS);
    let two = world.another_runs(i, job);
    world.break_if(job, two, broken::TWO_RUN);
    let past = &mut world.jobs[job].past;
    past.runs = (past.runs + 1).min(2);
    let again = setting.afterwards == Afterwards::Run && (past.died || past.given_up);
    let wrong = past.runs > 1 && !again;
    if setting.outside && past.outside == Outside::None {
        past.outside = Outside::Runs;
    }
    world.break_if(job, wrong, broken::RAN_TWICE);
}

impl World {
    /// Worker `i` leaves its job.
    pub fn leave(&mut self, i: usize) {
        self.workers[i].part = Part::Idle;
        self.arrived(i);
    }

    /// The work outside of the job is stopped.
    fn stop(&mut self, job: usize) {
        let is_needed = self.jobs[job].past.outside == Outside::Needed;
        self.break_if(job, is_needed, broken::NEEDED);
        self.jobs[job].past.outside = Outside::Stopped;
    }

    /// Worker `i` is no longer between a poll and a hold.
    pub fn arrived(&mut self, i: usize) {
        for entry in self.jobs.iter_mut().filter_map(|job| job.entry.as_mut()) {
            entry.awaited &= !(1 << i);
        }
    }
}

#[expect(clippy::cast_possible_truncation, reason = "a handful of workers")]
pub fn number(i: usize) -> u8 {
    i as u8
}
