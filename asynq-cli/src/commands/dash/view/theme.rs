//! [`Theme`]: what stands out, and how; without colors too.

use asynq_core::task::TaskState;
use ratatui::style::{Color, Modifier, Style};

/// What stands out, and how.
#[derive(Clone, Copy, Debug)]
pub(in crate::commands::dash) struct Theme {
    /// Whether there are colors; nothing is told by color alone.
    pub(in crate::commands::dash) color: bool,
}

impl Theme {
    fn colored(self, color: Color) -> Style {
        if self.color { Style::new().fg(color) } else { Style::new() }
    }

    pub(super) fn heading() -> Style {
        Style::new().add_modifier(Modifier::BOLD)
    }

    pub(super) fn dim(self) -> Style {
        if self.color { Style::new().fg(Color::DarkGray) } else { Style::new().add_modifier(Modifier::DIM) }
    }

    /// The row under the cursor; weaker where the keys go elsewhere.
    pub(super) fn chosen(focused: bool) -> Style {
        if focused {
            Style::new().add_modifier(Modifier::REVERSED)
        } else {
            Style::new().add_modifier(Modifier::UNDERLINED)
        }
    }

    /// The screen or the state that is shown.
    pub(super) fn current(self) -> Style {
        self.colored(Color::Cyan).add_modifier(Modifier::BOLD | Modifier::UNDERLINED)
    }

    pub(super) fn tabs(self) -> Style {
        self.colored(Color::Gray)
    }

    pub(super) fn tab(self) -> Style {
        self.colored(Color::Cyan).add_modifier(Modifier::BOLD | Modifier::REVERSED)
    }

    pub(super) fn key(self) -> Style {
        self.colored(Color::Cyan).add_modifier(Modifier::BOLD)
    }

    pub(super) fn good(self) -> Style {
        self.colored(Color::Green)
    }

    pub(super) fn bad(self) -> Style {
        self.colored(Color::Red)
    }

    pub(super) fn mark(self) -> Style {
        self.colored(Color::Yellow).add_modifier(Modifier::BOLD)
    }

    /// A failure that must not be overlooked.
    pub(super) fn alarm(self) -> Style {
        if self.color {
            Style::new().fg(Color::White).bg(Color::Red).add_modifier(Modifier::BOLD)
        } else {
            Style::new().add_modifier(Modifier::BOLD | Modifier::REVERSED)
        }
    }

    pub(super) fn state(self, state: TaskState) -> Style {
        self.colored(match state {
            TaskState::Pending => Color::Cyan,
            TaskState::Aggregating => Color::Magenta,
            TaskState::Scheduled => Color::Yellow,
            TaskState::Retry => Color::LightRed,
            TaskState::Archived => Color::Red,
            TaskState::Completed => Color::Green,
            _ => Color::Blue,
        })
    }
}
