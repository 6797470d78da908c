//! [`Link`]: how calls travel: over one connection to one server, or to the nodes of a cluster.
//!
//! On a cluster a call goes where its first key is. All keys of a call share a slot, but for several commands that
//! travel together: each of those finds its own way.

use std::sync::Arc;

use futures_util::future::{BoxFuture, try_join_all};
use redis::aio::{MultiplexedConnection, PubSub};
use redis::{Arg, Cmd, ErrorKind, FromRedisValue, Pipeline, RedisResult, ServerErrorKind, Value};

use super::address::Endpoint;
use super::cluster::{Cluster, NodeCalls, slot_of};
use super::connection::{Connection, broker_error};
use super::dial::Answers;
use super::options::ConnectOptions;
use super::script::Call;
use super::upstream::Upstream;
use crate::broker::BrokerError;
use crate::error::Result as PublicResult;

/// Where links lead.
#[derive(Clone)]
pub(super) enum Store {
    Server(Upstream),
    Cluster(Arc<Cluster>),
}

impl Store {
    /// What the options say; nothing is connected yet.
    pub(super) fn new(options: &ConnectOptions) -> PublicResult<Self> {
        let upstream = Upstream::new(options)?;
        Ok(match &options.address.endpoint {
            Endpoint::Cluster(hosts) => Self::Cluster(Arc::new(Cluster::new(upstream.dialer, hosts.clone()))),
            _ => Self::Server(upstream),
        })
    }

    /// Whether keys live in slots.
    pub(super) fn is_cluster(&self) -> bool {
        matches!(self, Self::Cluster(_))
    }

    /// A link on which answers are waited for so, and by so many calls at most.
    pub(super) fn link(&self, answers: Answers, max_waiting: usize) -> Link {
        match self {
            Self::Server(upstream) => Link::Server(Connection::new(upstream.clone(), answers, max_waiting)),
            Self::Cluster(cluster) => {
                Link::Cluster(NodeCalls::new(Arc::clone(cluster), answers, max_waiting))
            }
        }
    }

    /// Which server has which keys.
    pub(super) async fn owners(&self, keys: Vec<String>) -> RedisResult<Vec<(Upstream, Vec<String>)>> {
        match self {
            Self::Server(upstream) => Ok(vec![(upstream.clone(), keys)]),
            Self::Cluster(cluster) => cluster.owners(keys).await,
        }
    }

    /// A connection to subscribe on. What is published in a cluster is heard on every node.
    pub(super) async fn pubsub(&self) -> RedisResult<PubSub> {
        match self {
            Self::Server(upstream) => upstream.pubsub().await,
            Self::Cluster(cluster) => cluster.pubsub().await,
        }
    }
}

/// How calls travel.
pub(super) enum Link {
    Server(Connection),
    Cluster(NodeCalls),
}

impl Link {
    /// Runs a command on the node that has its key, or on any node if it has none.
    pub(super) async fn query<T: FromRedisValue + Send>(
        &self,
        doing: &'static str,
        command: &Cmd,
    ) -> Result<T, BrokerError> {
        match self {
            Self::Server(connection) => {
                connection.run(doing, async |mut server| command.query_async(&mut server).await).await
            }
            Self::Cluster(nodes) => on_node(nodes, doing, slot(command), command).await,
        }
    }

    /// Runs a command that has no key on the node that has this key.
    pub(super) async fn query_near<T: FromRedisValue + Send>(
        &self,
        doing: &'static str,
        key: &str,
        command: &Cmd,
    ) -> Result<T, BrokerError> {
        match self {
            Self::Server(_) => self.query(doing, command).await,
            Self::Cluster(nodes) => on_node(nodes, doing, Some(slot_of(key.as_bytes())), command).await,
        }
    }

    /// Runs a command that has no key on one of the nodes that have slots, by its place among them; `None` behind the
    /// last of them. One server is the first and the last.
    pub(super) async fn query_nth<T: FromRedisValue + Send>(
        &self,
        doing: &'static str,
        node: usize,
        command: &Cmd,
    ) -> Result<Option<T>, BrokerError> {
        match self {
            Self::Server(_) if node == 0 => self.query(doing, command).await.map(Some),
            Self::Server(_) => Ok(None),
            Self::Cluster(nodes) => nodes.run_on_nth(doing, node, command).await,
        }
    }

    /// Runs commands that travel together. Each must be one that may be run twice, for in a cluster whose slots move
    /// some may be.
    pub(super) async fn query_each<T: FromRedisValue>(
        &self,
        doing: &'static str,
        commands: &Pipeline,
    ) -> Result<T, BrokerError> {
        match self {
            Self::Server(connection) => {
                connection.run(doing, async |mut server| commands.query_async(&mut server).await).await
            }
            Self::Cluster(nodes) => {
                let values = each_on_its_node(nodes, doing, commands).await?;
                redis::from_redis_value(Value::Array(values))
                    .map_err(|error| broker_error(doing, error.into()))
            }
        }
    }

