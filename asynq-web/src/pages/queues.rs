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
use super::parts::{
    count, distribution, empty, error_rate, figures, hidden, hidden_if, length, none, number,
};
use super::queue_groups::{Line, folded};
use super::{errors, past};
use crate::fields::Fields;
use crate::links::Link;
use crate::problem::Problem;
use crate::rights::Right;
use crate::tallies::States;
use crate::visit::Visit;

/// How many queues a page shows.
const SHOWN: usize = 100;

/// How many prefixes are open at one time.
const MOST_OPEN: usize = 10;

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
    let sorting = Sorting::read(&fields)?;
    let mut names = visit.queues(Right::View).await?;
    let known = names.len();
    let part = sorting.part.to_lowercase();
    names.retain(|name| name.as_str().to_lowercase().contains(&part));
    let fitting = names.len();
    let inspector = visit.inspector_of_all(Right::View)?;
    let lines = if sorting.is_folded {
        folded_lines(inspector, &names, &sorting).await?
    } else {
        lines(inspector, names, &sorting).await?
    };
    let consumed: BTreeSet<String> =
        inspector.servers().await?.into_iter().flat_map(|server| server.queues.into_keys()).collect();
    let shown: usize = lines.iter().map(Line::queues).sum();
    let body = html! {
        div.head { h1 { "Queues" } (choices(&visit, &sorting, known)) }
        @if known == 0 {
            (empty("No queue yet", "A queue exists once a task was sent to it. Enqueue one, and it is here."))
        } @else if lines.is_empty() {
            (empty("No queue of that name", html! { "None of " (count(known)) " has “" (part) "” in its name." }))
        } @else {
            (totals(&lines))
            (past::strip(&visit, None)?)
            (table(&visit, &lines, &consumed, &sorting)?)
            (errors::panel(&visit, None, States::Failed).await?)
            @if fitting > shown {
                p.muted { (count(shown)) " of " (count(fitting)) " queues are shown: type a part of the name above." }
            }
        }
    };
    Ok(Page::live(Section::Queues, "Queues", body).show(&visit))
}

/// A line for each queue, as many as a page shows.
async fn lines(
    inspector: &Inspector,
    mut names: Vec<QueueName>,
    sorting: &Sorting<'_>,
) -> Result<Vec<Line>, Problem> {
    if sorting.sort == "name" {
        // What is not shown need not be asked for.
        if sorting.is_descending {
            names.reverse();
        }
        names.truncate(SHOWN);
    } else if sorting.sort != "memory" {
        // How much memory each takes costs more than all the rest: that is asked of those that are shown.
        let mut counts = inspector.counts_of(&names).await?;
        sorting.sort(&mut counts, |info| info);
        names = counts.into_iter().take(SHOWN).map(|queue| queue.queue).collect();
    }
    let mut queues = infos(inspector, &names).await?;
    sorting.sort(&mut queues, |info| info);
    queues.truncate(SHOWN);
    Ok(queues.into_iter().map(Line::Queue).collect())
}

/// A line for each prefix; memory is told of queues that have a line of their own.
async fn folded_lines(
    inspector: &Inspector,
    names: &[QueueName],
    sorting: &Sorting<'_>,
) -> Result<Vec<Line>, Problem> {
    let mut lines = folded(inspector.counts_of(names).await?);
    sorting.sort(&mut lines, Line::info);
    lines.truncate(SHOWN);
    let mut alone: Vec<&mut QueueInfo> = Vec::new();
    for line in &mut lines {
        match line {
            Line::Queue(queue) => alone.push(queue),
            Line::Group(group) => {
                sorting.sort(&mut group.members, |info| info);
                let is_open = sorting.open.contains(&group.prefix.as_str());
                alone.extend(group.members.iter_mut().take(SHOWN).filter(|_| is_open));
            }
        }
    }
    // Beyond these, their counts are enough.
    alone.truncate(SHOWN);
    let asked: Vec<QueueName> = alone.iter().map(|queue| queue.queue.clone()).collect();
    let mut told = infos(inspector, &asked).await?.into_iter().peekable();
    for queue in alone {
        // They come in the same order, but for those that are deleted meanwhile.
        if let Some(info) = told.next_if(|info| info.queue == queue.queue) {
            *queue = info;
        }
    }
    Ok(lines)
}

/// How queues stand; one that is deleted meanwhile is left out.
pub(crate) async fn infos(inspector: &Inspector, names: &[QueueName]) -> Result<Vec<QueueInfo>, Problem> {
    let asked = iter(names.to_vec()).map(async |name| match inspector.queue_info(&name).await {
        Err(asynq_core::Error::QueueNotFound { .. }) => Ok(None),
        info => info.map(Some).map_err(Problem::from),
    });
    asked.buffered(AT_A_TIME).try_filter_map(async |info| Ok(info)).try_collect().await
}

/// How the queues are asked for.
struct Sorting<'a> {
    sort: &'a str,
    is_descending: bool,
    /// What is in the name of each.
    part: &'a str,
    /// Whether those with one prefix are one line, and which of these are open.
    is_folded: bool,
    open: Vec<&'a str>,
}

