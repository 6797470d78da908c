//! [`Cluster`]: which node has which slot, as far as is known.

use std::collections::HashMap;
use std::io;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures_util::stream::FuturesUnordered;
use futures_util::{FutureExt as _, StreamExt};
use redis::aio::PubSub;
use redis::{ErrorKind, RedisError, RedisResult, Value};

use super::slot::{SLOTS, slot_of};
use crate::broker::redis::address::Host;
use crate::broker::redis::dial::{Answers, Dialer, Peer};
use crate::broker::redis::single_flight::SingleFlight;
use crate::broker::redis::upstream::{Target, Upstream};

/// How long a node may take to tell what it knows.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(2);

/// A cluster, shared by all who call it.
pub(in crate::broker::redis) struct Cluster {
    dialer: Arc<Dialer>,
    /// The nodes that the address names.
    seeds: Vec<Host>,
    map: Mutex<Map>,
    looking: SingleFlight<RedisResult<Map>>,
}

/// What is known of slots; nothing at first.
#[derive(Clone, Default)]
struct Map {
    masters: Vec<Host>,
    /// For each slot which of the masters has it.
    owners: Vec<Option<u16>>,
    /// How many looks there were.
    looks: u64,
}

impl Cluster {
    pub(in crate::broker::redis) fn new(dialer: Arc<Dialer>, seeds: Vec<Host>) -> Self {
        Self { dialer, seeds, map: Mutex::default(), looking: SingleFlight::default() }
    }

    /// One node as the end of connections.
    pub(super) fn node(&self, host: &Host) -> Upstream {
        Upstream { dialer: Arc::clone(&self.dialer), target: Target::Peer(Peer::Host(host.clone())) }
    }

    /// The node that has a slot; any node for none.
    pub(super) async fn owner(&self, slot: Option<u16>) -> RedisResult<Host> {
        if let Some(owner) = self.known_owner(slot) {
            return Ok(owner);
        }
        self.look_again(self.looks()).await?;
        self.known_owner(slot).ok_or_else(|| {
            let what = "no node of the cluster has the slot of this queue: the cluster is not whole";
            io::Error::new(io::ErrorKind::ConnectionRefused, what).into()
        })
    }

    /// Which node has which keys.
    pub(in crate::broker::redis) async fn owners(
        &self,
        keys: Vec<String>,
    ) -> RedisResult<Vec<(Upstream, Vec<String>)>> {
        let mut by_host: HashMap<Host, Vec<String>> = HashMap::new();
        for key in keys {
            by_host.entry(self.owner(Some(slot_of(key.as_bytes()))).await?).or_default().push(key);
        }
        Ok(by_host.into_iter().map(|(host, keys)| (self.node(&host), keys)).collect())
    }

    fn known_owner(&self, slot: Option<u16>) -> Option<Host> {
        let map = self.lock();
        let owner = match slot {
            Some(slot) => usize::from((*map.owners.get(usize::from(slot))?)?),
            None => fastrand::usize(..map.masters.len().max(1)),
        };
        map.masters.get(owner).cloned()
    }

    /// All nodes that have slots.
    pub(super) async fn masters(&self) -> RedisResult<Vec<Host>> {
        if self.looks() == 0 {
            self.look_again(0).await?;
        }
        Ok(self.lock().masters.clone())
    }

    /// A node said that another one has a slot.
    pub(super) fn moved(&self, slot: u16, to: &Host) {
        let mut map = self.lock();
        let known = map.masters.iter().position(|host| host == to).unwrap_or_else(|| {
            map.masters.push(to.clone());
            map.masters.len() - 1
        });
        if let Some(owner) = map.owners.get_mut(usize::from(slot)) {
            *owner = u16::try_from(known).ok();
        }
    }

    /// How many looks at the cluster there were.
    pub(super) fn looks(&self) -> u64 {
        self.lock().looks
    }

    /// Asks the cluster which node has which slot, unless somebody has since that look.
    pub(super) async fn look_again(&self, since: u64) -> RedisResult<()> {
        if self.looks() != since {
            return Ok(());
        }
        let begin = || {
            let mut hosts = self.lock().masters.clone();
            hosts.extend(self.seeds.iter().cloned());
            look(Arc::clone(&self.dialer), hosts).boxed()
        };
        let looked = self.looking.join(begin).await?;
        let mut map = self.lock();
        if map.looks == since {
            *map = Map { looks: since + 1, ..looked };
        }
        Ok(())
    }

