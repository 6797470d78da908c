//! Redis, as it tells about itself.

use asynq_core::inspector::{ClusterMember, StoreInfo};
use axum::Json;
use serde::Serialize;

use crate::cluster::{Cluster, Place};
use crate::problem::Problem;
use crate::rights::Right;
use crate::visit::Visit;

#[derive(Serialize)]
pub(crate) struct Redis {
    time: String,
    info: StoreInfo,
    /// `null` where it is none.
    cluster: Option<Nodes>,
}

#[derive(Serialize)]
struct Nodes {
    nodes: Vec<Node>,
    /// The first of them by name.
    queues: Vec<Queue>,
}

#[derive(Serialize)]
struct Node {
    id: String,
    address: String,
    replica_of: Option<String>,
    connected: bool,
    slots: Vec<String>,
}

#[derive(Serialize)]
struct Queue {
    #[serde(rename = "queue")]
    name: String,
    slot: u16,
    nodes: Vec<String>,
}

/// What Redis tells about itself, and its time.
pub(crate) async fn info(visit: Visit) -> Result<Json<Redis>, Problem> {
    let inspector = visit.inspector_of_all(Right::View)?;
    let time = inspector.store_time().await?.to_string();
    let info = inspector.store_info().await?;
    let cluster = Cluster::look(&visit, &info).await?.map(Nodes::new);
    Ok(Json(Redis { time, info, cluster }))
}

impl Nodes {
    fn new(cluster: Cluster) -> Self {
        let node = |node: ClusterMember| Node {
            id: node.id,
            address: node.address,
            replica_of: node.is_replica.then_some(node.master),
            connected: node.is_well,
            slots: node.slots,
        };
        let queue = |place: Place| Queue { name: place.queue, slot: place.slot, nodes: place.nodes };
        Self {
            nodes: cluster.nodes.into_iter().map(node).collect(),
            queues: cluster.places.into_iter().map(queue).collect(),
        }
    }
}
