//! All queues.

use std::collections::BTreeSet;

use asynq_core::inspector::{Inspector, QueueInfo, human};
use asynq_core::task::{QueueName, TaskState};
use axum::body::Body;
use axum::extract::Query;
use axum::http::Response;
use futures_util::stream::{StreamExt as _, TryStreamExt as _, iter};
use maud::{Markup, html};

use super::layout::{Page, Section};
use super::parts::{count, distribution, empty, error_rate, figures, hidden, length, none, number};
use super::{errors, past};
use crate::fields::Fields;
use crate::problem::Problem;
use crate::rights::Right;
use crate::tallies::States;
use crate::visit::Visit;

/// How many queues a page shows.
const SHOWN: usize = 100;

/// How many are asked for at one time.
const AT_A_TIME: usize = 32;

/// The columns that can be sorted by, each with its heading.
const COLUMNS: [(&str, &str); 8] = [
    ("name", "Queue"),
    ("size", "Size"),
    ("pending", "Pending"),
    ("retry", "Retry"),
    ("latency", "Latency"),
    ("processed", "Processed"),
    ("failed", "Failed"),
    ("memory", "Memory"),
];

/// All queues as they stand.
pub(crate) async fn queues(visit: Visit, Query(fields): Query<Fields>) -> Result<Response<Body>, Problem> {
    let part = fields.text("name").unwrap_or_default().to_lowercase();
    let mut names = visit.queues(Right::View).await?;
    let known = names.len();
    names.retain(|name| name.as_str().to_lowercase().contains(&part));
    let sort =
        fields.text("sort").filter(|sort| COLUMNS.iter().any(|(name, _)| name == sort)).unwrap_or("name");
    let is_descending = fields.text("order").map_or(sort != "name", |order| order == "desc");
    let fitting = names.len();
    let inspector = visit.inspector_of_all(Right::View)?;
    if sort == "name" {
        // What is not shown need not be asked for.
        if is_descending {
            names.reverse();
        }
        names.truncate(SHOWN);
    } else if sort != "memory" {
        // How much memory each takes costs more than all the rest: that is asked of those that are shown.
        let mut counts = inspector.counts_of(&names).await?;
        sort_by(&mut counts, sort, is_descending);
        names = counts.into_iter().take(SHOWN).map(|queue| queue.queue).collect();
    }
    let mut queues = infos(inspector, &names).await?;
    sort_by(&mut queues, sort, is_descending);
    queues.truncate(SHOWN);
    let consumed: BTreeSet<String> =
        inspector.servers().await?.into_iter().flat_map(|server| server.queues.into_keys()).collect();

    let sorting = Sorting { sort, is_descending, part: &part };
    let body = html! {
        div.head { h1 { "Queues" } (name_filter(&visit, &part, known)) }
        @if known == 0 {
            (empty("No queue yet", "A queue exists once a task was sent to it. Enqueue one, and it is here."))
        } @else if queues.is_empty() {
            (empty("No queue of that name", html! { "None of " (count(known)) " has “" (part) "” in its name." }))
        } @else {
            (totals(&queues))
            (past::strip(&visit, None)?)
            (table(&visit, &queues, &consumed, &sorting)?)
            (errors::panel(&visit, None, States::Failed).await?)
            @if fitting > queues.len() {
                p.muted { (count(queues.len())) " of " (count(fitting)) " queues are shown: type a part of the name above." }
            }
        }
    };
    Ok(Page::live(Section::Queues, "Queues", body).show(&visit))
}

/// How queues stand; one that is deleted meanwhile is left out.
pub(crate) async fn infos(inspector: &Inspector, names: &[QueueName]) -> Result<Vec<QueueInfo>, Problem> {
    let asked = iter(names.to_vec()).map(async |name| match inspector.queue_info(&name).await {
        Err(asynq_core::Error::QueueNotFound { .. }) => Ok(None),
        info => info.map(Some).map_err(Problem::from),
    });
    asked.buffered(AT_A_TIME).try_filter_map(async |info| Ok(info)).try_collect().await
}

struct Sorting<'a> {
    sort: &'a str,
    is_descending: bool,
    part: &'a str,
}

fn sort_by(queues: &mut [QueueInfo], sort: &str, is_descending: bool) {
    let compare = |a: &QueueInfo, b: &QueueInfo| match sort {
        "size" => a.size().cmp(&b.size()),
        "pending" => a.pending.cmp(&b.pending),
        "retry" => a.retry.cmp(&b.retry),
        "latency" => a.latency.cmp(&b.latency),
        "processed" => a.processed.cmp(&b.processed),
        "failed" => a.failed.cmp(&b.failed),
        "memory" => a.memory_usage.cmp(&b.memory_usage),
        _ => a.queue.cmp(&b.queue),
    };
    queues.sort_by(|a, b| {
        let ordering = if is_descending { compare(b, a) } else { compare(a, b) };
        ordering.then_with(|| a.queue.cmp(&b.queue))
    });
}

fn name_filter(visit: &Visit, part: &str, known: usize) -> Markup {
    html! {
        @if known > 1 {
            form.inline action=(visit.link()) {
                label.hidden for="name" { "Part of the name" }
                input #name type="search" name="name" value=(part) placeholder="Part of the name" autocomplete="off";
                button.quiet { "Filter" }
            }
        }
    }
}

