//! Redis, as it tells about itself.

use asynq_core::inspector::{StoreInfo, human};
use axum::body::Body;
use axum::http::Response;
use maud::{Markup, html};

use super::layout::{Page, Section};
use super::parts::{count, empty, figures, none};
use crate::cluster::Cluster;
use crate::problem::Problem;
use crate::rights::Right;
use crate::visit::Visit;
use crate::warnings::{Warning, of_store};

/// What Redis tells about itself.
pub(crate) async fn redis(visit: Visit) -> Result<Response<Body>, Problem> {
    let inspector = visit.inspector_of_all(Right::View)?;
    let info = inspector.store_info().await?;
    let time = inspector.store_time().await?;
    let nodes = Cluster::look(&visit, &info).await?;
    let skew = time.duration_since(visit.now());
    let body = html! {
        div.head { h1 { "Redis" } }
        @if info.is_empty() {
            (empty("No Redis", "The tasks are kept in the memory of this process."))
        } @else {
            (remarks(&of_store(&info, skew, visit.now())))
            (summary(&info))
            @if let Some(nodes) = &nodes { (cluster(&visit, nodes)) }
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

fn cluster(visit: &Visit, cluster: &Cluster) -> Markup {
    html! {
        section {
            h2 { "Nodes" }
            div.scroll role="region" aria-label="Nodes" tabindex="0" {
                table {
                    thead { tr { @for heading in ["Address", "Role", "Standing", "Slots", "ID"] { th scope="col" { (heading) } } } }
                    tbody {
                        @for node in &cluster.nodes {
                            tr data-key=(node.id) {
                                th scope="row" { (human::printable(&node.address)) }
                                td { @if node.is_replica { "replica" } @else { "master" } }
                                td { @if node.is_well { span.badge.good { "connected" } } @else { span.badge.alarm { "away" } } }
                                td.wide { @if node.slots.is_empty() { (none()) } @else { (node.slots.join(", ")) } }
                                td { code { (human::printable(&node.id)) } }
                            }
                        }
                    }
                }
            }
        }
        section {
            h2 { "Queues" }
            div.scroll role="region" aria-label="Queues" tabindex="0" {
                table {
                    thead { tr { th scope="col" { "Queue" } th.right scope="col" { "Slot" } th scope="col" { "Nodes, the master first" } } }
                    tbody {
                        @for place in &cluster.places {
                            tr data-key=(place.queue) {
                                th scope="row" { a href=(visit.link().to("queues").to(&place.queue)) { (human::printable(&place.queue)) } }
                                td.right { (place.slot) }
                                td { (place.nodes.join(", ")) }
                            }
                        }
                    }
                }
            }
            @if cluster.others > 0 { p.muted { "and " (count(cluster.others)) " more queues" } }
        }
    }
}
