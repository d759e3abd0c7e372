//! Runs tasks on several threads and takes their results in the order of the tasks.
//!
//! The calling thread supplies the tasks and takes the results. It also runs tasks while it has nothing else to do. So
//! `threads` threads are busy, and with one thread no other is started. All threads have ended when [`in_order`] returns.

use std::collections::VecDeque;
use std::panic::resume_unwind;
use std::sync::mpsc::{Receiver, SyncSender, TryRecvError, sync_channel};
use std::thread;

use super::queue::{CloseOnDrop, Queue};

/// How many threads run, and how much they may hold in memory.
#[derive(Clone, Copy)]
pub(super) struct Crew {
    pub(super) threads: usize,
    /// The most bytes of all tasks that are supplied and whose results are not taken yet. One task may exceed it.
    pub(super) bytes_in_flight: usize,
}

/// A task with the bytes that it and its result hold.
pub(super) struct Weighed<T> {
    pub(super) task: T,
    pub(super) bytes: usize,
}

type Waiting<T, R> = (T, SyncSender<R>);

/// Supplies the tasks of `tasks` until the first error. Runs them, and gives the results to `take`. `new_worker` is called once
/// on each thread.
///
/// # Errors
/// Returns the first error of `take`, or else the error of `tasks`. The other threads then finish only what they have begun.
///
/// # Panics
/// Panics if a task has panicked.
pub(super) fn in_order<T: Send, R: Send, E, W: FnMut(T) -> R>(
    crew: Crew,
    tasks: impl Iterator<Item = Result<Weighed<T>, E>>,
    new_worker: impl Fn() -> W + Sync,
    take: impl FnMut(R) -> Result<(), E>,
) -> Result<(), E> {
    let queue = Queue::new();
    let (queue, new_worker) = (&queue, &new_worker);
    let span = tracing::Span::current();
    thread::scope(|scope| {
        let closing = CloseOnDrop(queue);
        let work = || span.in_scope(|| run_tasks(queue, new_worker()));
        // Where the system refuses a thread, those that run do its work.
        let start = |_| thread::Builder::new().name("pack".to_owned()).spawn_scoped(scope, work).ok();
        let others: Vec<_> = (1..crew.threads).map_while(start).collect();
        let ended =
            Calling { queue, crew, tasks, worker: new_worker(), take, in_flight: VecDeque::new(), bytes: 0 }.run();
        drop(closing);
        for thread in others {
            thread.join().unwrap_or_else(|panic| resume_unwind(panic));
        }
        ended.expect("a task is lost only by a panic, which was resumed above")
    })
}

fn run_tasks<T, R>(queue: &Queue<Waiting<T, R>>, mut worker: impl FnMut(T) -> R) {
    while let Some((task, result)) = queue.take() {
        // The receiver is gone if the calling thread has returned.
        let _ = result.send(worker(task));
    }
}

/// The work of the calling thread.
struct Calling<'q, T, R, I, W, F> {
    queue: &'q Queue<Waiting<T, R>>,
    crew: Crew,
    tasks: I,
    worker: W,
    take: F,
    /// The results to come, in order, with the bytes of their tasks.
    in_flight: VecDeque<(Receiver<R>, usize)>,
    bytes: usize,
}

impl<T, R, E, I, W, F> Calling<'_, T, R, I, W, F>
where
    I: Iterator<Item = Result<Weighed<T>, E>>,
    W: FnMut(T) -> R,
    F: FnMut(R) -> Result<(), E>,
{
    /// Returns `None` if a result is missing, because its task has panicked on another thread.
    fn run(mut self) -> Option<Result<(), E>> {
        let mut end = None;
        loop {
            let oldest = self.in_flight.front().map(|(result, _)| result.try_recv());
            match oldest {
                Some(Ok(result)) => {
                    if let Err(error) = self.took(result) {
                        return Some(Err(error));
                    }
                }
                Some(Err(TryRecvError::Disconnected)) => return None,
                None if end.is_some() => return end,
                _ if end.is_none() && self.has_room() => match self.tasks.next() {
                    Some(Ok(task)) => self.supply(task),
                    Some(Err(error)) => end = Some(Err(error)),
                    None => end = Some(Ok(())),
                },
                _ => {
                    if let Err(error) = self.help_or_wait()? {
                        return Some(Err(error));
                    }
                }
            }
        }
    }

    fn has_room(&self) -> bool {
        self.bytes < self.crew.bytes_in_flight
    }

    fn supply(&mut self, Weighed { task, bytes }: Weighed<T>) {
        let (sender, receiver) = sync_channel(1);
        self.in_flight.push_back((receiver, bytes));
        self.bytes += bytes;
        self.queue.push((task, sender));
    }

    /// Runs a task. If none is left, waits for the oldest result.
    fn help_or_wait(&mut self) -> Option<Result<(), E>> {
        if let Some((task, result)) = self.queue.try_take() {
            let _ = result.send((self.worker)(task));
            return Some(Ok(()));
        }
        let result = self.in_flight.front()?.0.recv().ok()?;
        Some(self.took(result))
    }

    fn took(&mut self, result: R) -> Result<(), E> {
        self.bytes -= self.in_flight.pop_front().map_or(0, |(_, bytes)| bytes);
        (self.take)(result)
    }
}
