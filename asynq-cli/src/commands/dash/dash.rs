//! [`Dash`]: the command, and the loop that it is.

use std::io::{IsTerminal, stdin, stdout};
use std::time::Duration;

use clap::Args;
use crossterm::event::{Event as Input, EventStream, KeyEventKind};
use futures_util::StreamExt;
use ratatui::layout::Size;
use tokio::time::Instant;

use super::browser::Browser;
use super::event::{Browsed, Event};
use super::fetcher::Fetcher;
use super::model::{Model, Now, Options};
use super::request::Request;
use super::signals::{Signal, Signals};
use super::tab::Tab;
use super::terminal::Screen;
use super::view::{self, Theme};
use crate::app::App;
use crate::editor::{self, Draft};
use crate::failure::{Failure, Kind};
use crate::human;
use crate::settings::{Settings, web_address};

/// The dashboard in the terminal: looks at everything, live, and changes it. `?` lists every key.
#[derive(Args, Clone, Debug)]
pub(crate) struct Dash {
    /// How often everything is read: at least 1s.
    #[arg(long, value_name = "TIME", default_value = "2s", value_parser = refresh)]
    refresh: Duration,
    /// Change without asking.
    #[arg(short = 'y', long, conflicts_with = "read_only")]
    yes: bool,
    /// Only look: no key changes anything.
    #[arg(long)]
    read_only: bool,
    /// Where the Web UI is, for the key `o`: `https://jobs.example.com`; also `ASYNQ_WEB_URL`, or `web_url` in the
    /// configuration file.
    #[arg(long, value_name = "URL", value_parser = web_address)]
    web_url: Option<String>,
}

fn refresh(text: &str) -> Result<Duration, String> {
    let refresh = human::duration(text)?;
    if refresh < Duration::from_secs(1) { Err("at least 1s".to_owned()) } else { Ok(refresh) }
}

impl Dash {
    /// The same, with what the settings say of it; an error where it cannot run.
    pub(crate) fn prepared(self, settings: &Settings) -> Result<Self, Failure> {
        if !(stdin().is_terminal() && stdout().is_terminal()) {
            return Err(Failure::usage(
                "dash needs a terminal, for its input and its output; `asynq stats` and `asynq queue list` do not",
            ));
        }
        let web_url = match self.web_url {
            Some(address) => Some(address),
            None => settings.web_url()?,
        };
        Ok(Self { web_url, ..self })
    }

    pub(crate) async fn run(self, app: &App) -> Result<(), Failure> {
        let signals = Signals::listen()?;
        let (width, height) = crossterm::terminal::size()?;
        let began = Instant::now();
        let options = Options { yes: self.yes, read_only: self.read_only, refresh: self.refresh };
        let now = Now { at: app.now(), elapsed: Duration::ZERO };
        let running = Running {
            app,
            began,
            model: Model::new(options, Tab::Queues, Size { width, height }, now),
            theme: Theme { color: app.printer.bold },
            fetcher: Fetcher::new(&app.client),
            keys: EventStream::new(),
            signals,
            web_url: self.web_url,
            browser: Browser::default(),
            screen: Screen::take()?,
        };
        running.run().await
    }
}

/// The dashboard while it runs.
struct Running<'a> {
    app: &'a App,
    began: Instant,
    model: Model,
    theme: Theme,
    fetcher: Fetcher,
    keys: EventStream,
    signals: Signals,
    /// Where the Web UI is.
    web_url: Option<String>,
    browser: Browser,
    screen: Screen,
}

/// What wakes the loop.
enum Woken {
    Happened(Event),
    Signal(Signal),
    /// The terminal is gone.
    Closed,
    /// Something that means nothing to us.
    Nothing,
}

