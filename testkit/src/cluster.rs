//! [`RedisCluster`]: a cluster of six servers of a test's own.

use std::time::Duration;

use futures_util::future::join_all;

use crate::redis::RedisServer;
use crate::{eventually, eventually_within};

const SLOTS: u16 = 16_384;
const MASTERS: usize = 3;

/// Three masters, each with a replica, on free ports. A master that is away for a second is replaced.
#[derive(Debug)]
pub struct RedisCluster {
    nodes: Vec<RedisServer>,
}

impl RedisCluster {
    /// Starts one, and waits until every node knows that all is well.
    pub async fn start() -> Self {
        let nodes = join_all((0..2 * MASTERS).map(|_| start_node())).await;
        let cluster = Self { nodes };
        cluster.assemble().await;
        cluster
    }

    async fn assemble(&self) {
        let (masters, replicas) = self.nodes.split_at(MASTERS);
        for (at, master) in masters.iter().enumerate() {
            let first = SLOTS / 3 * u16::try_from(at).unwrap();
            let last = if at + 1 == MASTERS { SLOTS - 1 } else { first + SLOTS / 3 - 1 };
            let (first, last) = (first.to_string(), last.to_string());
            master.command::<()>(&["CLUSTER", "ADDSLOTSRANGE", &first, &last]).await;
            // Otherwise all begin in the same epoch, and sort that out between themselves, which takes time.
            master.command::<()>(&["CLUSTER", "SET-CONFIG-EPOCH", &(at + 1).to_string()]).await;
        }
        let first = &masters[0];
        for node in &self.nodes[1..] {
            let (port, bus) = (node.port().to_string(), node.bus_port().to_string());
            first.command::<()>(&["CLUSTER", "MEET", "127.0.0.1", &port, &bus]).await;
        }
        for (master, replica) in masters.iter().zip(replicas) {
            let id: String = master.command(&["CLUSTER", "MYID"]).await;
            eventually("a replica knows its master", async || {
                replica.try_command::<()>(&["CLUSTER", "REPLICATE", &id]).await.ok()
            })
            .await;
        }
        self.until_whole().await;
        for replica in replicas {
            replica
                .until::<String>(&["INFO", "replication"], |info| info.contains("master_link_status:up"))
                .await;
        }
    }

    /// Waits until every node that runs says that all slots are served, by all who should be there.
    pub async fn until_whole(&self) {
        for node in &self.nodes {
            if !node.is_running() {
                continue;
            }
            eventually_within(Duration::from_secs(60), "the cluster is whole", async || {
                let info: String = node.try_command(&["CLUSTER", "INFO"]).await.ok()?;
                let wanted = ["cluster_state:ok", "cluster_slots_ok:16384", "cluster_known_nodes:6"];
                wanted.iter().all(|line| info.contains(line)).then_some(())
            })
            .await;
        }
    }

    /// Where it is: two of its nodes.
    pub fn url(&self) -> String {
        let [first, .., last] = self.nodes.as_slice() else { unreachable!() };
        format!("redis-cluster://127.0.0.1:{},127.0.0.1:{}", first.port(), last.port())
    }

    /// Its nodes, at first the masters and then their replicas in the same order.
    pub fn nodes(&self) -> &[RedisServer] {
        &self.nodes
    }

    /// The masters of this moment, by what a node that runs says.
    pub async fn masters(&self) -> Vec<&RedisServer> {
        let mut masters = Vec::new();
        for node in self.nodes.iter().filter(|node| node.is_running()) {
            let role: Vec<redis::Value> = node.command(&["ROLE"]).await;
            if role.first() == Some(&redis::Value::BulkString(b"master".to_vec())) {
                masters.push(node);
            }
        }
        masters
    }

    /// Which node has a slot, by its place. While a replica takes over, there is a moment in which none has.
    pub async fn owner(&self, slot: u16) -> usize {
        eventually(&format!("somebody has slot {slot}"), async || self.owner_now(slot).await).await
    }

