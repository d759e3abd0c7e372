//! Numbers of executions, actions and jobs.

use std::fmt;

use serde::{Deserialize, Serialize};

/// The series of all numbers. A later thing has a greater number.
#[derive(Clone, Copy, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(transparent)]
pub(in crate::engine) struct Numbers {
    /// The last number.
    last: u64,
}

impl Numbers {
    /// Returns the next number.
    pub(in crate::engine) fn next<N: From<u64>>(&mut self) -> N {
        self.last += 1;
        self.last.into()
    }
}

macro_rules! number {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize, Serialize)]
        #[serde(transparent)]
        pub(crate) struct $name(u64);

        impl From<u64> for $name {
            fn from(number: u64) -> Self {
                Self(number)
            }
        }

        impl From<$name> for u64 {
            fn from($name(number): $name) -> Self {
                number
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }
    };
}

number!(
    /// The number of an execution of a pipeline.
    ExecutionNumber
);
number!(
    /// The number of an execution of an action.
    ActionNumber
);
number!(
    /// The number of a job.
    JobNumber
);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_saved_as_plain_integers() {
        let mut numbers: Numbers = serde_json::from_str("41").unwrap();
        let job: JobNumber = numbers.next();
        assert_eq!(serde_json::to_string(&(numbers, job, ExecutionNumber(7))).unwrap(), "[42,42,7]");
        assert_eq!(serde_json::from_str::<ActionNumber>("7").unwrap(), ActionNumber(7));
    }
}
