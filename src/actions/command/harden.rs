//! What the worker's process is told about itself before it starts commands.

use std::io;

use rustix::process::{DumpableBehavior, getpid, set_child_subreaper, set_dumpable_behavior};

/// Makes this process safe to start commands from: non-dumpable, and a subreaper.
///
/// *Non-dumpable* (`prctl(2)`, `PR_SET_DUMPABLE`): other processes of the same user can't read this one's environment and
/// memory through /proc, and with them the function's own AWS credentials. A command becomes dumpable again by being
/// executed, so it can look at itself.
///
/// *Subreaper* (`PR_SET_CHILD_SUBREAPER`): a process whose parent has died becomes a child of this one instead of vanishing
/// to init, so everything that a command started can be found and ended, daemons included.
///
/// `main` calls it once, at start; a command calls it again, which changes nothing.
///
/// # Errors
/// When the kernel refuses one of the two.
pub fn harden_process() -> io::Result<()> {
    set_dumpable_behavior(DumpableBehavior::NotDumpable)?;
    set_child_subreaper(Some(getpid()))?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use rustix::process::{child_subreaper, dumpable_behavior};

    use super::*;

    #[test]
    fn the_process_is_not_dumpable_and_adopts_orphans() {
        harden_process().unwrap();
        assert_eq!(dumpable_behavior().unwrap(), DumpableBehavior::NotDumpable);
        assert!(child_subreaper().unwrap().is_some());
    }
}
