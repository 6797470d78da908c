//! [`Server`]: a running server, its loops, and the order in which they start and stop.

use std::collections::{BTreeMap, VecDeque};
use std::ops::Deref;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::aggregator::{AggregatorLoop, GroupSetup, Workplace};
use super::forwarder::Forwarder;
use super::handle::Shared;
use super::health::{Health, HealthChecker, OnHealth};
use super::heartbeater::Heartbeater;
use super::janitor::Janitor;
use super::keepers::Keepers;
use super::lease::LeaseKeeper;
use super::limits::Limits;
use super::pacing::Pacing;
use super::presence::Presence;
use super::processor::{Control, Processor};
use super::recoverer::Recoverer;
use super::running::Running;
use super::serving::Serving;
use super::settle::Rules;
use super::subscriber::Subscriber;
use super::{Queues, ServedQueue, ServerBuilder, ServerHandle};
use crate::background::{Request, Signals};
use crate::broker::Broker;
use crate::client::{AsClient, Client};
use crate::error::Result;
use crate::router::{Handler, Router, StateMap};
use crate::scheduler::Scheduler;
use crate::telemetry::RunCounts;
use crate::wire::ServerInfo;

/// A running server. Dropping it stops everything at once, as a crash would: handlers are dropped, and other servers
/// recover their tasks. [`shutdown`](Self::shutdown) is the way to end it.
#[derive(Debug)]
pub struct Server {
    handle: ServerHandle,
    shutdown_timeout: Duration,
    /// Not needed any more once the server ends.
    scheduler: Option<Scheduler>,
    processor: JoinSet<()>,
    /// Forwarder, janitor, aggregator, subscriber and health checker: not needed any more once nothing new is taken.
    helpers: JoinSet<()>,
    stop_helpers: CancellationToken,
    /// Leases, beats and state go on until the last task is settled.
    keepers: Keepers,
}

/// Puts a middleware around a handler.
pub(super) type WrapFn = Box<dyn FnOnce(Handler) -> Handler + Send>;

/// A server's settings, checked.
pub(super) struct Setup {
    pub(super) client: Client,
    /// Enqueues the jobs that have a schedule, if there are any.
    pub(super) scheduler: Option<Scheduler>,
    pub(super) router: Router,
    pub(super) layers: Vec<WrapFn>,
    pub(super) states: StateMap,
    pub(super) queues: Vec<ServedQueue>,
    pub(super) strict: bool,
    pub(super) concurrency: usize,
    pub(super) prefetch: usize,
    /// By task type.
    pub(super) type_concurrency: BTreeMap<String, usize>,
    pub(super) shutdown_timeout: Duration,
    pub(super) rules: Rules,
    pub(super) cancel_grace: Duration,
    pub(super) max_crashes: u32,
    pub(super) janitor_interval: Duration,
    pub(super) health_interval: Duration,
    pub(super) on_health: Option<OnHealth>,
    pub(super) groups: GroupSetup,
    /// One of the observers, if others are to see what it counts.
    pub(super) run_times: Option<RunCounts>,
    pub(super) info: ServerInfo,
}

impl Server {
    /// Sets up a server on the broker of a client.
    pub fn builder(client: &impl AsClient) -> ServerBuilder {
        ServerBuilder::new(client)
    }

    /// Sets up a server by the environment; see [`env`](crate::env) for the variables.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidSetting`](crate::Error::InvalidSetting) says which variable is wrong and what is allowed.
    #[cfg(feature = "redis")]
    pub fn from_env() -> Result<ServerBuilder> {
        ServerBuilder::from_env()
    }

