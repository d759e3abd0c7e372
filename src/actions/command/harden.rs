//! Protects the worker's process from the commands that it starts.

use std::io;

use rustix::process::{DumpableBehavior, getpid, set_child_subreaper, set_dumpable_behavior};
use rustix::thread::set_no_new_privs;

/// The first file descriptor after standard input, output and error.
const FIRST_OTHER: i32 = 3;

/// Protects this process from the commands that it starts.
///
/// *Non-dumpable* (`prctl(2)`, `PR_SET_DUMPABLE`): other processes of the same user can't read this process's environment and
/// memory through /proc. These contain the function's own AWS credentials. A command becomes dumpable again when it is executed.
///
/// *Subreaper* (`PR_SET_CHILD_SUBREAPER`): a process whose parent dies becomes a child of this process instead of init. So the worker
/// can find and kill all processes of a command, including daemons.
///
/// *Close on exec*: a command does not inherit the files that this process was started with, such as a log's socket. It never
/// inherits files that this process opens itself.
///
/// *No new privileges* (`PR_SET_NO_NEW_PRIVS`): set-user-ID programs and file capabilities have no effect for a command. Otherwise it
/// could become a user who can read everything and whose processes can't be killed. This setting belongs to the calling thread, and
/// its children inherit it. The other settings belong to the whole process.
///
/// `main` calls this once. The start of each command calls it again, on the thread that creates the process.
///
/// # Errors
/// If the kernel refuses a setting.
pub fn harden_process() -> io::Result<()> {
    set_dumpable_behavior(DumpableBehavior::NotDumpable)?;
    set_child_subreaper(Some(getpid()))?;
    set_no_new_privs(true)?;
    close_fds::set_fds_cloexec_threadsafe(FIRST_OTHER, &[]);
    Ok(())
}

#[cfg(test)]
mod tests {
    use rustix::io::{FdFlags, fcntl_getfd, fcntl_setfd};
    use rustix::process::{child_subreaper, dumpable_behavior};
    use rustix::thread::no_new_privs;

    use super::*;

    #[test]
    fn the_process_is_undumpable_and_a_subreaper() {
        harden_process().unwrap();
        assert_eq!(dumpable_behavior().unwrap(), DumpableBehavior::NotDumpable);
        assert!(child_subreaper().unwrap().is_some());
        assert!(no_new_privs().unwrap());
    }

    #[test]
    fn commands_inherit_no_open_file() {
        let file = tempfile::tempfile().unwrap();
        fcntl_setfd(&file, FdFlags::empty()).unwrap();
        harden_process().unwrap();
        assert_eq!(fcntl_getfd(&file).unwrap(), FdFlags::CLOEXEC);
    }
}
