//! Changes to many tasks: how far they are, and stopping them.

use asynq_core::inspector::human;
use axum::body::Body;
use axum::extract::Path;
use axum::extract::Query;
use axum::http::Response;
use axum::response::Redirect;
use maud::{Markup, html};

use super::layout::{Page, Section};
use super::parts::{count, empty, figures, none, text_or_none, time};
use crate::bulk::{End, Progress, Run};
use crate::fields::Fields;
use crate::problem::Problem;
use crate::rights::Right;
use crate::visit::Visit;

/// After so many seconds a browser without scripts asks again how far it is.
const RELOAD: u32 = 2;

/// All that are known.
pub(crate) async fn runs(visit: Visit) -> Result<Response<Body>, Problem> {
    visit.inspector_of_all(Right::View)?;
    let runs = visit.shared.bulk.runs(&visit);
    let body = html! {
        div.head { h1 { "Changes to many tasks" } }
        @if runs.is_empty() {
            (empty("None yet", "What is done to many tasks at once is listed here, the last 50 times."))
        } @else {
            div.scroll role="region" aria-label="Changes to many tasks" tabindex="0" {
                table {
                    thead { tr { @for heading in ["Action", "Tasks", "By", "Began", "Changed", "Failed", "State"] { th scope="col" { (heading) } } } }
                    tbody {
                        @for run in &runs {
                            @let progress = run.progress();
                            tr data-key=(run.id) {
                                th scope="row" { a href=(visit.link().to("runs").to(&run.id)) { (run.verb.label()) } }
                                td.wide { (run.about) }
                                td { (text_or_none(&run.author.name)) }
                                td { (time(&visit, run.began)) }
                                td.right { (count(progress.changed)) }
                                td.right { @if progress.failed > 0 { span.bad { (count(progress.failed)) } } @else { (none()) } }
                                td { (standing(run, &progress)) }
                            }
                        }
                    }
                }
            }
        }
    };
    Ok(Page::live(Section::None, "Changes to many tasks", body).show(&visit))
}

/// One of them.
pub(crate) async fn run(
    visit: Visit,
    Path(id): Path<String>,
    Query(fields): Query<Fields>,
) -> Result<Response<Body>, Problem> {
    let run = visit.shared.bulk.run(&visit, &id)?;
    let progress = run.progress();
    let back = visit.way_back(fields.raw("back"));
    let body = html! {
        div.head { h1 { (run.verb.label()) " " (standing(&run, &progress)) } }
        p { (run.about) @if !run.author.name.is_empty() { ", by " (run.author.name) } ", began " (time(&visit, run.began)) "." }
        (figures([
            ("Changed", html! { (count(progress.changed)) }),
            ("Failed", html! { span.bad[progress.failed > 0] { (count(progress.failed)) } }),
        ]))
        @if progress.end.is_none() {
            p role="status" { "It goes on when this page is closed." }
            form method="post" action=(visit.link().to("runs").to(&id).to("stop")) {
                button.danger disabled[run.is_stopping()] { "Stop" }
            }
        }
        @if let Some(End::Failed(reason)) = &progress.end { pre.detail tabindex="0" { (reason) } }
        (failures(&visit, &progress))
        p { a href=(back) { "Back" } }
    };
    let reload = progress.end.is_none().then_some(RELOAD);
    Ok(Page { reload, ..Page::live(Section::None, run.verb.label(), body) }.show(&visit))
}

/// Begins no more tasks.
pub(crate) async fn stop_run(visit: Visit, Path(id): Path<String>) -> Result<Redirect, Problem> {
    let run = visit.shared.bulk.run(&visit, &id)?;
    visit.inspector_of_all(run.verb.right())?;
    run.stop();
    visit.audited("stop", "", &id, Ok::<_, Problem>(())).await?;
    Ok(Redirect::to(visit.link().to("runs").to(&id).as_str()))
}

fn standing(run: &Run, progress: &Progress) -> Markup {
    match &progress.end {
        None if run.is_stopping() => html! { span.badge.warn { "stopping" } },
        None => html! { span.badge { "going on" } },
        Some(End::Done) if progress.failed > 0 => html! { span.badge.warn { "done, some failed" } },
        Some(End::Done) => html! { span.badge.good { "done" } },
        Some(End::Stopped) => html! { span.badge.warn { "stopped" } },
        Some(End::Failed(_)) => html! { span.badge.alarm { "failed" } },
    }
}

fn failures(visit: &Visit, progress: &Progress) -> Markup {
    html! {
        @if !progress.failures.is_empty() {
            h2 { "Failures" }
            @if progress.failed > progress.failures.len() {
                p.muted { "The first " (count(progress.failures.len())) " of " (count(progress.failed)) "." }
            }
            div.scroll role="region" aria-label="Failures" tabindex="0" {
                table {
                    thead { tr { th scope="col" { "Task" } th scope="col" { "Queue" } th scope="col" { "Why" } } }
                    tbody {
                        @for (key, reason) in &progress.failures {
                            tr {
                                th.id scope="row" {
                                    a href=(visit.link().to("queues").to(&key.queue).to("tasks").to(&key.id)) {
                                        (human::printable(&key.id))
                                    }
                                }
                                td { (human::printable(&key.queue)) }
                                td.wide { (reason) }
                            }
                        }
                    }
                }
            }
        }
    }
}
