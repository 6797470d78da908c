//! The Go program in `tests/asynqmon`, which serves the API of the real asynqmon, as a child process.

use std::path::PathBuf;
use std::sync::OnceLock;

use tokio::process::Command;

use crate::go_program::built;
use crate::process::Child;

/// The real asynqmon on some Redis.
#[derive(Debug)]
pub struct Asynqmon {
    _child: Child,
    address: String,
}

impl Asynqmon {
    /// Starts it on the Redis at `url`, and waits until it listens.
    pub async fn start(url: &str, is_read_only: bool) -> Self {
        static PROGRAM: OnceLock<PathBuf> = OnceLock::new();
        let program = PROGRAM.get_or_init(|| built("tests/asynqmon", "asynqmon"));
        let child = Child::spawn(Command::new(program).arg(url).args(is_read_only.then_some("read-only")));
        let address = child.line("asynqmon listens", |line| line.starts_with("127.0.0.1:")).await;
        Self { _child: child, address }
    }

    /// Host and port.
    pub fn address(&self) -> &str {
        &self.address
    }
}
