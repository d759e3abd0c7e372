//! Whoever listens to what the emulator has to tell.

use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::mpsc;

/// Each of them hears all that is told after it has come.
pub(crate) struct Subscribers<T>(Arc<Mutex<Vec<mpsc::UnboundedSender<T>>>>);

impl<T: Clone> Subscribers<T> {
    pub(crate) fn subscribe(&self) -> mpsc::UnboundedReceiver<T> {
        let (sender, receiver) = mpsc::unbounded_channel();
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(sender);
        receiver
    }

    /// Whether nobody listens.
    pub(crate) fn is_empty(&self) -> bool {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).iter().all(mpsc::UnboundedSender::is_closed)
    }

    /// Tells it to all who still listen.
    pub(crate) fn send(&self, message: &T) {
        let mut senders = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        senders.retain(|sender| sender.send(message.clone()).is_ok());
    }
}

impl<T> Clone for Subscribers<T> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<T> Default for Subscribers<T> {
    fn default() -> Self {
        Self(Arc::default())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everyone_hears_what_is_told_while_they_listen() {
        let subscribers = Subscribers::default();
        subscribers.send(&0);
        let (mut first, second) = (subscribers.subscribe(), subscribers.subscribe());
        drop(second);
        subscribers.send(&1);
        assert_eq!(first.try_recv(), Ok(1));
        assert!(first.try_recv().is_err());
        assert_eq!(subscribers.0.lock().unwrap().len(), 1, "who has gone is forgotten");
    }
}
