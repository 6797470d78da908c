//! [`Desk`]: somebody at the dashboard: presses keys, and reads the screen.

use std::time::Duration;

use asynq_core::client::Client;
use asynq_core::inspector::Inspector;
use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use ratatui::Terminal;
use ratatui::backend::TestBackend;
use ratatui::buffer::Buffer;
use ratatui::layout::Size;

use crate::commands::dash::event::Event;
use crate::commands::dash::fetcher::Fetcher;
use crate::commands::dash::model::{Model, Now, Options};
use crate::commands::dash::request::Request;
use crate::commands::dash::tab::Tab;
use crate::commands::dash::view::{self, Theme};

/// Asked before a change, allowed to change.
pub(super) const CAREFUL: Options = Options { yes: false, read_only: false, refresh: Duration::from_secs(2) };

/// Somebody at the dashboard.
pub(super) struct Desk {
    pub(super) client: Client,
    pub(super) model: Model,
    pub(super) inspector: Inspector,
    fetcher: Fetcher,
    elapsed: Duration,
    /// What the model asked of the terminal.
    pub(super) asked: Vec<Request>,
}

impl Desk {
    /// Sits down at the list of queues, and waits for what it shows.
    pub(super) async fn new(client: Client, options: Options, size: (u16, u16)) -> Self {
        let size = Size { width: size.0, height: size.1 };
        let now = Now { at: client.broker().clock().now(), elapsed: Duration::ZERO };
        let inspector = Inspector::new(&client);
        let mut model = Model::new(options, Tab::Queues, size, now);
        let requests = model.take_requests();
        let fetcher = Fetcher::new(&client);
        let mut desk = Self { client, model, inspector, fetcher, elapsed: Duration::ZERO, asked: Vec::new() };
        desk.fulfill(requests).await;
        desk
    }

    pub(super) fn now(&self) -> Now {
        Now { at: self.client.broker().clock().now(), elapsed: self.elapsed }
    }

    /// Lets something happen, and waits for all that follows.
    pub(super) async fn happen(&mut self, event: Event) {
        let now = self.now();
        let requests = self.model.update(event, now);
        self.fulfill(requests).await;
    }

    async fn fulfill(&mut self, mut requests: Vec<Request>) {
        loop {
            for request in requests {
                match request {
                    Request::Read { number, slot, what } => self.fetcher.read(number, slot, what),
                    Request::Change(change) => self.fetcher.change(change),
                    Request::StopChange => self.fetcher.stop_change(),
                    other => self.asked.push(other),
                }
            }
            if !self.model.is_busy() {
                return;
            }
            let event = self.fetcher.next().await;
            let now = self.now();
            requests = self.model.update(event, now);
        }
    }

    /// Presses keys: names as in the help, or a text to be typed after `"`.
    pub(super) async fn press(&mut self, keys: &str) {
        for name in keys.split(' ') {
            if let Some(text) = name.strip_prefix('"') {
                for c in text.replace('_', " ").chars() {
                    self.happen(Event::Key(KeyEvent::new(KeyCode::Char(c), KeyModifiers::NONE))).await;
                }
            } else {
                self.happen(Event::Key(key(name))).await;
            }
        }
    }

    /// Time goes by, for the dashboard and the store.
    pub(super) async fn wait(&mut self, time: Duration) {
        self.elapsed += time;
        self.client.broker().clock().advance(time);
        self.happen(Event::Time).await;
    }

    /// The screen as text.
    pub(super) fn screen(&self) -> String {
        text(&self.buffer(true))
    }

    pub(super) fn buffer(&self, color: bool) -> Buffer {
        let Size { width, height } = self.model.size;
        let mut terminal = Terminal::new(TestBackend::new(width, height)).unwrap();
        terminal.draw(|frame| view::draw(frame, &self.model, Theme { color })).unwrap();
        terminal.backend().buffer().clone()
    }

    /// The line at the bottom.
    pub(super) fn foot(&self) -> String {
        self.screen().lines().last().unwrap_or_default().trim().to_owned()
    }
}

/// A screen as text; a wide character takes one place, and leaves out the next.
fn text(buffer: &Buffer) -> String {
    let mut text = String::new();
    for y in 0..buffer.area.height {
        let mut line = String::new();
        let mut x = 0;
        while x < buffer.area.width {
            let symbol = buffer[(x, y)].symbol();
            line.push_str(symbol);
            x += u16::try_from(crate::commands::dash::text::width(symbol)).unwrap().max(1);
        }
        text.push_str(line.trim_end());
        text.push('\n');
    }
    text
}

/// A key by its name in the help.
pub(super) fn key(name: &str) -> KeyEvent {
    let (modifiers, name) = match name.strip_prefix("Ctrl+") {
        Some(name) => (KeyModifiers::CONTROL, name.to_lowercase()),
        None => (KeyModifiers::NONE, name.to_owned()),
    };
    let code = match name.as_str() {
        "Space" => KeyCode::Char(' '),
        "Enter" => KeyCode::Enter,
        "Esc" => KeyCode::Esc,
        "Tab" => KeyCode::Tab,
        "Shift+Tab" => KeyCode::BackTab,
        "Backspace" => KeyCode::Backspace,
        "Delete" => KeyCode::Delete,
        "↑" => KeyCode::Up,
        "↓" => KeyCode::Down,
        "←" => KeyCode::Left,
        "→" => KeyCode::Right,
        "Home" => KeyCode::Home,
        "End" => KeyCode::End,
        "PgUp" => KeyCode::PageUp,
        "PgDn" => KeyCode::PageDown,
        one => KeyCode::Char(one.chars().next().unwrap()),
    };
    KeyEvent::new(code, modifiers)
}
