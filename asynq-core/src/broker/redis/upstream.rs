//! [`Upstream`]: one server, or whichever server is the master now, as the end of connections.

use std::sync::Arc;
use std::time::Duration;

use futures_util::future::BoxFuture;
use redis::RedisResult;
use redis::aio::{AsyncPushSender, PubSub};

use super::address::Endpoint;
use super::dial::{Answers, Dialer, Peer, Session};
use super::options::ConnectOptions;
use super::sentinel::Sentinels;
use crate::error::{Error, Result};

/// Where connections lead. Asked anew for each connection, since a master may change.
#[derive(Clone)]
pub(super) struct Upstream {
    pub(super) dialer: Arc<Dialer>,
    pub(super) target: Target,
}

#[derive(Clone)]
pub(super) enum Target {
    Peer(Peer),
    Master(Arc<Sentinels>),
}

impl Upstream {
    /// What the options say; nothing is connected yet.
    pub(super) fn new(options: &ConnectOptions) -> Result<Self> {
        let address = &options.address;
        let target = match &address.endpoint {
            Endpoint::Server(host) => Target::Peer(Peer::Host(host.clone())),
            Endpoint::Socket(path) => Target::Peer(Peer::Socket(path.into())),
            Endpoint::Sentinel { hosts, master, username, password } => {
                if master.is_empty() {
                    let reason =
                        "name of the master is missing; write it as in redis-sentinel://host?master=mymaster";
                    return Err(Error::InvalidUrl { reason: reason.to_owned() });
                }
                Target::Master(Arc::new(Sentinels {
                    hosts: hosts.clone(),
                    master: master.clone(),
                    dialer: options.sentinel_dialer(username.as_deref(), password.as_ref())?,
                }))
            }
            Endpoint::Cluster(hosts) => {
                let Some(host) = hosts.first() else {
                    let reason = "the address names no node of the cluster".to_owned();
                    return Err(Error::InvalidUrl { reason });
                };
                Target::Peer(Peer::Host(host.clone()))
            }
        };
        Ok(Self { dialer: Arc::new(options.dialer()?), target })
    }

    /// A connection on which an answer may take so long.
    pub(super) fn session(self, answers: Answers) -> BoxFuture<'static, RedisResult<Session>> {
        Box::pin(async move { self.dialer.session(&self.peer().await?, answers).await })
    }

    /// A connection on which the server also tells what it was not asked.
    pub(super) async fn tracking(
        &self,
        response: Duration,
        on_push: impl AsyncPushSender,
    ) -> RedisResult<Session> {
        self.dialer.tracking(&self.peer().await?, response, on_push).await
    }

    /// A connection to subscribe on.
    pub(super) fn pubsub(&self) -> BoxFuture<'_, RedisResult<PubSub>> {
        Box::pin(async move { self.dialer.pubsub(&self.peer().await?).await })
    }

    async fn peer(&self) -> RedisResult<Peer> {
        match &self.target {
            Target::Peer(peer) => Ok(peer.clone()),
            Target::Master(sentinels) => sentinels.master(&self.dialer).await,
        }
    }
}
