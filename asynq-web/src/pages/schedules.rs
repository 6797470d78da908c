//! Schedules: when they fire, what they enqueued, and firing one now.

use asynq_core::Error;
use asynq_core::inspector::{Page as Part, ScheduledEntry, human};
use asynq_core::scheduler::Schedule;
use asynq_cron::Spec;
use axum::body::Body;
use axum::extract::Path;
use axum::extract::Query;
use axum::http::Response;
use axum::response::Redirect;
use jiff::Timestamp;
use maud::{Markup, html};

use super::content;
use super::layout::{Page, Section, done};
use super::parts::{empty, facts, time};
use crate::fields::Fields;
use crate::links::name;
use crate::problem::Problem;
use crate::rights::Right;
use crate::visit::Visit;

/// How many of the next times are told.
const NEXT: usize = 5;

/// All schedules of schedulers that live.
pub(crate) async fn schedules(visit: Visit) -> Result<Response<Body>, Problem> {
    let entries = entries(&visit).await?;
    let body = html! {
        div.head { h1 { "Schedules" } }
        @if entries.is_empty() {
            (empty("No schedule", "No scheduler runs, or it has no entries. Jobs with a schedule are here as soon as one does."))
        } @else {
            div.scroll role="region" aria-label="Schedules" tabindex="0" {
                table {
                    thead { tr { @for heading in ["Type", "Specification", "When", "Queue", "Next", "Last"] { th scope="col" { (heading) } } } }
                    tbody {
                        @for entry in &entries {
                            tr data-key=(entry.id) {
                                th scope="row" { a href=(visit.link().to("schedules").to(&entry.id)) { (human::printable(entry.task_type.as_str())) } }
                                td { code { (human::printable(&entry.spec)) } }
                                td.wide { (in_words(&entry.spec)) }
                                td { a href=(visit.link().to("queues").to(entry.queue())) { (human::printable(entry.queue())) } }
                                td { (time(&visit, entry.next)) " " (late(&visit, entry)) }
                                td { (time(&visit, entry.prev)) }
                            }
                        }
                    }
                }
            }
        }
    };
    Ok(Page::live(Section::Schedules, "Schedules", body).show(&visit))
}

/// One of them, with what it enqueued.
pub(crate) async fn schedule(
    visit: Visit,
    Path(entry): Path<String>,
    Query(fields): Query<Fields>,
) -> Result<Response<Body>, Problem> {
    let entry = entry_of(&visit, name(&entry)).await?;
    let number = fields.parsed("page")?.unwrap_or(1);
    let part = Part::new(number, visit.preferences.size.count()).map_err(Error::from)?;
    let events = visit.inspector(Right::View, entry.queue())?.enqueue_events(&entry.id, part).await?;
    let here = visit.link().to("schedules").to(&entry.id);
    let body = html! {
        div.head {
            h1 { a.up href=(visit.link().to("schedules")) { "Schedules" } span.path { "/" } (human::printable(entry.task_type.as_str())) }
            div.buttons {
                @if visit.may(Right::RunSchedule, entry.queue()) {
                    form method="post" action=(here.clone().to("run")) { button { "Run now" } }
                }
            }
        }
        div.columns-2 { (what(&visit, &entry)) (upcoming(&visit, &entry)) }
        @if visit.may(Right::ViewPayload, entry.queue()) { (content(&visit, &entry)) }
        section {
            h2 { "What it enqueued" }
            @if events.is_empty() {
                p.muted { "Nothing that is remembered." }
            } @else {
                div.scroll role="region" aria-label="What it enqueued" tabindex="0" {
                    table {
                        thead { tr { th scope="col" { "Task" } th scope="col" { "Enqueued" } } }
                        tbody {
                            @for event in &events {
                                tr data-key=(event.task_id) {
                                    th.id scope="row" {
                                        a href=(visit.link().to("queues").to(entry.queue()).to("tasks").to(&event.task_id)) { (human::printable(&event.task_id)) }
                                    }
                                    td { (time(&visit, event.enqueued_at)) }
                                }
                            }
                        }
                    }
                }
                p.muted { "A task that is done is gone, unless its job keeps it." }
            }
            nav.paging aria-label="Pages" {
                @if number > 1 { a.button.quiet href=(here.clone().with("page", number - 1)) { "Newer" } }
                @if events.len() == part.size() { a.button.quiet href=(here.with("page", number + 1)) { "Older" } }
            }
        }
    };
    Ok(Page::live(Section::Schedules, entry.task_type.to_string(), body).show(&visit))
}

