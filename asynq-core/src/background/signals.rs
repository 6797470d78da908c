//! The signals that stop a server or a scheduler.

use crate::error::{Error, Result};

/// What a signal asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Request {
    /// Take no more tasks, but stay (SIGTSTP).
    StopTaking,
    /// End (SIGTERM, SIGINT).
    Shutdown,
}

/// The process's signals. From its making on they no longer end the process by themselves.
#[cfg(unix)]
pub(crate) struct Signals {
    terminate: tokio::signal::unix::Signal,
    interrupt: tokio::signal::unix::Signal,
    stop: tokio::signal::unix::Signal,
}

#[cfg(unix)]
impl Signals {
    pub(crate) fn listen() -> Result<Self> {
        use tokio::signal::unix::{SignalKind, signal};
        /// SIGTSTP, which tokio has no name for; the number is the same on Linux, macOS and the BSDs except where
        /// noted in `signal(7)`.
        const SIGTSTP: i32 = if cfg!(any(target_os = "macos", target_os = "freebsd")) { 18 } else { 20 };
        Ok(Self {
            terminate: signal(SignalKind::terminate()).map_err(Error::Signals)?,
            interrupt: signal(SignalKind::interrupt()).map_err(Error::Signals)?,
            stop: signal(SignalKind::from_raw(SIGTSTP)).map_err(Error::Signals)?,
        })
    }

    /// The next request. Dropping the future loses nothing.
    pub(crate) async fn next(&mut self) -> Request {
        tokio::select! {
            _ = self.terminate.recv() => Request::Shutdown,
            _ = self.interrupt.recv() => Request::Shutdown,
            _ = self.stop.recv() => Request::StopTaking,
        }
    }
}

/// Ctrl-C, where there are no Unix signals.
#[cfg(not(unix))]
pub(crate) struct Signals;

#[cfg(not(unix))]
impl Signals {
    pub(crate) fn listen() -> Result<Self> {
        Ok(Self)
    }

    /// The next request. Dropping the future loses nothing.
    pub(crate) async fn next(&mut self) -> Request {
        match tokio::signal::ctrl_c().await {
            Ok(()) => Request::Shutdown,
            Err(_) => std::future::pending().await,
        }
    }
}
