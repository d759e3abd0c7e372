//! The metrics of an invocation that polls.

use super::Summary;
use super::shift::Shift;
use crate::metrics::counted;

/// Notes what the invocation counted.
pub(super) fn of_shift(shift: &mut Shift<'_>) {
    let Shift { summary, problems, meter, .. } = shift;
    let Summary { failed_polls, throttled_polls, unpollable, .. } = *summary;
    let values = &mut meter.values;
    values.polls_failed = counted(failed_polls);
    values.polls_throttled = counted(throttled_polls);
    values.unpollable_types = counted(unpollable);
    values.throttled_types = counted(problems.throttled_for_long);
    values.low_disk = counted(usize::from(problems.low_disk));
}