    /// A connection to some node to subscribe on.
    pub(in crate::broker::redis) async fn pubsub(&self) -> RedisResult<PubSub> {
        let looks = self.looks();
        let owner = self.owner(None).await?;
        let subscribed = self.node(&owner).pubsub().await;
        if subscribed.is_err() {
            // It may be one no longer: the next try chooses among those that are left.
            self.look_again(looks).await?;
        }
        subscribed
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Map> {
        self.map.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Which node has which slot, as the first says that answers.
async fn look(dialer: Arc<Dialer>, hosts: Vec<Host>) -> RedisResult<Map> {
    let mut asked: FuturesUnordered<_> = hosts.iter().map(|host| ask(&dialer, host)).collect();
    let mut failure = None;
    while let Some(answer) = asked.next().await {
        match answer {
            Ok(map) => return Ok(map),
            // What a node said tells more than that another was silent.
            Err(error) if failure.as_ref().is_none_or(RedisError::is_io_error) => failure = Some(error),
            Err(_) => {}
        }
    }
    Err(failure.unwrap_or_else(|| io::Error::other("the address names no node").into()))
}

async fn ask(dialer: &Dialer, host: &Host) -> RedisResult<Map> {
    let mut session = dialer.session(&Peer::Host(host.clone()), Answers::within(ANSWER_TIMEOUT)).await?;
    let ranges: Value = redis::cmd("CLUSTER").arg("SLOTS").query_async(&mut session.server).await?;
    read_map(ranges, host).ok_or_else(|| {
        RedisError::from((ErrorKind::UnexpectedReturnType, "a node's list of slots cannot be read"))
    })
}

/// What `CLUSTER SLOTS` answers: for each range of slots its master, and then replicas.
fn read_map(ranges: Value, asked: &Host) -> Option<Map> {
    let Value::Array(ranges) = ranges else { return None };
    let mut map = Map { owners: vec![None; SLOTS], ..Map::default() };
    for range in ranges {
        let Value::Array(range) = range else { return None };
        let [Value::Int(first), Value::Int(last), Value::Array(master), ..] = range.as_slice() else {
            return None;
        };
        let [name, Value::Int(port), ..] = master.as_slice() else { return None };
        // A node that does not know its own address leaves it out.
        let name = match name {
            Value::BulkString(name) if !name.is_empty() => String::from_utf8(name.clone()).ok()?,
            _ => asked.name.clone(),
        };
        let host = Host { name, port: u16::try_from(*port).ok()? };
        let owner = map.masters.iter().position(|known| *known == host).unwrap_or_else(|| {
            map.masters.push(host);
            map.masters.len() - 1
        });
        let owner = u16::try_from(owner).ok()?;
        let (first, last) = (usize::try_from(*first).ok()?, usize::try_from(*last).ok()?);
        map.owners.get_mut(first..=last)?.fill(Some(owner));
    }
    Some(map).filter(|map| !map.masters.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn range(first: i64, last: i64, name: &str, port: i64) -> Value {
        let node = vec![Value::BulkString(name.as_bytes().to_vec()), Value::Int(port)];
        Value::Array(vec![Value::Int(first), Value::Int(last), Value::Array(node)])
    }

    #[test]
    fn a_list_of_slots_is_read_or_refused_whole() {
        let asked = Host { name: "asked".to_owned(), port: 1 };
        let ranges = vec![range(0, 9, "a", 7), range(10, 20, "", 8), range(30, 16_383, "a", 7)];
        let map = read_map(Value::Array(ranges), &asked).unwrap();
        let names: Vec<String> = map.masters.iter().map(Host::to_string).collect();
        assert_eq!(names, ["a:7", "asked:8"]);
        let owner = |slot: usize| map.owners[slot];
        assert_eq!([owner(9), owner(10), owner(21), owner(16_383)], [Some(0), Some(1), None, Some(0)]);
        for wrong in [
            Value::Nil,
            Value::Array(vec![]),
            Value::Array(vec![Value::Int(1)]),
            Value::Array(vec![range(0, 16_384, "a", 7)]),
            Value::Array(vec![range(9, 3, "a", 7)]),
            Value::Array(vec![range(-1, 3, "a", 7)]),
            Value::Array(vec![range(0, 3, "a", 70_000)]),
        ] {
            assert!(read_map(wrong.clone(), &asked).is_none(), "{wrong:?}");
        }
    }
}
