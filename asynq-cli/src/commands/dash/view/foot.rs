//! The line at the bottom: a question, what is being written, something to be told, or else the keys that matter most.

use ratatui::Frame;
use ratatui::layout::{Position, Rect};
use ratatui::text::{Line as TextLine, Span};
use ratatui::widgets::Widget;

use super::theme::Theme;
use crate::commands::dash::keys::{BINDINGS, Command, Focus};
use crate::commands::dash::model::{Line, Model, Note, Palette, Purpose, Writing};
use crate::commands::dash::text::{cut, width};
use crate::human;

/// The keys that matter most, each with a word; those that count here are shown, as many as there is room for.
const HINTS: [(Command, &str); 22] = [
    (Command::Yes, "yes"),
    (Command::No, "no"),
    (Command::Accept, "accept"),
    (Command::Leave, "leave"),
    (Command::Open, "open"),
    (Command::OtherPane, "other list"),
    (Command::NextState, "state"),
    (Command::Filter, "filter"),
    (Command::Select, "select"),
    (Command::Run, "run"),
    (Command::Archive, "archive"),
    (Command::Delete, "delete"),
    (Command::Cancel, "cancel"),
    (Command::Edit, "edit"),
    (Command::Pause, "pause"),
    (Command::NextPage, "next page"),
    (Command::Sort, "sort"),
    (Command::Palette, "commands"),
    (Command::Freeze, "freeze"),
    (Command::Refresh, "refresh"),
    (Command::NextTab, "next screen"),
    (Command::PageDown, "down"),
];

/// What is never left out: how to learn more, and the first way out.
const HELP: (Command, &str) = (Command::Help, "help");
const WAYS_OUT: [(Command, &str); 2] = [(Command::Back, "back"), (Command::Quit, "quit")];

pub(super) fn draw(model: &Model, area: Rect, frame: &mut Frame<'_>, theme: Theme) {
    let first = Rect { height: 1, ..area };
    match &model.line {
        Some(Line::Confirm { question, .. }) => {
            let spans = vec![
                Span::styled(format!(" {question}? "), theme.alarm()),
                Span::styled(" y ", theme.key()),
                Span::raw("yes  "),
                Span::styled("n ", theme.key()),
                Span::raw("no"),
            ];
            TextLine::from(spans).render(first, frame.buffer_mut());
        }
        Some(Line::Prompt { purpose, writing }) => prompt(purpose, writing, area, frame, theme),
        Some(Line::Palette(palette)) => choose(palette, area, frame, theme),
        None => match &model.note {
            Some(note) => {
                let style = if note.is_error { theme.alarm() } else { theme.good() };
                let text = told(note, area);
                TextLine::styled(format!(" {text} "), style).render(first, frame.buffer_mut());
            }
            None => hints(model, usize::from(area.width), theme).render(first, frame.buffer_mut()),
        },
    }
}

/// What is told, as far as there is room.
fn told(note: &Note, area: Rect) -> String {
    cut(&human::printable(&note.text), usize::from(area.width).saturating_sub(2))
}

/// Where an address is told: the place, the text, and the address.
pub(in crate::commands::dash) fn address(model: &Model) -> Option<(Position, String, &str)> {
    let note = model.note.as_ref().filter(|_| model.line.is_none() && !model.is_too_small())?;
    let area = model.areas().foot;
    Some((Position::new(area.x + 1, area.y), told(note, area), note.address.as_deref()?))
}

