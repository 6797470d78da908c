//! [`Screen`]: the terminal while the dashboard has it. It is put back on every way out: the end, an error, a signal, a
//! panic.

use std::io::{self, Write, stdout};
use std::panic;
use std::sync::atomic::{AtomicBool, Ordering};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use crossterm::cursor::{MoveTo, RestorePosition, SavePosition, Show};
use crossterm::event::{
    DisableBracketedPaste, DisableMouseCapture, EnableBracketedPaste, EnableMouseCapture,
};
use crossterm::style::{Attribute, SetAttribute};
use crossterm::terminal::{
    Clear, ClearType, EnterAlternateScreen, LeaveAlternateScreen, disable_raw_mode, enable_raw_mode,
};
use crossterm::{execute, queue};
use ratatui::backend::CrosstermBackend;
use ratatui::layout::Position;
use ratatui::{Frame, Terminal};

/// Whether the terminal is ours at this moment.
static TAKEN: AtomicBool = AtomicBool::new(false);

/// The terminal, as long as this lives.
pub(super) struct Screen {
    terminal: Terminal<CrosstermBackend<io::Stdout>>,
}

impl Screen {
    /// Takes the terminal. A panic, anywhere in the program, gives it back before it is told.
    pub(super) fn take() -> io::Result<Self> {
        let tell = panic::take_hook();
        panic::set_hook(Box::new(move |panicked| {
            give_back();
            tell(panicked);
        }));
        // Made first, so that it is dropped, and gives back, should the rest fail.
        let screen = Self { terminal: Terminal::new(CrosstermBackend::new(stdout()))? };
        enter()?;
        Ok(screen)
    }

    pub(super) fn draw(&mut self, draw: impl FnOnce(&mut Frame<'_>)) -> io::Result<()> {
        self.terminal.draw(draw).map(drop)
    }

    /// Everything is drawn anew next time.
    ///
    /// `Terminal::clear` would ask the terminal where the cursor is, and wait for an answer that whoever reads the keys
    /// may take.
    pub(super) fn clear(&mut self) -> io::Result<()> {
        execute!(stdout(), Clear(ClearType::All))?;
        self.terminal = Terminal::new(CrosstermBackend::new(stdout()))?;
        Ok(())
    }

    /// Gives the terminal to another program, until [`resume`](Self::resume).
    pub(super) fn suspend() {
        give_back();
    }

    pub(super) fn resume(&mut self) -> io::Result<()> {
        enter()?;
        self.clear()
    }

    /// Puts a text on the clipboard of whoever looks at the terminal, also from afar (OSC 52).
    pub(super) fn copy(&mut self, text: &str) -> io::Result<()> {
        let out = self.terminal.backend_mut();
        write!(out, "\x1b]52;c;{}\x07", STANDARD.encode(text))?;
        Write::flush(out)
    }

    /// Has a text that is drawn there lead to an address, in terminals that know of such (OSC 8).
    pub(super) fn link(&mut self, at: Position, text: &str, address: &str) -> io::Result<()> {
        let out = self.terminal.backend_mut();
        queue!(out, SavePosition, MoveTo(at.x, at.y), SetAttribute(Attribute::Underlined))?;
        write!(out, "\x1b]8;;{address}\x1b\\{text}\x1b]8;;\x1b\\")?;
        execute!(out, SetAttribute(Attribute::Reset), RestorePosition)
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        give_back();
        // The hook stays: it does nothing while the terminal is not ours.
    }
}

fn enter() -> io::Result<()> {
    TAKEN.store(true, Ordering::SeqCst);
    enable_raw_mode()?;
    execute!(stdout(), EnterAlternateScreen, EnableMouseCapture, EnableBracketedPaste)
}

/// Puts the terminal back, once. Where that fails there is nobody to tell.
fn give_back() {
    if !TAKEN.swap(false, Ordering::SeqCst) {
        return;
    }
    let mut out = stdout();
    let written = queue!(out, DisableBracketedPaste, DisableMouseCapture, LeaveAlternateScreen, Show)
        .and_then(|()| out.flush());
    drop(written);
    drop(disable_raw_mode());
}
