//! Redis: what matters, and all that it tells.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};
use ratatui::widgets::Widget;

use super::theme::Theme;
use crate::commands::dash::layout::Areas;
use crate::commands::dash::model::Model;
use crate::human;

/// What matters, and what Redis calls it.
const FACTS: [(&str, &str); 12] = [
    ("version", "redis_version"),
    ("mode", "redis_mode"),
    ("up, days", "uptime_in_days"),
    ("clients", "connected_clients"),
    ("memory", "used_memory_human"),
    ("peak", "used_memory_peak_human"),
    ("limit", "maxmemory_human"),
    ("when full", "maxmemory_policy"),
    ("fragmentation", "mem_fragmentation_ratio"),
    ("commands/s", "instantaneous_ops_per_sec"),
    ("role", "role"),
    ("last save", "rdb_last_bgsave_status"),
];

pub(super) fn draw(model: &Model, areas: Areas, buffer: &mut Buffer, theme: Theme) {
    let info = &model.redis.info;
    let column = areas.head.width / 2;
    for (place, (name, key)) in (0_u16..).zip(FACTS) {
        let value = info.get(key).map_or_else(|| "-".to_owned(), |value| human::printable(value));
        let spans = vec![Span::styled(format!("{name:14}"), Theme::heading()), Span::raw(value)];
        let (x, y) = (areas.head.x + place % 2 * column, areas.head.y + place / 2);
        Line::from(spans).render(Rect { x, y, width: column, height: 1 }, buffer);
    }
    let nothing = if model.is_loaded { "it tells nothing" } else { "…" };
    let title =
        if info.is_empty() { nothing.to_owned() } else { format!("── all of INFO: {} ", info.len()) };
    Line::styled(title, theme.dim()).render(Rect { height: 1, ..areas.list }, buffer);
    let rows = Areas::rows(areas.list);
    for (y, (name, value)) in (areas.list.y + 1..).zip(info.iter().skip(model.redis.scroll).take(rows)) {
        let text = human::printable(&format!("{name}: {value}"));
        Line::raw(text).render(Rect { y, height: 1, ..areas.list }, buffer);
    }
}
