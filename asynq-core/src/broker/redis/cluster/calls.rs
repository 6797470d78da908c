//! [`NodeCalls`]: calls that reach the node which has their keys, wherever it is by now.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures_util::future::{BoxFuture, join_all};
use redis::aio::MultiplexedConnection;
use redis::{Cmd, ErrorKind, FromRedisValue, RedisError, RedisResult, ServerErrorKind};
use tokio::time::{Instant, sleep};

use super::topology::Cluster;
use crate::broker::BrokerError;
use crate::broker::redis::address::Host;
use crate::broker::redis::connection::{Connection, broker_error};
use crate::broker::redis::dial::Answers;
use crate::broker::redis::places::Places;

/// How often one call may be sent elsewhere: once for each move of its slot, and a few more.
const REDIRECTIONS: usize = 8;

/// How long a call waits for a slot that is on its way from one node to another, between looks.
const FIRST_PAUSE: Duration = Duration::from_millis(10);
const LONGEST_PAUSE: Duration = Duration::from_millis(200);

/// Connections to the nodes of a cluster, one each.
pub(in crate::broker::redis) struct NodeCalls {
    cluster: Arc<Cluster>,
    answers: Answers,
    max_waiting: usize,
    places: Places,
    nodes: Mutex<HashMap<Host, Arc<Connection>>>,
}

/// Why a node has not done what it was asked.
enum Failure {
    /// There was no connection, so it has not heard of it. How many looks at the cluster there had been.
    Unsent { error: RedisError, looks: u64 },
    /// It refused, or its answer was lost.
    Answered(RedisError),
}

/// What to do about an error.
enum Remedy {
    /// The slot has moved, for good or for this call only.
    Elsewhere { host: Host, asking: bool },
    /// The slot is moving.
    Later,
    /// None: nothing may be sent again.
    None,
}

impl NodeCalls {
    pub(in crate::broker::redis) fn new(cluster: Arc<Cluster>, answers: Answers, max_waiting: usize) -> Self {
        let places = Places::new(max_waiting);
        Self { cluster, answers, max_waiting, places, nodes: Mutex::default() }
    }

