//! Which errors there are, of how many tasks, and what can be done to all of one kind; and how many tasks of each type.

use asynq_core::inspector::{ErrorCount, human};
use asynq_core::task::TaskState;
use axum::body::Body;
use axum::extract::Query;
use axum::http::Response;
use maud::{Markup, html};

use super::layout::{Page, Section};
use super::parts::{STATES, count, empty, hidden, hidden_if, number, time};
use crate::actions::Verb;
use crate::fields::Fields;
use crate::links::Link;
use crate::problem::Problem;
use crate::tallies::{Counted, States};
use crate::visit::Visit;

/// How many kinds of errors, and types, a page has.
const ROWS: usize = 100;

/// How many a list of tasks shows above it.
const FEW: usize = 5;

/// What can be done to all tasks that failed in one way.
const VERBS: [Verb; 3] = [Verb::Run, Verb::Archive, Verb::Delete];

/// Which tasks a page is about.
struct About<'a> {
    queue: Option<&'a str>,
    states: States,
}

/// Which errors there are, and how many tasks of each type.
pub(crate) async fn errors(visit: Visit, Query(fields): Query<Fields>) -> Result<Response<Body>, Problem> {
    let state =
        fields.text("state").filter(|state| *state != "all").map(|_| fields.parsed::<TaskState>("state"));
    let states = match (fields.text("state"), state.transpose()?.flatten()) {
        (None, _) => States::Failed,
        (_, Some(state)) => States::One(state),
        (Some(_), None) => States::All,
    };
    let about = About { queue: fields.text("queue"), states };
    let counted = visit.tally(about.queue, states).await?;
    let body = html! {
        div.head {
            h1 {
                "Errors and types"
                @if let Some(queue) = about.queue { span.path { "/" } a.up href=(visit.link().to("queues").to(queue)) { (human::printable(queue)) } }
            }
        }
        (tabs(&visit, &about))
        p.muted { (looked_at(&counted)) " Counted at most half a minute ago." }
        section {
            h2 { "Errors" }
            @if counted.tally.errors.is_empty() {
                (empty("No errors", "None of the tasks that were looked at has failed."))
            } @else {
                (table(&visit, &about, &counted.tally.errors, ROWS))
            }
        }
        section {
            h2 { "Types" }
            (types(&visit, &about, &counted))
        }
    };
    Ok(Page::live(Section::Tasks, "Errors and types", body).show(&visit))
}

/// The most frequent errors of some tasks, above a list of them; nothing where there are none.
pub(super) async fn panel(visit: &Visit, queue: Option<&str>, states: States) -> Result<Markup, Problem> {
    let about = About { queue, states };
    let counted = visit.tally(queue, states).await?;
    let errors = &counted.tally.errors;
    Ok(html! {
        @if !errors.is_empty() {
            section aria-label="Top errors" {
                div.head { h2 { "Top errors" } span.muted { (looked_at(&counted)) } }
                (table(visit, &about, errors, FEW))
                p { a href=(place(visit, &about)) { "All errors and types" } }
            }
        }
    })
}

/// The address of the page about these tasks.
fn place(visit: &Visit, about: &About<'_>) -> Link {
    let link = visit.link().to("errors").with_some("queue", about.queue);
    match about.states {
        States::Failed => link,
        States::All => link.with("state", "all"),
        States::One(state) => link.with("state", state),
    }
}

fn looked_at(counted: &Counted) -> String {
    let scanned = count(counted.tally.scanned);
    match counted.of {
        Some(of) if counted.tally.is_complete => format!("All {} tasks were looked at.", count(of)),
        Some(of) => format!("The latest {scanned} of {} tasks were looked at.", count(of)),
        None => format!("{scanned} tasks were looked at, and there are more."),
    }
}

fn tabs(visit: &Visit, about: &About<'_>) -> Markup {
    let choices =
        [States::Failed, States::One(TaskState::Retry), States::One(TaskState::Archived), States::All];
    html! {
        nav.tabs aria-label="States" {
            @for states in choices {
                @let label = match states { States::Failed => "failed", States::All => "all", States::One(state) => state.as_str() };
                a href=(place(visit, &About { states, ..*about })) aria-current=[(states == about.states).then_some("page")] { (label) }
            }
        }
    }
}

/// The list of tasks that fit this filter.
fn list(visit: &Visit, about: &About<'_>, filter: &str) -> Link {
    let link = match about.queue {
        Some(queue) => visit.link().to("queues").to(queue),
        None => visit.link().to("tasks"),
    };
    link.with_some("state", about.states.one()).with("filter", within(about, filter))
}

