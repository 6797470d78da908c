//! One task: all that is known of it.

use asynq_core::inspector::{Encoding, LockInfo, TaskDetail, TaskEdit, human};
use asynq_core::task::TaskInfo;
use axum::body::Body;
use axum::extract::Path;
use axum::extract::Query;
use axum::http::Response;
use axum::http::header::{CONTENT_DISPOSITION, CONTENT_TYPE};
use axum::response::IntoResponse;
use bytes::Bytes;
use maud::{Markup, html};

use super::content::{Carried, cell};
use super::forms::check_name;
use super::layout::{Page, Section};
use super::listing::state_link;
use super::parts::{facts, hidden, length, text_or_none, time};
use super::timeline::timeline;
use crate::actions::{TaskKey, Verb};
use crate::fields::Fields;
use crate::formats::AllWritten;
use crate::links::name;
use crate::problem::Problem;
use crate::rights::Right;
use crate::visit::Visit;

/// How the forms of the payload and of the result are called in addresses.
const FORMS: [&str; 2] = ["as", "result_as"];

/// One task.
pub(crate) async fn task(
    visit: Visit,
    Path((queue, id)): Path<(String, String)>,
    Query(fields): Query<Fields>,
) -> Result<Response<Body>, Problem> {
    let (queue, id) = (name(&queue), name(&id));
    for field in FORMS {
        check_name(field, fields.text(field), visit.shared.formats.names())?;
    }
    let (detail, written) = visit.task_written(Right::View, queue, id).await?;
    let info = &detail.info;
    let link = visit.link().to("queues").to(queue);
    let body = html! {
        div.head {
            h1 {
                a.up href=(visit.link()) { "Queues" } span.path { "/" }
                a.up href=(link) { (human::printable(queue)) } span.path { "/" }
                span.id { (human::printable(id)) }
            }
            (actions(&visit, info))
        }
        @if !info.last_error.is_empty() {
            section.failure {
                h2 { "Last error " span.muted { (time(&visit, info.last_failed_at)) } }
                pre tabindex="0" { (info.last_error) }
            }
        }
        div.columns-2 { (what_it_is(&visit, &detail)) (timeline(&visit, &detail).await?) }
        (carried(&visit, info, &written, &fields))
        (headers(&visit, info))
        (behind(&visit, &detail))
    };
    Ok(Page::live(Section::Queues, format!("{id} · {queue}"), body).show(&visit))
}

/// The payload, byte for byte.
pub(crate) async fn payload(
    visit: Visit,
    Path((queue, id)): Path<(String, String)>,
) -> Result<Response<Body>, Problem> {
    let (queue, id) = (name(&queue), name(&id));
    let detail = visit.task(Right::ViewPayload, queue, id).await?;
    Ok(download("payload", opened(&visit, &detail.info).unwrap_or_else(|_| detail.info.payload.clone())))
}

/// The result, byte for byte.
pub(crate) async fn result(
    visit: Visit,
    Path((queue, id)): Path<(String, String)>,
) -> Result<Response<Body>, Problem> {
    let (queue, id) = (name(&queue), name(&id));
    let detail = visit.task(Right::ViewPayload, queue, id).await?;
    detail.info.result.map(|result| download("result", result)).ok_or_else(Problem::not_found)
}

/// The payload as its job reads it: decompressed and decrypted, with the keys of our client. Where something may be
/// hidden, that was done when the task was read.
pub(crate) fn opened(visit: &Visit, task: &TaskInfo) -> Result<Bytes, String> {
    if visit.hides(task.queue.as_str()) {
        return Ok(visit.seen(task.clone()).payload);
    }
    visit.shared.client.open(task).map_err(|error| error.to_string())
}

/// A file to save: whatever is in it, no browser takes it for a page.
pub(crate) fn download(what: &str, content: Bytes) -> Response<Body> {
    let disposition = format!("attachment; filename=\"{what}\"");
    ([(CONTENT_TYPE, "application/octet-stream"), (CONTENT_DISPOSITION, disposition.as_str())], content)
        .into_response()
}

/// Where else something is known of it.
fn elsewhere(visit: &Visit, info: &TaskInfo) -> Markup {
    let mut known = info.clone();
    if !visit.may(Right::ViewPayload, info.queue.as_str()) {
        known.headers.clear();
    }
    html! {
        @for (label, address) in visit.shared.task_links.of(&known) {
            a.button.quiet href=(address) rel="noopener noreferrer external" { (label) " ↗" }
        }
    }
}

