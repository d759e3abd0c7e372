//! Runs a Lambda function on this machine: any bootstrap as a process that gets events through the Lambda Runtime API
//! (Lambda Developer Guide, "Using the Lambda runtime API"; version 2018-06-01).

mod endpoint;
mod function;
mod process;
mod program;
mod schedule;
mod settings;
mod waking;

pub use function::Function;
pub(crate) use program::check_command;
pub use schedule::{Schedule, scheduled_event};
pub use settings::{FunctionSettings, Invocation, LineTaker, Output};
pub use waking::{Functions, Waking};

#[cfg(test)]
mod tests;