/// Enqueues what it would enqueue, now.
pub(crate) async fn run_schedule(visit: Visit, Path(entry): Path<String>) -> Result<Redirect, Problem> {
    let entry = entry_of(&visit, name(&entry)).await?;
    let info = fire(&visit, &entry).await?;
    let task = visit.link().to("queues").to(info.queue.as_str()).to("tasks").to(info.id.as_str());
    Ok(done(task.as_str(), "enqueue", 1))
}

/// Enqueues what an entry would enqueue.
pub(crate) async fn fire(
    visit: &Visit,
    entry: &ScheduledEntry,
) -> Result<asynq_core::task::TaskInfo, Problem> {
    visit.inspector(Right::RunSchedule, entry.queue())?;
    let stored = visit.shared.client.enqueue(entry.task()?).await;
    Ok(visit.audited("run_schedule", entry.queue(), &entry.id, stored).await?.into_info())
}

/// Those that the visitor may see.
pub(crate) async fn entries(visit: &Visit) -> Result<Vec<ScheduledEntry>, Problem> {
    let mut entries = visit.inspector_of_all(Right::View)?.scheduler_entries().await?;
    entries.retain(|entry| visit.may(Right::View, entry.queue()));
    entries.sort_by(|a, b| (&a.task_type, &a.spec, &a.id).cmp(&(&b.task_type, &b.spec, &b.id)));
    // Schedulers with the same entries tell of them under the same ID.
    entries.dedup_by(|a, b| a.id == b.id);
    Ok(entries)
}

/// One that the visitor may see.
pub(crate) async fn entry_of(visit: &Visit, id: &str) -> Result<ScheduledEntry, Problem> {
    let found = entries(visit).await?.into_iter().find(|entry| entry.id == id);
    found.ok_or_else(|| Error::EntryNotFound { id: id.to_owned() }.into())
}

/// When it fires, in words; none where we cannot read it.
pub(crate) fn words(spec: &str) -> Option<String> {
    Spec::parse(spec).ok().map(|spec| spec.in_words())
}

/// When it fires next, as far as we can tell: from the next time that its scheduler told.
pub(crate) fn next_times(entry: &ScheduledEntry) -> Vec<Timestamp> {
    let Ok(schedule) = Schedule::parse(&entry.spec, "UTC") else { return entry.next.into_iter().collect() };
    std::iter::successors(entry.next, |at| schedule.next(*at)).take(NEXT).collect()
}

fn in_words(spec: &str) -> Markup {
    html! { @match words(spec) { Some(words) => (words), None => span.muted { "in words of its own" } } }
}

fn late(visit: &Visit, entry: &ScheduledEntry) -> Markup {
    html! { @if entry.is_late(visit.now()) { span.badge.alarm title="It should have fired by now." { "late" } } }
}

fn what(visit: &Visit, entry: &ScheduledEntry) -> Markup {
    let options: Vec<String> = entry.options.iter().map(ToString::to_string).collect();
    facts([
        ("When", html! { (in_words(&entry.spec)) }),
        ("Specification", html! { code { (human::printable(&entry.spec)) } }),
        (
            "Queue",
            html! { a href=(visit.link().to("queues").to(entry.queue())) { (human::printable(entry.queue())) } },
        ),
        (
            "Options",
            html! {
                @for option in options.iter().chain(&entry.unreadable_options) { code { (human::printable(option)) } " " }
                @if options.is_empty() && entry.unreadable_options.is_empty() { (super::parts::none()) }
            },
        ),
        ("ID", html! { code { (human::printable(&entry.id)) } }),
    ])
}

fn upcoming(visit: &Visit, entry: &ScheduledEntry) -> Markup {
    html! {
        dl.facts {
            div { dt { "Last" } dd { (time(visit, entry.prev)) } }
            div {
                dt { "Next" }
                dd { ol.plain { @for at in next_times(entry) { li { (time(visit, at)) " " span.muted { (at.strftime("%a %Y-%m-%d %H:%M UTC").to_string()) } } } } (late(visit, entry)) }
            }
        }
    }
}

fn content(visit: &Visit, entry: &ScheduledEntry) -> Markup {
    let payload = visit.shown(entry.queue(), entry.payload.clone());
    html! { section.payload { header { h2 { "Payload" } } (content::cell(&payload)) } }
}
