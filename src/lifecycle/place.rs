//! A job's place among the jobs of its invocation: what it still keeps from them, and what it waits for.
//!
//! Dropping a part of a place gives it back, so a job that panics keeps nothing.

use std::sync::Arc;

use tokio::sync::watch;

/// The places of an invocation's jobs.
#[derive(Clone, Debug)]
pub struct Places(Arc<watch::Sender<Taken>>);

#[derive(Clone, Copy, Debug, Default)]
struct Taken {
    rooms: usize,
    unreported: usize,
    /// How often a job gave something back.
    given_back: usize,
}

impl Default for Places {
    fn default() -> Self {
        Self(Arc::new(watch::Sender::new(Taken::default())))
    }
}

impl Places {
    /// The place of a new job. A job that `leaves_early` gives its room back when its folder is removed. Otherwise it must have
    /// been reported, too. A job that `comes_last` is not acknowledged before all others have been reported.
    pub fn take(&self, leaves_early: bool, comes_last: bool) -> Place {
        self.0.send_modify(|taken| {
            taken.rooms += 1;
            taken.unreported += 1;
        });
        let room = Arc::new(Room(self.clone()));
        let report = Unreported { room: (!leaves_early).then(|| Arc::clone(&room)), places: self.clone() };
        Place { files: Some(room), report: Some(report), last_of: comes_last.then(|| self.clone()) }
    }

    /// How many jobs keep their room.
    pub fn rooms(&self) -> usize {
        self.0.borrow().rooms
    }

    /// How often a job gave back its room, or was reported after that. Each time, a poll may bring what an earlier one could not.
    pub fn given_back(&self) -> usize {
        self.0.borrow().given_back
    }

    /// Waits until a job gives something back after this many times.
    pub async fn changed_since(&self, given_back: usize) {
        let mut taken = self.0.subscribe();
        // The sender is `self`, so it is not dropped.
        let _ = taken.wait_for(|taken| taken.given_back != given_back).await;
    }
}

/// One job's place.
#[derive(Debug)]
pub struct Place {
    files: Option<Arc<Room>>,
    report: Option<Unreported>,
    last_of: Option<Places>,
}

impl Place {
    /// The place of a job that has the invocation to itself.
    pub fn only() -> Self {
        Places::default().take(false, false)
    }

    /// Waits until the job may be acknowledged.
    pub(super) async fn turn_comes(&self) {
        if let Some(places) = &self.last_of {
            let own = usize::from(self.report.is_some());
            let _ = places.0.subscribe().wait_for(|taken| taken.unreported <= own).await;
        }
    }

    /// Splits the place into what the job gives back when its folder is removed, and when it has been reported.
    pub(super) fn split(&mut self) -> (Option<Arc<Room>>, Option<Unreported>) {
        (self.files.take(), self.report.take())
    }
}

/// Keeps a room until it is dropped.
#[derive(Debug)]
pub(super) struct Room(Places);

impl Drop for Room {
    fn drop(&mut self) {
        self.0.0.send_modify(|taken| {
            taken.rooms -= 1;
            taken.given_back += 1;
        });
    }
}

/// Stands for a report that is not sent, until it is dropped.
#[derive(Debug)]
pub(super) struct Unreported {
    /// The job's room, unless it may leave early.
    room: Option<Arc<Room>>,
    places: Places,
}

impl Drop for Unreported {
    fn drop(&mut self) {
        self.places.0.send_modify(|taken| {
            taken.unreported -= 1;
            // Otherwise the room counts, so that the two count once.
            taken.given_back += usize::from(self.room.is_none());
        });
    }
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt;

    use super::*;

    #[test]
    fn room_is_kept_until_folder_and_report_are_done() {
        let places = Places::default();
        let mut place = places.take(false, false);
        let (files, report) = place.split();
        drop(files);
        assert_eq!(places.rooms(), 1);
        drop(report);
        assert_eq!(places.rooms(), 0);
    }

    #[test]
    fn early_room_is_free_before_the_report() {
        let places = Places::default();
        let mut place = places.take(true, false);
        let (files, report) = place.split();
        drop(files);
        assert_eq!(places.rooms(), 0);
        let before = places.given_back();
        assert!(places.changed_since(before).now_or_never().is_none());
        drop(report);
        assert!(places.changed_since(before).now_or_never().is_some());
    }

    #[test]
    fn last_job_waits_for_the_reports_of_the_others() {
        let places = Places::default();
        let mut first = places.take(true, true);
        assert!(first.turn_comes().now_or_never().is_some());
        let (files, report) = first.split();
        drop(files);
        let second = places.take(true, true);
        assert!(second.turn_comes().now_or_never().is_none());
        drop(report);
        assert!(second.turn_comes().now_or_never().is_some());
    }

    #[test]
    fn a_dropped_place_gives_everything_back() {
        let places = Places::default();
        drop(places.take(true, false));
        assert_eq!(places.rooms(), 0);
        assert!(places.take(false, true).turn_comes().now_or_never().is_some());
    }
}
