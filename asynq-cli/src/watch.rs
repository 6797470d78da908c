//! `--watch`: a command that prints data, again and again.

use std::io::{IsTerminal, Stdout, Write, stdout};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use crate::app::App;
use crate::failure::{Failure, Kind};
use crate::human;
use crate::output::{Printer, Sink};

/// Nobody reads faster, and Redis has others to serve.
const SHORTEST: Duration = Duration::from_millis(100);

/// How often, as it is written on the command line.
pub(crate) fn interval(text: &str) -> Result<Duration, String> {
    let every = human::duration(text)?;
    if every < SHORTEST {
        return Err(format!("`{text}` is too short: 100ms is the least"));
    }
    Ok(every)
}

/// Prints again and again: a terminal is redrawn, elsewhere one document follows the other. While Redis is away after
/// the first time, that is said in place of data.
pub(crate) async fn repeat(
    app: &App,
    every: Duration,
    mut print: impl AsyncFnMut(&App) -> Result<(), Failure>,
) -> Result<(), Failure> {
    let is_redrawn = stdout().is_terminal();
    let drawing = Arc::new(Mutex::new(Vec::new()));
    let sink = if is_redrawn { Sink::Screen(Arc::clone(&drawing)) } else { app.printer.sink.clone() };
    let app = App { printer: Printer { sink, ..app.printer.clone() }, ..app.clone() };
    let mut screen = None;
    let mut is_first = true;
    loop {
        if is_redrawn {
            app.printer.say(&format!("every {}; Ctrl-C ends it\n", human::length(every)))?;
        } else if !is_first && app.printer.format.is_table() {
            app.printer.say("")?;
        }
        match print(&app).await {
            Err(failure) if !is_first && failure.kind() == Kind::Unreachable => {
                app.printer.sink.note(&format!("error: {}", failure.message()));
            }
            printed => printed?,
        }
        is_first = false;
        if is_redrawn {
            let text = std::mem::take(&mut *drawing.lock().unwrap_or_else(PoisonError::into_inner));
            screen.get_or_insert_with(Screen::open).draw(&text)?;
        }
        tokio::time::sleep(every).await;
    }
}

/// The terminal's other screen without a cursor; dropping it brings back what was there.
struct Screen(Stdout);

impl Screen {
    fn open() -> Self {
        print!("\x1b[?1049h\x1b[?25l");
        Self(stdout())
    }

    /// Draws the lines that have room.
    fn draw(&mut self, text: &[u8]) -> Result<(), Failure> {
        let rows = terminal_size::terminal_size().map_or(24, |(_, rows)| usize::from(rows.0));
        let mut out = self.0.lock();
        // What is too long for a line is cut, not wrapped: the rows are counted.
        out.write_all(b"\x1b[?7l\x1b[H")?;
        for (row, line) in text.split(|byte| *byte == b'\n').take(rows).enumerate() {
            if row > 0 {
                out.write_all(b"\r\n")?;
            }
            out.write_all(line)?;
            out.write_all(b"\x1b[K")?;
        }
        out.write_all(b"\x1b[J\x1b[?7h")?;
        Ok(out.flush()?)
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        let mut out = self.0.lock();
        // Where the terminal is gone, there is nothing to bring back.
        drop(out.write_all(b"\x1b[?25h\x1b[?1049l").and_then(|()| out.flush()));
    }
}
