//! [`Form`]: how long a scenario takes, and what it has to work with.

use std::ops::Range;
use std::sync::Mutex;
use std::time::Duration;

use asynq::{Client, ConnectOptions};
use asynq_testkit::{Audit, Load, Proxy, RedisServer};

/// How often a scenario repeats its fault.
pub(crate) const ROUNDS: usize = 2;

/// A scenario in its short form or its long one.
pub(crate) struct Form {
    is_long: bool,
    random: Mutex<Random>,
}

/// Numbers that a seed tells in advance.
struct Random(u64);

impl Form {
    /// Seconds: timeouts are short, outages a little longer than they are.
    pub(crate) fn short() -> Self {
        Self { is_long: false, random: Mutex::new(Random(1)) }
    }

    /// Minutes: the timeouts that programs have, outages longer than they are, at times that the seed says.
    pub(crate) fn long(seed: u64) -> Self {
        Self { is_long: true, random: Mutex::new(Random(seed)) }
    }

    /// How long a fault lasts which must be longer than any call may take.
    pub(crate) fn outage(&self) -> Duration {
        if self.is_long { Duration::from_secs(10) } else { Duration::from_secs(2) }
    }

    /// A number in this range.
    pub(crate) fn random(&self, range: Range<usize>) -> usize {
        let mut random = self.random.lock().unwrap();
        // SplitMix64.
        random.0 = random.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = random.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        let width = u64::try_from(range.len()).unwrap();
        range.start + usize::try_from((mixed ^ (mixed >> 31)) % width).unwrap()
    }

    /// A client with the form's timeouts.
    pub(crate) async fn client(&self, url: &str) -> Client {
        let mut options = ConnectOptions::new(url).unwrap();
        if !self.is_long {
            let limit = Duration::from_millis(700);
            options = options.connect_timeout(limit).response_timeout(limit);
        }
        Client::connect_with(options).await.unwrap()
    }

    /// Two workers and two producers, busy.
    pub(crate) async fn load(&self, redis: &RedisServer) -> Load {
        self.load_at(&redis.url()).await
    }

    /// The same behind a proxy.
    pub(crate) async fn load_behind(&self, proxy: &Proxy) -> Load {
        self.load_at(&proxy.url()).await
    }

    async fn load_at(&self, url: &str) -> Load {
        let clients = [self.client(url).await, self.client(url).await];
        let load = Load::start(&clients, &["default"]).await;
        self.go_on(&load).await;
        load
    }

    /// Lets work go on for a while.
    pub(crate) async fn go_on(&self, load: &Load) {
        load.more(self.random(50..250)).await;
    }
}

/// Runs a scenario in its short form; every task must have come to its end.
pub(crate) async fn complete(scenario: impl AsyncFnOnce(&Form) -> Audit) -> Audit {
    let audit = scenario(&Form::short()).await;
    eprintln!("{audit}");
    assert!(audit.is_complete(), "{audit:?}");
    assert!(audit.acknowledged > 0, "there was work");
    audit
}
