//! [`Background`]: what goes on beside requests. It ends with who began it.

use std::sync::{Mutex, MutexGuard, PoisonError};

use tokio::task::JoinSet;

/// What goes on beside requests: tasks of tokio that end with it.
#[derive(Debug, Default)]
pub(crate) struct Background(Mutex<JoinSet<()>>);

impl Background {
    /// Begins something.
    pub(crate) fn spawn(&self, work: impl Future<Output = ()> + Send + 'static) {
        self.going_on().spawn(work);
    }

    /// Begins something unless something goes on.
    pub(crate) fn spawn_if_idle<F: Future<Output = ()> + Send + 'static>(&self, work: impl FnOnce() -> F) {
        let mut going_on = self.going_on();
        if going_on.is_empty() {
            going_on.spawn(work());
        }
    }

    /// Waits for what goes on.
    pub(crate) async fn finish(&self) {
        let mut left = std::mem::take(&mut *lock(&self.0));
        while left.join_next().await.is_some() {}
    }

    /// What has ended is forgotten.
    fn going_on(&self) -> MutexGuard<'_, JoinSet<()>> {
        let mut going_on = lock(&self.0);
        while going_on.try_join_next().is_some() {}
        going_on
    }
}

/// A thread that panicked with the lock left whole values behind.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
