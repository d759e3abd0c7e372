//! The tasks that wait for a thread.

use std::collections::VecDeque;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

/// A queue from which several threads take tasks.
pub(super) struct Queue<T> {
    state: Mutex<State<T>>,
    changed: Condvar,
}

struct State<T> {
    tasks: VecDeque<T>,
    closed: bool,
}

impl<T> Queue<T> {
    pub(super) fn new() -> Self {
        Self { state: Mutex::new(State { tasks: VecDeque::new(), closed: false }), changed: Condvar::new() }
    }

    pub(super) fn push(&self, task: T) {
        self.state().tasks.push_back(task);
        self.changed.notify_one();
    }

    /// Takes the oldest task, if there is one.
    pub(super) fn try_take(&self) -> Option<T> {
        self.state().tasks.pop_front()
    }

    /// Takes the oldest task. Waits for one. Returns `None` if the queue is closed.
    pub(super) fn take(&self) -> Option<T> {
        let waits = |state: &mut State<T>| state.tasks.is_empty() && !state.closed;
        let state = self.changed.wait_while(self.state(), waits);
        state.unwrap_or_else(PoisonError::into_inner).tasks.pop_front()
    }

    /// Drops all tasks. A thread that waits for one gets `None`.
    pub(super) fn close(&self) {
        let mut state = self.state();
        state.closed = true;
        let dropped = std::mem::take(&mut state.tasks);
        drop(state);
        drop(dropped);
        self.changed.notify_all();
    }

    /// A task never panics while the lock is held.
    fn state(&self) -> MutexGuard<'_, State<T>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Closes the queue when dropped, also by a panic, so that no thread waits for ever.
pub(super) struct CloseOnDrop<'q, T>(pub(super) &'q Queue<T>);

impl<T> Drop for CloseOnDrop<'_, T> {
    fn drop(&mut self) {
        self.0.close();
    }
}
