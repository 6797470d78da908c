//! Metrics: the curves of a queue, or of all, and its days.

use ratatui::buffer::Buffer;
use ratatui::layout::{Constraint, Layout};
use ratatui::text::{Line, Span};

use super::curves;
use super::table::{Table, none};
use super::theme::Theme;
use crate::commands::dash::layout::Areas;
use crate::commands::dash::model::Model;
use crate::human;

pub(super) fn draw(model: &Model, areas: Areas, buffer: &mut Buffer, theme: Theme) {
    let metrics = &model.metrics;
    let nothing = if model.is_loaded { "no queues" } else { "…" };
    Table { list: &metrics.list, now: model.now.at, theme, focused: true, selected: &none, nothing }
        .draw(areas.list, buffer);
    let queue = metrics.queue();
    let [live, days] = Layout::vertical([
        Constraint::Fill(4),
        if queue.is_some() { Constraint::Fill(2) } else { Constraint::Length(0) },
    ])
    .areas(areas.head);
    curves::draw(&model.samples.of(queue), live, buffer, theme);
    let history = metrics.days.as_ref().filter(|(of, _)| Some(of) == queue).map(|(_, days)| days);
    let Some(history) = history else { return };
    let halves = Layout::vertical([Constraint::Fill(1); 2]).areas::<2>(days);
    let (processed, failed) = (
        history.iter().map(|day| day.processed).sum::<u64>(),
        history.iter().map(|day| day.failed).sum::<u64>(),
    );
    let rate = human::error_rate(failed, processed).map_or_else(String::new, |rate| format!(", {rate:.2}%"));
    let titles = [
        (format!("{} days: {processed} processed", history.len()), theme.good()),
        (format!("{failed} failed{rate}"), theme.bad()),
    ];
    for (place, ((title, style), area)) in titles.into_iter().zip(halves).enumerate() {
        // Today comes first, and stands at the right.
        let values: Vec<f32> = history
            .iter()
            .rev()
            .map(|day| float(if place == 0 { day.processed } else { day.failed }))
            .collect();
        curves::curve(Line::from(Span::styled(title, Theme::heading())), style, &values, area, buffer);
    }
}

#[expect(clippy::cast_precision_loss, reason = "a point of a curve, not a count")]
fn float(number: u64) -> f32 {
    number as f32
}