impl<'a> Sorting<'a> {
    fn read(fields: &'a Fields) -> Result<Self, Problem> {
        let sort = fields.text("sort").filter(|sort| COLUMNS.iter().any(|(name, _)| name == sort));
        let sort = sort.unwrap_or("name");
        let is_folded = match fields.text("by") {
            None => false,
            Some("prefix") => true,
            Some(other) => return Err(Problem::invalid(format!("by: `{other}` must be prefix"))),
        };
        Ok(Self {
            sort,
            is_descending: fields.text("order").map_or(sort != "name", |order| order == "desc"),
            part: fields.text("name").unwrap_or_default(),
            is_folded,
            open: fields.all("open").filter(|_| is_folded).take(MOST_OPEN).collect(),
        })
    }

    /// The address of the same queues, in the usual order.
    fn link(&self, visit: &Visit) -> Link {
        let part = Some(self.part).filter(|part| !part.is_empty());
        let link = visit.link().with_some("name", part);
        let link = link.with_some("by", self.is_folded.then_some("prefix"));
        self.open.iter().fold(link, |link, prefix| link.with("open", prefix))
    }

    /// The same queues and order, with this prefix opened, or closed if it is open.
    fn toggled(&self, visit: &Visit, prefix: &str) -> Link {
        let mut open: Vec<&str> = self.open.clone();
        open.retain(|known| *known != prefix);
        if open.len() == self.open.len() {
            open.push(prefix);
            // One more closes the one that was opened first.
            open.drain(..open.len().saturating_sub(MOST_OPEN));
        }
        let order = if self.is_descending { "desc" } else { "asc" };
        let Self { sort, is_descending, part, is_folded, .. } = *self;
        Sorting { sort, is_descending, part, is_folded, open }
            .link(visit)
            .with("sort", sort)
            .with("order", order)
    }

    fn sort<T>(&self, lines: &mut [T], of: impl Fn(&T) -> &QueueInfo) {
        let compare = |a: &QueueInfo, b: &QueueInfo| match self.sort {
            "size" => a.size().cmp(&b.size()),
            "pending" => a.pending.cmp(&b.pending),
            "retry" => a.retry.cmp(&b.retry),
            "latency" => a.latency.cmp(&b.latency),
            "processed" => a.processed.cmp(&b.processed),
            "failed" => a.failed.cmp(&b.failed),
            "memory" => a.memory_usage.cmp(&b.memory_usage),
            _ => a.queue.cmp(&b.queue),
        };
        lines.sort_by(|a, b| {
            let (a, b) = (of(a), of(b));
            let ordering = if self.is_descending { compare(b, a) } else { compare(a, b) };
            ordering.then_with(|| a.queue.cmp(&b.queue))
        });
    }
}

/// Which queues, and whether those with one prefix are one line.
fn choices(visit: &Visit, sorting: &Sorting<'_>, known: usize) -> Markup {
    let part = Some(sorting.part).filter(|part| !part.is_empty());
    let fold = Some("prefix").filter(|_| !sorting.is_folded);
    html! {
        @if known > 1 {
            form.inline action=(visit.link()) {
                (hidden_if("by", sorting.is_folded.then_some("prefix")))
                label.hidden for="name" { "Part of the name" }
                input #name type="search" name="name" value=(sorting.part) placeholder="Part of the name" autocomplete="off";
                button.quiet { "Filter" }
                a.button.quiet href=(visit.link().with_some("name", part).with_some("by", fold)) {
                    @if sorting.is_folded { "One by one" } @else { "By prefix" }
                }
            }
        }
    }
}

fn totals(lines: &[Line]) -> Markup {
    let queues = || lines.iter().map(Line::info);
    let sum = |of: fn(&QueueInfo) -> usize| queues().map(of).sum::<usize>();
    let (processed, failed) = queues()
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
    lines: &[Line],
    consumed: &BTreeSet<String>,
    sorting: &Sorting<'_>,
) -> Result<Markup, Problem> {
    let most = lines.iter().map(|line| line.info().size()).max().unwrap_or(0);
    let queue_row = |queue: &QueueInfo, is_member: bool| -> Result<Markup, Problem> {
        let row = row(visit, queue, most, consumed.contains(queue.queue.as_str()))?;
        Ok(html! { tr.member[is_member] data-key=(queue.queue) { (row) } })
    };
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
                    @for line in lines {
                        @match line {
                            Line::Queue(queue) => (queue_row(queue, false)?),
                            Line::Group(group) => {
                                @let is_open = sorting.open.contains(&group.prefix.as_str());
                                tr data-key={ "prefix " (group.prefix) } {
                                    (group.row(&sorting.toggled(visit, &group.prefix), is_open, most, consumed))
                                }
                                @for queue in group.members.iter().take(SHOWN).filter(|_| is_open) { (queue_row(queue, true)?) }
                            }
                        }
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
    let link = sorting.link(visit).with("sort", name).with("order", order);
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