/// A filter, within the states that a page is about.
fn within(about: &About<'_>, filter: &str) -> String {
    match about.states.filter() {
        "" => filter.to_owned(),
        states => format!("{states} {filter}"),
    }
}

fn table(visit: &Visit, about: &About<'_>, errors: &[ErrorCount], rows: usize) -> Markup {
    html! {
        div.scroll role="region" aria-label="Errors" tabindex="0" {
            table {
                thead { tr {
                    th.right scope="col" { "Tasks" } th scope="col" { "Error" } th scope="col" { "Types" }
                    th scope="col" { "Last failed" } th scope="col" { span.hidden { "Actions" } }
                } }
                tbody {
                    @for error in errors.iter().take(rows) {
                        tr data-key=(error.kind) {
                            td.right { (count(error.tasks)) }
                            th.wide scope="row" {
                                a.error-text href=(list(visit, about, &error.kind.filter())) title=(first(&error.example)) {
                                    (human::printable(error.kind.as_str()))
                                }
                            }
                            td { (most(error)) }
                            td { (time(visit, error.last_failed_at)) }
                            td.actions { (actions(visit, about, error)) }
                        }
                    }
                }
            }
        }
        @if errors.len() > rows { p.muted { (count(errors.len() - rows)) " more kinds." } }
    }
}

/// As much of an error as a tooltip shows.
fn first(example: &str) -> String {
    human::printable(&example.chars().take(300).collect::<String>())
}

/// The types that failed so most often.
fn most(error: &ErrorCount) -> Markup {
    let mut types: Vec<(&String, &usize)> = error.types.iter().collect();
    types.sort_by(|a, b| b.1.cmp(a.1).then_with(|| a.0.cmp(b.0)));
    html! {
        @for (place, (task_type, tasks)) in types.iter().take(3).enumerate() {
            @if place > 0 { ", " }
            (human::printable(task_type)) @if types.len() > 1 { " " span.muted { (count(**tasks)) } }
        }
        @if types.len() > 3 { " " span.muted { "and " (types.len() - 3) " more" } }
    }
}

fn actions(visit: &Visit, about: &About<'_>, error: &ErrorCount) -> Markup {
    let may = |verb: &&Verb| match about.queue {
        Some(queue) => visit.may(verb.right(), queue),
        None => visit.rights().have(verb.right()),
    };
    let fits = |verb: &&Verb| about.states.one().is_none_or(|state| verb.allows(state));
    let verbs: Vec<&Verb> = VERBS.iter().filter(may).filter(fits).collect();
    html! {
        @if !verbs.is_empty() {
            form method="post" action=(visit.link().to("tasks").to("confirm")) {
                (hidden_if("queue", about.queue))
                (hidden_if("state", about.states.one().map(TaskState::as_str)))
                (hidden("filter", within(about, &error.kind.filter())))
                (hidden("back", visit.here()))
                @for verb in verbs {
                    button.quiet name="all" value=(verb.as_str()) aria-label={(verb.label()) " all: " (human::printable(error.kind.as_str()))} {
                        (verb.label()) "…"
                    }
                }
            }
        }
    }
}

fn types(visit: &Visit, about: &About<'_>, counted: &Counted) -> Markup {
    let mut types: Vec<_> = counted.tally.types.iter().collect();
    types.sort_by_key(|(_, states)| std::cmp::Reverse(states.values().sum::<usize>()));
    html! {
        @if types.is_empty() { p.muted { "There are no tasks." } } @else {
            div.scroll role="region" aria-label="Types" tabindex="0" {
                table {
                    thead { tr {
                        th scope="col" { "Type" } th.right scope="col" { "Tasks" }
                        @for state in STATES { th.right scope="col" { (state.as_str()) } }
                    } }
                    tbody {
                        @for (task_type, states) in types.iter().take(ROWS) {
                            tr data-key=(task_type) {
                                th scope="row" { a href=(list(visit, about, &of_type(task_type))) { (human::printable(task_type)) } }
                                td.right { (count(states.values().sum::<usize>())) }
                                @for state in STATES { td.right { (number(states.get(&state).copied().unwrap_or(0))) } }
                            }
                        }
                    }
                }
            }
            @if types.len() > ROWS { p.muted { (count(types.len() - ROWS)) " more types." } }
        }
    }
}

/// The filter that finds tasks of a type.
fn of_type(task_type: &str) -> String {
    format!("type:\"{}\"", task_type.replace('\\', "\\\\").replace('"', "\\\""))
}
