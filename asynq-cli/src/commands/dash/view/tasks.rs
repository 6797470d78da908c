//! The tasks: a queue with its states, as in Go; the groups to choose from; what fits a filter.

use asynq_core::inspector::GroupInfo;
use asynq_core::task::TaskState;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};
use ratatui::widgets::{Paragraph, Widget, Wrap};

use super::states;
use super::table::{Table, none};
use super::theme::Theme;
use crate::commands::dash::columns::TaskRow;
use crate::commands::dash::layout::Areas;
use crate::commands::dash::model::{Model, Paging, STATES, TasksScreen};
use crate::commands::dash::text::{count, grouped};
use crate::human;

pub(super) fn draw(model: &Model, areas: Areas, buffer: &mut Buffer, theme: Theme) {
    let tasks = &model.tasks;
    Line::from(summary(tasks, theme)).render(Rect { height: 1, ..areas.head }, buffer);
    let below = Rect { y: areas.head.y + 1, height: areas.head.height.saturating_sub(2), ..areas.head };
    Paragraph::new(state_line(tasks, theme)).wrap(Wrap { trim: true }).render(below, buffer);
    if tasks.paging() == Paging::Groups {
        let nothing = match (model.is_loaded, tasks.groups.all().is_empty()) {
            (false, _) => "…",
            (true, true) => "no groups: no task of this queue waits to be aggregated",
            (true, false) => "no group has this in its name",
        };
        let selected = &none::<GroupInfo>;
        Table { list: &tasks.groups, now: model.now.at, theme, focused: true, selected, nothing }
            .draw(areas.list, buffer);
    } else {
        let nothing = if model.is_loaded { "no tasks" } else { "…" };
        let selected = |row: &TaskRow| tasks.selected.has(row);
        Table { list: &tasks.list, now: model.now.at, theme, focused: true, selected: &selected, nothing }
            .draw(areas.list, buffer);
    }
    Line::styled(page_line(tasks), theme.dim()).render(areas.tail, buffer);
}

/// The queue, as in Go; or that it is all of them; and the filter.
fn summary(tasks: &TasksScreen, theme: Theme) -> Vec<Span<'static>> {
    let name = tasks
        .queue
        .as_ref()
        .map_or_else(|| "all queues".to_owned(), |queue| human::printable(queue.as_str()));
    let mut spans = vec![Span::styled(name, Theme::heading())];
    if let Some(group) = &tasks.group {
        spans.push(Span::styled(format!(" › {}", human::printable(group)), Theme::heading()));
    }
    if let (Some(_), Some(info)) = (&tasks.queue, tasks.queues.first()) {
        let memory = info.memory_usage.map_or_else(|| "-".to_owned(), human::size);
        let latency = human::length(info.latency);
        spans.push(Span::raw(format!("  size {}  latency {latency}  memory {memory}", grouped(info.size()))));
        if info.is_paused() {
            spans.push(Span::styled("  PAUSED", theme.mark()));
        }
        if info.orphaned > 0 {
            spans.push(Span::styled(format!("  {} orphaned", grouped(info.orphaned)), theme.bad()));
        }
    }
    if !tasks.filter.is_empty() {
        spans.push(Span::styled(
            format!("  filter {}", human::printable(&tasks.filter.to_string())),
            theme.key(),
        ));
    }
    spans
}

/// Every state with its count; the one that is shown stands out.
fn state_line(tasks: &TasksScreen, theme: Theme) -> Line<'static> {
    let mut spans = Vec::new();
    for state in STATES {
        let style = if state == tasks.state {
            theme.current()
        } else {
            state.map_or(theme.dim(), |state| theme.state(state))
        };
        spans.push(Span::styled(states::label(state, tasks.count(state)), style));
        spans.push(Span::raw("  "));
    }
    Line::from(spans)
}

fn page_line(tasks: &TasksScreen) -> String {
    let mut parts = Vec::new();
    if tasks.paging() == Paging::Groups {
        parts.push(count(tasks.groups.len(), "group"));
    } else if !tasks.list.is_empty() {
        let (first, shown) = (tasks.first(), tasks.list.len());
        parts.push(match (tasks.page > 1 || tasks.more, tasks.paging()) {
            (false, _) => count(shown, "task"),
            (true, Paging::Pages) => {
                let of = tasks.total().map_or_else(String::new, |total| format!(" of {}", grouped(total)));
                format!("page {}: {}–{}{of}", tasks.page, grouped(first), grouped(first + shown - 1))
            }
            // A part of a search has as many as were found within its budget.
            (true, _) => format!("page {}: {}", tasks.page, count(shown, "task")),
        });
    }
    if tasks.page > 1 {
        parts.push("p: page before".to_owned());
    }
    if tasks.more {
        parts.push("n: next page".to_owned());
    }
    if tasks.paging() == Paging::Search && tasks.scanned > tasks.list.len() {
        parts.push(format!("looked at {}", count(tasks.scanned, "task")));
    }
    match (tasks.selected.fitting, tasks.selected.tasks.len()) {
        (true, _) => parts.push("all that fit are selected".to_owned()),
        (false, 0) => {}
        (false, selected) => parts.push(format!("{} selected", grouped(selected))),
    }
    let orphans =
        tasks.list.shown().filter(|row| row.task.as_ref().is_ok_and(|task| task.is_orphaned)).count();
    if orphans > 0 && tasks.state == Some(TaskState::Active) {
        parts.push(format!("{orphans} of these are orphaned"));
    }
    parts.join("  ")
}
