//! Comparisons with numbers.

use serde_json::{Number, Value};

/// The largest absolute value that is compared (EventBridge User Guide, "Numeric matching").
const LARGEST: f64 = 5.0e9;

/// A range of numbers. Each end says whether the range includes it.
#[derive(Debug, PartialEq)]
pub(super) struct Range {
    from: Option<(f64, bool)>,
    to: Option<(f64, bool)>,
}

impl Range {
    /// Reads lists such as `["=", 1]`, `[">", 0]` and `[">=", 0, "<", 5]`.
    pub(super) fn read(with: &Value) -> Result<Self, String> {
        let wrong = || {
            "numeric compares with a list such as [\"=\", 1], [\">\", 0], [\"<=\", 5] or [\">\", 0, \"<=\", 5], the lower end first"
                .to_owned()
        };
        let members = with.as_array().ok_or_else(wrong)?;
        let pairs = members.chunks(2).map(|pair| match pair {
            [Value::String(operator), Value::Number(number)] => {
                let number = number.as_f64().ok_or_else(wrong)?;
                in_bounds(number).map(|()| (operator.as_str(), number))
            }
            _ => Err(wrong()),
        });
        let pairs: Vec<_> = pairs.collect::<Result<_, _>>()?;
        let range = match pairs.as_slice() {
            [("=", number)] => Self { from: Some((*number, true)), to: Some((*number, true)) },
            [(lower @ (">" | ">="), from)] => Self { from: Some((*from, *lower == ">=")), to: None },
            [(upper @ ("<" | "<="), to)] => Self { from: None, to: Some((*to, *upper == "<=")) },
            [(lower @ (">" | ">="), from), (upper @ ("<" | "<="), to)] => {
                if from >= to {
                    return Err(format!(
                        "the numeric range from {from} to {to} is empty; the lower end must be less than the upper"
                    ));
                }
                Self { from: Some((*from, *lower == ">=")), to: Some((*to, *upper == "<=")) }
            }
            _ => return Err(wrong()),
        };
        Ok(range)
    }

    pub(super) fn contains(&self, number: f64) -> bool {
        let after = self.from.is_none_or(|(from, included)| number > from || included && number == from);
        let before = self.to.is_none_or(|(to, included)| number < to || included && number == to);
        after && before
    }
}

/// Fails if EventBridge can't compare with this number.
pub(super) fn in_bounds(number: f64) -> Result<(), String> {
    if number.abs() <= LARGEST {
        return Ok(());
    }
    Err(format!("{number} is out of bounds; EventBridge compares numbers from -5.0e9 to 5.0e9"))
}

/// Whether both are the same number, as `1`, `1.0` and `1e0` are.
pub(super) fn are_equal(one: &Number, other: &Number) -> bool {
    // As floats, two different large integers may be equal.
    let integers = !one.is_f64() && !other.is_f64();
    if integers { one == other } else { one.as_f64() == other.as_f64() }
}
