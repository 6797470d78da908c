//! [`Cluster`]: the nodes of a cluster, and which of them have which queues.

use asynq_core::inspector::{ClusterMember, StoreInfo};
use futures_util::stream::{StreamExt as _, TryStreamExt as _, iter};

use crate::problem::Problem;
use crate::rights::Right;
use crate::visit::Visit;

/// How many queues are told of.
const QUEUES: usize = 200;

/// How many slots are asked for at one time.
const AT_A_TIME: usize = 32;

/// The nodes of a cluster, and which of them have which queues.
#[derive(Clone, Debug)]
pub(crate) struct Cluster {
    pub(crate) nodes: Vec<ClusterMember>,
    pub(crate) places: Vec<Place>,
    /// How many queues there are beside those that are told of.
    pub(crate) others: usize,
}

/// Where a queue is.
#[derive(Clone, Debug)]
pub(crate) struct Place {
    pub(crate) queue: String,
    pub(crate) slot: u16,
    /// The addresses of the nodes that have it, the master first.
    pub(crate) nodes: Vec<String>,
}

impl Cluster {
    /// The cluster that a store is by what it tells of itself; `None` where it is none.
    pub(crate) async fn look(visit: &Visit, info: &StoreInfo) -> Result<Option<Self>, Problem> {
        if !info.contains_key("cluster_state") {
            return Ok(None);
        }
        let inspector = visit.inspector_of_all(Right::View)?;
        let mut nodes = inspector.cluster_members().await?;
        nodes.sort_by(|a, b| (a.is_replica, &a.address).cmp(&(b.is_replica, &b.address)));
        let queues = visit.queues(Right::View).await?;
        let others = queues.len().saturating_sub(QUEUES);
        let slots = iter(queues.into_iter().take(QUEUES)).map(async |queue| {
            let slot = inspector.cluster_key_slot(&queue).await?;
            Ok::<_, Problem>(Place { queue: queue.to_string(), slot, nodes: holders(&nodes, slot) })
        });
        let places = slots.buffered(AT_A_TIME).try_collect().await?;
        Ok(Some(Self { nodes, places, others }))
    }
}

/// The nodes that have a slot, the master first.
fn holders(nodes: &[ClusterMember], slot: u16) -> Vec<String> {
    let has = |node: &&ClusterMember| node.slots.iter().any(|range| holds(range, slot));
    let Some(master) = nodes.iter().find(has) else { return Vec::new() };
    let replicas = nodes.iter().filter(|node| node.is_replica && node.master == master.id);
    std::iter::once(master).chain(replicas).map(|node| node.address.clone()).collect()
}

/// Whether a slot is in `0-5460` or `5462`; a slot that moves, as in `[93-<-id]`, is told of by its own range as well.
fn holds(range: &str, slot: u16) -> bool {
    let (first, last) = range.split_once('-').unwrap_or((range, range));
    match (first.parse::<u16>(), last.parse::<u16>()) {
        (Ok(first), Ok(last)) => (first..=last).contains(&slot),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_hold_what_is_between_their_ends() {
        for (range, slot, expected) in [
            ("0-5460", 0, true),
            ("0-5460", 5_460, true),
            ("0-5460", 5_461, false),
            ("7", 7, true),
            ("[93-<-b2]", 93, false),
        ] {
            assert_eq!(holds(range, slot), expected, "{range} {slot}");
        }
    }
}
