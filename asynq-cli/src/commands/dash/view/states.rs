//! The states of tasks: as parts of a bar, and as a line of counts.

use asynq_core::inspector::QueueInfo;
use asynq_core::task::TaskState;
use ratatui::text::{Line, Span};

use super::theme::Theme;
use crate::commands::dash::text::grouped;

/// The states in the order in which they are shown, each with what it looks like in a bar: they differ without colors.
pub(super) const STATES: [(TaskState, &str); 7] = [
    (TaskState::Active, "█"),
    (TaskState::Pending, "▓"),
    (TaskState::Aggregating, "▒"),
    (TaskState::Scheduled, "░"),
    (TaskState::Retry, "▚"),
    (TaskState::Archived, "▞"),
    (TaskState::Completed, "▪"),
];

/// What a bar's parts mean.
pub(super) fn legend(theme: Theme) -> Line<'static> {
    let part = |(state, symbol): (TaskState, &'static str)| {
        [Span::styled(symbol, theme.state(state)), Span::raw(format!(" {state} "))]
    };
    Line::from(STATES.into_iter().flat_map(part).collect::<Vec<_>>())
}

/// How many tasks queues hold in each state, as a bar that is so wide where they hold `most`.
pub(super) fn bar(queues: &[&QueueInfo], most: usize, wide: usize, theme: Theme) -> Vec<Span<'static>> {
    let mut spans = Vec::new();
    let (mut before, mut drawn) = (0, 0);
    for (state, symbol) in STATES {
        let count: usize = queues.iter().map(|queue| queue.count(state)).sum();
        before += count;
        let end = before.saturating_mul(wide).div_ceil(most.max(1)).min(wide);
        // Few as they are, tasks are seen.
        let part = end.saturating_sub(drawn);
        if count > 0 && part > 0 {
            spans.push(Span::styled(symbol.repeat(part), theme.state(state)));
            drawn += part;
        }
    }
    spans
}

/// A state with its count.
pub(super) fn label(state: Option<TaskState>, count: usize) -> String {
    format!("{}:{}", state.map_or("any", TaskState::as_str), grouped(count))
}
