//! What the worker's process is told about itself before it starts commands.

use std::io;

use rustix::process::{DumpableBehavior, getpid, set_child_subreaper, set_dumpable_behavior};
use rustix::thread::set_no_new_privs;

/// The first file descriptor after standard input, output and error.
const FIRST_OTHER: i32 = 3;

/// Makes this process safe to start commands from: non-dumpable, a subreaper, with no open file to hand down and no
/// privileges to be had.
///
/// *Non-dumpable* (`prctl(2)`, `PR_SET_DUMPABLE`): other processes of the same user can't read this one's environment and
/// memory through /proc, and with them the function's own AWS credentials. A command becomes dumpable again by being
/// executed, so it can look at itself.
///
/// *Subreaper* (`PR_SET_CHILD_SUBREAPER`): a process whose parent has died becomes a child of this one instead of vanishing
/// to init, so everything that a command started can be found and ended, daemons included.
///
/// *Close on exec*: what this process opens is closed in a command anyway, but not what it was started with. Whatever that is
/// (a log's socket, a file of whoever started the worker), it is none of a command's business.
///
/// *No new privileges* (`PR_SET_NO_NEW_PRIVS`): set-user-ID programs and file capabilities give a command nothing. It could
/// otherwise become a user who may read everything, and whose processes can't be killed. This is a property of the calling
/// thread, inherited by what it starts; the others are the whole process's.
///
/// `main` calls it once, at start; each command's start calls it again, on the thread that makes the process.
///
/// # Errors
/// When the kernel refuses one of these.
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
    fn the_process_is_not_dumpable_and_adopts_orphans_and_gains_nothing() {
        harden_process().unwrap();
        assert_eq!(dumpable_behavior().unwrap(), DumpableBehavior::NotDumpable);
        assert!(child_subreaper().unwrap().is_some());
        assert!(no_new_privs().unwrap());
    }

    #[test]
    fn a_file_that_commands_would_inherit_is_closed_for_them() {
        let file = tempfile::tempfile().unwrap();
        fcntl_setfd(&file, FdFlags::empty()).unwrap();
        harden_process().unwrap();
        assert_eq!(fcntl_getfd(&file).unwrap(), FdFlags::CLOEXEC);
    }
}
