//! The mouse: a click on a screen's name, on a row, on the row that is chosen already; and the wheel.

use crossterm::event::{MouseButton, MouseEvent, MouseEventKind};
use ratatui::layout::{Position, Rect};

use super::model::Model;
use crate::commands::dash::keys::{Command, Focus};
use crate::commands::dash::layout::Areas;
use crate::commands::dash::tab::Tab;

impl Model {
    pub(super) fn mouse(&mut self, mouse: MouseEvent) {
        let at = Position::new(mouse.column, mouse.row);
        match mouse.kind {
            MouseEventKind::ScrollUp => self.wheel(at, Command::Up),
            MouseEventKind::ScrollDown => self.wheel(at, Command::Down),
            MouseEventKind::Down(MouseButton::Left) => self.click(at),
            _ => {}
        }
    }

    fn wheel(&mut self, at: Position, command: Command) {
        if matches!(self.focus(), Focus::Confirm | Focus::Prompt) {
            return;
        }
        self.look_at(at);
        self.command(command);
    }

    fn click(&mut self, at: Position) {
        let areas = self.areas();
        match self.focus() {
            Focus::Confirm | Focus::Prompt | Focus::Palette => {}
            Focus::Task | Focus::Help if areas.popup.contains(at) => {}
            Focus::Task => self.task = None,
            Focus::Help => self.help = None,
            _ => {
                if let Some(tab) = areas.tab_at(at) {
                    return self.show(tab);
                }
                let second = self.look_at(at);
                let list = if second { areas.second } else { areas.list };
                let Some(line) = row_at(list, at) else { return };
                let Some(rows) = self.list() else { return };
                let before = rows.cursor();
                if rows.point(line) {
                    if rows.cursor() == before {
                        self.open();
                    } else if matches!(self.tab, Tab::Schedulers | Tab::Metrics) {
                        self.read_screen();
                    }
                }
            }
        }
    }

    /// Gives the keys to the list at this place; whether it is the second one.
    fn look_at(&mut self, at: Position) -> bool {
        let areas = self.areas();
        let second = areas.second.contains(at);
        if second || areas.list.contains(at) {
            match self.tab {
                Tab::Servers => self.servers.on_workers = second,
                Tab::Schedulers => self.schedulers.on_history = second,
                _ => {}
            }
        }
        second
    }
}

/// Which row of a list that is, counted from the first that is seen.
fn row_at(list: Rect, at: Position) -> Option<usize> {
    if !list.contains(at) {
        return None;
    }
    let line = usize::from(at.y - list.y).checked_sub(1)?;
    (line < Areas::rows(list)).then_some(line)
}
