//! The overview: all queues together, live; servers and Redis.

use asynq_core::inspector::QueueInfo;
use ratatui::buffer::Buffer;
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::text::{Line, Span};
use ratatui::widgets::Widget;

use super::theme::Theme;
use super::{curves, states};
use crate::commands::dash::model::Model;
use crate::commands::dash::text::{count, grouped};
use crate::human;

pub(super) fn draw(model: &Model, area: Rect, buffer: &mut Buffer, theme: Theme) {
    let [bar, counts, _, curve, facts] = Layout::vertical([
        Constraint::Length(1),
        Constraint::Length(2),
        Constraint::Length(1),
        Constraint::Min(0),
        Constraint::Length(3),
    ])
    .areas(area);
    let queues: Vec<&QueueInfo> = model.queues.list.all().iter().map(|row| &row.info).collect();
    let all = queues.iter().map(|queue| queue.size()).sum();
    Line::from(states::bar(&queues, all, usize::from(bar.width), theme)).render(bar, buffer);
    draw_counts(&queues, counts, buffer, theme);
    curves::draw(&model.samples.of(None), curve, buffer, theme);
    let facts: [Rect; 3] = Layout::vertical([Constraint::Length(1); 3]).areas(facts);
    for (line, place) in [of_queues(&queues), of_servers(model), of_redis(model)].into_iter().zip(facts) {
        let (name, text) = line;
        Line::from(vec![Span::styled(format!("{name:8}"), Theme::heading()), Span::raw(text)])
            .render(place, buffer);
    }
}

/// States and how many tasks are in each, in two rows.
fn draw_counts(queues: &[&QueueInfo], area: Rect, buffer: &mut Buffer, theme: Theme) {
    let rows: [Rect; 2] = Layout::vertical([Constraint::Length(1); 2]).areas(area);
    for (states, row) in states::STATES.chunks(4).zip(rows) {
        let columns: [Rect; 4] = Layout::horizontal([Constraint::Fill(1); 4]).areas(row);
        for ((state, symbol), column) in states.iter().zip(columns) {
            let count = queues.iter().map(|queue| queue.count(*state)).sum::<usize>();
            let spans = vec![
                Span::styled(format!("{symbol} "), theme.state(*state)),
                Span::raw(format!("{state} ")),
                Span::styled(grouped(count), Theme::heading()),
            ];
            Line::from(spans).render(column, buffer);
        }
    }
}

fn of_queues(queues: &[&QueueInfo]) -> (&'static str, String) {
    let paused = queues.iter().filter(|queue| queue.is_paused()).count();
    let (processed, failed) = (
        queues.iter().map(|queue| queue.processed).sum::<u64>(),
        queues.iter().map(|queue| queue.failed).sum::<u64>(),
    );
    let rate = human::error_rate(failed, processed).map_or_else(String::new, |rate| format!(" ({rate:.2}%)"));
    let text = format!(
        "{}, {paused} paused; today {processed} processed, {failed} failed{rate}",
        count(queues.len(), "queue")
    );
    ("Queues", text)
}

fn of_servers(model: &Model) -> (&'static str, String) {
    let servers = &model.overview.servers;
    let busy = servers.iter().map(|server| server.running.len()).sum::<usize>();
    let slots = servers.iter().map(|server| i64::from(server.concurrency)).sum::<i64>();
    ("Servers", format!("{}, {busy} of {slots} workers busy", count(servers.len(), "server")))
}

fn of_redis(model: &Model) -> (&'static str, String) {
    if model.overview.redis.is_empty() {
        return ("Redis", "tells nothing of itself".to_owned());
    }
    let told = |name: &str| model.overview.redis.get(name).map_or("-", String::as_str);
    let text = format!(
        "{}, {} used, {} clients, {} commands/s",
        told("redis_version"),
        told("used_memory_human"),
        told("connected_clients"),
        told("instantaneous_ops_per_sec")
    );
    ("Redis", human::printable(&text))
}
