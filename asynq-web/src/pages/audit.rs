//! Who changed what.

use asynq_core::inspector::{AuditEntry, AuditId, Audited, human};
use axum::body::Body;
use axum::extract::Query;
use axum::http::Response;
use maud::{Markup, html};

use super::layout::{Page, Section};
use super::parts::{count, empty, none, text_or_none, time};
use crate::audit::DONE;
use crate::fields::Fields;
use crate::problem::Problem;
use crate::rights::Right;
use crate::visit::Visit;

/// Who changed what, the latest first.
pub(crate) async fn audit(visit: Visit, Query(fields): Query<Fields>) -> Result<Response<Body>, Problem> {
    let found = noted(&visit, &fields, visit.preferences.size.count()).await?;
    let (actor, action) = (fields.text("actor"), fields.text("action"));
    let start = || visit.link().to("audit").with_some("actor", actor).with_some("action", action);
    let body = html! {
        div.head { h1 { "Audit" } span.muted { "who changed what, the last 10,000 times" } }
        form.filter action=(visit.link().to("audit")) role="search" aria-label="Changes" {
            label { span.hidden { "Who" } input type="search" name="actor" value=(actor.unwrap_or_default()) placeholder="Who" autocomplete="off"; }
            label { span.hidden { "What" } input type="search" name="action" value=(action.unwrap_or_default()) placeholder="What, such as archive" autocomplete="off"; }
            button { "Filter" }
            @if actor.or(action).is_some() { a.button.quiet href=(visit.link().to("audit")) { "Clear" } }
        }
        @if !found.is_kept {
            (empty("Not kept here", "This Redis is older than version 5.0, which has no place for it. Every change is told in the log of this program."))
        } @else if found.entries.is_empty() && found.next.is_none() {
            (empty("Nothing", "No change is known that fits."))
        } @else {
            (table(&visit, &found.entries))
        }
        nav.paging aria-label="Pages" {
            span.grow {}
            @if fields.text("cursor").is_some() { a.button.quiet href=(start()) { "To the latest" } }
            @if let Some(next) = found.next { a.button.quiet rel="next" href=(start().with("cursor", next)) { "Older" } }
        }
    };
    Ok(Page::live(Section::Audit, "Audit", body).show(&visit))
}

/// The changes that are asked for, among those that the visitor may see.
pub(crate) async fn noted(visit: &Visit, fields: &Fields, limit: usize) -> Result<Audited, Problem> {
    let inspector = visit.inspector_of_all(Right::Audit)?;
    let before = fields.parsed::<AuditId>("cursor")?;
    let is_named = |wanted: Option<&str>, name: &str| wanted.is_none_or(|wanted| wanted.trim() == name);
    let fits = |entry: &AuditEntry| {
        let queue = Some(entry.queue.as_str()).filter(|queue| !queue.is_empty());
        visit.may_in(Right::Audit, queue)
            && is_named(fields.text("actor"), &entry.actor)
            && is_named(fields.text("action"), &entry.action)
    };
    Ok(inspector.changes_noted(before, limit, fits).await?)
}

fn table(visit: &Visit, entries: &[(AuditId, AuditEntry)]) -> Markup {
    html! {
        div.scroll role="region" aria-label="Changes" tabindex="0" {
            table {
                thead { tr { @for heading in ["When", "Who", "What", "Queue", "To what", "Changed", "Failed", "Outcome", "From", "Request"] { th scope="col" { (heading) } } } }
                tbody {
                    @for (id, entry) in entries {
                        tr data-key=(id) {
                            th scope="row" { (time(visit, entry.at)) }
                            td { (text_or_none(&human::printable(&entry.actor))) }
                            td { (human::printable(&entry.action)) }
                            td { (text_or_none(&human::printable(&entry.queue))) }
                            td.wide { (text_or_none(&human::printable(&entry.subject))) }
                            td.right { @if entry.changed > 0 { (count(entry.changed)) } @else { (none()) } }
                            td.right { @if entry.failed > 0 { span.bad { (count(entry.failed)) } } @else { (none()) } }
                            td { @if entry.outcome == DONE { "done" } @else { span.bad { (human::printable(&entry.outcome)) } } }
                            td { (text_or_none(&human::printable(&entry.address))) }
                            td { code { (text_or_none(&human::printable(&entry.request))) } }
                        }
                    }
                }
            }
        }
    }
}