    pub(super) fn start(setup: Setup) -> Result<Self> {
        let Setup { client, scheduler, router, states, queues, rules, info, groups, .. } = setup;
        let states = Arc::new(states);
        let broker = Arc::clone(client.broker());
        let router = Arc::new(router);
        let queues = Queues::new(queues);
        let running = Running::default();
        let presence = Presence::default();
        let (control, order) = watch::channel(Control::Fetch);
        log_start(&info, &router);

        let keepers = {
            let other = broker.for_other_runtime();
            let is_other = other.is_some();
            let broker = other.unwrap_or_else(|| Arc::clone(&broker));
            let heartbeater = Heartbeater {
                broker: Arc::clone(&broker),
                running: running.clone(),
                info: info.clone(),
                control: order.clone(),
                queues: queues.watch(),
                cancel_grace: setup.cancel_grace,
                run_times: setup.run_times,
            };
            let recoverer = Recoverer {
                broker: Arc::clone(&broker),
                running: running.clone(),
                rules: rules.clone(),
                server_id: info.server_id.clone(),
                queues: queues.clone(),
                presence: presence.clone(),
                max_crashes: setup.max_crashes,
            };
            let lease_keeper = LeaseKeeper { broker, running: running.clone() };
            Keepers::start(move |stop| keep(heartbeater, lease_keeper, recoverer, stop), is_other)?
        };

        let stop_helpers = CancellationToken::new();
        let mut helpers = housekeepers(&broker, &running, &queues, setup.janitor_interval, &stop_helpers);
        // It answered when the server was set up.
        let health = watch::Sender::new(Health { at: broker.clock().now(), error: None, clock_offset: None });
        let handle = ServerHandle(Arc::new(Shared {
            id: info.server_id.clone(),
            broker: Arc::clone(&broker),
            control,
            queues: queues.clone(),
            health: health.subscribe(),
            running: running.clone(),
            concurrency: setup.concurrency,
            cancel_grace: setup.cancel_grace,
        }));
        let health_checker = HealthChecker {
            broker: Arc::clone(&broker),
            interval: setup.health_interval,
            on_health: setup.on_health,
            health,
        };
        helpers.spawn(health_checker.run(stop_helpers.clone()));
        let workplace = Workplace {
            broker: Arc::clone(&broker),
            client: client.clone(),
            states: Arc::clone(&states),
            groups,
            bad_payloads: rules.bad_payloads,
        };
        let aggregator = AggregatorLoop::new(workplace, queues.clone());
        helpers.spawn(aggregator.run(stop_helpers.clone(), order.clone()));

        let limits = Limits::new(info.server_id.clone(), setup.strict, setup.type_concurrency);
        let mut processor = JoinSet::new();
        let worker = Processor {
            broker,
            handler: wrapped(&router, setup.layers),
            router,
            states,
            client,
            rules,
            running,
            presence,
            server_id: info.server_id,
            serving: Serving::new(&queues, &limits),
            limits,
            pacing: Pacing::new(setup.concurrency, setup.prefetch),
            cancel_grace: setup.cancel_grace,
            handlers: JoinSet::new(),
            calls: futures_util::stream::FuturesUnordered::new(),
            slots_asked: 0,
            waiting: VecDeque::new(),
            unsettled: Vec::new(),
            answer_lost: false,
        };
        processor.spawn(worker.run(order));
        if let Some(scheduler) = &scheduler {
            scheduler.start()?;
        }
        Ok(Self {
            handle,
            shutdown_timeout: setup.shutdown_timeout,
            scheduler,
            processor,
            helpers,
            stop_helpers,
            keepers,
        })
    }

    /// A handle for other parts of the program, such as a readiness probe. The server itself has the same methods.
    pub fn handle(&self) -> ServerHandle {
        self.handle.clone()
    }

    /// Shuts down: takes no more tasks, gives those that run the shutdown timeout to finish, puts the rest back, and
    /// ends.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future ends the server at once, as a crash would.
    pub async fn shutdown(mut self) {
        self.drain(self.shutdown_timeout).await;
        self.end().await;
    }

