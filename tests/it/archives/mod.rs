//! Compares archives of other tools, unpacked by the worker and by a reference tool. Reads the worker's outputs with other tools.
//!
//! Run the tests with `.ci/archives`, which installs the tools.

mod case;
mod inputs;
mod outputs;
mod tools;
mod tree;
