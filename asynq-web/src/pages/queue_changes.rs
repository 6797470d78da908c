//! What is done to a queue as a whole: pausing, resuming, deleting it.

use asynq_core::inspector::human;
use axum::Form;
use axum::body::Body;
use axum::extract::Path;
use axum::http::Response;
use axum::response::Redirect;
use maud::html;

use super::layout::{Page, Section, done};
use super::parts::count;
use crate::fields::Fields;
use crate::links::name;
use crate::problem::Problem;
use crate::rights::Right;
use crate::visit::Visit;

/// Workers take nothing more from it.
pub(crate) async fn pause(
    visit: Visit,
    Path(queue): Path<String>,
    Form(fields): Form<Fields>,
) -> Result<Redirect, Problem> {
    let queue = name(&queue);
    let paused = visit.inspector(Right::Pause, queue)?.pause(queue).await;
    visit.audited("pause", queue, "", paused).await?;
    Ok(done(&visit.way_back(fields.raw("back")), "pause", 1))
}

/// They do so again.
pub(crate) async fn resume(
    visit: Visit,
    Path(queue): Path<String>,
    Form(fields): Form<Fields>,
) -> Result<Redirect, Problem> {
    let queue = name(&queue);
    let resumed = visit.inspector(Right::Pause, queue)?.resume(queue).await;
    visit.audited("resume", queue, "", resumed).await?;
    Ok(done(&visit.way_back(fields.raw("back")), "resume", 1))
}

/// Asks for the name before a queue is deleted.
pub(crate) async fn confirm_delete(
    visit: Visit,
    Path(queue): Path<String>,
) -> Result<Response<Body>, Problem> {
    let queue = name(&queue);
    let info = visit.inspector(Right::DeleteQueue, queue)?.queue_info(queue).await?;
    let link = visit.link().to("queues").to(queue);
    let held = info.size() - info.completed;
    let body = html! {
        div.ask {
            h1 { "Delete queue " (human::printable(queue)) "?" }
            p {
                @match info.size() {
                    0 => "It is empty.",
                    1 => "It holds one task, which is deleted with it.",
                    tasks => { "It holds " strong { (count(tasks)) " tasks" } ", which are deleted with it." }
                }
                " Its counters are gone, too. Whoever enqueues to it makes it anew."
            }
            @if info.active > 0 {
                p.bad { (count(info.active)) " of them are being run. Pause the queue, and wait until they end or cancel them." }
            }
            form.stack method="post" action=(link.clone().to("delete")) {
                @if held > 0 { input type="hidden" name="force" value="1"; }
                label { "Type its name to confirm"
                    input type="text" name="name" required autocomplete="off" spellcheck="false" autofocus;
                }
                div.buttons {
                    button.danger { "Delete the queue" }
                    a.button.quiet href=(link) { "Keep it" }
                }
            }
        }
    };
    Ok(Page::new(Section::Queues, format!("Delete queue {queue}?"), body).show(&visit))
}

/// Deletes a queue whose name was typed.
pub(crate) async fn delete(
    visit: Visit,
    Path(queue): Path<String>,
    Form(fields): Form<Fields>,
) -> Result<Redirect, Problem> {
    let queue = name(&queue);
    let inspector = visit.inspector(Right::DeleteQueue, queue)?;
    if fields.raw("name").map(str::trim) != Some(queue.trim()) {
        return Err(Problem::new(
            "not_confirmed",
            format!("the name that was typed is not `{queue}`: nothing was deleted"),
        ));
    }
    let deleted = if fields.flag("force") {
        inspector.force_delete_queue(queue).await
    } else {
        inspector.delete_queue(queue).await
    };
    visit.audited("delete_queue", queue, "", deleted).await?;
    Ok(done(visit.link().as_str(), "delete_queue", 1))
}
