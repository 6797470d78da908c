//! What is done to tasks: asked for, confirmed, begun.

use std::time::Duration;

use asynq_core::inspector::human;
use axum::Form;
use axum::body::Body;
use axum::http::Response;
use axum::response::{IntoResponse, Redirect};
use maud::{Markup, html};

use super::layout::{Page, Section, done};
use super::parts::{count, hidden, hidden_if};
use crate::actions::{Ask, Count, Matching, Target, Verb};
use crate::bulk::End;
use crate::fields::Fields;
use crate::problem::Problem;
use crate::rights::Right;
use crate::visit::Visit;

/// What is done by then is told on the page that it was asked for on.
const SOON: Duration = Duration::from_millis(800);

/// As many tasks are named on the page that asks for confirmation.
const NAMED: usize = 20;

/// Says what is about to be done, and how many tasks it is about.
pub(crate) async fn confirm(visit: Visit, Form(fields): Form<Fields>) -> Result<Response<Body>, Problem> {
    let ask = ask(&fields)?;
    if !matches!(ask.verb, Verb::Move(_)) {
        ask.check(&visit).await?;
    }
    let counted = ask.count(&visit).await?;
    let back = visit.way_back(fields.raw("back"));
    let (label, tasks) = (ask.verb.label(), words(counted));
    let body = html! {
        div.ask {
            h1 { (label) " " (tasks) "?" }
            (about(&ask))
            p { (ask.verb.consequence()) }
            @if counted.tasks == 0 && counted.is_complete {
                p.muted { "There is nothing to do: no task that this can be done to." }
                div.buttons { a.button href=(back) { "Back" } }
            } @else {
                form.stack method="post" action=(visit.link().to("tasks").to("act")) {
                    (same(&fields, &ask.verb))
                    (hidden("back", &back))
                    @if let Verb::Move(to) = &ask.verb {
                        label { "To the queue"
                            input type="text" name="to" value=(to) list="queues" required autocomplete="off" autofocus;
                        }
                        (queue_names(&visit).await)
                    }
                    div.buttons {
                        button.danger[ask.verb == Verb::Delete] { (label) " " (tasks) }
                        a.button.quiet href=(back) { "Back" }
                    }
                }
            }
        }
    };
    Ok(Page::new(Section::Tasks, format!("{label} {tasks}?"), body).show(&visit))
}

/// Does it; what takes longer is looked at on a page of its own.
pub(crate) async fn act(visit: Visit, Form(fields): Form<Fields>) -> Result<Response<Body>, Problem> {
    let ask = ask(&fields)?;
    if ask.verb == Verb::Move(String::new()) {
        return Err(Problem::invalid("to: the name of the queue is missing"));
    }
    let verb = ask.verb.as_str();
    let about = described(&ask);
    let run = visit.shared.bulk.begin(&visit, ask, about).await?;
    run.wait(SOON).await;
    let progress = run.progress();
    let back = visit.way_back(fields.raw("back"));
    Ok(match (&progress.end, progress.failed) {
        (Some(End::Done), 0) => done(&back, verb, progress.changed).into_response(),
        _ => Redirect::to(visit.link().to("runs").to(&run.id).with("back", back).as_str()).into_response(),
    })
}

/// What a form asks for: `action` for the tasks that are named by it, `all` for those that fit.
fn ask(fields: &Fields) -> Result<Ask, Problem> {
    let (verb, is_all) = match (fields.text("all"), fields.text("action")) {
        (Some(verb), _) => (verb, true),
        (None, Some(verb)) => (verb, false),
        (None, None) => return Err(Problem::invalid("no action is named")),
    };
    let mut verb: Verb = verb.parse()?;
    if let (Verb::Move(to), Some(given)) = (&mut verb, fields.text("to")) {
        given.clone_into(to);
    }
    let target = if is_all {
        let filter = fields.raw("filter").unwrap_or_default().parse()?;
        Target::Matching(Matching {
            queue: fields.text("queue").map(str::to_owned),
            state: fields.parsed("state")?,
            group: fields.text("group").map(str::to_owned),
            filter,
        })
    } else {
        Target::tasks(fields.all("task").map(|task| task.parse().map_err(Problem::invalid)))?
    };
    Ok(Ask { verb, target })
}

/// The fields that say the same again.
fn same(fields: &Fields, verb: &Verb) -> Markup {
    html! {
        @if fields.text("all").is_some() {
            (hidden("all", verb.as_str()))
            @for name in ["queue", "state", "group", "filter"] { (hidden_if(name, fields.raw(name))) }
        } @else {
            (hidden("action", verb.as_str()))
            @for task in fields.all("task") { (hidden("task", task)) }
        }
    }
}

fn words(counted: Count) -> String {
    match (counted.tasks, counted.is_complete) {
        (1, true) => "1 task".to_owned(),
        (tasks, true) => format!("{} tasks", count(tasks)),
        (tasks, false) => format!("at least {} tasks", count(tasks)),
    }
}

/// Which tasks, for who is to confirm it.
fn about(ask: &Ask) -> Markup {
    match &ask.target {
        Target::Matching(_) => html! { p.about { (described(ask)) } },
        Target::Tasks(keys) => html! {
            ul.about {
                @for key in keys.iter().take(NAMED) {
                    li { code { (human::printable(&key.id)) } span.muted { " in " (human::printable(&key.queue)) } }
                }
                @if keys.len() > NAMED { li.muted { "and " (count(keys.len() - NAMED)) " more" } }
            }
        },
    }
}

/// Which tasks, in one line.
fn described(ask: &Ask) -> String {
    let matching = match &ask.target {
        Target::Tasks(keys) => return format!("{} tasks that were selected", count(keys.len())),
        Target::Matching(matching) => matching,
    };
    let mut words = match &matching.queue {
        Some(queue) => format!("All tasks of queue {}", human::printable(queue)),
        None => "All tasks of all queues".to_owned(),
    };
    if let Some(state) = matching.state {
        words = format!("{words} that are {state}");
    }
    if let Some(group) = &matching.group {
        words = format!("{words} in group {}", human::printable(group));
    }
    if !matching.filter.is_empty() {
        words = format!("{words} and fit the filter {}", human::printable(&matching.filter.to_string()));
    }
    words
}

/// The names of queues, for browsers to suggest.
pub(super) async fn queue_names(visit: &Visit) -> Markup {
    // Without them the name can be typed all the same.
    let names = visit.queues(Right::View).await.unwrap_or_default();
    html! { datalist #queues { @for name in names.iter().take(1_000) { option value=(name) {} } } }
}
