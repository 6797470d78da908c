//! [`Lines`]: the lines of a file or of stdin, read without keeping anybody from hearing Ctrl-C.

use std::fs::File;
use std::io::{self, BufRead, BufReader, stdin};
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use tokio::sync::mpsc::{Receiver, channel};
use tokio::time::timeout;

/// How many lines are read ahead.
const AHEAD: usize = 256;

/// How soon Ctrl-C is noticed while no line comes.
const NOTICE: Duration = Duration::from_millis(100);

/// The lines of a file or of stdin, each with its end.
#[derive(Debug)]
pub(crate) struct Lines {
    read: Receiver<io::Result<Vec<u8>>>,
}

impl Lines {
    /// Of a file; `-` is stdin.
    pub(crate) fn of(path: &Path) -> io::Result<Self> {
        let input: Box<dyn io::Read + Send> =
            if path == Path::new("-") { Box::new(stdin()) } else { Box::new(File::open(path)?) };
        let (tell, read) = channel(AHEAD);
        // Where nobody writes to stdin any more, it ends with the program.
        thread::Builder::new().name("lines".to_owned()).spawn(move || {
            let mut input = BufReader::new(input);
            loop {
                let mut line = Vec::new();
                let result = input.read_until(b'\n', &mut line);
                let is_over = matches!(result, Ok(0) | Err(_));
                let line = match result {
                    Ok(0) => return,
                    Ok(_) => Ok(line),
                    Err(error) => Err(error),
                };
                if tell.blocking_send(line).is_err() || is_over {
                    return;
                }
            }
        })?;
        Ok(Self { read })
    }

    /// The next line and those behind it that are there already; none at the end, or once `stop` is set.
    pub(crate) async fn next_few(&mut self, stop: &AtomicBool) -> io::Result<Vec<Vec<u8>>> {
        let Some(first) = self.next(stop).await else { return Ok(Vec::new()) };
        let mut lines = vec![first?];
        while lines.len() < AHEAD
            && let Ok(line) = self.read.try_recv()
        {
            lines.push(line?);
        }
        Ok(lines)
    }

    /// The next line; `None` at the end, or once `stop` is set.
    async fn next(&mut self, stop: &AtomicBool) -> Option<io::Result<Vec<u8>>> {
        while !stop.load(Ordering::Relaxed) {
            if let Ok(line) = timeout(NOTICE, self.read.recv()).await {
                return line;
            }
        }
        None
    }
}
