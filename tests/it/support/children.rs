//! A lock that separates the child processes of the worker from those of the tests.
//!
//! While the worker runs a command in this process, it takes every new child of the process for a child of the command,
//! and kills it when the command ends. All tests share the process. So a test that starts processes, such as the real
//! binary, must not overlap with a test whose worker runs commands here.

use std::sync::{Condvar, Mutex, PoisonError};

/// Why a test holds the lock. Tests with the same reason overlap.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Doing {
    /// A worker in this process runs commands.
    Commands,
    /// A test starts processes.
    Processes,
    /// One test does both.
    Both,
}

struct Holders {
    doing: Doing,
    number: usize,
}

static HOLDERS: Mutex<Holders> = Mutex::new(Holders { doing: Doing::Both, number: 0 });
static RELEASED: Condvar = Condvar::new();

/// The lock, held until this is dropped.
#[must_use]
pub(crate) struct Children(Doing);

impl Children {
    /// Waits until no other test starts processes, so that a worker in this process may run commands.
    pub(crate) fn of_commands() -> Self {
        Self::acquire(Doing::Commands)
    }

    /// Waits until no worker in this process runs commands, so that this test may start processes.
    pub(crate) fn of_the_test() -> Self {
        Self::acquire(Doing::Processes)
    }

    /// Waits until no other test has children, so that this test may both run commands and start processes.
    pub(crate) fn all() -> Self {
        Self::acquire(Doing::Both)
    }

    /// Blocks the thread: the holders are tests with threads of their own.
    fn acquire(doing: Doing) -> Self {
        let mut holders = HOLDERS.lock().unwrap_or_else(PoisonError::into_inner);
        while holders.number > 0 && (holders.doing != doing || doing == Doing::Both) {
            holders = RELEASED.wait(holders).unwrap_or_else(PoisonError::into_inner);
        }
        *holders = Holders { doing, number: holders.number + 1 };
        Self(doing)
    }

    /// Fails the test unless its worker may run commands in this process.
    pub(crate) fn assert_of_commands(&self) {
        assert_ne!(self.0, Doing::Processes, "a test that starts processes can't have its worker run commands here");
    }

    /// Fails the test unless it may start processes.
    pub(crate) fn assert_of_the_test(&self) {
        assert_ne!(self.0, Doing::Commands, "a test whose worker runs commands here can't start processes");
    }
}

impl Drop for Children {
    fn drop(&mut self) {
        HOLDERS.lock().unwrap_or_else(PoisonError::into_inner).number -= 1;
        RELEASED.notify_all();
    }
}
