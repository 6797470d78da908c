//! [`RedisLaterChanges`]: told by Redis that something was scheduled, by whatever program.
//!
//! A connection of its own reads when the first task of each set is due, with `CLIENT TRACKING` on (Redis 6 or newer):
//! then the server says once that such a set has changed, and after that nothing until it is read again. So it costs
//! nothing while nothing is scheduled, and little however much is. In a cluster there is a connection to each node.

use std::collections::BTreeSet;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use redis::{FromRedisValue, PushInfo, PushKind, RedisError, RedisResult};
use tokio::sync::Notify;
use tokio::time::{Instant, timeout_at};

use super::connection::broker_error;
use super::dial::Session;
use super::link::Store;
use super::reply::whole_seconds;
use crate::broker::{BrokerError, LaterChanges};

const DOING: &str = "watch what is scheduled";

/// After so long a silence the servers are asked whether they are still there.
const SILENCE: Duration = Duration::from_secs(30);

/// Watches sets of tasks that have a time, on all servers that have them.
pub(super) struct RedisLaterChanges {
    nodes: Vec<Node>,
    /// Told that a server has said something.
    told: Arc<Notify>,
    heard: Instant,
}

/// A server that has some of the sets.
struct Node {
    session: Session,
    news: Arc<Mutex<News>>,
    /// Sets that are to be read.
    unread: BTreeSet<Vec<u8>>,
}

/// What a server has said.
#[derive(Default)]
struct News {
    changed: BTreeSet<Vec<u8>>,
    is_lost: bool,
}

impl RedisLaterChanges {
    /// Watches these sets.
    pub(super) async fn watch(
        store: &Store,
        response: Duration,
        sets: Vec<String>,
    ) -> Result<Self, BrokerError> {
        let told = Arc::new(Notify::new());
        let nodes = async {
            let mut nodes = Vec::new();
            for (upstream, sets) in store.owners(sets).await? {
                let (news, told) = (Arc::new(Mutex::default()), Arc::clone(&told));
                let told_news = Arc::clone(&news);
                let on_push = move |push| {
                    lock(&told_news).add(push);
                    told.notify_one();
                    Ok::<_, RedisError>(())
                };
                let mut session = upstream.tracking(response, on_push).await?;
                redis::cmd("CLIENT").arg("TRACKING").arg("ON").exec_async(&mut session.server).await?;
                let unread = sets.into_iter().map(String::into_bytes).collect();
                nodes.push(Node { session, news, unread });
            }
            Ok(nodes)
        };
        let nodes = nodes.await.map_err(|error| broker_error(DOING, error))?;
        Ok(Self { nodes, told, heard: Instant::now() })
    }

    async fn ping(&mut self) -> RedisResult<()> {
        for node in &mut self.nodes {
            redis::cmd("PING").exec_async(&mut node.session.server).await?;
        }
        self.heard = Instant::now();
        Ok(())
    }

    async fn try_next(&mut self) -> RedisResult<i64> {
        loop {
            let mut earliest = None;
            for node in &mut self.nodes {
                earliest = node.read().await?.into_iter().chain(earliest).min();
            }
            // What was read counts only now: nobody has heard of it before.
            for node in &mut self.nodes {
                node.unread.clear();
            }
            if let Some(due) = earliest {
                return Ok(due);
            }
            if timeout_at(self.heard + SILENCE, self.told.notified()).await.is_ok() {
                self.heard = Instant::now();
            } else {
                self.ping().await?;
            }
        }
    }
}

#[async_trait]
impl LaterChanges for RedisLaterChanges {
    async fn next(&mut self) -> Option<i64> {
        let next = self.try_next().await;
        next.inspect_err(|error| tracing::debug!(%error, "what is scheduled is no longer watched")).ok()
    }
}

impl Node {
    /// When the first task is due of all sets that have changed.
    async fn read(&mut self) -> RedisResult<Option<i64>> {
        {
            let mut news = lock(&self.news);
            self.unread.append(&mut news.changed);
            if news.is_lost {
                return Err(std::io::Error::from(std::io::ErrorKind::ConnectionReset).into());
            }
        }
        if self.unread.is_empty() {
            return Ok(None);
        }
        let mut pipe = redis::pipe();
        for set in &self.unread {
            pipe.cmd("ZRANGE").arg(set).arg(0).arg(0).arg("WITHSCORES");
        }
        let firsts: Vec<Vec<(Vec<u8>, f64)>> = pipe.query_async(&mut self.session.server).await?;
        Ok(firsts.iter().flatten().filter_map(|(_, score)| whole_seconds(*score)).min())
    }
}

impl News {
    fn add(&mut self, push: PushInfo) {
        match push.kind {
            PushKind::Invalidate => {
                // After a flush, nothing stands where names would: watching begins anew.
                match push.data.into_iter().next().map(Vec::<Vec<u8>>::from_redis_value) {
                    Some(Ok(names)) => self.changed.extend(names),
                    _ => self.is_lost = true,
                }
            }
            PushKind::Disconnection => self.is_lost = true,
            _ => {}
        }
    }
}

fn lock(news: &Mutex<News>) -> MutexGuard<'_, News> {
    news.lock().unwrap_or_else(PoisonError::into_inner)
}

impl fmt::Debug for RedisLaterChanges {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RedisLaterChanges").field("nodes", &self.nodes.len()).finish_non_exhaustive()
    }
}
