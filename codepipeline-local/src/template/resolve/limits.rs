//! The limits of an evaluation: how deep it goes, and how much it makes.

use serde_json::Value;

use super::{BUDGET, Resolved, Resolver};
use crate::template::place::Place;

/// How deep values may be nested and refer to each other. A test shows that the 2 MiB of a thread suffice without optimizations.
const MAX_DEPTH: usize = 120;

/// How many bytes of the budget an evaluation takes in addition to its text.
const STEP: usize = 32;

impl Resolver<'_> {
    /// Evaluates something one level deeper, if the limits allow it.
    pub(super) fn deeper<T>(
        &mut self,
        place: &Place<'_>,
        evaluate: impl FnOnce(&mut Self) -> Resolved<T>,
    ) -> Resolved<T> {
        if self.depth == MAX_DEPTH {
            return self.unresolved(place, format!("refers to others over more than {MAX_DEPTH} steps"));
        }
        self.charge(STEP, place)?;
        self.depth += 1;
        let value = evaluate(self);
        self.depth -= 1;
        value
    }

    /// Checks the length of a text that a function made.
    pub(super) fn made(&mut self, text: String, place: &Place<'_>) -> Resolved {
        self.charge(text.len(), place)?;
        Ok(Value::String(text))
    }

    /// Takes the amount from the budget. Once it does not suffice, nothing more is evaluated.
    pub(super) fn charge(&mut self, amount: usize, place: &Place<'_>) -> Resolved<()> {
        let left = self.left.checked_sub(amount);
        self.left = left.unwrap_or_default();
        match left {
            Some(_) => Ok(()),
            None => {
                let begun = self.under_way.first().map_or_else(String::new, |what| format!(", which {what} needs"));
                let message = format!(
                    "the template makes too many values, or values that are too long{begun}: more than {} MiB in all",
                    BUDGET >> 20
                );
                self.unresolved(place, message)
            }
        }
    }
}
