//! [`Link`]: a machine's way to the store, and what the network does to what travels on it.

use std::future::Future;
use std::io;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use fastrand::Rng;
use tokio::time::{Instant, sleep, sleep_until};

use super::History;
use crate::broker::{BrokerError, BrokerErrorKind};

/// How long a machine waits for an answer that does not come.
const MOST_PATIENCE_MS: u64 = 5_000;

/// A machine's way to the store.
#[derive(Debug)]
pub(super) struct Link {
    pub(super) machine: String,
    pub(super) history: History,
    dice: Mutex<Rng>,
    weather: Mutex<Weather>,
}

/// What the network does at present.
#[derive(Clone, Copy, Debug)]
pub(super) struct Weather {
    /// Nothing arrives before this instant.
    pub(super) cut_until: Instant,
    /// What is sent before this instant arrives only then: the machine, or its connection, stands still.
    pub(super) frozen_until: Instant,
    /// How likely a request or an answer is lost.
    pub(super) loss: f64,
}

impl Weather {
    /// Everything arrives.
    pub(super) fn fine() -> Self {
        Self { cut_until: Instant::now(), frozen_until: Instant::now(), loss: 0.0 }
    }
}

impl Link {
    pub(super) fn new(machine: String, history: History, seed: u64, weather: Weather) -> Self {
        Self { machine, history, dice: Mutex::new(Rng::with_seed(seed)), weather: Mutex::new(weather) }
    }

    /// Changes the weather.
    pub(super) fn change(&self, change: impl FnOnce(&mut Weather)) {
        change(&mut self.weather());
    }

    /// Makes a call: the request may be lost, and so may its answer, after it took effect.
    pub(super) async fn call<T, E: From<BrokerError>>(
        &self,
        doing: &'static str,
        call: impl Future<Output = Result<T, E>> + Send,
    ) -> Result<T, E> {
        self.arrive(doing).await?;
        let answer = call.await;
        self.arrive(doing).await?;
        answer
    }

    /// One way through the network.
    pub(super) async fn arrive(&self, doing: &'static str) -> Result<(), BrokerError> {
        let delay = self.dice().u64(50..3_000);
        sleep(Duration::from_micros(delay)).await;
        let Weather { frozen_until, .. } = *self.weather();
        sleep_until(frozen_until).await;
        let Weather { cut_until, loss, .. } = *self.weather();
        let is_lost = Instant::now() < cut_until || self.dice().f64() < loss;
        if !is_lost {
            return Ok(());
        }
        let patience = self.dice().u64(0..MOST_PATIENCE_MS);
        sleep(Duration::from_millis(patience)).await;
        Err(BrokerError::new(BrokerErrorKind::Unavailable, doing, io::Error::other("lost")))
    }

    fn dice(&self) -> MutexGuard<'_, Rng> {
        self.dice.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn weather(&self) -> MutexGuard<'_, Weather> {
        self.weather.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
