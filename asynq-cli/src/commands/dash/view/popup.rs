//! What opens over a screen: all about one task, and the help.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};
use ratatui::widgets::{Block, Clear, Widget};

use super::theme::Theme;
use crate::commands::dash::keys::BINDINGS;
use crate::commands::dash::model::Model;
use crate::commands::dash::text::wrap;
use crate::commands::task::record;
use crate::human;

/// How wide the keys stand in the help.
const KEYS: usize = 18;

/// Headings of a task's fields.
const HEADINGS: usize = 19;

/// A line of a popup.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::commands::dash) struct TextLine {
    head: String,
    text: String,
}

impl TextLine {
    fn new(head: impl Into<String>, text: impl Into<String>) -> Self {
        Self { head: head.into(), text: text.into() }
    }
}

/// The room within a popup's frame.
pub(in crate::commands::dash) fn inside(popup: Rect) -> Rect {
    Block::bordered().inner(popup)
}

pub(super) fn draw(
    title: &str,
    lines: &[TextLine],
    scroll: usize,
    area: Rect,
    buffer: &mut Buffer,
    theme: Theme,
) {
    Clear.render(area, buffer);
    let room = inside(area);
    let seen = usize::from(room.height);
    let place = if lines.len() > seen {
        format!(" {}–{} of {} lines ", scroll + 1, (scroll + seen).min(lines.len()), lines.len())
    } else {
        String::new()
    };
    Block::bordered()
        .title(format!(" {title} "))
        .title_bottom(place)
        .border_style(theme.key())
        .render(area, buffer);
    for (y, line) in (room.y..).zip(lines.iter().skip(scroll).take(seen)) {
        let spans = vec![Span::styled(line.head.as_str(), Theme::heading()), Span::raw(line.text.as_str())];
        Line::from(spans).render(Rect { y, height: 1, ..room }, buffer);
    }
}

/// Every key and what it does: the table by which keys are looked up, read out.
pub(in crate::commands::dash) fn help_lines(model: &Model) -> Vec<TextLine> {
    let mut lines = Vec::new();
    let mut section = "";
    for binding in BINDINGS.iter().filter(|binding| binding.is_allowed(model.options.read_only)) {
        if binding.section != section {
            if !section.is_empty() {
                lines.push(TextLine::new("", ""));
            }
            section = binding.section;
            lines.push(TextLine::new(section, ""));
        }
        let keys = binding.keys.join(" ");
        let text = if keys.chars().count() < KEYS {
            format!("  {keys:KEYS$}{}", binding.help)
        } else {
            format!("  {keys}  {}", binding.help)
        };
        lines.push(TextLine::new("", text));
    }
    let more = ["mouse: click a screen's name, a row, the chosen row to open it; the wheel moves"];
    lines.extend(more.map(|text| TextLine::new("", format!("  {text}"))));
    lines
}

/// All about the task that is open, in lines of this width.
pub(in crate::commands::dash) fn task_lines(model: &Model, width: u16) -> Vec<TextLine> {
    let width = usize::from(width);
    let detail = match model.task.as_ref().and_then(|task| task.detail.as_ref()) {
        None => return vec![TextLine::new("", "…")],
        Some(Err(why)) => {
            return wrap(&human::printable(why), width)
                .into_iter()
                .map(|line| TextLine::new("", line))
                .collect();
        }
        Some(Ok(detail)) => detail,
    };
    let mut lines = Vec::new();
    for field in record(detail, model.now.at).fields {
        // What a task does not have is not told of it.
        if field.cell.text == "-" {
            continue;
        }
        if field.block {
            lines.push(TextLine::new(field.heading, ""));
            for text in field.cell.text.lines() {
                let parts = wrap(text, width.saturating_sub(2));
                lines.extend(parts.into_iter().map(|part| TextLine::new("", format!("  {part}"))));
            }
            continue;
        }
        let head = format!("{:HEADINGS$}", field.heading);
        for (place, part) in wrap(&field.cell.text, width.saturating_sub(HEADINGS)).into_iter().enumerate() {
            let head = if place == 0 { head.clone() } else { " ".repeat(HEADINGS) };
            lines.push(TextLine::new(head, part));
        }
    }
    lines
}
