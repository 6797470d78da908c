//! The doctor's page: what one must know now, what a look at everything found, and putting it right.

use std::time::Duration;

use asynq_core::inspector::{Class, Diagnosis, Finding, Severity, human};
use asynq_core::task::QueueName;
use axum::Form;
use axum::body::Body;
use axum::extract::Query;
use axum::http::Response;
use axum::response::Redirect;
use maud::{Markup, html};

use super::layout::{Page, Section};
use super::parts::{count, empty, hidden, hidden_if, time};
use crate::doctor::{Standing, Work};
use crate::fields::Fields;
use crate::problem::Problem;
use crate::rights::Right;
use crate::visit::Visit;
use crate::warnings::{Warning, warnings};

/// What is done by then is on the page at once.
const SOON: Duration = Duration::from_millis(800);

/// How many warnings are shown.
const SHOWN: usize = 100;

/// After so many seconds a browser without scripts asks again how far it is.
const RELOAD: u32 = 2;

/// What is wrong, as far as anybody has looked.
pub(crate) async fn doctor(visit: Visit) -> Result<Response<Body>, Problem> {
    let warnings = warnings(&visit).await?;
    let standing = visit.shared.doctor.standing();
    let body = html! {
        div.head {
            h1 { "Doctor" }
            form method="post" action=(visit.link().to("doctor").to("examine")) {
                button disabled[standing.doing.is_some()] { "Examine everything" }
            }
        }
        section {
            h2 { "At this moment" }
            (now(&visit, &warnings))
        }
        section {
            h2 { "In all that is stored" }
            (looked(&visit, &standing))
        }
    };
    let reload = standing.doing.is_some().then_some(RELOAD);
    Ok(Page { reload, ..Page::live(Section::Doctor, "Doctor", body) }.show(&visit))
}

/// Begins to look at everything.
pub(crate) async fn examine(visit: Visit) -> Result<Redirect, Problem> {
    let inspector = visit.inspector_of_all(Right::View)?.clone();
    visit.shared.doctor.begin(inspector, Work::Examine, visit.now())?;
    visit.shared.doctor.wait(SOON).await;
    Ok(Redirect::to(visit.link().to("doctor").as_str()))
}

/// Says what putting it right does, before it is done.
pub(crate) async fn confirm_repair(
    visit: Visit,
    Query(fields): Query<Fields>,
) -> Result<Response<Body>, Problem> {
    let (class, queue) = wanted(&visit, &fields)?;
    let place = queue
        .as_deref()
        .map_or_else(|| "everywhere".to_owned(), |queue| format!("in queue {}", human::printable(queue)));
    let body = html! {
        div.ask {
            h1 { "Put right: " (class.as_str()) " " (place) "?" }
            p { (class.explanation()) }
            p { "The repair " strong { (class.remedy().unwrap_or_default()) } ". Each is looked at once more before it is changed; what is not as it was seen is left." }
            @if !class.advice().is_empty() { p.muted { (class.advice()) } }
            form.stack method="post" action=(visit.link().to("doctor").to("repair")) {
                (hidden("class", class.as_str()))
                (hidden_if("queue", queue.as_deref()))
                div.buttons {
                    button.danger { "Put it right" }
                    a.button.quiet href=(visit.link().to("doctor")) { "Back" }
                }
            }
        }
    };
    Ok(Page::new(Section::Doctor, format!("Put right: {class}?"), body).show(&visit))
}

/// Puts it right, and looks again.
pub(crate) async fn repair(visit: Visit, Form(fields): Form<Fields>) -> Result<Redirect, Problem> {
    let (class, queue) = wanted(&visit, &fields)?;
    begin_repair(&visit, class, queue).await?;
    visit.shared.doctor.wait(SOON).await;
    Ok(Redirect::to(visit.link().to("doctor").as_str()))
}

/// Begins to put right what is of a class, for who may: everywhere only who is limited to no queues.
pub(crate) async fn begin_repair(visit: &Visit, class: Class, queue: Option<String>) -> Result<(), Problem> {
    let inspector = match &queue {
        Some(queue) => visit.inspector(Right::Repair, queue)?,
        None if visit.rights().are_limited() => return Err(Problem::forbidden(Right::Repair, None)),
        None => visit.inspector_of_all(Right::Repair)?,
    };
    if class.remedy().is_none() {
        let reason = format!("class: `{class}` cannot be repaired from here. {}", class.advice());
        return Err(Problem::invalid(reason));
    }
    let subject = queue.clone().unwrap_or_default();
    let begun = visit.shared.doctor.begin(inspector.clone(), Work::Repair { class, queue }, visit.now());
    visit.audited("repair", &subject, class.as_str(), begun).await
}

/// What a diagnosis tells this visitor.
pub(crate) fn visible<'a>(visit: &Visit, diagnosis: &'a Diagnosis) -> Vec<&'a Finding> {
    let is_visible =
        |finding: &&Finding| visit.may_in(Right::View, finding.queue.as_ref().map(QueueName::as_str));
    diagnosis.findings.iter().filter(is_visible).collect()
}

