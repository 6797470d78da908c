//! Curves: what was seen of late, the newest at the right.

use ratatui::buffer::Buffer;
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::style::Style;
use ratatui::text::{Line, Span};
use ratatui::widgets::{Sparkline, Widget};

use super::theme::Theme;
use crate::commands::dash::samples::Sample;
use crate::human;

/// Rates and lengths are drawn to a hundredth.
const FINE: f32 = 100.0;

/// The four curves of a queue, one above the other.
pub(super) fn draw(samples: &[Sample], area: Rect, buffer: &mut Buffer, theme: Theme) {
    type Read = fn(&Sample) -> f32;
    type Write = fn(f32) -> String;
    let curves: [(&str, Style, Read, Write); 4] = [
        ("processed", theme.good(), |sample| sample.processed, |rate| format!("{rate:.1}/s")),
        ("failed", theme.bad(), |sample| sample.failed, |rate| format!("{rate:.1}/s")),
        ("pending", theme.key(), |sample| sample.backlog, |count| format!("{count:.0}")),
        ("latency", theme.mark(), |sample| sample.latency, length),
    ];
    let places: [Rect; 4] = Layout::vertical([Constraint::Fill(1); 4]).areas(area);
    for ((name, style, read, write), place) in curves.into_iter().zip(places) {
        let values: Vec<f32> = samples.iter().map(read).collect();
        let now = values.last().copied().unwrap_or(0.0);
        let most = values.iter().copied().fold(0.0, f32::max);
        let title = Line::from(vec![
            Span::styled(format!("{name} "), Theme::heading()),
            Span::styled(write(now), style),
            Span::styled(format!("  most {}", write(most)), theme.dim()),
        ]);
        curve(title, style, &values, place, buffer);
    }
}

/// A curve under its title.
pub(super) fn curve(title: Line<'_>, style: Style, values: &[f32], area: Rect, buffer: &mut Buffer) {
    let [head, body] = Layout::vertical([Constraint::Length(1), Constraint::Min(0)]).areas(area);
    title.render(head, buffer);
    // What was not seen yet is left out at the left.
    let wide = usize::from(body.width);
    let seen = values.len().min(wide);
    let missing = std::iter::repeat_n(None, wide - seen);
    let points = values.iter().skip(values.len() - seen).map(|value| Some(point(*value)));
    Sparkline::default()
        .data(missing.chain(points).collect::<Vec<Option<u64>>>())
        .absent_value_symbol(" ")
        .style(style)
        .render(body, buffer);
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "`as` saturates, and a point of a curve is what is wanted"
)]
fn point(value: f32) -> u64 {
    (value * FINE) as u64
}

fn length(seconds: f32) -> String {
    std::time::Duration::try_from_secs_f32(seconds).map_or_else(|_| "-".to_owned(), human::length)
}
