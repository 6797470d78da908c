//! Servers, and what they run.

use std::collections::BTreeMap;

use asynq_core::inspector::{RunningTask, ServerStatus, human};
use axum::body::Body;
use axum::http::Response;
use maud::{Markup, html};

use super::content::cell;
use super::layout::{Page, Section};
use super::parts::{count, empty, facts, figures, none, time};
use crate::problem::Problem;
use crate::rights::Right;
use crate::visit::Visit;

/// All servers that live.
pub(crate) async fn servers(visit: Visit) -> Result<Response<Body>, Problem> {
    let servers = visible_servers(&visit).await?;
    let busy: usize = servers.iter().map(|server| server.running.len()).sum();
    let slots: i64 = servers.iter().map(|server| i64::from(server.concurrency)).sum();
    let body = html! {
        div.head { h1 { "Servers" } }
        @if servers.is_empty() {
            (empty("No server runs", "Tasks wait until one does. A server tells of itself every few seconds, and is here then."))
        } @else {
            (figures([
                ("Servers", html! { (count(servers.len())) }),
                ("Tasks running", html! { (count(busy)) span.muted { " of " (slots) } }),
            ]))
            (versions(&servers))
            @for server in &servers { (one(&visit, server)) }
        }
    };
    Ok(Page::live(Section::Servers, "Servers", body).show(&visit))
}

/// Those that the visitor may see, by host; of what others run, nothing is told.
pub(crate) async fn visible_servers(visit: &Visit) -> Result<Vec<ServerStatus>, Problem> {
    let mut servers = visit.inspector_of_all(Right::View)?.servers().await?;
    servers.sort_by(|a, b| (&a.host, a.pid, &a.id).cmp(&(&b.host, b.pid, &b.id)));
    for server in &mut servers {
        server.running.retain(|task| visit.may(Right::View, task.queue.as_str()));
        server.queues.retain(|queue, _| visit.may(Right::View, queue));
    }
    servers.retain(|server| !visit.rights().are_limited() || !server.queues.is_empty());
    Ok(servers)
}

/// Says so where servers of ours run several versions: after a rollout that did not reach all of them.
fn versions(servers: &[ServerStatus]) -> Markup {
    let mut by_version = BTreeMap::new();
    for version in servers.iter().filter_map(|server| server.version.as_deref()) {
        *by_version.entry(version).or_insert(0_usize) += 1;
    }
    let words = by_version.iter().map(|(version, servers)| {
        let noun = if *servers == 1 { "server" } else { "servers" };
        format!("{} on {} {noun}", human::printable(version), count(*servers))
    });
    html! {
        @if by_version.len() > 1 { p.remark { "Several versions of asynq run: " (words.collect::<Vec<_>>().join(", ")) "." } }
    }
}

fn one(visit: &Visit, server: &ServerStatus) -> Markup {
    let mut queues: Vec<_> = server.queues.iter().collect();
    queues.sort_by(|a, b| b.1.cmp(a.1).then(a.0.cmp(b.0)));
    let style = if server.status == "active" { "good" } else { "warn" };
    html! {
        section.card id=(server.id) data-key=(server.id) {
            header {
                h2 { (human::printable(&server.host)) span.muted { " · pid " (server.pid) } }
                span class={"badge " (style)} { (human::printable(&server.status)) }
            }
            (facts([
                ("Running", html! {
                    (server.running.len()) " of " (server.concurrency) " "
                    meter min="0" max=(server.concurrency.max(1)) value=(server.running.len()) { }
                }),
                ("Started", time(visit, server.started)),
                ("Queues", html! {
                    @for (name, priority) in queues {
                        a.chip href=(visit.link().to("queues").to(name)) { (human::printable(name)) span.count { (priority) } } " "
                    }
                    @if server.strict_priority { span.muted { "strictly in this order" } }
                }),
                ("Version", server.version.as_deref().map_or_else(none, |version| html! { (human::printable(version)) })),
                ("ID", html! { code { (human::printable(&server.id)) } }),
            ]))
            @if server.running.is_empty() { p.muted { "It runs no task at this moment." } } @else { (running(visit, &server.running)) }
        }
    }
}

fn running(visit: &Visit, tasks: &[RunningTask]) -> Markup {
    html! {
        div.scroll role="region" aria-label="What it runs" tabindex="0" {
            table {
                thead { tr { @for heading in ["Task", "Type", "Queue", "Started", "Must end", "Payload"] { th scope="col" { (heading) } } } }
                tbody {
                    @for task in tasks {
                        @let (queue, id) = (task.queue.as_str(), task.id.as_str());
                        tr data-key=(id) {
                            th.id scope="row" { a href=(visit.link().to("queues").to(queue).to("tasks").to(id)) { (human::printable(id)) } }
                            td { (human::printable(task.task_type.as_str())) }
                            td { (human::printable(queue)) }
                            td { (time(visit, task.started)) }
                            td {
                                (time(visit, task.deadline))
                                @if task.is_overdue(visit.now()) {
                                    " " span.badge.alarm title="It should have ended: its handler does not heed cancellation." { "hangs" }
                                }
                            }
                            td.c-payload { @if visit.may(Right::ViewPayload, queue) { (cell(&visit.shown(queue, task.payload.clone()))) } @else { span.muted { "not shown" } } }
                        }
                    }
                }
            }
        }
    }
}
