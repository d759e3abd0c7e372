//! Archives of other tools, unpacked by the worker and by the reference tool; and outputs of the worker, read by other tools.
//!
//! The tests need the tools that `.ci/archives` installs: run them with it.

mod case;
mod inputs;
mod outputs;
mod tools;
mod tree;
