//! Holds a claimed job in the ledger. Meanwhile the job's inputs are staged in; its action waits at the [`Gate`].

use tokio::sync::watch;
use tokio::time::Instant;

use super::End;
use super::intake::log_exit;
use super::keeper::Keeper;
use super::protocol::limits::ON_THE_WAY;
use super::protocol::{Command, Exit};

/// How the worker comes to hold the job.
pub(super) enum Holding {
    /// It acknowledged the job, which it polled at this time.
    Polled(Instant),
    /// The job arrived in an event. The worker waits for the ledger until this time.
    Invoked(Instant),
    /// It adopted the job, so it holds it already.
    Adopted,
}

impl Holding {
    /// Writes the hold, and opens the gate if the worker holds the job.
    pub(super) async fn write(self, keeper: &mut Keeper, gate: Opener) -> Result<(), End> {
        let until = match self {
            // Adoption assumes that no worker takes longer than this from poll to hold.
            Self::Polled(polled_at) => polled_at + ON_THE_WAY,
            Self::Invoked(until) => until,
            Self::Adopted => {
                gate.open();
                return Ok(());
            }
        };
        match (keeper.settle(until).await, self) {
            (Command::Run, _) => {
                gate.open();
                Ok(())
            }
            (Command::Leave(exit), Self::Polled(_)) => {
                log_exit(exit, "", keeper.is_kept());
                Err(End::of_offer(exit))
            }
            // No later invocation finds the job: the ledger never had it.
            (Command::Leave(Exit::NotHeld), _) => {
                tracing::error!(
                    "could not reach the ledger, so the job was not started: it hangs until its action times out"
                );
                Err(End::NoLedger)
            }
            (_, Self::Invoked(_)) => {
                tracing::info!("ignored the event: the ledger says that another invocation has the job");
                Err(End::Lost)
            }
            // The protocol reports nothing before the hold.
            (_, _) => Err(End::Lost),
        }
    }
}

/// Where an action waits until its worker holds the job. It never opens if its [`Opener`] is dropped.
#[derive(Clone)]
pub(super) struct Gate(watch::Receiver<bool>);

/// Opens a [`Gate`].
pub(super) struct Opener(watch::Sender<bool>);

pub(super) fn gate() -> (Opener, Gate) {
    let (opener, gate) = watch::channel(false);
    (Opener(opener), Gate(gate))
}

impl Gate {
    /// Waits until the gate opens. Returns whether it did.
    pub(super) async fn opens(&self) -> bool {
        self.0.clone().wait_for(|is_open| *is_open).await.is_ok()
    }
}

impl Opener {
    fn open(self) {
        let _ = self.0.send(true);
    }
}
