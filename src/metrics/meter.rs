//! Measures a job or an invocation while it runs.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use super::invocation::{InvocationLine, InvocationValues};
use super::job::{JobLine, JobValues};
use super::line::Head;
use super::writer::Metrics;
use crate::job::ActionTypeId;
use crate::telemetry::milliseconds;

/// Measures one job. Tasks share it, because the action runs in a task of its own.
pub struct JobMeter {
    metrics: Metrics,
    /// `None` if metrics are off, or once the line is written.
    measured: Mutex<Option<Measured>>,
}

struct Measured {
    action_type: String,
    values: JobValues,
}

/// A metric of a job.
type Field = fn(&mut JobValues) -> &mut Option<u64>;

impl JobMeter {
    /// Measures a job of this type. Its line is written when it ends, in the span of that moment, which has the job's ids.
    pub fn new(metrics: &Metrics, action_type: &ActionTypeId) -> Self {
        let measured =
            metrics.are_on().then(|| Measured { action_type: action_type.to_string(), values: JobValues::default() });
        Self { metrics: metrics.clone(), measured: Mutex::new(measured) }
    }

    fn change(&self, change: impl FnOnce(&mut Measured)) {
        if let Some(measured) = &mut *self.measured.lock().unwrap_or_else(PoisonError::into_inner) {
            change(measured);
        }
    }

    /// Notes a metric.
    pub fn note(&self, field: Field, value: u64) {
        self.change(|measured| *field(&mut measured.values) = Some(value));
    }

    /// Notes a time in milliseconds.
    pub fn note_time(&self, field: Field, time: Duration) {
        self.note(field, milliseconds(time));
    }

    /// Adds to a metric.
    pub fn add(&self, field: Field, value: u64) {
        self.change(|measured| {
            let sum = field(&mut measured.values);
            *sum = Some(sum.unwrap_or_default().saturating_add(value));
        });
    }

    /// Measures the time until the stopwatch is dropped, also if its task is aborted.
    pub fn time(&self, field: Field) -> Stopwatch<'_> {
        Stopwatch { meter: self, field, began: Instant::now() }
    }

    /// Writes nothing: the worker has no part in the job.
    pub fn discard(&self) {
        *self.measured.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }

    /// Counts the job by its end, and writes its line. Later calls do nothing.
    pub fn end(&self, field: Field) {
        self.note(field, 1);
        let measured = self.measured.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(Measured { action_type, values }) = measured {
            self.metrics.write(|time| JobLine { head: Head::new(time, "metrics of a job"), action_type, values });
        }
    }
}

impl Drop for JobMeter {
    /// A job without an end was not reported, because the worker panicked.
    fn drop(&mut self) {
        self.end(|values| &mut values.jobs_undelivered);
    }
}

/// Measures a time of a job.
pub struct Stopwatch<'a> {
    meter: &'a JobMeter,
    field: Field,
    began: Instant,
}

impl Drop for Stopwatch<'_> {
    fn drop(&mut self) {
        self.meter.note_time(self.field, self.began.elapsed());
    }
}

/// Measures one invocation. Writes its line when it is dropped, also after a panic.
pub struct InvocationMeter {
    metrics: Metrics,
    /// The metrics so far.
    pub values: InvocationValues,
}

impl InvocationMeter {
    /// Measures an invocation that begins now.
    pub fn new(metrics: &Metrics) -> Self {
        let cold_starts = metrics.is_cold_start().then_some(1);
        Self { metrics: metrics.clone(), values: InvocationValues { cold_starts, ..InvocationValues::default() } }
    }
}

impl Drop for InvocationMeter {
    fn drop(&mut self) {
        let values = std::mem::take(&mut self.values);
        self.metrics.write(|time| InvocationLine { head: Head::new(time, "metrics of an invocation"), values });
    }
}