fn totals(queues: &[QueueInfo]) -> Markup {
    let sum = |of: fn(&QueueInfo) -> usize| queues.iter().map(of).sum::<usize>();
    let (processed, failed) = queues
        .iter()
        .fold((0, 0), |(processed, failed), queue| (processed + queue.processed, failed + queue.failed));
    figures([
        ("Tasks", html! { (count(sum(QueueInfo::size))) }),
        ("Active", number(sum(|queue| queue.active))),
        ("Pending", number(sum(|queue| queue.pending))),
        ("Retry", number(sum(|queue| queue.retry))),
        ("Processed today", html! { (count(processed)) }),
        ("Failed today", html! { (error_rate(failed, processed)) }),
    ])
}

fn table(
    visit: &Visit,
    queues: &[QueueInfo],
    consumed: &BTreeSet<String>,
    sorting: &Sorting<'_>,
) -> Result<Markup, Problem> {
    let most = queues.iter().map(QueueInfo::size).max().unwrap_or(0);
    Ok(html! {
        div.scroll role="region" aria-label="Queues" tabindex="0" {
            table {
                thead { tr {
                    @for (name, heading) in COLUMNS {
                        (heading_cell(visit, name, heading, sorting))
                        @if name == "name" { th scope="col" { "States" } th scope="col" { "Last hour" } }
                        @if name == "failed" { th.right scope="col" { "Error rate" } }
                    }
                    th scope="col" { span.hidden { "Actions" } }
                } }
                tbody {
                    @for queue in queues {
                        tr data-key=(queue.queue) { (row(visit, queue, most, consumed.contains(queue.queue.as_str()))?) }
                    }
                }
            }
        }
    })
}

fn heading_cell(visit: &Visit, name: &str, heading: &str, sorting: &Sorting<'_>) -> Markup {
    let is_sorted = sorting.sort == name;
    let order = match (is_sorted, sorting.is_descending, name) {
        (true, true, _) | (false, _, "name") => "asc",
        _ => "desc",
    };
    let direction = if sorting.is_descending { "descending" } else { "ascending" };
    let part = Some(sorting.part).filter(|part| !part.is_empty());
    let link = visit.link().with_some("name", part).with("sort", name).with("order", order);
    html! {
        th.right[name != "name"] scope="col" aria-sort=[is_sorted.then_some(direction)] {
            a.sort href=(link) { (heading) }
        }
    }
}

fn row(visit: &Visit, queue: &QueueInfo, most: usize, is_consumed: bool) -> Result<Markup, Problem> {
    let name = queue.queue.as_str();
    Ok(html! {
        th scope="row" {
            a href=(visit.link().to("queues").to(name)) { (human::printable(name)) }
            " " (badges(queue, is_consumed))
        }
        td.wide { (distribution(queue, most)) }
        td { (past::spark(visit, name)?) }
        td.right { (number(queue.size())) }
        td.right { (number(queue.pending)) }
        td.right { (number(queue.retry)) }
        td.right { (length(queue.latency)) }
        td.right { (count(queue.processed)) }
        td.right { @if queue.failed > 0 { span.bad { (count(queue.failed)) } } @else { span.zero { "0" } } }
        td.right { (error_rate(queue.failed, queue.processed)) }
        td.right { @match queue.memory_usage { Some(bytes) => (human::size(bytes)), None => (none()) } }
        td.actions { (pause_button(visit, queue)) }
    })
}

/// What one must know of a queue.
pub(super) fn badges(queue: &QueueInfo, is_consumed: bool) -> Markup {
    let waits = queue.count(TaskState::Pending) > 0;
    html! {
        @match (queue.is_paused(), waits) {
            (true, true) => { span.badge.alarm title="Workers take nothing from it, and tasks are pending." { "paused, " (count(queue.pending)) " wait" } " " }
            (true, false) => { span.badge.warn { "paused" } " " }
            (false, _) => {}
        }
        @if waits && !is_consumed && !queue.is_paused() {
            span.badge.alarm title="Tasks are pending, and no server that lives takes from this queue." { "no worker" } " "
        }
        @if queue.orphaned > 0 {
            span.badge.alarm title="Active tasks whose worker is gone: they will be recovered." {
                (count(queue.orphaned)) " orphaned"
            }
            " "
        }
        @if queue.is_archive_full() {
            span.badge.warn title="Servers keep 9,999 archived tasks unless told otherwise: the oldest will be deleted." { "archive full" }
        }
    }
}

/// Pauses a queue, or resumes it.
pub(super) fn pause_button(visit: &Visit, queue: &QueueInfo) -> Markup {
    let name = queue.queue.as_str();
    if !visit.may(Right::Pause, name) {
        return html! {};
    }
    let (action, label) = if queue.is_paused() { ("resume", "Resume") } else { ("pause", "Pause") };
    html! {
        form method="post" action=(visit.link().to("queues").to(name).to(action)) {
            (hidden("back", visit.here()))
            button.quiet aria-label=(format!("{label} queue {name}")) { (label) }
        }
    }
}