    /// Runs commands on keys of one slot as one transaction. In a cluster it waits while the slot moves.
    pub(super) async fn query_atomic<T: FromRedisValue + Send>(
        &self,
        doing: &'static str,
        commands: Vec<Cmd>,
    ) -> Result<T, BrokerError> {
        let slot = commands.first().and_then(slot);
        // Not `Pipeline::atomic` of redis 1.8: where MULTI is refused, the task that drives the connection panics.
        let mut transaction = redis::pipe();
        transaction.cmd("MULTI").ignore();
        for command in commands {
            transaction.add_command(command).ignore();
        }
        transaction.cmd("EXEC");
        let transaction = &transaction;
        let (answer,) = match self {
            Self::Server(connection) => {
                connection.run(doing, async |mut server| transaction.query_async(&mut server).await).await?
            }
            Self::Cluster(nodes) => {
                // A node to which a slot is moving runs only what is asked for by itself: the rest waits.
                let send = |mut server: MultiplexedConnection, asking| -> BoxFuture<'_, _> {
                    Box::pin(async move {
                        if asking {
                            let kind = ErrorKind::Server(ServerErrorKind::TryAgain);
                            return Err((kind, "the slot of a transaction is moving").into());
                        }
                        transaction.query_async(&mut server).await
                    })
                };
                nodes.run(doing, slot, send).await?
            }
        };
        Ok(answer)
    }

    /// Asks every server whether it answers.
    pub(super) async fn ping(&self) -> Result<(), BrokerError> {
        const DOING: &str = "ping";
        let ping = redis::cmd("PING");
        match self {
            Self::Server(_) => self.query(DOING, &ping).await,
            Self::Cluster(nodes) => nodes.run_everywhere(DOING, &ping).await,
        }
    }

    /// Runs a script.
    pub(super) async fn evaluate(&self, doing: &'static str, call: &Call) -> Result<Value, BrokerError> {
        match self {
            Self::Server(connection) => {
                connection.run(doing, async |mut server| call.send(&mut server, false).await).await
            }
            Self::Cluster(nodes) => {
                let call = call.guarded();
                let slot = call.slot();
                let send = |mut server: MultiplexedConnection, asking| -> BoxFuture<'_, _> {
                    let call = &call;
                    Box::pin(async move { call.send(&mut server, asking).await })
                };
                nodes.run(doing, slot, send).await
            }
        }
    }
}

async fn on_node<T: FromRedisValue + Send>(
    nodes: &NodeCalls,
    doing: &'static str,
    slot: Option<u16>,
    command: &Cmd,
) -> Result<T, BrokerError> {
    let send = |mut server: MultiplexedConnection, asking| -> BoxFuture<'_, _> {
        Box::pin(async move { ask(&mut server, command, asking).await })
    };
    nodes.run(doing, slot, send).await
}

/// Runs a command; with `asking` also on a node to which its slot is still moving.
pub(super) async fn ask<T: FromRedisValue>(
    server: &mut MultiplexedConnection,
    command: &Cmd,
    asking: bool,
) -> RedisResult<T> {
    if !asking {
        return command.query_async(server).await;
    }
    let mut pipe = redis::pipe();
    pipe.cmd("ASKING").ignore().add_command(command.clone());
    let (answer,): (T,) = pipe.query_async(server).await?;
    Ok(answer)
}

/// Commands whose keys share a slot, each with its place among all.
type OfOneSlot<'a> = Vec<(usize, &'a Cmd)>;

/// Runs each command on the node that has its key: those of one slot in their order, all slots at once.
async fn each_on_its_node(
    nodes: &NodeCalls,
    doing: &'static str,
    commands: &Pipeline,
) -> Result<Vec<Value>, BrokerError> {
    let mut by_slot: Vec<(Option<u16>, OfOneSlot<'_>)> = Vec::new();
    for (at, command) in commands.cmd_iter().enumerate() {
        let slot = slot(command);
        match by_slot.iter_mut().find(|(other, _)| *other == slot) {
            Some((_, group)) => group.push((at, command)),
            None => by_slot.push((slot, vec![(at, command)])),
        }
    }
    let calls = by_slot.iter().map(|(slot, group)| of_one_slot(nodes, doing, *slot, group));
    let mut answers = vec![Value::Nil; commands.len()];
    for ((_, group), values) in by_slot.iter().zip(try_join_all(calls).await?) {
        for ((at, _), value) in group.iter().zip(values) {
            if let Some(answer) = answers.get_mut(*at) {
                *answer = value;
            }
        }
    }
    Ok(answers)
}

async fn of_one_slot(
    nodes: &NodeCalls,
    doing: &'static str,
    slot: Option<u16>,
    commands: &[(usize, &Cmd)],
) -> Result<Vec<Value>, BrokerError> {
    if commands.len() > 1 {
        let together = |mut server: MultiplexedConnection, _asking| -> BoxFuture<'_, _> {
            let mut pipe = redis::pipe();
            for (_, command) in commands {
                pipe.add_command((*command).clone());
            }
            Box::pin(async move { pipe.query_async::<Vec<Value>>(&mut server).await })
        };
        if let Some(values) = nodes.run_if_settled(doing, slot, together).await? {
            return Ok(values);
        }
    }
    // The slot is moving, or has moved: each of its keys may be elsewhere.
    let mut values = Vec::with_capacity(commands.len());
    for (_, command) in commands {
        values.push(on_node(nodes, doing, slot, command).await?);
    }
    Ok(values)
}

/// The slot of a command's first key, if it has one.
pub(super) fn slot(command: &Cmd) -> Option<u16> {
    let word = |at: usize| match command.args_iter().nth(at) {
        Some(Arg::Simple(word)) => Some(word),
        _ => None,
    };
    let key = match word(0)? {
        b"PING" | b"TIME" | b"PUBLISH" | b"SCAN" | b"CLUSTER" => None,
        b"MEMORY" => word(2),
        b"EVALSHA" => word(3),
        _ => word(1),
    };
    key.map(slot_of)
}