/// A line that is written; with a filter that is wrong, what is wrong above it, and the place below it.
fn prompt(purpose: &Purpose, writing: &Writing, area: Rect, frame: &mut Frame<'_>, theme: Theme) {
    let error = match purpose {
        Purpose::Filter(error) => error.as_ref(),
        _ => None,
    };
    let y = if error.is_some() { area.y + 1 } else { area.y };
    let line = Rect { y, height: 1, ..area };
    write(purpose.label(), writing, line, frame, theme);
    if let Some(error) = error {
        let buffer = frame.buffer_mut();
        let reason = cut(&human::printable(error.reason()), usize::from(area.width));
        TextLine::styled(reason, theme.bad()).render(Rect { height: 1, ..area }, buffer);
        let text = writing.text();
        let columns = |range: std::ops::Range<usize>| text.get(range).map_or(0, width);
        let (before, marked) = (columns(0..error.place().start), columns(error.place()).max(1));
        let caret = format!("{}{}", " ".repeat(width(purpose.label()) + before), "^".repeat(marked));
        TextLine::styled(caret, theme.bad()).render(Rect { y: y + 1, ..line }, buffer);
    }
}

/// A line with the place where one writes. One that is longer than the screen shows that place.
fn write(label: &str, writing: &Writing, line: Rect, frame: &mut Frame<'_>, theme: Theme) {
    let before = width(label) + width(writing.before());
    let hidden = (before + 1).saturating_sub(usize::from(line.width));
    let mut skipped = 0;
    let text = writing.text();
    let shown: String = text
        .chars()
        .skip_while(|c| {
            let skip = skipped < hidden;
            skipped += unicode_width::UnicodeWidthChar::width(*c).unwrap_or(0);
            skip
        })
        .collect();
    let spans = vec![Span::styled(label, theme.key()), Span::raw(human::printable(&shown))];
    TextLine::from(spans).render(line, frame.buffer_mut());
    let x = line.x + u16::try_from(before - hidden).unwrap_or(0).min(line.width.saturating_sub(1));
    frame.set_cursor_position(Position::new(x, line.y));
}

fn choose(palette: &Palette, area: Rect, frame: &mut Frame<'_>, theme: Theme) {
    write(": ", &palette.writing, Rect { height: 1, ..area }, frame, theme);
    let rows = usize::from(area.height.saturating_sub(1));
    let fitting = palette.fitting();
    let top = (palette.chosen + 1).saturating_sub(rows);
    for (y, (place, target)) in (area.y + 1..).zip(fitting.iter().enumerate().skip(top).take(rows)) {
        let line = Rect { y, height: 1, ..area };
        TextLine::raw(format!("  {}", target.text())).render(line, frame.buffer_mut());
        if place == palette.chosen {
            frame.buffer_mut().set_style(line, Theme::chosen(true));
        }
    }
    if fitting.is_empty() {
        let line = Rect { y: area.y + 1, height: 1, ..area };
        TextLine::styled("  nothing has this in its name", theme.dim()).render(line, frame.buffer_mut());
    }
}

fn hints(model: &Model, room: usize, theme: Theme) -> TextLine<'static> {
    let focus = model.focus();
    let counts = |hint| shown(hint, focus, model.options.read_only);
    let last: Vec<_> = counts(HELP).into_iter().chain(WAYS_OUT.into_iter().find_map(counts)).collect();
    let wide = |(key, word): &(&str, &str)| width(key) + width(word) + 3;
    let mut taken: usize = last.iter().map(wide).sum();
    let mut hints = Vec::new();
    for hint in HINTS.into_iter().filter_map(counts) {
        taken += wide(&hint);
        if taken > room {
            break;
        }
        hints.push(hint);
    }
    let spans = hints.into_iter().chain(last).flat_map(|(key, word)| {
        [Span::styled(format!(" {key} "), theme.key()), Span::raw(format!("{word} "))]
    });
    TextLine::from(spans.collect::<Vec<_>>())
}

/// A command's first key and its word, where it counts.
fn shown(
    (command, word): (Command, &'static str),
    focus: Focus,
    read_only: bool,
) -> Option<(&'static str, &'static str)> {
    let binding = BINDINGS.iter().find(|binding| {
        binding.command == command && binding.at.contains(&focus) && binding.is_allowed(read_only)
    });
    binding.and_then(|binding| binding.keys.first()).map(|key| (*key, word))
}
