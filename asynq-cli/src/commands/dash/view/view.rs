//! A frame: the screens' names, the status, the screen, what is open over it, the line at the bottom.

use ratatui::Frame;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};
use ratatui::widgets::{Paragraph, Widget, Wrap};

use super::popup::{self, help_lines, inside, task_lines};
use super::theme::Theme;
use super::{foot, metrics, overview, processes, queues, store, tasks};
use crate::commands::dash::layout::{SMALLEST, tab_label};
use crate::commands::dash::model::{Changing, Link, Model};
use crate::commands::dash::tab::Tab;
use crate::commands::dash::text::{cut, grouped, width};
use crate::human;

pub(in crate::commands::dash) fn draw(frame: &mut Frame<'_>, model: &Model, theme: Theme) {
    let whole = frame.area();
    if model.is_too_small() || whole.width < SMALLEST.width || whole.height < SMALLEST.height {
        let text = format!(
            "The terminal is too small: {} × {}, and {} × {} is needed. Ctrl+C quits.",
            whole.width, whole.height, SMALLEST.width, SMALLEST.height
        );
        return frame.render_widget(Paragraph::new(text).wrap(Wrap { trim: true }), whole);
    }
    let areas = model.areas();
    let buffer = frame.buffer_mut();
    tabs(model.tab, areas.tabs, buffer, theme);
    status(model, areas.status, buffer, theme);
    match model.tab {
        Tab::Overview => overview::draw(model, areas.head, buffer, theme),
        Tab::Queues => queues::draw(model, areas, buffer, theme),
        Tab::Tasks => tasks::draw(model, areas, buffer, theme),
        Tab::Servers => processes::draw_servers(model, areas, buffer, theme),
        Tab::Schedulers => processes::draw_schedulers(model, areas, buffer, theme),
        Tab::Metrics => metrics::draw(model, areas, buffer, theme),
        Tab::Redis => store::draw(model, areas, buffer, theme),
    }
    if let Some(task) = &model.task {
        let title = format!("task {}", human::printable(task.id.as_str()));
        let lines = task_lines(model, inside(areas.popup).width);
        popup::draw(&title, &lines, task.scroll, areas.popup, buffer, theme);
    }
    if let Some(scroll) = model.help {
        popup::draw("keys", &help_lines(model), scroll, areas.popup, buffer, theme);
    }
    foot::draw(model, areas.foot, frame, theme);
}

fn tabs(current: Tab, area: Rect, buffer: &mut Buffer, theme: Theme) {
    let label = |(number, tab)| {
        let style = if tab == current { theme.tab() } else { theme.tabs() };
        Span::styled(tab_label(number, tab), style)
    };
    Line::from((1_u16..).zip(Tab::ALL).map(label).collect::<Vec<_>>()).render(area, buffer);
}

/// Whether Redis answers, what is being changed, how often things are read.
fn status(model: &Model, area: Rect, buffer: &mut Buffer, theme: Theme) {
    let room = usize::from(area.width);
    if let Link::Down { since, why } = &model.link {
        let text = format!(
            " Redis does not answer, since {} ({}); what is shown was read before. {}",
            human::local(*since),
            human::relative(*since, model.now.at),
            human::printable(why)
        );
        return Line::styled(cut(&text, room), theme.alarm()).render(area, buffer);
    }
    let pace = format!("every {}", human::length(model.options.refresh));
    let (right, style) =
        if model.is_frozen { ("FROZEN, Z goes on".to_owned(), theme.alarm()) } else { (pace, theme.dim()) };
    let read_only = if model.options.read_only { "read only  " } else { "" };
    let right = format!("{read_only}{right} ");
    let left = match &model.changing {
        Some(Changing::Counting(action)) => format!(" counting what fits, to {action} it…  Esc: stop"),
        Some(Changing::Running { what, total, outcome }) => {
            let of = if *total > 0 { format!(" of {}", grouped(*total)) } else { String::new() };
            let failed = if outcome.failed > 0 {
                format!(", {} failed", grouped(outcome.failed))
            } else {
                String::new()
            };
            format!(" {}{of} {what}{failed}…  Esc: stop", grouped(outcome.done))
        }
        None => {
            part(model).map_or_else(String::new, |part| format!(" names with `{}`", human::printable(part)))
        }
    };
    let left = cut(&left, room.saturating_sub(width(&right) + 1));
    let gap = " ".repeat(room.saturating_sub(width(&left) + width(&right)));
    let spans = vec![Span::styled(left, theme.mark()), Span::raw(gap), Span::styled(right, style)];
    Line::from(spans).render(area, buffer);
}

/// The part of the name that the rows which are shown must have.
fn part(model: &Model) -> Option<&str> {
    let part = match model.tab {
        Tab::Queues => &model.queues.list.part,
        Tab::Tasks => &model.tasks.groups.part,
        Tab::Metrics => &model.metrics.list.part,
        _ => return None,
    };
    Some(part.as_str()).filter(|part| !part.is_empty())
}