    async fn owner_now(&self, slot: u16) -> Option<usize> {
        let asked = self.nodes.iter().find(|node| node.is_running()).unwrap();
        let ranges: Vec<Vec<redis::Value>> = asked.command(&["CLUSTER", "SLOTS"]).await;
        ranges.iter().find_map(|range| {
            let [redis::Value::Int(first), redis::Value::Int(last), redis::Value::Array(node), ..] =
                range.as_slice()
            else {
                panic!("{range:?}")
            };
            let redis::Value::Int(port) = node[1] else { panic!("{node:?}") };
            let has_it = (*first..=*last).contains(&i64::from(slot));
            has_it.then(|| self.nodes.iter().position(|node| i64::from(node.port()) == port).unwrap())
        })
    }

    /// The slot of a queue.
    pub async fn slot_of(&self, queue: &str) -> u16 {
        self.nodes[0].command(&["CLUSTER", "KEYSLOT", &format!("{{{queue}}}")]).await
    }

    /// Kills a node, as a crash would.
    pub async fn kill(&mut self, node: usize) {
        self.nodes[node].kill().await;
    }

    /// Moves a slot with all its keys to another master, a key at a time; how many there were.
    pub async fn move_slot(&self, slot: u16, to: usize) -> usize {
        self.begin_move(slot, to).await.finish().await
    }

    /// Begins to move a slot to another master: from now on neither has all of it.
    pub async fn begin_move(&self, slot: u16, to: usize) -> SlotMove<'_> {
        let (from, to) = (&self.nodes[self.owner(slot).await], &self.nodes[to]);
        let slot = slot.to_string();
        let (from_id, to_id): (String, String) =
            (from.command(&["CLUSTER", "MYID"]).await, to.command(&["CLUSTER", "MYID"]).await);
        to.command::<()>(&["CLUSTER", "SETSLOT", &slot, "IMPORTING", &from_id]).await;
        from.command::<()>(&["CLUSTER", "SETSLOT", &slot, "MIGRATING", &to_id]).await;
        SlotMove { slot, from, to, to_id }
    }

    /// Runs a command on every master, and gives each answer.
    pub async fn on_masters<T: redis::FromRedisValue>(&self, words: &[&str]) -> Vec<T> {
        let masters = self.masters().await;
        join_all(masters.iter().map(|master| master.command(words))).await
    }
}

/// A slot on its way from one master to another.
#[derive(Debug)]
pub struct SlotMove<'a> {
    slot: String,
    from: &'a RedisServer,
    to: &'a RedisServer,
    to_id: String,
}

impl SlotMove<'_> {
    /// The master that has the keys that have not moved yet.
    #[must_use]
    pub fn from(&self) -> &RedisServer {
        self.from
    }

    /// Moves all keys, and hands the slot over; how many there were.
    pub async fn finish(self) -> usize {
        let Self { slot, from, to, to_id } = self;
        let port = to.port().to_string();
        let mut moved = 0;
        loop {
            let keys: Vec<String> = from.command(&["CLUSTER", "GETKEYSINSLOT", &slot, "10"]).await;
            if keys.is_empty() {
                break;
            }
            for key in keys {
                from.command::<()>(&["MIGRATE", "127.0.0.1", &port, &key, "0", "5000"]).await;
                moved += 1;
            }
        }
        for node in [to, from] {
            node.command::<()>(&["CLUSTER", "SETSLOT", &slot, "NODE", &to_id]).await;
        }
        moved
    }
}

async fn start_node() -> RedisServer {
    RedisServer::start_node(&[
        "--cluster-enabled",
        "yes",
        "--cluster-node-timeout",
        "1000",
        "--cluster-replica-validity-factor",
        "0",
        "--repl-diskless-sync-delay",
        "0",
        "--appendonly",
        "no",
    ])
    .await
}
