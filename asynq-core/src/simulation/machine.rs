//! [`Machine`]: a server, its link, and its clock.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use fastrand::Rng;
use jiff::SignedDuration;
use tokio::time::sleep;

use super::history::Returned;
use super::link::Weather;
use super::{DistantBroker, Event, History, Link};
use crate::broker::{Broker, MemoryBroker};
use crate::client::Client;
use crate::router::{BoxError, Ctx, RetryIn, RetryPolicy, Revoke, Router, SkipRetry};
use crate::server::{Server, ServerBuilder};
use crate::task::QueueName;

/// How far clocks may be apart from the right time, in seconds.
const MOST_SKEW: i64 = 20;

/// A machine on which a server runs, or ran until it crashed.
#[derive(Debug)]
pub(super) struct Machine {
    number: usize,
    /// How many servers it has had.
    starts: usize,
    concurrency: usize,
    skew: SignedDuration,
    seed: u64,
    server: Option<(Server, Arc<Link>)>,
}

impl Machine {
    pub(super) fn new(number: usize, rng: &mut Rng) -> Self {
        Self {
            number,
            starts: 0,
            concurrency: [1, 3, 10, 25][rng.usize(..4)],
            skew: SignedDuration::from_secs(rng.i64(-MOST_SKEW..=MOST_SKEW)),
            seed: rng.u64(..),
            server: None,
        }
    }

    pub(super) fn concurrency(&self) -> usize {
        self.concurrency
    }

    pub(super) fn is_running(&self) -> bool {
        self.server.is_some()
    }

    /// The link of the running server.
    pub(super) fn link(&self) -> Option<&Link> {
        self.server.as_ref().map(|(_, link)| &**link)
    }

    /// Starts a server with a name of its own; not if the store cannot be reached.
    pub(super) async fn start(&mut self, store: &MemoryBroker, history: &History, weather: Weather) {
        self.starts += 1;
        let name = format!("m{}.{}", self.number, self.starts);
        let seed = self.seed.wrapping_add(self.starts as u64);
        let link = Arc::new(Link::new(name.clone(), history.clone(), seed, weather));
        let clock = store.clock().shifted(self.skew);
        let broker = DistantBroker { store: store.with_clock(clock), link: Arc::clone(&link) };
        let client = Client::new(Arc::new(broker));
        let builder = set_up(&client, handler(&name, history, seed), self.concurrency);
        match builder.server_id(&name).start().await {
            Ok(server) => {
                history
                    .upset(format!("{name} starts with {} slots, clock {:#}", self.concurrency, self.skew));
                self.server = Some((server, link));
            }
            Err(error) => history.upset(format!("{name} cannot start: {error}")),
        }
    }

    /// The server ends without any warning.
    pub(super) fn crash(&mut self, history: &History) {
        if let Some((server, link)) = self.server.take() {
            history.upset(format!("{} crashes", link.machine));
            drop(server);
        }
    }

    /// The server is told to end.
    pub(super) async fn shut_down(&mut self, history: &History) {
        if let Some((server, link)) = self.server.take() {
            history.upset(format!("{} is told to end", link.machine));
            server.shutdown().await;
            history.upset(format!("{} has ended", link.machine));
        }
    }
}

/// The queues of a simulation.
pub(super) fn queues() -> [QueueName; 2] {
    ["q0", "q1"].map(QueueName::stored)
}

fn set_up(client: &Client, router: Router, concurrency: usize) -> ServerBuilder {
    Server::builder(client)
        .router(router)
        .queues([("q0", 3), ("q1", 1)])
        .concurrency(concurrency)
        .retry_policy(RetryPolicy::Fixed(Duration::from_secs(7)))
}

/// A handler that takes its time and comes to anything.
fn handler(machine: &str, history: &History, seed: u64) -> Router {
    let (machine, history) = (machine.to_owned(), history.clone());
    let handlers = Arc::new(AtomicUsize::new(0));
    let dice = Arc::new(std::sync::Mutex::new(Rng::with_seed(!seed)));
    Router::new()
        .route("t", move |ctx: Ctx| {
            let (takes, comes_to) = {
                let mut dice = dice.lock().unwrap();
                let takes = if dice.u8(..3) > 0 { 0 } else { dice.u64(0..50_000) };
                (Duration::from_millis(takes), dice.u8(..20))
            };
            let handler = handlers.fetch_add(1, Ordering::Relaxed);
            let present =
                Present { machine: machine.clone(), id: ctx.task_id().to_string(), history: history.clone() };
            async move {
                let Present { machine, id, history } = &present;
                history.note(Event::Began { machine: machine.clone(), id: id.clone(), handler });
                sleep(takes).await;
                let (returned, result) = match comes_to {
                    0..13 => (Returned::Success, Ok(())),
                    13..17 => (Returned::Failure, Err(BoxError::from("it broke"))),
                    17 => (Returned::Failure, Err(RetryIn::new(Duration::from_secs(2), "busy").into())),
                    18 => (Returned::SkipRetry, Err(SkipRetry::new("no use").into())),
                    _ => (Returned::Revoke, Err(Revoke::new("void").into())),
                };
                history.note(Event::Returned { machine: machine.clone(), id: id.clone(), handler, returned });
                result
            }
        })
        .expect("one route")
}

/// Notes that a handler is gone, also when it is dropped.
struct Present {
    machine: String,
    id: String,
    history: History,
}

impl Drop for Present {
    fn drop(&mut self) {
        self.history.note(Event::Left { machine: self.machine.clone(), id: self.id.clone() });
    }
}
