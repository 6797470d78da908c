//! What happened to a task and what will, by time: as far as it is stored, and no further.

use asynq_core::inspector::{RunningTask, TaskDetail, human};
use asynq_core::task::TaskState;
use asynq_core::wire::TICK_HEADER;
use jiff::Timestamp;
use maud::{Markup, html};

use super::parts::time;
use super::servers::visible_servers;
use crate::problem::Problem;
use crate::rights::Right;
use crate::visit::Visit;

/// Something that happened, or will.
struct Moment {
    at: Timestamp,
    what: &'static str,
    /// How long something took until then, or what is to be known of it.
    note: Option<String>,
}

/// What happened to a task, by time.
pub(super) async fn timeline(visit: &Visit, detail: &TaskDetail) -> Result<Markup, Problem> {
    let running = if detail.info.state == TaskState::Active { running(visit, detail).await? } else { None };
    let now = visit.now();
    let mut moments: Vec<Moment> = past(visit, detail, running.as_ref(), now).collect();
    moments.extend(ends(detail, running.as_ref()));
    moments.sort_by_key(|moment| moment.at);
    let done = moments.iter().take_while(|moment| moment.at <= now).count();
    Ok(html! {
        section.timeline {
            h2 { "Timeline" }
            @if moments.is_empty() {
                p.muted { "No time is stored of it." }
            } @else {
                ol {
                    @for (place, moment) in moments.iter().enumerate() {
                        li.ahead[place >= done] {
                            span.what { (moment.what) }
                            (time(visit, moment.at))
                            @if let Some(note) = &moment.note { span.muted { (note) } }
                        }
                    }
                }
            }
            p.muted { (not_stored(detail, running.as_ref())) }
        }
    })
}

/// What its worker tells of a task that runs.
async fn running(visit: &Visit, detail: &TaskDetail) -> Result<Option<RunningTask>, Problem> {
    let info = &detail.info;
    let running = visible_servers(visit).await?.into_iter().flat_map(|server| server.running);
    let mut running = running.filter(|task| task.id == info.id && task.queue == info.queue);
    Ok(running.next())
}

fn moment(at: Option<Timestamp>, what: &'static str, note: Option<String>) -> Option<Moment> {
    at.map(|at| Moment { at, what, note })
}

/// How long it is from one moment to another, with a word for it; nothing where one is not known.
fn took(from: Option<Timestamp>, to: Timestamp, words: &str) -> Option<String> {
    let length = to.duration_since(from?);
    (!length.is_negative()).then(|| words.replace('*', &human::length(length.unsigned_abs())))
}

/// Where it came from, and what was done to it.
fn past(
    visit: &Visit,
    detail: &TaskDetail,
    running: Option<&RunningTask>,
    now: Timestamp,
) -> impl Iterator<Item = Moment> {
    let info = &detail.info;
    let is_shown = visit.may(Right::ViewPayload, info.queue.as_str());
    let tick = info.headers.get(TICK_HEADER).filter(|_| is_shown).and_then(|tick| tick.parse().ok());
    let pending = detail.pending_since.filter(|_| info.state == TaskState::Pending);
    let started = running.and_then(|running| running.started);
    let failed = info.last_failed_at;
    let done = info.completed_at;
    let failure = match (info.state, info.retried) {
        (TaskState::Retry, 1) => Some("for the first time".to_owned()),
        (_, retried) if retried > 1 => Some(format!("the last time; {retried} retries in all")),
        _ => None,
    };
    [
        moment(tick, "Due by its schedule", None),
        moment(pending, "Pending", took(pending, now, "it has waited *")),
        moment(started, "Started", took(started, now, "it has run for *")),
        moment(failed, "Failed", failure),
        moment(done, "Done", done.and_then(|done| took(tick, done, "* after it was due"))),
    ]
    .into_iter()
    .flatten()
}

/// What is to come, and what ends it.
fn ends(detail: &TaskDetail, running: Option<&RunningTask>) -> impl Iterator<Item = Moment> {
    let info = &detail.info;
    let is_over = matches!(info.state, TaskState::Completed | TaskState::Archived);
    let due = info.next_process_at;
    let end = running.and_then(|running| running.deadline);
    let limit =
        end.and_then(|end| took(running.and_then(|running| running.started), end, "* for one attempt"));
    let kept = info
        .completed_at
        .filter(|_| info.state == TaskState::Completed)
        .and_then(|done| done.checked_add(info.retention).ok());
    let next = match info.state {
        TaskState::Scheduled => moment(due, "To be run", None),
        TaskState::Retry => moment(
            due,
            "Next attempt",
            due.and_then(|due| took(info.last_failed_at, due, "* after it failed")),
        ),
        _ => None,
    };
    [
        next,
        moment(end, "Must end", limit),
        moment(detail.lease_until, "Lease ends", Some("unless its worker extends it".to_owned())),
        moment(info.deadline.filter(|_| !is_over), "Deadline", None),
        moment(kept, "Deleted", Some("the result, too".to_owned())),
    ]
    .into_iter()
    .flatten()
}

/// What one would like to know, and nobody has written down.
fn not_stored(detail: &TaskDetail, running: Option<&RunningTask>) -> String {
    let info = &detail.info;
    let mut missing = Vec::new();
    match info.state {
        TaskState::Active if running.is_none() => {
            missing.push("when this attempt began, for no server that is known says that it runs it");
        }
        TaskState::Archived => missing.push("when it was archived, if not at its last failure"),
        TaskState::Completed => missing.push("when the attempt that succeeded began"),
        _ => {}
    }
    if info.state != TaskState::Pending || info.retried > 0 {
        missing.push("when it was enqueued");
    }
    if info.retried > 0 {
        missing
            .push("of earlier attempts, times and errors: the last error takes the place of the one before");
    }
    if missing.is_empty() { String::new() } else { format!("Not stored is {}.", missing.join("; ")) }
}
