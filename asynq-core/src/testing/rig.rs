//! [`Rig`]: a broker, a clock and a worker of a test's own.

use std::fmt;
use std::sync::Arc;

use jiff::Timestamp;
use tokio::sync::Mutex;

use super::faults::{CrashPoint, Faults};
use super::run::Engine;
use crate::broker::{Broker, MemoryBroker};
use crate::client::{AsClient, Client};
use crate::clock::Clock;
use crate::job::Job;
use crate::router::Router;
use crate::server::{Server, ServerBuilder};

/// The time at which a rig starts unless told otherwise: 2039-01-01T00:00:00Z.
const START: i64 = 2_177_452_800;

/// A broker, a clock and a worker of a test's own.
///
/// Needs no set-up, no Redis and no paused time: a plain `#[tokio::test]` will do. Tasks run only within
/// [`drain`](Self::drain) and [`advance`](Self::advance), one at a time, on the worker of a real server.
///
/// - By default it runs every job that `#[job]` registered in the test program; [`router`](Self::router) and
///   [`server`](Self::server) say otherwise. Unlike a server it starts without a value that some job needs: that
///   job's runs fail, and say so.
/// - It takes from every queue that something was sent to, unless `server` names the queues.
/// - Groups are aggregated by all aggregators that `#[aggregator]` registered, when they are ready; one that fails is tried
///   again, as on a server, and its error is in the log.
/// - Jobs that have a schedule are enqueued at its times, as the clock is [moved](Self::advance), where the worker is told
///   to: `.server(|server| server.jobs(asynq::jobs![Report]).scheduler(true))`. Others of the program would run as well.
/// - The clock stands still while handlers run. A handler that sleeps on tokio's timer sleeps for real, and its time
///   limit is real, too; with `#[tokio::test(start_paused = true)]` neither takes any time.
/// - Random choices, such as the jitter of retries, are the same in every run of the test (on the current-thread
///   runtime, which is the default of `#[tokio::test]`); [`seed`](Self::seed) gives others.
#[derive(Debug)]
#[must_use = "a rig does nothing by itself"]
pub struct Rig {
    pub(super) broker: MemoryBroker,
    pub(super) client: Client,
    pub(super) faults: Arc<Faults>,
    pub(super) engine: Mutex<Engine>,
}

impl Rig {
    /// A rig whose clock starts at 2039-01-01T00:00:00Z.
    pub fn new() -> Self {
        Self::starting_at(Timestamp::from_second(START).unwrap_or_default())
    }

    /// A rig whose clock starts at this time.
    pub fn starting_at(start: Timestamp) -> Self {
        let broker = MemoryBroker::new(Clock::manual(start));
        let client = Client::new(Arc::new(broker.clone()));
        let builder = Server::builder(&client).concurrency(1).registered().scheduler(false);
        let faults = Arc::default();
        Self { broker, client, faults, engine: Mutex::new(Engine::new(builder)) }
    }

    /// A value that handlers share, as `State<T>`; one of each type, the last wins.
    pub fn state<T: Send + Sync + 'static>(self, value: T) -> Self {
        self.server(|server| server.state(value))
    }

    /// Runs what this router routes, instead of all registered jobs.
    pub fn router(self, router: Router) -> Self {
        self.server(|server| server.router(router))
    }

    /// Sets up the worker as a server is set up, best by the function that sets up the real one:
    /// `Rig::new().server(my_app::configure)`.
    pub fn server(mut self, set_up: impl FnOnce(ServerBuilder) -> ServerBuilder) -> Self {
        self.engine.get_mut().set_up(set_up);
        self
    }

    /// Makes other random choices than a rig makes by itself.
    pub fn seed(mut self, seed: u64) -> Self {
        self.engine.get_mut().seed(seed);
        self
    }

    /// After how many runs without any time passing the rig gives up, because some job seems to enqueue itself without
    /// end: 10,000 unless set.
    pub fn most_runs(mut self, runs: usize) -> Self {
        self.engine.get_mut().most_runs = runs;
        self
    }

    /// The client; the code under test enqueues with it.
    pub fn client(&self) -> &Client {
        &self.client
    }

    /// The clock, which [`advance`](Self::advance) moves.
    pub fn clock(&self) -> &Clock {
        self.broker.clock()
    }

    /// The time now.
    pub fn now(&self) -> Timestamp {
        self.clock().now()
    }

    /// The `nth` run of each task of this job fails with this error, whatever its handler would have done. The first
    /// run is 1.
    pub fn fail_attempt<J: Job>(&self, nth: u32, error: impl Into<String>) {
        self.faults.fail(J::NAME, nth, error.into());
    }

    /// The worker dies in the `nth` run of each task of this job, and takes with it whatever else it runs. Another one
    /// goes on; it recovers the dead one's tasks some seconds later, when the clock is [moved](Self::advance).
    pub fn crash_attempt<J: Job>(&self, nth: u32, when: CrashPoint) {
        self.faults.crash(J::NAME, nth, when);
    }
}

impl Default for Rig {
    fn default() -> Self {
        Self::new()
    }
}

impl AsClient for Rig {
    fn as_client(&self) -> &Client {
        &self.client
    }
}

impl fmt::Debug for Engine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Engine(..)")
    }
}
