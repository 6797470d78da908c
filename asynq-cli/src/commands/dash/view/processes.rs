//! Servers with what they run, and schedulers with what they enqueued: two lists, one above the other.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::Line;
use ratatui::widgets::Widget;

use super::table::{Table, none};
use super::theme::Theme;
use crate::commands::dash::layout::Areas;
use crate::commands::dash::model::Model;
use crate::human;

pub(super) fn draw_servers(model: &Model, areas: Areas, buffer: &mut Buffer, theme: Theme) {
    let (servers, now) = (&model.servers, model.now.at);
    let nothing = if model.is_loaded { "no servers run" } else { "…" };
    Table { list: &servers.list, now, theme, focused: !servers.on_workers, selected: &none, nothing }
        .draw(areas.list, buffer);
    title(&format!("what they run: {}", servers.workers.len()), areas.second, buffer, theme);
    let nothing = if model.is_loaded { "no tasks run" } else { "…" };
    Table { list: &servers.workers, now, theme, focused: servers.on_workers, selected: &none, nothing }
        .draw(areas.second, buffer);
}

pub(super) fn draw_schedulers(model: &Model, areas: Areas, buffer: &mut Buffer, theme: Theme) {
    let (schedulers, now) = (&model.schedulers, model.now.at);
    let nothing = if model.is_loaded { "no schedules: no scheduler runs, and none is stored" } else { "…" };
    Table { list: &schedulers.list, now, theme, focused: !schedulers.on_history, selected: &none, nothing }
        .draw(areas.list, buffer);
    let chosen = schedulers.list.chosen();
    let of = chosen.map_or_else(String::new, |schedule| {
        let entry = &schedule.entry;
        format!(
            "what `{}` {} enqueued",
            human::printable(&entry.spec),
            human::printable(entry.task_type.as_str())
        )
    });
    title(&of, areas.second, buffer, theme);
    // What is there may be of another entry still.
    if chosen.map(|schedule| &schedule.entry.id) == schedulers.history_of.as_ref() {
        let nothing = "nothing was enqueued yet";
        Table {
            list: &schedulers.history,
            now,
            theme,
            focused: schedulers.on_history,
            selected: &none,
            nothing,
        }
        .draw(areas.second, buffer);
    }
}

/// The line between two lists.
fn title(text: &str, second: Rect, buffer: &mut Buffer, theme: Theme) {
    let between = Rect { y: second.y.saturating_sub(1), height: 1, ..second };
    Line::styled(format!("── {text} "), theme.dim()).render(between, buffer);
}
