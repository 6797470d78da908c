//! Redis, as it tells about itself.

use asynq_core::inspector::{StoreInfo, human};
use axum::body::Body;
use axum::http::Response;
use maud::{Markup, html};

use super::layout::{Page, Section};
use super::parts::{empty, figures, none};
use crate::problem::Problem;
use crate::rights::Right;
use crate::visit::Visit;
use crate::warnings::{Warning, of_store};

/// How many queues of a cluster are shown with their nodes.
const QUEUES: usize = 200;

/// What Redis tells about itself.
pub(crate) async fn redis(visit: Visit) -> Result<Response<Body>, Problem> {
    let inspector = visit.inspector_of_all(Right::View)?;
    let info = inspector.store_info().await?;
    let time = inspector.store_time().await?;
    let places = if info.contains_key("cluster_state") { places(&visit).await? } else { Vec::new() };
    let skew = time.duration_since(visit.now());
    let body = html! {
        div.head { h1 { "Redis" } }
        @if info.is_empty() {
            (empty("No Redis", "The tasks are kept in the memory of this process."))
        } @else {
            (remarks(&of_store(&info, skew, visit.now())))
            (summary(&info))
            @if !places.is_empty() { (cluster(&visit, &places)) }
            details.columns {
                summary { "All that it tells" }
                div.scroll role="region" aria-label="All that it tells" tabindex="0" {
                    table { tbody { @for (name, value) in info.iter() { tr { th scope="row" { (name) } td { code { (value) } } } } } }
                }
            }
        }
    };
    Ok(Page::live(Section::Redis, "Redis", body).show(&visit))
}

fn remarks(warnings: &[Warning]) -> Markup {
    html! { @for warning in warnings { p.remark { (warning.text) } } }
}

fn summary(info: &StoreInfo) -> Markup {
    let text = |name: &str| info.get(name).map_or_else(none, |value| html! { (value) });
    let bytes = |name: &str| match info.get(name).and_then(|value| value.parse::<u64>().ok()) {
        Some(bytes) => html! { (human::size(bytes)) },
        None => none(),
    };
    let uptime = info
        .get("uptime_in_seconds")
        .and_then(|value| value.parse().ok())
        .map(std::time::Duration::from_secs);
    figures([
        ("Version", text("redis_version")),
        ("Role", text("role")),
        ("Up", uptime.map_or_else(none, |uptime| html! { (human::length(uptime)) })),
        ("Clients", text("connected_clients")),
        ("Memory", bytes("used_memory")),
        ("Peak", bytes("used_memory_peak")),
        ("Fragmentation", text("mem_fragmentation_ratio")),
        ("Commands/s", text("instantaneous_ops_per_sec")),
        ("Replicas", text("connected_slaves")),
        ("Changes unsaved", text("rdb_changes_since_last_save")),
    ])
}

/// A queue, its slot and the nodes that hold it.
type Place = (String, u16, String);

async fn places(visit: &Visit) -> Result<Vec<Place>, Problem> {
    let inspector = visit.inspector_of_all(Right::View)?;
    let mut places = Vec::new();
    for queue in visit.queues(Right::View).await?.into_iter().take(QUEUES) {
        let slot = inspector.cluster_key_slot(&queue).await?;
        let nodes = inspector.cluster_nodes(&queue).await?;
        let nodes = nodes.iter().map(|node| node.address.clone()).collect::<Vec<_>>().join(", ");
        places.push((queue.to_string(), slot, nodes));
    }
    Ok(places)
}

fn cluster(visit: &Visit, places: &[Place]) -> Markup {
    html! {
        h2 { "Cluster" }
        div.scroll role="region" aria-label="Cluster" tabindex="0" {
            table {
                thead { tr { th scope="col" { "Queue" } th scope="col" { "Slot" } th scope="col" { "Nodes, the master first" } } }
                tbody {
                    @for (queue, slot, nodes) in places {
                        tr data-key=(queue) {
                            th scope="row" { a href=(visit.link().to("queues").to(queue)) { (human::printable(queue)) } }
                            td.right { (slot) }
                            td { (nodes) }
                        }
                    }
                }
            }
        }
    }
}
