//! Subscribers to the emulator's events and invocations.

use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::mpsc;

/// Each subscriber gets all messages that are sent after it subscribed.
pub(crate) struct Subscribers<T>(Arc<Mutex<Vec<mpsc::UnboundedSender<T>>>>);

impl<T: Clone> Subscribers<T> {
    pub(crate) fn subscribe(&self) -> mpsc::UnboundedReceiver<T> {
        let (sender, receiver) = mpsc::unbounded_channel();
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(sender);
        receiver
    }

    /// Whether there are no subscribers.
    pub(crate) fn is_empty(&self) -> bool {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).iter().all(mpsc::UnboundedSender::is_closed)
    }

    /// Sends the message to all subscribers that still exist.
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
    fn subscribers_get_messages_while_they_exist() {
        let subscribers = Subscribers::default();
        subscribers.send(&0);
        let (mut first, second) = (subscribers.subscribe(), subscribers.subscribe());
        drop(second);
        subscribers.send(&1);
        assert_eq!(first.try_recv(), Ok(1));
        assert!(first.try_recv().is_err());
        assert_eq!(subscribers.0.lock().unwrap().len(), 1, "a dropped subscriber is removed");
    }
}
