//! Tables: the rows of a [`List`] that are seen, in columns that share the width there is.

use jiff::Timestamp;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::theme::Theme;
use crate::commands::dash::list::{List, Row};
use crate::commands::dash::text::{cut, width};

/// Columns stand so far apart.
const GAP: usize = 2;

/// Where the mark of a selected row stands.
const MARGIN: usize = 2;

/// A column gives way down to this: one that grows, and any other.
const LEAST: [usize; 2] = [10, 6];

/// A list to be drawn.
pub(super) struct Table<'a, T: 'static> {
    pub(super) list: &'a List<T>,
    pub(super) now: Timestamp,
    pub(super) theme: Theme,
    /// Whether the keys go here.
    pub(super) focused: bool,
    pub(super) selected: &'a dyn Fn(&T) -> bool,
    /// What is said where there are no rows.
    pub(super) nothing: &'a str,
}

impl<T: Row> Table<'_, T> {
    pub(super) fn draw(&self, area: Rect, buffer: &mut Buffer) {
        if area.height == 0 {
            return;
        }
        let height = usize::from(area.height) - 1;
        let texts: Vec<Vec<String>> = self
            .list
            .seen(height)
            .map(|(_, row)| self.list.columns.iter().map(|column| (column.text)(row, self.now)).collect())
            .collect();
        let headings: Vec<String> = (0..self.list.columns.len()).map(|place| self.heading(place)).collect();
        let widths = self.widths(&headings, &texts, usize::from(area.width).saturating_sub(MARGIN));
        self.line(buffer, area, 0, &headings, &widths);
        buffer.set_style(Rect { height: 1, ..area }, Theme::heading());
        if texts.is_empty() {
            buffer.set_stringn(
                area.x + 2,
                area.y + 1,
                self.nothing,
                usize::from(area.width - 2),
                self.theme.dim(),
            );
        }
        for (line, ((place, row), cells)) in (1_u16..).zip(self.list.seen(height).zip(&texts)) {
            self.line(buffer, area, line, cells, &widths);
            let whole = Rect { y: area.y + line, height: 1, ..area };
            if (self.selected)(row) {
                buffer.set_string(area.x, area.y + line, "●", self.theme.mark());
            }
            if place == self.list.cursor() {
                buffer.set_style(whole, Theme::chosen(self.focused));
            }
        }
    }

    /// A heading, with a mark where rows are sorted by it.
    fn heading(&self, place: usize) -> String {
        let heading = self.list.columns.get(place).map_or("", |column| column.heading);
        match self.list.sort.column {
            Some(sorted) if sorted == place => {
                format!("{heading}{}", if self.list.sort.falling { "▼" } else { "▲" })
            }
            _ => heading.to_owned(),
        }
    }

    fn line(&self, buffer: &mut Buffer, area: Rect, line: u16, cells: &[String], widths: &[usize]) {
        let mut left = MARGIN;
        for ((cell, wide), column) in cells.iter().zip(widths).zip(self.list.columns) {
            if *wide == 0 {
                continue;
            }
            let text = cut(cell, *wide);
            let indent = if column.right { wide - width(&text) } else { 0 };
            let x = u16::try_from(left + indent).unwrap_or(u16::MAX);
            if x < area.width {
                let room = usize::from(area.width - x);
                buffer.set_stringn(area.x + x, area.y + line, text, room, ratatui::style::Style::new());
            }
            left += wide + GAP;
        }
    }

    /// How wide each column is; 0 for one that there is no room for.
    fn widths(&self, headings: &[String], rows: &[Vec<String>], room: usize) -> Vec<usize> {
        let mut widths: Vec<usize> = headings.iter().map(|heading| width(heading)).collect();
        for row in rows {
            for (wide, cell) in widths.iter_mut().zip(row) {
                *wide = (*wide).max(width(cell)).min(room);
            }
        }
        let grows = |place: usize| self.list.columns.get(place).is_some_and(|column| column.grows);
        let mut shown = widths.len();
        loop {
            let gaps = shown.saturating_sub(1) * GAP;
            let taken = |widths: &[usize]| widths.iter().take(shown).sum::<usize>() + gaps;
            // First those give way that hold long texts, then whichever is widest.
            for (only_growing, least) in [(true, LEAST[0]), (false, LEAST[1])] {
                while taken(&widths) > room {
                    let widest = (0..shown)
                        .filter(|place| {
                            (!only_growing || grows(*place))
                                && widths.get(*place).is_some_and(|wide| *wide > least)
                        })
                        .max_by_key(|place| widths.get(*place).copied());
                    let Some(wide) = widest.and_then(|place| widths.get_mut(place)) else { break };
                    *wide -= 1;
                }
            }
            if taken(&widths) <= room || shown <= 1 {
                let rest = room.saturating_sub(taken(&widths));
                if let Some(wide) =
                    (0..shown).rev().find(|place| grows(*place)).and_then(|place| widths.get_mut(place))
                {
                    *wide += rest;
                }
                break;
            }
            shown -= 1;
        }
        widths.iter_mut().skip(shown).for_each(|wide| *wide = 0);
        widths
    }
}

/// No row is selected: for lists in which that means nothing.
pub(super) fn none<T>(_: &T) -> bool {
    false
}
