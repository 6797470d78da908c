//! [`MemoryFixture`]: the fixture on [`MemoryBroker`].

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use jiff::Timestamp;

use super::{Corruption, Dump, Fixture};
use crate::broker::{Broker, MemoryBroker};
use crate::clock::Clock;

/// A fixture on a [`MemoryBroker`].
#[derive(Debug)]
pub struct MemoryFixture {
    clock: Clock,
    broker: MemoryBroker,
}

impl MemoryFixture {
    /// An empty store whose clock stands at `start`.
    pub fn new(start: Timestamp) -> Self {
        let clock = Clock::manual(start);
        Self { broker: MemoryBroker::new(clock.clone()), clock }
    }
}

#[async_trait]
impl Fixture for MemoryFixture {
    fn broker(&self) -> Arc<dyn Broker> {
        Arc::new(self.broker.clone())
    }

    async fn broker_with_clock(&self, clock: Clock) -> Arc<dyn Broker> {
        Arc::new(self.broker.with_clock(clock))
    }

    fn clock(&self) -> Clock {
        self.clock.clone()
    }

    async fn advance(&self, by: Duration) {
        self.clock.advance(by);
    }

    async fn dump(&self) -> Dump {
        self.broker.dump()
    }

    async fn corrupt(&self, corruption: Corruption) {
        self.broker.corrupt(corruption);
    }
}
