//! Schedules: when they fire, what they enqueued, and firing one now.

use asynq_core::Error;
use asynq_core::inspector::{Page as Part, ScheduledEntry, human};
use asynq_core::scheduler::{
    CatchUp, KnownSchedule, KnownSchedules, ScheduleState, UnreadableSchedule, in_words,
};
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
use crate::links::{Link, name};
use crate::problem::Problem;
use crate::rights::Right;
use crate::schedules::{fire, known, known_of, next_times};
use crate::visit::Visit;

/// All schedules of schedulers that live.
pub(crate) async fn schedules(visit: Visit) -> Result<Response<Body>, Problem> {
    let KnownSchedules { schedules, unreadable, .. } = known(&visit).await?;
    let body = html! {
        div.head {
            h1 { "Schedules" }
            @if visit.rights().have(Right::EditSchedule) {
                div.buttons { a.button href=(visit.link().to("schedules").to("new")) { "New schedule" } }
            }
        }
        @for bad in &unreadable { (told_unreadable(&visit, bad)) }
        @if schedules.is_empty() {
            (empty("No schedule", "No scheduler runs, or it has no entries, and none is stored. Jobs with a schedule are here as soon as one runs."))
        } @else {
            div.scroll role="region" aria-label="Schedules" tabindex="0" {
                table {
                    thead { tr { @for heading in ["Type", "State", "Specification", "When", "Queue", "Next", "Last"] { th scope="col" { (heading) } } } }
                    tbody {
                        @for schedule in &schedules {
                            @let entry = &schedule.entry;
                            tr data-key=(entry.id) {
                                th scope="row" { a href=(visit.link().to("schedules").to(&entry.id)) { (title(schedule)) } }
                                td { (state(schedule)) }
                                td { code { (human::printable(&entry.spec)) } }
                                td.wide { (when(&entry.spec)) }
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
    let schedule = match known_of(&visit, name(&entry)).await {
        Err(problem) if problem.code == "unreadable_schedule" => {
            return unreadable(&visit, name(&entry)).await;
        }
        found => found?,
    };
    let entry = &schedule.entry;
    let number = fields.parsed("page")?.unwrap_or(1);
    let part = Part::new(number, visit.preferences.size.count()).map_err(Error::from)?;
    let events = visit.inspector(Right::View, entry.queue())?.enqueue_events(&entry.id, part).await?;
    let here = visit.link().to("schedules").to(&entry.id);
    let body = html! {
        div.head {
            h1 { a.up href=(visit.link().to("schedules")) { "Schedules" } span.path { "/" } (title(&schedule)) }
            div.buttons {
                @if visit.may(Right::RunSchedule, entry.queue()) {
                    form method="post" action=(here.clone().to("run")) { button { "Run now" } }
                }
                @if schedule.stored.is_some() && visit.may(Right::EditSchedule, entry.queue()) { (offers(&here, &schedule)) }
            }
        }
        div.columns-2 { (what(&visit, &schedule)) (upcoming(&visit, &schedule)) }
        @if visit.may(Right::ViewPayload, entry.queue()) { (content(&visit, entry)) }
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
    Ok(Page::live(Section::Schedules, title(&schedule), body).show(&visit))
}

/// Enqueues what it would enqueue, now.
pub(crate) async fn run_schedule(visit: Visit, Path(entry): Path<String>) -> Result<Redirect, Problem> {
    let schedule = known_of(&visit, name(&entry)).await?;
    let info = fire(&visit, &schedule).await?;
    let task = visit.link().to("queues").to(info.queue.as_str()).to("tasks").to(info.id.as_str());
    Ok(done(task.as_str(), "enqueue", 1))
}

pub(super) fn when(spec: &str) -> Markup {
    html! { @match in_words(spec) { Some(words) => (words), None => span.muted { "in words of its own" } } }
}

fn late(visit: &Visit, entry: &ScheduledEntry) -> Markup {
    html! { @if entry.is_late(visit.now()) { span.badge.alarm title="It should have fired by now." { "late" } } }
}

/// What can be done to one that is stored.
fn offers(here: &Link, schedule: &KnownSchedule) -> Markup {
    let is_paused = schedule.state() == ScheduleState::Paused;
    html! {
        a.button href=(here.clone().to("edit")) { "Edit" }
        @if is_paused {
            form method="post" action=(here.clone().to("resume")) { button { "Resume" } }
        } @else {
            form method="post" action=(here.clone().to("pause")) { button { "Pause" } }
        }
        a.button.danger href=(here.clone().to("delete")) { "Delete…" }
    }
}

/// The name of one that is stored; of others, the type of their tasks.
fn title(schedule: &KnownSchedule) -> String {
    human::printable(schedule.name().unwrap_or(schedule.entry.task_type.as_str()))
}

fn state(schedule: &KnownSchedule) -> Markup {
    match schedule.state() {
        ScheduleState::Paused => html! { span.badge { "paused" } },
        ScheduleState::Idle => {
            html! { span.badge title="No scheduler has told that it runs it. Servers do that with stored_schedules(true)." { "idle" } }
        }
        _ if schedule.stored.is_some() => html! { "stored" },
        _ => html! { span.muted title="It is written in a program." { "in code" } },
    }
}

/// That there is something which cannot be read.
fn told_unreadable(visit: &Visit, bad: &UnreadableSchedule) -> Markup {
    html! {
        p.remark {
            strong { (human::printable(&bad.name)) } " is stored and cannot be read, so it does not fire: "
            (human::printable(&bad.reason)) ". "
            @if visit.may_in(Right::EditSchedule, None) {
                a href=(visit.link().to("schedules").to(bad.entry_id().as_str()).to("delete")) { "Delete it…" }
            }
        }
    }
}

/// The page of one that cannot be read.
async fn unreadable(visit: &Visit, id: &str) -> Result<Response<Body>, Problem> {
    let found = known(visit).await?.unreadable;
    let body = html! {
        div.head { h1 { a.up href=(visit.link().to("schedules")) { "Schedules" } span.path { "/" } "Unreadable" } }
        @for bad in found.iter().filter(|bad| bad.entry_id().as_str() == id) { (told_unreadable(visit, bad)) }
    };
    Ok(Page::new(Section::Schedules, "Unreadable", body).show(visit))
}

fn what(visit: &Visit, schedule: &KnownSchedule) -> Markup {
    let entry = &schedule.entry;
    let options: Vec<String> = entry.options.iter().map(ToString::to_string).collect();
    facts([
        ("When", html! { (when(&entry.spec)) }),
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
        (
            "Kept",
            html! {
                @match &schedule.stored {
                    Some(stored) => { (state(schedule)) @if let Some(since) = stored.paused_since() { " since " (time(visit, since)) } }
                    None => "In a program: it is changed there, and with the next start of that program.",
                }
            },
        ),
        (
            "Missed times",
            html! {
                @match schedule.stored.as_ref().and_then(|stored| stored.catch_up) {
                    None => "as the scheduler says",
                    Some(CatchUp::None) => "are left out",
                    Some(CatchUp::Last) => "the last one is made up",
                    Some(CatchUp::All(limit)) => { "the last " (limit) " are made up" }
                }
            },
        ),
        ("Type", html! { code { (human::printable(entry.task_type.as_str())) } }),
        ("ID", html! { code { (human::printable(&entry.id)) } }),
    ])
}

fn upcoming(visit: &Visit, schedule: &KnownSchedule) -> Markup {
    let entry = &schedule.entry;
    let next = next_times(schedule, visit.now());
    html! {
        dl.facts {
            div { dt { "Last" } dd { (time(visit, entry.prev)) } }
            div {
                dt { "Next" }
                dd {
                    @if next.is_empty() { (super::parts::none()) } @else { (times(visit, &next)) }
                    (late(visit, entry))
                }
            }
        }
    }
}

/// Times, one below the other.
pub(super) fn times(visit: &Visit, all: &[Timestamp]) -> Markup {
    html! { ol.plain { @for at in all { li { (time(visit, *at)) " " span.muted { (at.strftime("%a %Y-%m-%d %H:%M UTC").to_string()) } } } } }
}

fn content(visit: &Visit, entry: &ScheduledEntry) -> Markup {
    let payload = visit.shown(entry.queue(), entry.payload.clone());
    html! { section.payload { header { h2 { "Payload" } } (content::cell(&payload)) } }
}