fn wanted(visit: &Visit, fields: &Fields) -> Result<(Class, Option<String>), Problem> {
    let class = fields.parsed("class")?.ok_or_else(|| Problem::invalid("class: it is missing"))?;
    let queue = fields.raw("queue").map(str::to_owned);
    match &queue {
        Some(queue) => visit.inspector(Right::Repair, queue)?,
        None => visit.inspector_of_all(Right::Repair)?,
    };
    Ok((class, queue))
}

fn now(visit: &Visit, warnings: &[Warning]) -> Markup {
    if warnings.is_empty() {
        return empty(
            "Nothing to worry about",
            "Every queue with tasks is served, nothing is late, and Redis keeps what it holds.",
        );
    }
    html! {
        div.scroll role="region" aria-label="At this moment" tabindex="0" {
            table {
                thead { tr { @for heading in ["How bad", "Where", "What"] { th scope="col" { (heading) } } } }
                tbody {
                    @for warning in warnings.iter().take(SHOWN) {
                        @let (label, link) = warning.about.label_and_link(visit);
                        tr data-key={(warning.code) " " (label)} {
                            td { (severity(warning.severity)) }
                            th scope="row" { a href=(link) { (human::printable(&label)) } }
                            td.wide { (warning.text) }
                        }
                    }
                }
            }
        }
        @if warnings.len() > SHOWN { p.muted { "and " (count(warnings.len() - SHOWN)) " more, none of them worse" } }
    }
}

fn looked(visit: &Visit, standing: &Standing) -> Markup {
    html! {
        @if let Some((work, since)) = &standing.doing {
            p role="status" {
                span.badge { @match work { Work::Examine => "looking", Work::Repair { .. } => "putting right" } }
                " Since " (time(visit, *since)) ". It goes on when this page is closed."
            }
        }
        @if let Some(reason) = &standing.failure { pre.detail tabindex="0" { (reason) } }
        @if let Some((class, queue, repaired)) = &standing.repaired {
            @if visit.may_in(Right::View, queue.as_deref()) {
                p.remark.good { "Put right: " (count(repaired.mended)) " of " (class.as_str()) @if repaired.left > 0 { ", " (count(repaired.left)) " had changed meanwhile and were left" } "." }
            }
        }
        @match &standing.diagnosis {
            None if standing.doing.is_some() => {}
            None => (empty("Nobody has looked yet", "Examining reads every task once, in small parts, while everything goes on: lost tasks, IDs without tasks, stale locks and more.")),
            Some(diagnosis) => (told(visit, diagnosis)),
        }
    }
}

fn told(visit: &Visit, diagnosis: &Diagnosis) -> Markup {
    let findings = visible(visit, diagnosis);
    html! {
        p.muted {
            (count(diagnosis.tasks)) " tasks in " (count(diagnosis.queues)) " queues were looked at " (time(visit, diagnosis.at)) "."
        }
        @if findings.is_empty() { (empty("Nothing is wrong", "All that is stored agrees with itself.")) }
        @for finding in findings { (one(visit, finding)) }
    }
}

fn one(visit: &Visit, finding: &Finding) -> Markup {
    let class = finding.class;
    let queue = finding.queue.as_ref().map(QueueName::as_str);
    let may_repair = visit.may_in(Right::Repair, queue);
    html! {
        section.card data-key={(class.as_str()) " " (queue.unwrap_or_default())} {
            header {
                h3 { (class.as_str()) }
                (severity(class.severity()))
                span { (count(finding.count)) }
                @if let Some(queue) = queue { a href=(visit.link().to("queues").to(queue)) { (human::printable(queue)) } }
                span.grow {}
                @if may_repair && class.remedy().is_some() {
                    a.button.quiet href=(visit.link().to("doctor").to("repair").with("class", class.as_str()).with_some("queue", queue)) { "Put right…" }
                }
            }
            p { (class.explanation()) }
            @if !finding.detail.is_empty() { p.muted { "Of the first: " (human::printable(&finding.detail)) "." } }
            @if !class.advice().is_empty() { p { (class.advice()) } }
            details {
                summary { "Which" }
                ul.plain {
                    @for subject in &finding.sample {
                        li {
                            @match queue.filter(|_| names_tasks(class)) {
                                Some(queue) => a href=(visit.link().to("queues").to(queue).to("tasks").to(subject)) { code { (human::printable(subject)) } },
                                None => code { (human::printable(subject)) },
                            }
                        }
                    }
                    @if finding.count > finding.sample.len() { li.muted { "and " (count(finding.count - finding.sample.len())) " more" } }
                }
            }
        }
    }
}

/// Whether what a class is about are tasks that can be looked at.
fn names_tasks(class: Class) -> bool {
    matches!(
        class,
        Class::Doubled
            | Class::Lost
            | Class::Misplaced
            | Class::Unleased
            | Class::StrayLease
            | Class::Orphaned
    )
}

fn severity(severity: Severity) -> Markup {
    let style = match severity {
        Severity::Error => "alarm",
        Severity::Warning => "warn",
        _ => "",
    };
    html! { span class={"badge " (style)} { (severity) } }
}