impl Running<'_> {
    async fn run(mut self) -> Result<(), Failure> {
        let ended = self.turn_round().await;
        let Self { screen, fetcher, .. } = self;
        // First the terminal: a change that is under way may take a while to end.
        drop(screen);
        fetcher.end().await;
        ended
    }

    async fn turn_round(&mut self) -> Result<(), Failure> {
        let mut requests = self.model.take_requests();
        loop {
            for request in requests {
                if self.fulfill(request).await? {
                    return Ok(());
                }
            }
            let (model, theme) = (&self.model, self.theme);
            self.screen.draw(|frame| view::draw(frame, model, theme))?;
            if let Some((place, text, address)) = view::address(model) {
                self.screen.link(place, &text, address)?;
            }
            #[cfg(debug_assertions)]
            panic_if_told();
            let woken = self.wait().await?;
            if let Some(address) = self.browser.failed() {
                self.screen.copy(&address)?;
                self.follow(Event::Browsed(Browsed::Copied(address))).await?;
            }
            requests = match woken {
                Woken::Happened(event) => self.model.update(event, self.now()),
                Woken::Signal(Signal::End(name)) => {
                    return Err(Failure::new(Kind::Interrupted, format!("ended by {name}")));
                }
                Woken::Signal(Signal::Suspend) => vec![Request::Suspend],
                Woken::Signal(Signal::Continue) => {
                    self.screen.resume()?;
                    self.model.update(Event::Time, self.now())
                }
                Woken::Closed => return Ok(()),
                Woken::Nothing => Vec::new(),
            };
        }
    }

    async fn wait(&mut self) -> Result<Woken, Failure> {
        let wake = self.began + self.model.next_wake();
        Ok(tokio::select! {
            input = self.keys.next() => match input {
                Some(input) => of_input(input?),
                None => Woken::Closed,
            },
            event = self.fetcher.next() => Woken::Happened(event),
            signal = self.signals.next() => Woken::Signal(signal),
            () = tokio::time::sleep_until(wake) => Woken::Happened(Event::Time),
        })
    }

    /// Does what the model asks for; whether that is the end.
    async fn fulfill(&mut self, request: Request) -> Result<bool, Failure> {
        match request {
            Request::Read { number, slot, what } => self.fetcher.read(number, slot, what),
            Request::Change(change) => self.fetcher.change(change),
            Request::StopChange => self.fetcher.stop_change(),
            Request::Copy(text) => self.screen.copy(&text)?,
            Request::Browse(page) => {
                let browsed = self.browse(&page)?;
                self.follow(Event::Browsed(browsed)).await?;
            }
            Request::Redraw => self.screen.clear()?,
            Request::Suspend => {
                Screen::suspend();
                Signals::suspend()?;
                self.screen.resume()?;
            }
            Request::Quit => return Ok(true),
            Request::Edit { queue, id, payload } => {
                // Nothing of ours may read the keys meanwhile.
                self.keys = EventStream::new();
                Screen::suspend();
                let old = payload.clone();
                let new = tokio::task::spawn_blocking(move || edit(&payload)).await;
                self.screen.resume()?;
                let new = new.unwrap_or_else(|error| Err(error.to_string()));
                self.follow(Event::Edited { queue, id, old, new }).await?;
            }
        }
        Ok(false)
    }

    /// What comes of a request itself, with all that follows.
    async fn follow(&mut self, event: Event) -> Result<(), Failure> {
        for request in self.model.update(event, self.now()) {
            Box::pin(self.fulfill(request)).await?;
        }
        Ok(())
    }

    /// Opens a page of the Web UI.
    fn browse(&mut self, page: &str) -> Result<Browsed, Failure> {
        let Some(base) = &self.web_url else { return Ok(Browsed::Nowhere) };
        let address = format!("{base}{page}");
        if self.browser.open(&address).is_ok_and(|opened| opened) {
            return Ok(Browsed::Opened(address));
        }
        self.screen.copy(&address)?;
        Ok(Browsed::Copied(address))
    }

    fn now(&self) -> Now {
        Now { at: self.app.now(), elapsed: self.began.elapsed() }
    }
}

fn of_input(input: Input) -> Woken {
    Woken::Happened(match input {
        Input::Key(key) if key.kind != KeyEventKind::Release => Event::Key(key),
        Input::Mouse(mouse) => Event::Mouse(mouse),
        Input::Paste(text) => Event::Paste(text),
        Input::Resize(width, height) => Event::Resize(Size { width, height }),
        _ => return Woken::Nothing,
    })
}

/// For the test that the terminal is put back by a panic; no part of a release.
#[cfg(debug_assertions)]
fn panic_if_told() {
    assert!(std::env::var_os("ASYNQ_TEST_PANIC").is_none(), "told to panic by ASYNQ_TEST_PANIC");
}

/// Opens a payload in the user's editor, or in vi, and gives what was saved.
fn edit(payload: &[u8]) -> Result<Vec<u8>, String> {
    let draft = Draft::new(payload).map_err(|error| format!("cannot make a file for the editor: {error}"))?;
    draft.open_in(&editor::chosen().unwrap_or_else(|| "vi".to_owned()))
}
