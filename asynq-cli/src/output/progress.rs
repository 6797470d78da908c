//! [`Progress`]: how far a change of many tasks has come, as a bar on the terminal.

use std::io::{IsTerminal, Write, stderr};
use std::time::{Duration, Instant};

use crate::human;

/// How often the bar is drawn at most.
const REDRAW: Duration = Duration::from_millis(100);

const WIDTH: usize = 24;

/// How far a change of many tasks has come; a bar on stderr where that is a terminal, and nothing elsewhere.
#[derive(Debug)]
pub(crate) struct Progress {
    total: usize,
    done: usize,
    began: Instant,
    drawn: Option<Instant>,
    shown: bool,
}

impl Progress {
    /// Of so many tasks.
    pub(crate) fn of(total: usize) -> Self {
        Self { total, done: 0, began: Instant::now(), drawn: None, shown: stderr().is_terminal() }
    }

    /// So many more are done.
    pub(crate) fn step(&mut self, more: usize) {
        self.at(self.done + more, self.total.saturating_sub(self.done + more));
    }

    /// So many are done, and so many left.
    pub(crate) fn at(&mut self, done: usize, left: usize) {
        (self.done, self.total) = (done, done + left);
        let due = self.drawn.is_none_or(|drawn| drawn.elapsed() >= REDRAW);
        if self.shown && due {
            self.drawn = Some(Instant::now());
            eprint!("\r{}\x1b[K", bar(self.done, self.total, self.began.elapsed()));
            // A bar that cannot be drawn is no reason to stop.
            drop(stderr().flush());
        }
    }

    /// A line above the bar.
    pub(crate) fn say(&self, line: &str) {
        self.clear();
        eprintln!("{line}");
    }

    fn clear(&self) {
        if self.drawn.is_some() {
            eprint!("\r\x1b[K");
        }
    }
}

impl Default for Progress {
    fn default() -> Self {
        Self::of(0)
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.clear();
    }
}

fn bar(done: usize, total: usize, took: Duration) -> String {
    let total = total.max(done).max(1);
    let full = WIDTH * done / total;
    let left = took.as_secs() * (total - done) as u64 / done.max(1) as u64;
    let left = match took.as_secs() {
        0 => String::new(),
        _ => format!(", {} left", human::length(Duration::from_secs(left))),
    };
    format!("[{}{}] {done} of {total}{left}", "#".repeat(full), ".".repeat(WIDTH - full))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bar_tells_how_far_it_is_and_how_long_it_takes() {
        assert_eq!(bar(0, 10, Duration::ZERO), format!("[{}] 0 of 10", ".".repeat(24)));
        let half = format!("[{}{}] 5 of 10, 20s left", "#".repeat(12), ".".repeat(12));
        assert_eq!(bar(5, 10, Duration::from_secs(20)), half);
        // Tasks that came meanwhile do not overflow it.
        assert_eq!(bar(12, 10, Duration::ZERO), format!("[{}] 12 of 12", "#".repeat(24)));
    }
}
