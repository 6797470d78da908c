//! The queues: Go's bars and Go's table.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};
use ratatui::widgets::Widget;

use super::states;
use super::table::Table;
use super::theme::Theme;
use crate::commands::dash::columns::QueueRow;
use crate::commands::dash::layout::Areas;
use crate::commands::dash::model::Model;
use crate::commands::dash::text::{cut, grouped, width};
use crate::human;

/// What the name of a queue takes before its bar, and its size behind it.
const NAME: usize = 16;
const SIZE: usize = 10;

pub(super) fn draw(model: &Model, areas: Areas, buffer: &mut Buffer, theme: Theme) {
    bars(model, areas.head, buffer, theme);
    let nothing = match (model.is_loaded, model.queues.list.part.as_str()) {
        (false, _) => "…".to_owned(),
        (true, "") => "no queues: no task was ever enqueued here".to_owned(),
        (true, part) => format!("no queue has `{}` in its name", human::printable(part)),
    };
    let selected = |row: &QueueRow| model.queues.selected.contains(&row.info.queue);
    Table {
        list: &model.queues.list,
        now: model.now.at,
        theme,
        focused: true,
        selected: &selected,
        nothing: &nothing,
    }
    .draw(areas.list, buffer);
}

/// A bar for each of the first queues that are seen, the largest as wide as there is room.
fn bars(model: &Model, area: Rect, buffer: &mut Buffer, theme: Theme) {
    let rows = usize::from(area.height.saturating_sub(2));
    let seen: Vec<&QueueRow> = model.queues.list.seen(rows).map(|(_, row)| row).collect();
    let most = seen.iter().map(|row| row.info.size()).max().unwrap_or(0);
    let wide = usize::from(area.width).saturating_sub(NAME + SIZE + 2);
    for (y, row) in (area.y..).zip(&seen) {
        let name = cut(&human::printable(row.info.queue.as_str()), NAME);
        let mut spans = vec![Span::raw(format!("{name}{}", " ".repeat(NAME + 1 - width(&name))))];
        spans.extend(states::bar(&[&row.info], most, wide, theme));
        spans.push(Span::styled(format!(" {}", grouped(row.info.size())), theme.dim()));
        Line::from(spans).render(Rect { y, height: 1, ..area }, buffer);
    }
    let last = Rect { y: area.bottom().saturating_sub(2), height: 1, ..area };
    states::legend(theme).render(last, buffer);
}