    /// Runs commands on the node that has a slot, or on any node. They are sent again, to the right node, only where
    /// a node has refused them because the slot is elsewhere: then they have had no effect. They are told whether to
    /// send `ASKING` first.
    pub(in crate::broker::redis) async fn run<'a, T>(
        &self,
        doing: &'static str,
        slot: Option<u16>,
        commands: impl Fn(MultiplexedConnection, bool) -> BoxFuture<'a, RedisResult<T>>,
    ) -> Result<T, BrokerError> {
        let _place = self.places.take(doing)?;
        let failed = |error| broker_error(doing, error);
        let give_up = Instant::now() + self.answers.within;
        let (mut redirections, mut pause) = (0, FIRST_PAUSE);
        let (mut host, mut asking) = (self.cluster.owner(slot).await.map_err(failed)?, false);
        loop {
            let error = match self.try_on(&host, asking, &commands).await {
                Ok(answer) => return Ok(answer),
                Err(Failure::Unsent { error, looks }) => {
                    // Another node may have taken over, and somebody knows.
                    redirections += 1;
                    self.cluster.look_again(looks).await.map_err(failed)?;
                    let owner = self.cluster.owner(slot).await.map_err(failed)?;
                    if owner == host || redirections > REDIRECTIONS {
                        return Err(failed(error));
                    }
                    (host, asking) = (owner, false);
                    continue;
                }
                Err(Failure::Answered(error)) => error,
            };
            match remedy(&error, &host) {
                Remedy::Elsewhere { host: to, asking: only_now } if redirections < REDIRECTIONS => {
                    redirections += 1;
                    if let Some(slot) = slot.filter(|_| !only_now) {
                        self.cluster.moved(slot, &to);
                    }
                    (host, asking) = (to, only_now);
                }
                Remedy::Later if Instant::now() + pause < give_up => {
                    sleep(pause.mul_f64(fastrand::f64().mul_add(0.5, 0.75))).await;
                    pause = (pause * 2).min(LONGEST_PAUSE);
                    // Each try may be sent to where the slot is going, and wait again.
                    redirections = 0;
                    (host, asking) = (self.cluster.owner(slot).await.map_err(failed)?, false);
                }
                _ => return Err(failed(error)),
            }
        }
    }

    /// Runs commands on the node that has a slot, once; `None` if the slot is elsewhere, or on its way.
    pub(in crate::broker::redis) async fn run_if_settled<'a, T>(
        &self,
        doing: &'static str,
        slot: Option<u16>,
        commands: impl Fn(MultiplexedConnection, bool) -> BoxFuture<'a, RedisResult<T>>,
    ) -> Result<Option<T>, BrokerError> {
        let _place = self.places.take(doing)?;
        let host = self.cluster.owner(slot).await.map_err(|error| broker_error(doing, error))?;
        match self.try_on(&host, false, &commands).await {
            Ok(answer) => Ok(Some(answer)),
            Err(Failure::Unsent { .. }) => Ok(None),
            Err(Failure::Answered(error)) => match remedy(&error, &host) {
                Remedy::None => Err(broker_error(doing, error)),
                Remedy::Elsewhere { .. } | Remedy::Later => Ok(None),
            },
        }
    }

    /// Runs a command on every node that has slots.
    pub(in crate::broker::redis) async fn run_everywhere(
        &self,
        doing: &'static str,
        command: &Cmd,
    ) -> Result<(), BrokerError> {
        let hosts = self.cluster.masters().await.map_err(|error| broker_error(doing, error))?;
        let send = |mut server: MultiplexedConnection, _asking| -> BoxFuture<'_, RedisResult<()>> {
            Box::pin(async move { command.query_async(&mut server).await })
        };
        let calls = hosts.iter().map(|host| self.try_on(host, false, &send));
        for outcome in join_all(calls).await {
            match outcome {
                Ok(()) => {}
                Err(Failure::Answered(error)) => return Err(broker_error(doing, error)),
                Err(Failure::Unsent { error, looks }) => {
                    // It may be no master any longer; then the next try does not ask it.
                    self.cluster.look_again(looks).await.map_err(|error| broker_error(doing, error))?;
                    return Err(broker_error(doing, error));
                }
            }
        }
        Ok(())
    }

    /// Runs a command on one of the nodes that have slots, by its place among them; `None` behind the last of them.
    pub(in crate::broker::redis) async fn run_on_nth<T: FromRedisValue + Send>(
        &self,
        doing: &'static str,
        node: usize,
        command: &Cmd,
    ) -> Result<Option<T>, BrokerError> {
        let _place = self.places.take(doing)?;
        let mut hosts = self.cluster.masters().await.map_err(|error| broker_error(doing, error))?;
        // The same order from call to call, as long as they are the same nodes.
        hosts.sort_by(|one, two| (&one.name, one.port).cmp(&(&two.name, two.port)));
        let Some(host) = hosts.get(node) else { return Ok(None) };
        let send = |mut server: MultiplexedConnection, _asking| -> BoxFuture<'_, RedisResult<T>> {
            Box::pin(async move { command.query_async(&mut server).await })
        };
        match self.try_on(host, false, &send).await {
            Ok(answer) => Ok(Some(answer)),
            Err(Failure::Answered(error) | Failure::Unsent { error, .. }) => Err(broker_error(doing, error)),
        }
    }

    async fn try_on<'a, T>(
        &self,
        host: &Host,
        asking: bool,
        commands: &impl Fn(MultiplexedConnection, bool) -> BoxFuture<'a, RedisResult<T>>,
    ) -> Result<T, Failure> {
        let looks = self.cluster.looks();
        let node = self.node(host);
        let (session, generation) = node.get().await.map_err(|error| Failure::Unsent { error, looks })?;
        let error = match commands(session.server.clone(), asking).await {
            Ok(answer) => return Ok(answer),
            Err(error) => first_of(error),
        };
        node.failed(generation, &error);
        // The next call finds the new master, if there is one. This one has failed, whatever that look says.
        if is_down(&error) && self.cluster.look_again(looks).await.is_err() {
            tracing::debug!(%host, "no node tells which nodes there are");
        }
        Err(Failure::Answered(error))
    }

    fn node(&self, host: &Host) -> Arc<Connection> {
        let mut nodes = self.nodes.lock().unwrap_or_else(PoisonError::into_inner);
        let node = nodes.entry(host.clone()).or_insert_with(|| {
            Arc::new(Connection::new(self.cluster.node(host), self.answers, self.max_waiting))
        });
        Arc::clone(node)
    }
}

/// Of several commands the first one's error.
fn first_of(error: RedisError) -> RedisError {
    let several = error.clone().into_server_errors();
    several.and_then(|several| several.first().map(|(_, first)| first.clone().into())).unwrap_or(error)
}

fn remedy(error: &RedisError, asked: &Host) -> Remedy {
    match error.kind() {
        ErrorKind::Server(kind @ (ServerErrorKind::Moved | ServerErrorKind::Ask)) => {
            let host = error.redirect_node().and_then(|(address, _)| redirected(address, asked));
            let asking = kind == ServerErrorKind::Ask;
            host.map_or(Remedy::None, |host| Remedy::Elsewhere { host, asking })
        }
        // A transaction is not begun while the slot of its keys moves, or elsewhere.
        ErrorKind::Server(ServerErrorKind::TryAgain | ServerErrorKind::ExecAbort) => Remedy::Later,
        _ => Remedy::None,
    }
}

/// Where a node sends us; one that does not know its own name leaves it out.
fn redirected(address: &str, asked: &Host) -> Option<Host> {
    let (name, port) = address.rsplit_once(':')?;
    let name = if name.is_empty() { &asked.name } else { name };
    Some(Host { name: name.to_owned(), port: port.parse().ok()? })
}

/// Whether what is known of the cluster may be wrong.
fn is_down(error: &RedisError) -> bool {
    let changed = matches!(
        error.kind(),
        ErrorKind::Server(
            ServerErrorKind::ClusterDown | ServerErrorKind::ReadOnly | ServerErrorKind::ExecAbort
        )
    );
    changed || error.is_io_error() || error.is_timeout() || error.is_connection_dropped()
}