fn actions(visit: &Visit, info: &TaskInfo) -> Markup {
    let (queue, id) = (info.queue.as_str(), info.id.as_str());
    let here = visit.link().to("queues").to(queue).to("tasks").to(id);
    let verbs =
        Verb::ALL.into_iter().filter(|verb| visit.may(verb.right(), queue) && verb.allows(info.state));
    let is_editable = asynq_core::inspector::Action::Edit(TaskEdit::new()).allows(info.state);
    html! {
        div.buttons {
            (elsewhere(visit, info))
            @for verb in verbs {
                // What goes away is not there to come back to.
                @let stays = !matches!(verb, Verb::Delete | Verb::Move(_));
                @let back = if stays { here.clone() } else { visit.link().to("queues").to(queue).with("state", info.state) };
                form method="post" action=(visit.link().to("tasks").to("confirm")) {
                    (hidden("task", TaskKey::new(queue, id).to_string()))
                    (hidden("action", verb.as_str()))
                    (hidden("back", back))
                    button.quiet.danger[verb == Verb::Delete] { (verb.label()) "…" }
                }
            }
            @if is_editable && visit.may(Right::Edit, queue) && visit.may(Right::ViewPayload, queue) {
                a.button.quiet href=(here.to("edit")) { "Edit" }
            }
            @if visit.may(Right::Enqueue, queue) && visit.may(Right::ViewPayload, queue) {
                a.button.quiet href=(visit.link().to("enqueue").with("like", TaskKey::new(queue, id))) { "Duplicate" }
            }
        }
    }
}

fn what_it_is(visit: &Visit, detail: &TaskDetail) -> Markup {
    let info = &detail.info;
    let group = if info.group.is_empty() { &detail.group } else { &info.group };
    facts([
        ("Type", html! { (human::printable(info.task_type.as_str())) }),
        (
            "State",
            html! { (state_link(visit, info)) @if info.is_orphaned { " " span.badge.alarm { "orphaned" } } },
        ),
        ("Retried", html! { (info.retried) " of at most " (info.max_retry) }),
        ("Timeout", length(info.timeout)),
        ("Kept after success", length(info.retention)),
        ("Workers that died with it", html! { (detail.crashes) }),
        ("Group", text_or_none(&human::printable(group))),
        ("Unique lock", lock(detail.lock.as_ref())),
        (
            "Server",
            match &detail.server_id {
                Some(id) => {
                    html! { a href={(visit.link().to("servers")) "#" (id)} { (human::printable(id)) } }
                }
                None => super::parts::none(),
            },
        ),
    ])
}

fn lock(lock: Option<&LockInfo>) -> Markup {
    let Some(lock) = lock else { return super::parts::none() };
    html! {
        @match &lock.holder {
            Some(holder) => { "held by " code { (human::printable(holder)) } @if let Some(left) = lock.expires_in { ", for " (human::length(left)) } },
            None => "free again",
        }
        " " span.muted { code { (human::printable(&lock.key)) } }
    }
}

fn carried(visit: &Visit, info: &TaskInfo, written: &AllWritten, fields: &Fields) -> Markup {
    let queue = info.queue.as_str();
    if !visit.may(Right::ViewPayload, queue) {
        return html! { section.payload { h2 { "Payload" } p.muted { "You have not the right to see it." } } };
    }
    let here = visit.link().to("queues").to(queue).to("tasks").to(info.id.as_str());
    let is_whole = fields.flag("whole");
    // The same page, with this in place of what the address has.
    let with = |name: &str, value: &str| {
        let others = FORMS.into_iter().filter(|field| *field != name);
        let link = others.fold(here.clone(), |link, field| link.with_some(field, fields.text(field)));
        link.with_some("whole", Some(1).filter(|_| is_whole && name != "whole")).with(name, value)
    };
    let whole = (!is_whole).then(|| with("whole", "1"));
    let (content, closed) = match opened(visit, info) {
        Ok(content) => (content, None),
        Err(reason) => (info.payload.clone(), Some(reason)),
    };
    let [form, result_form] = FORMS.map(|field| move |name: &str| with(field, name));
    let payload = Carried {
        title: "Payload",
        bytes: &content,
        mark: Encoding::marked(&info.headers),
        written: &written.payload,
        asked: fields.text("as"),
        download: here.clone().to("payload"),
        form: &form,
        whole: whole.as_ref(),
    };
    let result = info.result.as_ref().map(|result| Carried {
        title: "Result",
        bytes: result,
        mark: None,
        written: &written.result,
        asked: fields.text("result_as"),
        download: here.clone().to("result"),
        form: &result_form,
        whole: whole.as_ref(),
    });
    html! {
        @if let Some(reason) = closed { p.remark { "The payload is shown as it is stored: " (reason) "." } }
        (payload.show())
        @if let Some(result) = result { (result.show()) }
    }
}

fn headers(visit: &Visit, info: &TaskInfo) -> Markup {
    html! {
        @if !info.headers.is_empty() && visit.may(Right::ViewPayload, info.queue.as_str()) {
            section {
                h2 { "Headers" }
                dl.facts.headers {
                    @for (name, value) in &info.headers {
                        div { dt { (human::printable(name)) } dd { code { (human::printable(value)) } } }
                    }
                }
            }
        }
    }
}

/// What is stored with it that Go does not know.
fn behind(visit: &Visit, detail: &TaskDetail) -> Markup {
    let is_shown = !detail.own_fields.is_empty() && visit.may(Right::ViewPayload, detail.info.queue.as_str());
    html! {
        @if is_shown {
            details.columns {
                summary { "Stored beside it" }
                dl.facts {
                    @for (name, value) in &detail.own_fields {
                        div { dt { (human::printable(name)) } dd { (cell(value)) } }
                    }
                }
            }
        }
    }
}
