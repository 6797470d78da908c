//! [`Column`]: what a table of tasks shows of each.

use asynq_core::inspector::{SortBy, human};
use asynq_core::task::{TaskInfo, TaskState};
use maud::{Markup, html};

use super::content::cell;
use super::parts::{length, none, state, text_or_none, time};
use crate::rights::Right;
use crate::visit::Visit;

/// What a table of tasks can show of each, beside its ID.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Column {
    Type,
    Queue,
    State,
    Payload,
    Due,
    Error,
    Failed,
    Retried,
    Completed,
    Result,
    Group,
    Deadline,
    Timeout,
    Retention,
    Headers,
}

impl Column {
    pub(crate) const ALL: [Self; 15] = [
        Self::Type,
        Self::Queue,
        Self::State,
        Self::Payload,
        Self::Due,
        Self::Error,
        Self::Failed,
        Self::Retried,
        Self::Completed,
        Self::Result,
        Self::Group,
        Self::Deadline,
        Self::Timeout,
        Self::Retention,
        Self::Headers,
    ];

    /// Its name in addresses.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Type => "type",
            Self::Queue => "queue",
            Self::State => "state",
            Self::Payload => "payload",
            Self::Due => "due",
            Self::Error => "error",
            Self::Failed => "failed",
            Self::Retried => "retried",
            Self::Completed => "completed",
            Self::Result => "result",
            Self::Group => "group",
            Self::Deadline => "deadline",
            Self::Timeout => "timeout",
            Self::Retention => "retention",
            Self::Headers => "headers",
        }
    }

    pub(super) fn heading(self) -> &'static str {
        match self {
            Self::Type => "Type",
            Self::Queue => "Queue",
            Self::State => "State",
            Self::Payload => "Payload",
            Self::Due => "Due",
            Self::Error => "Last error",
            Self::Failed => "Last failed",
            Self::Retried => "Retried",
            Self::Completed => "Completed",
            Self::Result => "Result",
            Self::Group => "Group",
            Self::Deadline => "Deadline",
            Self::Timeout => "Timeout",
            Self::Retention => "Kept for",
            Self::Headers => "Headers",
        }
    }

    /// By what a list is sorted when its heading is clicked.
    pub(super) fn sort(self) -> Option<SortBy> {
        self.as_str().parse().ok()
    }

    /// Whether it shows what tasks carry.
    pub(super) fn is_content(self) -> bool {
        matches!(self, Self::Payload | Self::Result | Self::Headers)
    }

    /// Those that matter for tasks in this state, or in any.
    pub(super) fn defaults(state: Option<TaskState>, has_queue: bool) -> Vec<Self> {
        let mut columns = vec![Self::Type];
        if !has_queue {
            columns.push(Self::Queue);
        }
        columns.extend_from_slice(match state {
            Some(TaskState::Active) => &[Self::Payload, Self::Deadline, Self::Retried],
            Some(TaskState::Pending) => &[Self::Payload, Self::Retried],
            Some(TaskState::Scheduled) => &[Self::Payload, Self::Due],
            Some(TaskState::Retry) => &[Self::Payload, Self::Due, Self::Error, Self::Failed, Self::Retried],
            Some(TaskState::Archived) => &[Self::Payload, Self::Error, Self::Failed],
            Some(TaskState::Completed) => &[Self::Payload, Self::Result, Self::Completed],
            Some(TaskState::Aggregating) => &[Self::Payload, Self::Group],
            _ => &[Self::State, Self::Payload, Self::Error],
        });
        columns
    }

    pub(super) fn cell(self, visit: &Visit, task: &TaskInfo) -> Markup {
        let is_shown = visit.may(Right::ViewPayload, task.queue.as_str());
        let carries = |bytes: &[u8]| {
            if is_shown {
                cell(bytes)
            } else {
                html! { span.muted { "not shown" } }
            }
        };
        match self {
            Self::Type => html! { (human::printable(task.task_type.as_str())) },
            Self::Queue => {
                let name = task.queue.as_str();
                html! { a href=(visit.link().to("queues").to(name)) { (human::printable(name)) } }
            }
            Self::State => html! {
                (state(task.state)) @if task.is_orphaned { " " span.badge.alarm { "orphaned" } }
            },
            Self::Payload => carries(&task.payload),
            Self::Due => time(visit, task.next_process_at),
            Self::Error => html! { span.error-text { (text_or_none(&task.last_error)) } },
            Self::Failed => time(visit, task.last_failed_at),
            Self::Retried => html! { (task.retried) " / " (task.max_retry) },
            Self::Completed => time(visit, task.completed_at),
            Self::Result => task.result.as_ref().map_or_else(none, |result| carries(result)),
            Self::Group => text_or_none(&human::printable(&task.group)),
            Self::Deadline => time(visit, task.deadline),
            Self::Timeout => length(task.timeout),
            Self::Retention => length(task.retention),
            Self::Headers if task.headers.is_empty() => none(),
            Self::Headers => {
                let lines = task.headers.iter().map(|(name, value)| format!("{name}: {value}"));
                carries(lines.collect::<Vec<_>>().join(", ").as_bytes())
            }
        }
    }
}
