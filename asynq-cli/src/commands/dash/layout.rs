//! [`Areas`]: which place on the screen is what; the same for who draws and for who is clicked.

use ratatui::layout::{Constraint, Layout, Position, Rect, Size};

use super::tab::Tab;

/// What the dashboard needs.
pub(super) const SMALLEST: Size = Size { width: 60, height: 16 };

/// Which place on the screen is what.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Areas {
    pub(super) tabs: Rect,
    pub(super) status: Rect,
    /// What stands over the list: bars, counts, curves.
    pub(super) head: Rect,
    /// The list, its heading included.
    pub(super) list: Rect,
    /// The other list, where there are two.
    pub(super) second: Rect,
    /// One line under the list.
    pub(super) tail: Rect,
    pub(super) foot: Rect,
    /// What opens over all this: a task, the help.
    pub(super) popup: Rect,
}

impl Areas {
    /// For a screen of this size, whose last lines are taken.
    pub(super) fn new(size: Size, tab: Tab, foot: u16) -> Self {
        let whole = Rect::new(0, 0, size.width, size.height);
        let [tabs, status, body, foot] = Layout::vertical([
            Constraint::Length(1),
            Constraint::Length(1),
            Constraint::Min(0),
            Constraint::Length(foot),
        ])
        .areas(whole);
        let empty = Rect { height: 0, ..body };
        let base =
            Self { tabs, status, head: empty, list: body, second: empty, tail: empty, foot, popup: body };
        match tab {
            Tab::Overview => Self { head: body, list: empty, ..base },
            Tab::Queues => {
                let bars = (body.height / 4).clamp(3, 12) + 2;
                let [head, list] =
                    Layout::vertical([Constraint::Length(bars), Constraint::Min(0)]).areas(body);
                Self { head, list, ..base }
            }
            Tab::Tasks => {
                let [head, list, tail] =
                    Layout::vertical([Constraint::Length(4), Constraint::Min(0), Constraint::Length(1)])
                        .areas(body);
                Self { head, list, tail, ..base }
            }
            Tab::Servers | Tab::Schedulers => {
                let [list, _, second] =
                    Layout::vertical([Constraint::Percentage(50), Constraint::Length(1), Constraint::Min(0)])
                        .areas(body);
                Self { list, second, ..base }
            }
            Tab::Metrics => {
                let [list, _, head] =
                    Layout::horizontal([Constraint::Length(26), Constraint::Length(1), Constraint::Min(0)])
                        .areas(body);
                Self { head, list, ..base }
            }
            Tab::Redis => {
                let [head, list] = Layout::vertical([Constraint::Length(7), Constraint::Min(0)]).areas(body);
                Self { head, list, ..base }
            }
        }
    }

    /// The tab at this place.
    pub(super) fn tab_at(self, at: Position) -> Option<Tab> {
        let mut left = self.tabs.x;
        for (number, tab) in (1_u16..).zip(Tab::ALL) {
            let width = u16::try_from(tab_label(number, tab).len()).unwrap_or(0);
            if at.y == self.tabs.y && (left..left + width).contains(&at.x) {
                return Some(tab);
            }
            left += width;
        }
        None
    }

    /// Rows under the heading of a list.
    pub(super) fn rows(list: Rect) -> usize {
        usize::from(list.height.saturating_sub(1))
    }
}

/// How a tab is written.
pub(super) fn tab_label(number: u16, tab: Tab) -> String {
    format!(" {number} {} ", tab.title())
}