    /// Runs until the process is told to end; see [`ServerBuilder::run`].
    ///
    /// # Errors
    ///
    /// When signals cannot be listened for.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future ends the server at once, as a crash would.
    pub async fn until_signalled(mut self) -> Result<()> {
        let mut signals = Signals::listen()?;
        while signals.next().await == Request::StopTaking {
            self.stop();
        }
        let limit = self.shutdown_timeout;
        let hurry = {
            let drained = self.drain(limit);
            tokio::pin!(drained);
            loop {
                tokio::select! {
                    () = &mut drained => break false,
                    request = signals.next() => if request == Request::Shutdown { break true },
                }
            }
        };
        if hurry {
            tracing::info!("told again to end; putting unfinished tasks back now");
            self.drain(Duration::ZERO).await;
        }
        self.end().await;
        Ok(())
    }

    /// Lets running tasks finish. Dropping the future only stops waiting.
    async fn drain(&mut self, limit: Duration) {
        tracing::info!(server_id = self.id(), ?limit, "server shuts down");
        if let Some(scheduler) = &self.scheduler {
            scheduler.shutdown().await;
        }
        self.stop_helpers.cancel();
        self.handle.0.control.send_replace(Control::Drain(Instant::now() + limit));
        while self.processor.join_next().await.is_some() {}
        while self.helpers.join_next().await.is_some() {}
    }

    async fn end(&mut self) {
        self.keepers.stop().await;
        tracing::info!(server_id = self.id(), "server has ended");
    }
}

fn log_start(info: &ServerInfo, router: &Router) {
    let ServerInfo { server_id, concurrency, queues, strict_priority, .. } = info;
    let types = router.routes();
    tracing::info!(server_id, concurrency, ?queues, strict = strict_priority, ?types, "server starts");
}

/// Starts the loops that keep the queues in order.
fn housekeepers(
    broker: &Arc<dyn Broker>,
    running: &Running,
    queues: &Queues,
    janitor_interval: Duration,
    stop: &CancellationToken,
) -> JoinSet<()> {
    let mut loops = JoinSet::new();
    let subscriber = Subscriber { broker: Arc::clone(broker), running: running.clone() };
    loops.spawn(subscriber.run(stop.clone()));
    let forwarder = Forwarder { broker: Arc::clone(broker), queues: queues.clone() };
    loops.spawn(forwarder.run(stop.clone()));
    let janitor = Janitor { broker: Arc::clone(broker), queues: queues.clone(), interval: janitor_interval };
    loops.spawn(janitor.run(stop.clone()));
    loops
}

/// What keeps a server's tasks its own, until told to stop.
async fn keep(
    heartbeater: Heartbeater,
    lease_keeper: LeaseKeeper,
    recoverer: Recoverer,
    stop: CancellationToken,
) {
    tokio::join!(heartbeater.run(stop.clone()), lease_keeper.run(stop.clone()), recoverer.run(stop.clone()));
}

/// The router inside the server's middleware, of which the first sees a task first.
pub(super) fn wrapped(router: &Arc<Router>, layers: Vec<WrapFn>) -> Handler {
    layers.into_iter().rev().fold(Handler::router(Arc::clone(router)), |handler, wrap| wrap(handler))
}

impl Deref for Server {
    type Target = ServerHandle;

    fn deref(&self) -> &ServerHandle {
        &self.handle
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // Handles may outlive it.
        self.handle.0.control.send_replace(Control::Drain(Instant::now()));
    }
}

/// Runs every job that `#[job]` registered in this program, with settings from the [environment](crate::env), until
/// the process is told to end.
///
/// It consumes every queue that a registered job uses, unless `ASYNQ_QUEUES` says otherwise.
///
/// # Errors
///
/// As [`ServerBuilder::start`]; nothing has run then.
///
/// # Cancel safety
///
/// Dropping the future drops running handlers; their tasks are recovered by other servers.
#[cfg(feature = "redis")]
pub async fn run_registered() -> Result<()> {
    Server::from_env()?.registered().run().await
}
